"""The province of this installation: `current()`, of which a process has one, chosen as its services are made.

All texts are written with the names of Jilin, so that they can be read where they are written. For another province
its names are put in their place as a text is read.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.province.file import Province

__all__ = ["choose", "current", "districts"]

_chosen: "list[Province]" = []


def choose(file: Path | None) -> "Province":
    """Make the province of a file that of this process, and return it; Jilin without a file. Raises ConfigError."""
    from app.core.province.file import read_province  # with pydantic, which takes a while and no `--help` needs

    _chosen[:] = [read_province(file)]
    return _chosen[0]


def current() -> "Province":
    """Return the province of this process."""
    return _chosen[0] if _chosen else choose(None)


def districts() -> tuple[str, ...]:
    """Return the districts: an officer without one works for the whole province, and a station has one."""
    return current().district_names

"""What people read, Chinese first and English beside it, from `texts.toml`, those of the console from its own.

Two languages in one file need no translation machinery, and a test sees at once when one of them is missing.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")
_FILES = ("texts.toml", "../console/texts.toml")


@cache
def _catalog() -> dict[str, Any]:
    """Every section of every file; no two files have a section of the same name."""
    catalog: dict[str, Any] = {}
    for file in _FILES:
        catalog |= tomllib.loads((Path(__file__).parent / file).read_text(encoding="utf-8"))
    return catalog


def text(section: str, slug: str, language: str) -> str:
    """The sentence of a slug. Raises KeyError when there is none: a test asks for every slug that the code uses."""
    entry: dict[str, str] = _catalog()[section][slug]
    return entry[language]


def problem_status(slug: str) -> int:
    """The HTTP status that goes with a problem."""
    status: int = _catalog()["problems"][slug]["status"]
    return status


def slugs(section: str) -> list[str]:
    """Every slug of a section."""
    return list(_catalog()[section])

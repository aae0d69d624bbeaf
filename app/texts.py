"""What people read, Chinese first and English beside it, from `texts.toml`.

Two languages in one file need no translation machinery, and a test sees at once when one of them is missing.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")


@cache
def _catalog() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))


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

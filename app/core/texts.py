"""Texts for users in Chinese and English: from `texts.toml`, those of the console from a file of its own.

With both languages in one file no translation tools are needed, and a test finds a missing one at once.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")
_FILES = ("texts.toml", "../console/texts.toml")


@cache
def _catalog() -> dict[str, Any]:
    """Return every section of every file; no two files have a section of the same name."""
    catalog: dict[str, Any] = {}
    for file in _FILES:
        catalog |= tomllib.loads((Path(__file__).parent / file).read_text(encoding="utf-8"))
    return catalog


def text(section: str, slug: str, language: str) -> str:
    """Return the text of a slug. Raises KeyError for an unknown one: a test requires every slug that the code uses."""
    entry: dict[str, str] = _catalog()[section][slug]
    return entry[language]


def reword(section: str, chinese: str, language: str) -> str:
    """Return what is kept in Chinese, in a language: as the section has it, and unchanged where it is a name."""
    known = (slug for slug, entry in _catalog()[section].items() if entry["zh"] == chinese)
    slug = next(known, None)
    return chinese if slug is None else text(section, slug, language)


def problem_status(slug: str) -> int:
    """Return the HTTP status of a problem."""
    status: int = _catalog()["problems"][slug]["status"]
    return status


def slugs(section: str) -> list[str]:
    """Return every slug of a section."""
    return list(_catalog()[section])

"""Texts for users: in Chinese and English from `texts.toml`, those of the console from a file of its own.

With both in one file no translation tools are needed, and a test finds a missing one at once. Citizens also read the
languages of `languages/`, one file each; what is missing there is said in Chinese.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
LANGUAGES = ("zh", "en")  # of officers
CITIZEN_LANGUAGES = (*LANGUAGES, *sorted(file.stem for file in (_HERE / "languages").glob("*.toml")))
_FILES = ("texts.toml", "../console/texts.toml")


@cache
def _catalog() -> dict[str, Any]:
    """Return every section of every file; no two files have a section of the same name."""
    catalog: dict[str, Any] = {}
    for file in _FILES:
        catalog |= tomllib.loads((_HERE / file).read_text(encoding="utf-8"))
    return catalog


def text(section: str, slug: str, language: str) -> str:
    """Return the text of a slug. Raises KeyError for an unknown one: a test requires every slug that the code uses."""
    entry: dict[str, str] = _catalog()[section][slug]
    return entry.get(language) or _added(language).get(section, {}).get(slug) or entry["zh"]


@cache
def _added(language: str) -> dict[str, dict[str, str]]:
    """Return the sections of a language with a file of its own; none of any other."""
    file = _HERE / "languages" / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if language in CITIZEN_LANGUAGES[len(LANGUAGES) :] else {}


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

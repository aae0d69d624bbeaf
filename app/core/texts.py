"""Texts for users: in Chinese and English from `texts.toml`, those of the console from a file of its own.

With both in one file no translation tools are needed, and a test finds a missing one at once. Citizens also read the
languages of `languages/`, one file each; what is missing there is said in Chinese. A province may word a text in its
own way, and has its names in all of them (`province`).
"""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core import province
from app.core.errors import ConfigError, FieldError

if TYPE_CHECKING:
    from app.core.province.file import Province

_HERE = Path(__file__).parent
LANGUAGES = ("zh", "en")  # of officers
_FILES = ("texts.toml", "../console/texts.toml")


def citizen_languages() -> tuple[str, ...]:
    """Return what citizens and inspectors of this province may read."""
    return province.current().languages


@cache
def _catalog() -> dict[str, Any]:
    """Return every section of every file; no two files have a section of the same name."""
    catalog: dict[str, Any] = {}
    for file in _FILES:
        catalog |= tomllib.loads((_HERE / file).read_text(encoding="utf-8"))
    return catalog


def text(section: str, slug: str, language: str) -> str:
    """Return the text of a slug. Raises KeyError for an unknown one: a test requires every slug that the code uses."""
    here = province.current()
    entry: dict[str, str] = here.own_text(section, slug) or _catalog()[section][slug]
    words = entry.get(language) or _added(here.text_file(language)).get(section, {}).get(slug)
    return here.rename(words, language) if words else here.rename(entry["zh"], "zh")


def field_text(field: FieldError, language: str) -> str:
    """Return the sentence about a bad field, with its number."""
    words = text("fields", field.slug, language)
    return words if field.number is None else words.format(number=field.number)


def check_own_texts(here: "Province") -> None:
    """Raise ConfigError for each text of a province that there is none of, or whose {placeholders} differ."""
    mistakes = []
    for section, slug in ((section, slug) for section, texts in here.texts.items() for slug in texts):
        entry = _catalog().get(section, {}).get(slug)
        if not isinstance(entry, dict) or "zh" not in entry:
            mistakes.append(f"texts.{section}.{slug}: there is no such text")
            continue
        expected = _placeholders(entry["zh"])
        wrong = [code for code, words in here.texts[section][slug].items() if _placeholders(words) != expected]
        needed = " ".join(sorted(expected)) or "none"
        mistakes += [f"texts.{section}.{slug}.{code}: the placeholders must be {needed}" for code in wrong]
    if mistakes:
        raise ConfigError("\n".join(mistakes))


def _placeholders(words: str) -> set[str]:
    return set(re.findall(r"\{\w*\}", words))


@cache
def _added(file: Path) -> dict[str, dict[str, str]]:
    """Return the sections of a language with a file of its own; none of any other."""
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def reword(section: str, chinese: str, language: str) -> str:
    """Return what is kept in Chinese, in a language: as the section has it, and unchanged where it is a name."""
    known = (slug for slug, entry in _catalog()[section].items() if entry["zh"] == chinese)
    slug = next(known, None)
    return chinese if slug is None else text(section, slug, language)


def problem_status(slug: str) -> int:
    """Return the HTTP status of a problem."""
    status: int = _catalog()["problems"][slug]["status"]
    return status


def sections() -> list[str]:
    """Return every section."""
    return list(_catalog())


def slugs(section: str) -> list[str]:
    """Return every slug of a section."""
    return list(_catalog()[section])

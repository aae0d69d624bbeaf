"""The words of lists, as words.toml has them: headings of columns, kinds of documents and of entries."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from app.core.identity import spelling

_IN_BRACKETS: Final = re.compile(r"[(\[【〔<].*?[)\]】〕>]")


def fold_word(words: str) -> str:
    """Return letters and digits of a heading or name, without case and without what is in brackets."""
    plain = _IN_BRACKETS.sub("", spelling.fold(words)).casefold()
    return "".join(char for char in plain if char.isalnum())


@lru_cache(maxsize=1000)  # one word is in many lines
def find_word(section: str, words: str) -> str | None:
    """Return the name in code for a word of this section of words.toml, or None."""
    return _names(section).get(fold_word(words))


def find_heading(words: str) -> str | None:
    """Return a heading as words.toml writes it, whatever the cell has besides; None for an unknown one."""
    return _spellings().get(fold_word(words))


def choose_word(section: str, name: str, language: str) -> str:
    """Return the word for a name in code that templates use in this language."""
    return next(word for word in _load()[section][name] if word.isascii() == (language == "en"))


def names(section: str) -> list[str]:
    """Return the names in code of a section of words.toml."""
    return list(_load()[section])


def begins_below(words: str) -> bool:
    """Return whether a row that begins so stands below a list, such as the one with its total."""
    folded = fold_word(words)
    for word in map(fold_word, _load()["below"]["words"]):
        rest = folded.removeprefix(word)
        if rest != folded and (not word.isascii() or not rest or rest.isdigit()):  # Summer is no sum
            return True
    return False


@cache
def _load() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@cache
def _names(section: str) -> Mapping[str, str]:
    return {fold_word(word): name for name, words in _load()[section].items() for word in (name, *words)}


@cache
def _spellings() -> Mapping[str, str]:
    sections = _load()["columns"] | _load()["unused"]
    return {fold_word(word): word for name, words in sections.items() for word in (*words, name)}

"""The language of the command line: Chinese where the locale is Chinese, otherwise English.

The code holds the English texts, and `zh.toml` the Chinese of each. Errors are raised with their values filled in, by
packages that know no locale; so a text is found by its form, in which `{0}`, `{1}` … stand for the values. Click
translates its own texts with gettext: `make texts` writes its catalog from the same file.
"""

import gettext
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent
_OURS = ("texts", "pydantic")  # the sections of what is said; click has its own
_CALLBACKS = ("callbacks",)  # short words, which mean something else in other texts
_MARK = re.compile("; |: ")
_files = [_FOLDER / "zh.toml"]


class _Form(NamedTuple):
    """A text with values: its English as a pattern, its Chinese as a format."""

    english: re.Pattern[str]
    chinese: str


def language() -> str:
    """Return "zh" or "en", by LC_ALL, LC_MESSAGES or LANG; LANGUAGE wins unless these say C, as in gettext."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    if locale not in ("C", "POSIX"):
        locale = os.environ.get("LANGUAGE") or locale
    return "zh" if locale.lower().startswith("zh") else "en"


def choose_catalog() -> None:
    """Let click find its Chinese catalog, or none where the language is English."""
    gettext.bindtextdomain("messages", str(_FOLDER / "locale") if language() == "zh" else os.devnull)


def translate(words: str) -> str:
    """Return a text in the reader's language, line by line; a line without a translation stays as it is."""
    return words if language() == "en" else "\n".join(map(_chinese_line, words.split("\n")))


def translate_callback(words: str) -> str:
    """Return a heading, an answer or an outcome of callbacks in the reader's language; machines read the English."""
    return words if language() == "en" else "；".join(_chinese(part, _CALLBACKS) for part in words.split("; "))


def _chinese_line(line: str) -> str:
    words = line.strip()
    return line[: len(line) - len(line.lstrip())] + _chinese(words)


def _chinese(words: str, sections: tuple[str, ...] = _OURS) -> str:
    """Return the Chinese of a text, else of its parts around the first `; ` or `: `, else the text."""
    texts, forms = _catalog(sections)
    if words in texts:
        return texts[words]
    head, mark_found, rest = words.partition(": ")
    if rest in texts:  # before a form takes the name of a setting for a value
        return _chinese(head, sections) + mark_found + texts[rest]
    for form in forms:
        if found := form.english.fullmatch(words):
            return form.chinese.format(*(_chinese(value, sections) for value in found.groups()))
    if mark := _MARK.search(words):  # the first of them: what follows can be a form that has the other
        return _chinese(words[: mark.start()], sections) + mark[0] + _chinese(words[mark.end() :], sections)
    return words


def add_texts(file: Path) -> None:
    """Read the Chinese of a further program's texts as well, from a file like `zh.toml`."""
    _files.append(file)
    _catalog.cache_clear()


@cache
def _catalog(sections: tuple[str, ...]) -> tuple[dict[str, str], list[_Form]]:
    """Return the texts of sections, and the forms of those with values, the most specific first."""
    files = [tomllib.loads(file.read_text(encoding="utf-8")) for file in _files]
    texts = {english: chinese for one in files for name in sections for english, chinese in one.get(name, {}).items()}
    forms = [_form(english, chinese) for english, chinese in texts.items() if "{0}" in english]
    return texts, sorted(forms, key=lambda form: -len(form.english.pattern))


def _form(english: str, chinese: str) -> _Form:
    """Return the form of a text; its values are captured in their order, which is that of their numbers."""
    literals = re.split(r"\{\d+\}", english)
    return _Form(re.compile("(.*?)".join(map(re.escape, literals))), chinese)

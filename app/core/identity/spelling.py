"""Spellings of one text: folded before it is compared or kept, so that no spelling makes another person.

Identifiers are ASCII: document numbers, and the user names of citizens and officers. Digits and letters of other
scripts that look alike are refused by whoever checks the form, never taken for others.
"""

import re
import unicodedata
from typing import Final

USERNAME: Final = re.compile(r"[a-z][a-z0-9._-]{3,31}", re.ASCII)
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_VARIATION_SELECTORS: Final = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_NAME_SCRIPTS: Final = frozenset({"CJK", "LATIN", "HANGUL", "MONGOLIAN", "TIBETAN", "ARABIC", "YI"})
_LOOK_ALIKES: Final = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"))
# In a class of a regular expression: 〇, extension A, the first block, compatibility, and both planes that Unicode
# keeps for Han, with what is still to come there. The tables of the interpreter know no later extension than its own.
HAN: Final = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fffd\U00030000-\U0003fffd"
_IS_HAN: Final = re.compile(f"[{HAN}]")
_NOT_OF_NUMBERS: Final = frozenset("'\"`\u00b4\u2018\u2019\u201b\u201c\u201d\u2032\u02b9\u02bc()")
_DASHES: Final = frozenset("\u2212\u30fc\u00af\u02d7")  # minus, and what else keyboards have for a dash


def fold(text: str) -> str:
    """Return a text in compatible characters (NFKC), without invisible ones."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if not _is_invisible(char))


def fold_number(number: str) -> str:
    """Return a number or code in capitals, without blanks, dashes, apostrophes, brackets and invisible marks.

    What is not ASCII stays, for whoever checks the form to refuse.
    """
    folded = _drop_marks(fold(_drop_marks(number)))  # before it too: a compatible form of ´ is no mark
    return folded.upper() if folded.isascii() else folded


def _drop_marks(number: str) -> str:
    return "".join(char for char in number if not (char.isspace() or char in _NOT_OF_NUMBERS or is_dash(char)))


def is_dash(char: str) -> bool:
    """Return whether a character is written for a dash."""
    return char in _DASHES or unicodedata.category(char) == "Pd"


def is_letter(char: str) -> bool:
    """Return whether a character is a letter, Han by its ranges."""
    return char.isalpha() or _IS_HAN.fullmatch(char) is not None


def fold_username(username: str) -> str:
    """Return a user name in the spelling that is kept and looked up: small letters, no blanks around.

    Invisible characters stay, for the form of a name refuses them.
    """
    return unicodedata.normalize("NFKC", username).strip().lower()


def tidy_name(name: str) -> str:
    """Return a name in compatible characters with single blanks; invisible ones stay, for the caller to refuse."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


def skeleton(text: str) -> str:
    """Return what two texts have in common that are taken for each other: letters and digits, look-alikes as one."""
    plain = "".join(char for char in fold(text).casefold() if char.isalnum() or is_letter(char))
    for written, seen in _LOOK_ALIKES:
        plain = plain.replace(written, seen)
    return plain


def is_of_known_scripts(name: str) -> bool:
    """Return whether a name can be seen, and every letter of it is of a script in which names are written here.

    Cyrillic and Greek are not: their letters are taken for Latin ones.
    """
    others = [char for char in name if not _IS_HAN.fullmatch(char)]
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in others if char.isalpha()}
    return scripts <= _NAME_SCRIPTS and "".join(others).isprintable()


def _is_invisible(char: str) -> bool:
    selector = any(first <= ord(char) <= last for first, last in _VARIATION_SELECTORS)
    return selector or char in _INVISIBLE or unicodedata.category(char) == "Cf"

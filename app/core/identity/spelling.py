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


def fold(text: str) -> str:
    """Return a text in compatible characters (NFKC), without invisible ones."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if not _is_invisible(char))


def fold_number(number: str) -> str:
    """Return a number or code in capitals, without blanks, dashes and invisible marks; what is not ASCII stays."""
    folded = "".join(char for char in fold(number) if not (char.isspace() or unicodedata.category(char) == "Pd"))
    return folded.upper() if folded.isascii() else folded


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
    plain = "".join(char for char in fold(text).casefold() if char.isalnum())
    for written, seen in _LOOK_ALIKES:
        plain = plain.replace(written, seen)
    return plain


def is_of_known_scripts(name: str) -> bool:
    """Return whether every letter of a name is of a script in which names are written here.

    Cyrillic and Greek are not: their letters are taken for Latin ones.
    """
    letters = (char for char in name if char.isalpha())
    return all(unicodedata.name(char, "").partition(" ")[0] in _NAME_SCRIPTS for char in letters)


def _is_invisible(char: str) -> bool:
    selector = any(first <= ord(char) <= last for first, last in _VARIATION_SELECTORS)
    return selector or char in _INVISIBLE or unicodedata.category(char) == "Cf"

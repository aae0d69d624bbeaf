"""The text of a code out of what scanners send: line ends, doubled characters, and what an input method made of it.

Scanners end a code with CR, LF or TAB, or with nothing and a pause; some begin it with STX or a byte order mark. A
keyboard wedge types through whatever the box's keyboard is set to: with a Chinese input method `:` and `$` come out as
`：` and `￥`, and with Caps Lock small. No token has small letters, and each form has one length, so all of that can be
undone. What is lost cannot: then the scanner's delay between keys is too short, and the person is asked to scan again.
"""

import unicodedata
from dataclasses import dataclass, field
from typing import Final

_ENDS: Final = frozenset("\r\n\t\x03\x04")
_AROUND: Final = " \r\n\t\ufeff\x00\x02\x03\x04"
_LENGTHS: Final = {"JX1": 213, "JX2": 192, "JX3": 216}  # docs/reference/token.md
_TYPED: Final = str.maketrans({"￥": "$", "¥": "$", "、": "/", "。": ".", "·": "*", "—": "-", "–": "-", "\u00a0": " "})
_LONGEST: Final = 2048  # of what can be a code, twice over


@dataclass
class Lines:
    """Puts together what comes in pieces; `pause` ends a code that has no end of its own."""

    _waiting: str = field(default="", repr=False)

    def feed(self, text: str) -> list[str]:
        """Return the codes that end in this piece."""
        done = []
        for char in text:
            if char not in _ENDS:
                self._waiting += char
            elif code := self.pause():
                done.append(code)
        if len(self._waiting) > _LONGEST:
            self._waiting = ""
        return done

    def pause(self) -> str:
        """Return the code that a pause has ended, or nothing."""
        code, self._waiting = self._waiting.strip(_AROUND), ""
        return code


def read_token(scanned: str) -> str:
    """Return the token that a scan means, as far as it can be known; another text comes back as it is."""
    text = unicodedata.normalize("NFKC", scanned.translate(_TYPED)).translate(_TYPED).strip(_AROUND)
    candidates = (text, text.upper(), _halve(text.upper()), _single_blanks(text.upper()))
    return next((one for one in candidates if _is_whole(one)), text)


def is_cut(token: str) -> bool:
    """Return whether a text begins as a token does and has lost characters: to scan again may help."""
    return token[:3] in _LENGTHS and len(token) < _LENGTHS[token[:3]]


def _is_whole(text: str) -> bool:
    return text[3:4] == ":" and len(text) == _LENGTHS.get(text[:3])


def _halve(text: str) -> str:
    """Return every other character where each came twice, as from a scanner that types as two keyboards."""
    return text[::2] if text[::2] == text[1::2] else text


def _single_blanks(text: str) -> str:
    """Return a text with one blank for two, as from a scanner that doubles each; the length shows whether it did."""
    return text.replace("  ", " ")

"""Readers of identity cards with the module SAM_A, over a serial line: their frames, and the text on a card.

A frame to the reader is `AA AA AA 96 69`, the length of what follows in two bytes, a command and its parameter, and the
exclusive or of all after the head. Its answer has three bytes of status in the place of the command. The text of a card
is UTF-16 in fields of fixed length. The layout follows what published drivers do; a card itself was not at hand.
"""

import time
from typing import Final, NamedTuple, Protocol

HEAD: Final = bytes.fromhex("aaaaaa9669")
FIND, SELECT, READ = b"\x20\x01", b"\x20\x02", b"\x30\x01"
FOUND, DONE = 0x9F, 0x90
_KINDS: Final = {"": "id-card", "J": "residence-permit", "I": "permanent-residence"}
_KIND_AT: Final = 248  # in the text: blank, J (of Hong Kong, Macau and Taiwan) or I (of foreigners)
_TEXT_BYTES: Final = 256
_PATIENCE_SECONDS: Final = 1.5


class Card(NamedTuple):
    """What is read of a card; it is passed on and kept nowhere."""

    kind: str
    number: str
    name: str

    def proof(self) -> dict[str, dict[str, str]]:
        """Return the card as a check takes it."""
        return {"document": {"type": self.kind, "number": self.number, "name": self.name}}


class Port(Protocol):
    """A serial port, as pyserial has one: `read` returns what has come before its timeout."""

    def read(self, size: int) -> bytes: ...

    def write(self, data: bytes, /) -> int | None: ...


class FrameError(ValueError):
    """What the reader sent is no answer: too short, or its check byte is wrong."""


def make_frame(content: bytes) -> bytes:
    """Return a frame with this command, or these bytes of status and data."""
    length = (len(content) + 1).to_bytes(2, "big")
    return HEAD + length + content + bytes([_check(length + content)])


def read_frame(port: Port) -> bytes:
    """Return the content of the next frame, after whatever was on the line before. Raises FrameError."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    got = b""
    while not got.endswith(HEAD):
        got += _some(port, 1, ends)
    length = _some(port, 2, ends)
    content = _some(port, int.from_bytes(length, "big"), ends)
    if _check(length + content) != 0:
        raise FrameError("check byte")
    return content[:-1]


def read_card(port: Port) -> Card | None:
    """Return the card on the reader, or None. Raises FrameError."""
    for command, expected in ((FIND, FOUND), (SELECT, DONE)):
        port.write(make_frame(command))
        if read_frame(port)[2:3] != bytes([expected]):
            return None
    port.write(make_frame(READ))
    answer = read_frame(port)
    if answer[2:3] != bytes([DONE]):
        return None
    text_bytes = int.from_bytes(answer[3:5], "big")
    return parse_text(answer[7 : 7 + text_bytes])


def parse_text(text: bytes) -> Card:
    """Return what is needed of the text of a card. Raises FrameError for one that is cut."""
    if len(text) < _TEXT_BYTES:
        raise FrameError("text")
    kind = _field(text, _KIND_AT, 2)
    if kind == "I":  # the Latin name first, and the Chinese one after nationality
        name = _field(text, 0, 120)
        return Card(_KINDS[kind], _field(text, 122, 30), name)
    return Card(_KINDS.get(kind, _KINDS[""]), _field(text, 122, 36), _field(text, 0, 30))


def _field(text: bytes, start: int, size: int) -> str:
    return text[start : start + size].decode("utf-16-le", errors="replace").strip("\0 \u3000")


def _some(port: Port, size: int, ends: float) -> bytes:
    got = b""
    while len(got) < size:
        got += port.read(size - len(got))
        if len(got) < size and time.monotonic() > ends:
            raise FrameError("no answer")
    return got


def _check(content: bytes) -> int:
    """Return the exclusive or of all bytes, which is 0 with the check byte at the end."""
    check = 0
    for byte in content:
        check ^= byte
    return check

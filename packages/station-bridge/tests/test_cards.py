"""A reader of identity cards on a serial line: a pair of pseudo-terminals with a reader of the published frames."""

import os
import pty
import threading
import tty
from collections.abc import Iterator

import pytest
import serial

from station_bridge.cards import FIND, HEAD, READ, SELECT, Card, FrameError, make_frame, parse_text, read_card


def padded(text: str, size: int) -> bytes:
    return (text + " " * (size // 2 - len(text))).encode("utf-16-le")


class Reader:
    """The other end of the line: answers each command as a reader does, after some noise."""

    def __init__(self, text: bytes | None) -> None:
        self.text = text
        self.spoil = False
        self.ours, theirs = pty.openpty()
        tty.setraw(theirs)
        tty.setraw(self.ours)
        self.port = os.ttyname(theirs)
        self._theirs = theirs
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        got = b""
        while True:
            try:
                got += os.read(self.ours, 64)
            except OSError:
                return
            while len(got) >= 10 and HEAD in got:
                got = got[got.index(HEAD) :]
                command, got = got[7:9], got[10:]
                frame = make_frame(self._answer(command))
                os.write(self.ours, b"\x00\xaa" + (frame[:-1] + b"\xee" if self.spoil else frame))

    def _answer(self, command: bytes) -> bytes:
        if self.text is None:
            return b"\x00\x00\x80"
        if command == FIND:
            return b"\x00\x00\x9f" + bytes(4)
        if command == SELECT:
            return b"\x00\x00\x90" + bytes(8)
        assert command == READ
        return b"\x00\x00\x90" + (256).to_bytes(2, "big") + (1024).to_bytes(2, "big") + self.text + bytes(1024)

    def close(self) -> None:
        os.close(self._theirs)
        os.close(self.ours)


def make_text(name: str, number: str, kind: str = "") -> bytes:
    sizes = ((name, 30), ("1", 2), ("01", 4), ("19900101", 16), ("示例地址", 70), (number, 36), ("示例公安局", 30))
    text = b"".join(padded(value, size) for value, size in (*sizes, ("2020010120300101", 32), ("", 22), ("", 2)))
    return (text + bytes(256))[:248] + padded(kind, 2) + padded("", 6)


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    made = Reader(make_text("示例甲", "229999199202020175"))
    yield made
    made.close()


def test_a_card_is_read_past_noise(reader: Reader) -> None:
    with serial.Serial(reader.port, 115_200, timeout=0.1) as port:
        assert read_card(port) == Card("id-card", "229999199202020175", "示例甲")
        reader.text = None
        assert read_card(port) is None


def test_a_wrong_check_byte_is_no_card(reader: Reader) -> None:
    reader.spoil = True
    with serial.Serial(reader.port, 115_200, timeout=0.1) as port, pytest.raises(FrameError):
        read_card(port)


def test_a_residence_permit_and_a_rare_name_are_read() -> None:
    assert parse_text(make_text("示例·买买提", "810000199408230021", "J")).kind == "residence-permit"
    with pytest.raises(FrameError):
        parse_text(b"short")

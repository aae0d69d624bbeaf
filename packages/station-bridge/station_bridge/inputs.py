"""Inputs: what comes from a serial scanner, a keyboard wedge, a card reader or a thermal camera, as events.

Each is read in a thread of its own, which opens its port again when somebody has pulled the plug.
"""

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, Protocol

import serial

from station_bridge import cards
from station_bridge.cards import Card
from station_bridge.scans import Lines

PAUSE_SECONDS: Final = 0.12  # ends a code that has no end of its own: twice the gap at 9,600 baud of a slow scanner
_AGAIN_SECONDS: Final = 1.0
_CARD_SECONDS: Final = 0.3
_CELSIUS: Final = re.compile(r"(?<!\d)(\d{2}\.\d)(?!\d)")


class Scan(NamedTuple):
    """A text that a scanner has read."""

    text: str


class Heat(NamedTuple):
    """A temperature."""

    celsius: float


Event = Scan | Card | Heat


class Input(Protocol):
    """An input: its name for people, and its events until it is lost, which raises OSError."""

    name: str

    def events(self) -> Iterator[Event | None]: ...


class SerialScanner:
    """A scanner at a serial port, also one that makes its USB a port."""

    def __init__(self, port: str, baud: int = 9600) -> None:
        self.name = port
        self._baud = baud

    def events(self) -> Iterator[Event | None]:
        lines = Lines()
        with serial.Serial(self.name, self._baud, timeout=PAUSE_SECONDS) as port:
            port.reset_input_buffer()  # half a code from before
            while True:
                got = port.read(max(1, port.in_waiting))
                texts = lines.feed(got.decode("utf-8", errors="replace")) if got else [lines.pause()]
                yield from (Scan(text) for text in texts if text)
                yield None


class SerialThermometer(SerialScanner):
    """A thermal camera at a serial port that writes lines with a temperature, such as `T=36.5`."""

    def events(self) -> Iterator[Event | None]:
        for event in super().events():
            if isinstance(event, Scan):
                yield from (Heat(float(found)) for found in _CELSIUS.findall(event.text)[:1])
            yield None


class CardReader:
    """A reader of identity cards with the module SAM_A at a serial port."""

    def __init__(self, port: str, baud: int = 115_200) -> None:
        self.name = port
        self._baud = baud

    def events(self) -> Iterator[Event | None]:
        with serial.Serial(self.name, self._baud, timeout=0.1) as port:
            while True:
                try:
                    card = cards.read_card(port)
                except cards.FrameError:  # noise, or a card taken away
                    card = None
                    port.reset_input_buffer()
                if card is not None:
                    yield card
                yield None
                time.sleep(_CARD_SECONDS)


class StandardInput:
    """A keyboard wedge that types into the terminal of this program, or a pipe."""

    name = "stdin"

    def events(self) -> Iterator[Event | None]:
        lines = Lines()
        for line in sys.stdin:
            yield from (Scan(text) for text in lines.feed(line))
        if text := lines.pause():
            yield Scan(text)


class KeyboardWedge:
    """A keyboard wedge read below the keyboard's layout and input method, which then cannot change what it types."""

    def __init__(self, device: str) -> None:
        self.name = device

    def events(self) -> Iterator[Event | None]:
        from station_bridge.keyboard import read_keys  # needs evdev

        lines = Lines()
        for text in read_keys(self.name):
            yield from (Scan(one) for one in lines.feed(text))


def watch(one: Input, take: Callable[[Event], Any], tell: Callable[[str, str], None], stop: threading.Event) -> None:
    """Pass every event of an input on until asked to stop; a lost input is opened again and again."""
    is_lost = False
    while not stop.is_set():
        try:
            for event in one.events():
                if is_lost:
                    is_lost = False
                    tell("input-back", one.name)
                if event is not None:
                    take(event)
                if stop.is_set():
                    return
            return  # the end of a pipe
        except OSError:  # pyserial's own is one
            if not is_lost:
                is_lost = True
                tell("input-lost", one.name)
            stop.wait(_AGAIN_SECONDS)

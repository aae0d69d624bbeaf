"""Keys of a keyboard wedge from the kernel (evdev), as the characters of a US keyboard: what scanners type by default.

The device is grabbed, so that nothing else types what was scanned. A key that is held repeats; those repeats are no
characters of the code.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

# names of the kernel, with and without Shift
_PLAIN: Final = {
    **{f"KEY_{char}": char.lower() for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    **{f"KEY_{digit}": digit for digit in "0123456789"},
    **{f"KEY_KP{digit}": digit for digit in "0123456789"},
    "KEY_SPACE": " ", "KEY_MINUS": "-", "KEY_EQUAL": "=", "KEY_DOT": ".", "KEY_SLASH": "/", "KEY_SEMICOLON": ";",
    "KEY_KPMINUS": "-", "KEY_KPPLUS": "+", "KEY_KPDOT": ".", "KEY_KPSLASH": "/", "KEY_KPASTERISK": "*",
    "KEY_ENTER": "\n", "KEY_KPENTER": "\n", "KEY_TAB": "\t",
}  # fmt: skip
_SHIFTED: Final = {
    **{f"KEY_{char}": char for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    **{f"KEY_{digit}": char for digit, char in zip("1234567890", "!@#$%^&*()", strict=True)},
    "KEY_SPACE": " ", "KEY_MINUS": "_", "KEY_EQUAL": "+", "KEY_DOT": ">", "KEY_SLASH": "?", "KEY_SEMICOLON": ":",
    "KEY_ENTER": "\n", "KEY_TAB": "\t",
}  # fmt: skip
_SHIFTS: Final = ("KEY_LEFTSHIFT", "KEY_RIGHTSHIFT")


class Key(NamedTuple):
    """One event of a key: its name in the kernel, and 0 released, 1 pressed, 2 repeated."""

    name: str
    value: int


def type_keys(keys: Iterable[Key]) -> Iterator[str]:
    """Yield the characters that keys type; Caps Lock has no say, for the shift of a scanner is what it means."""
    held: set[str] = set()
    for key in keys:
        if key.name in _SHIFTS:
            (held.discard if key.value == 0 else held.add)(key.name)
        elif key.value == 1 and (char := (_SHIFTED if held else _PLAIN).get(key.name)):
            yield char


def read_keys(device: str) -> Iterator[str]:
    """Yield the characters that a keyboard wedge types. Raises OSError when it is gone."""
    import evdev

    opened = evdev.InputDevice(device)
    with opened.grab_context():
        names = (
            Key(name if isinstance(name := evdev.ecodes.KEY.get(event.code, ""), str) else name[0], event.value)
            for event in opened.read_loop()
            if event.type == evdev.ecodes.EV_KEY
        )
        yield from type_keys(names)

"""Clocks that do not agree."""

from collections.abc import Iterator
from contextlib import contextmanager

from faults.rounds import Case
from faults.system import System


@contextmanager
def apart(system: System, number: int) -> Iterator[None]:
    """Host B is five seconds ahead of host A; what it does first is dated after what A does next."""
    system.other_clock.write_text("5")
    yield
    system.other_clock.write_text("0")


CASES = (Case("clocks-apart", apart, is_harmless=True),)

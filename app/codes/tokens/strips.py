"""Strips: the code for the coming hours, taken while there is network, as its holder sees it now."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from app.codes.tokens.strip_tokens import StripHolder, StripTokens, StripWindow


class StripToken(NamedTuple):
    """A token of a strip, and when it may be shown."""

    token: str
    window: StripWindow


class StripLength(NamedTuple):
    """For how long a strip is, and how long each of its windows."""

    total: timedelta
    window: timedelta


def make_strip(tokens: StripTokens, holder: StripHolder, now: datetime, length: StripLength) -> Iterator[StripToken]:
    """Yield the tokens of a strip, the first of which begins now."""
    begins = now.replace(microsecond=0)
    for number in range(int(length.total / length.window)):
        window = StripWindow(begins + number * length.window, begins + (number + 1) * length.window)
        yield StripToken(tokens.mint(holder, now, window), window)

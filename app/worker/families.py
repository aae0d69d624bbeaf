"""Families: ties whose time is over or that are void, and how often codes were shown on the days that are over."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.families import shows, ties
from app.families.models import FamilyTie
from app.privacy import erasure
from app.runtime import Services

BATCH: Final = 500
_Find = Callable[[Session, datetime, int], Sequence[FamilyTie]]


def end_families(services: Services) -> None:
    """End ties by the clock, and write how often codes were shown into the audit."""
    written = BATCH
    while written == BATCH:
        with services.begin() as session:
            written = shows.write_sums(session, services.clock.now(), BATCH)
    _end_all(services, ties.list_over)


def end_void_families(services: Services) -> None:
    """End ties that somebody's registration has made void; they count for nothing since."""
    _end_all(services, ties.list_void)


def _end_all(services: Services, find: _Find) -> None:
    """End what is found, each in a transaction of its own, until nothing is."""
    while True:
        with services.sessions() as session:
            found = find(session, services.clock.now(), BATCH)
        for tie in found:
            with services.begin() as session:
                erasure.end_over(session, tie, services.clock.now())
        if len(found) < BATCH:
            return

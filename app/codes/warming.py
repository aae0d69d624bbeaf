"""Filling the color cache from the database, and comparing the two."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from app.codes.cache import PER_KEY, ColorCache, Record, record_of
from app.codes.models import Code
from app.db import among
from app.rules import Policy


class Progress(NamedTuple):
    """How far a long run has come: blocks of codes done and to do, and codes counted."""

    done: int
    total: int
    codes: int


def warm(cache: ColorCache, sessions: sessionmaker[Session], policy: Policy) -> Iterator[Progress]:
    """Write the record of every code, block by block; yields after each block, `codes` being those written."""
    written, total = 0, _blocks(sessions)
    for number in range(total):
        with sessions() as session:
            records = _records(session, policy, number)
        written += cache.put(records.items())
        yield Progress(number + 1, total, written)


def verify(cache: ColorCache, sessions: sessionmaker[Session], policy: Policy) -> Iterator[tuple[Progress, list[int]]]:
    """Compare every record with the database; yields the serials of each block whose record differs.

    A record that was never written is no difference: it means that the database is asked.
    """
    wrong, total = 0, _blocks(sessions)
    numbers = sorted({*range(total), *cache.blocks()})
    for done, number in enumerate(numbers, 1):
        cached = cache.block(number)
        with sessions() as session:  # read after the cache: what changed in between is newer here, not different
            known = _records(session, policy, number)
        differing = [serial for serial, record in cached.items() if record != known.get(serial)]
        wrong += len(differing)
        yield Progress(done, len(numbers), wrong), differing


def _blocks(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        largest = session.scalar(select(func.max(Code.serial)))
    return 0 if largest is None else largest // PER_KEY + 1


def _records(session: Session, policy: Policy, number: int) -> dict[int, Record]:
    """The records that the database says one block should hold."""
    first = number * PER_KEY
    codes = session.scalars(select(Code).where(Code.serial >= first, Code.serial < first + PER_KEY))
    return {code.serial: record_of(code, policy.rules) for code in codes}


def records_of(session: Session, policy: Policy, serials: Collection[int]) -> list[tuple[int, Record]]:
    """The records of these codes as the database has them now; of those that exist."""
    rows = session.execute(select(*_RECORD).where(among(Code.serial, serials)))
    return [(row.serial, record_of(row, policy.rules)) for row in rows]


_RECORD = (Code.serial, Code.state, Code.rule, Code.epoch, Code.version, Code.since, Code.due_at)


def rewrite(cache: ColorCache, sessions: sessionmaker[Session], policy: Policy, serials: list[int]) -> None:
    """Replace the records of these codes by what the database says, whatever version they had."""
    for start in range(0, len(serials), PER_KEY):
        some = serials[start : start + PER_KEY]
        cache.forget(some)
        with sessions() as session:
            records = records_of(session, policy, some)
        cache.put(records)

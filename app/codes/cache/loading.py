"""Loading the color cache from the database, and comparing the two.

For the sake of speed with a whole province, PostgreSQL itself packs the records of a string, as `records.pack` does in
Python; a test compares the two.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ARRAY, String, bindparam, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from app.codes.cache.color_cache import CacheReplaced, ColorCache
from app.codes.cache.parts import CachePart
from app.codes.cache.records import NEVER, CacheRecord, make_record
from app.codes.cache.scripts import RECORD_SIZE, RECORDS_PER_KEY
from app.codes.models import Code
from app.codes.states import State
from app.rules import Policy


class CacheProgress(NamedTuple):
    """The progress of a run: blocks of codes done, blocks in all, and the number of codes counted."""

    done: int
    total: int
    codes: int


def load_cache(
    cache: ColorCache, sessions: sessionmaker[Session], policy: Policy, parts: Collection[CachePart] | None = None
) -> Iterator[CacheProgress]:
    """Write the record of every code, or of those in some parts of the cache, block by block.

    Yields after each block; `codes` are those written.
    """
    written = 0
    numbers = [number for number in _blocks(sessions) if parts is None or cache.parts.of_string(number) in parts]
    for done, number in enumerate(numbers, 1):
        written += _load_block(cache, sessions, policy, number)
        yield CacheProgress(done, len(numbers), written)


def _load_block(cache: ColorCache, sessions: sessionmaker[Session], policy: Policy, number: int) -> int:
    while True:
        generations = cache.generations_of([cache.parts.of_string(number)])
        with sessions() as session:
            data = _block(session, policy, number)
        with suppress(CacheReplaced):
            return cache.put_block(number, data, generations)


def verify_cache(
    cache: ColorCache, sessions: sessionmaker[Session], policy: Policy
) -> Iterator[tuple[CacheProgress, list[int]]]:
    """Compare every record with the database; yields the serials of each block whose record differs.

    An empty record, or a marked one, is no difference: for it the database is read. Nor is one that changes meanwhile,
    or that is in doubt.
    """
    different = 0
    numbers = sorted({*_blocks(sessions), *cache.blocks()})
    for done, number in enumerate(numbers, 1):
        differing = verify_block(cache, sessions, policy, number)
        different += len(differing)
        yield CacheProgress(done, len(numbers), different), differing


def verify_block(cache: ColorCache, sessions: sessionmaker[Session], policy: Policy, number: int) -> list[int]:
    """Return the serials of one string whose record differs from the database.

    A change marks its record before its commit. So a record that the database had overtaken because of a change is
    another one when the cache is read again; only one that stayed the same differs.
    """
    cached, first = cache.block(number), number * RECORDS_PER_KEY
    with sessions() as session:
        stored = _block(session, policy, number)
        if cached == stored:
            return []
        doubts = set(session.scalars(_DOUBTS))  # of changes that Redis did not confirm: repaired before the next lease
    again = cache.block(number)
    stayed = set(_differing(cached, stored, first)) - set(_differing(cached, again, first))
    return sorted(serial for serial in stayed if f"code:{serial}" not in doubts)


def _blocks(sessions: sessionmaker[Session]) -> list[int]:
    """Return the numbers of the strings in which there are codes: serials that a restore skipped have none."""
    numbers: list[int] = []
    with sessions() as session:
        while True:
            start = 0 if not numbers else (numbers[-1] + 1) * RECORDS_PER_KEY
            first = session.scalar(select(func.min(Code.serial)).where(Code.serial >= start))
            if first is None:
                return numbers
            numbers.append(first // RECORDS_PER_KEY)


_EMPTY = int(State.EMPTY)


_DOUBTS = text("select key from cache_doubts")


def _differing(cached: bytes, others: bytes, first: int) -> list[int]:
    """Return the serials whose cached record differs from the other one; the strings begin with the serial `first`."""
    offsets = range(0, len(cached), RECORD_SIZE)
    pairs = ((cached[at : at + RECORD_SIZE], others[at : at + RECORD_SIZE]) for at in offsets)
    return [
        serial for serial, (record, expected) in enumerate(pairs, first) if record[0] != _EMPTY and record != expected
    ]


# The layout of `records`, bit by bit. An empty record for a missing code, or for a rule that the policy does not have.
_PACKED = text("""
    select string_agg(coalesce(record, decode(repeat('00', 16), 'hex')), '' order by place)
    from generate_series(cast(:first as bigint), :last) place
    left join (
        select serial,
            int8send(
                (cast(state as bigint) << 56)
                | (case when rule is null then 0 else cast(array_position(:rules, rule) as bigint) << 48 end)
                | (cast(epoch as bigint) << 32)
                | version
            ) || int8send(
                (cast(coalesce(floor(date_part('epoch', since) / 60), 0) as bigint) << 32)
                | cast(coalesce(floor(date_part('epoch', due_at) / 60), :never) as bigint)
            ) as record
        from codes where serial between :first and :last
    ) codes on serial = place
""").bindparams(bindparam("rules", type_=ARRAY(String)))


def _block(session: Session, policy: Policy, number: int) -> bytes:
    """Return one string of the cache as the database has it."""
    first = number * RECORDS_PER_KEY
    parameters = {"first": first, "last": first + RECORDS_PER_KEY - 1, "rules": list(policy.rules), "never": NEVER}
    return bytes(session.execute(_PACKED, parameters).scalar_one())


def load_records(session: Session, policy: Policy, serials: Collection[int]) -> list[tuple[int, CacheRecord]]:
    """Return the records of codes as the database has them now; only of codes that exist."""
    rows = map(_Columns._make, session.execute(_RECORDS, {"serials": list(serials)}).all())
    return [(row.serial, make_record(row, policy.rules)) for row in rows]


class _Columns(NamedTuple):
    serial: int
    state: int
    rule: str | None
    epoch: int
    version: int
    since: datetime | None
    due_at: datetime | None


_RECORDS = text(f"select {', '.join(_Columns._fields)} from codes where serial = any(:serials)")  # noqa: S608 - our names


def repair_cache(cache: ColorCache, sessions: sessionmaker[Session], policy: Policy, serials: list[int]) -> None:
    """Replace the records of codes by those of the database, whatever version they had."""
    for start in range(0, len(serials), RECORDS_PER_KEY):
        batch = serials[start : start + RECORDS_PER_KEY]
        with sessions() as session:
            repair_records(cache, session, policy, batch)


def repair_records(cache: ColorCache, session: Session, policy: Policy, serials: Collection[int]) -> None:
    """Replace the records of codes by those that this session sees."""
    cache.forget(serials)
    cache.put(load_records(session, policy, serials))

"""Filling the color cache from the database, and comparing the two.

A province passes through here, so PostgreSQL itself packs the records of a string, as `cache.pack` does in Python: the
tests hold the two together.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from sqlalchemy import ARRAY, String, bindparam, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from app.codes.cache.records import NEVER, RECORD_SIZE, RECORDS_PER_KEY, CacheRecord, ColorCache, make_record
from app.codes.models import Code
from app.core.db import among
from app.rules import Policy


class CacheProgress(NamedTuple):
    """How far a long run has come: blocks of codes done and to do, and codes counted."""

    done: int
    total: int
    codes: int


def load_cache(cache: ColorCache, sessions: sessionmaker[Session], policy: Policy) -> Iterator[CacheProgress]:
    """Write the record of every code, block by block; yields after each block, `codes` being those written."""
    written, total = 0, _blocks(sessions)
    for number in range(total):
        with sessions() as session:
            data = _block(session, policy, number)
        written += cache.put_block(number, data)
        yield CacheProgress(number + 1, total, written)


def verify_cache(
    cache: ColorCache, sessions: sessionmaker[Session], policy: Policy
) -> Iterator[tuple[CacheProgress, list[int]]]:
    """Compare every record with the database; yields the serials of each block whose record differs.

    A record that was never written is no difference: it means that the database is asked.
    """
    wrong, total = 0, _blocks(sessions)
    numbers = sorted({*range(total), *cache.blocks()})
    for done, number in enumerate(numbers, 1):
        cached = cache.block(number)
        with sessions() as session:  # read after the cache: what changed in between is newer here, not different
            known = _block(session, policy, number)
        differing = [] if cached == known else _differing(cached, known, number * RECORDS_PER_KEY)
        wrong += len(differing)
        yield CacheProgress(done, len(numbers), wrong), differing


def _blocks(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        largest = session.scalar(select(func.max(Code.serial)))
    return 0 if largest is None else largest // RECORDS_PER_KEY + 1


_NEVER_WRITTEN = bytes(RECORD_SIZE)


def _differing(cached: bytes, known: bytes, first: int) -> list[int]:
    """The serials whose cached record is another than the known one; the strings begin with the serial `first`."""
    pairs = ((cached[at : at + RECORD_SIZE], known[at : at + RECORD_SIZE]) for at in range(0, len(cached), RECORD_SIZE))
    return [serial for serial, (one, other) in enumerate(pairs, first) if one not in (other, _NEVER_WRITTEN)]


# Bit by bit the layout of `cache.py`. No code, or a rule that the policy does not know: an empty record.
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
    """What the database says one string of the cache should hold."""
    first = number * RECORDS_PER_KEY
    asked = {"first": first, "last": first + RECORDS_PER_KEY - 1, "rules": list(policy.rules), "never": NEVER}
    return bytes(session.execute(_PACKED, asked).scalar_one())


def load_records(session: Session, policy: Policy, serials: Collection[int]) -> list[tuple[int, CacheRecord]]:
    """The records of these codes as the database has them now; of those that exist."""
    rows = session.execute(select(*_RECORD).where(among(Code.serial, serials)))
    return [(row.serial, make_record(row, policy.rules)) for row in rows]


_RECORD = (Code.serial, Code.state, Code.rule, Code.epoch, Code.version, Code.since, Code.due_at)


def repair_cache(cache: ColorCache, sessions: sessionmaker[Session], policy: Policy, serials: list[int]) -> None:
    """Replace the records of these codes by what the database says, whatever version they had."""
    for start in range(0, len(serials), RECORDS_PER_KEY):
        some = serials[start : start + RECORDS_PER_KEY]
        cache.forget(some)
        with sessions() as session:
            records = load_records(session, policy, some)
        cache.put(records)

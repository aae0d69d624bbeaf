"""The record of 16 bytes that the color cache has for every code.

Records are packed into strings of 4,092, addressed by serial, so that a province of codes needs few keys and a read is
one GETRANGE. A record is only replaced by a newer one.
"""

import struct
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from app.codes.cache.parts import ONE_PART
from app.codes.cache.scripts import RECORD_SIZE, RECORDS_PER_KEY
from app.codes.models import Code
from app.codes.states import State

NEVER = 0xFFFF_FFFF
_LAYOUT = struct.Struct(">BBHIII")
_STATES = {int(state): state for state in State}


class CacheRecord(NamedTuple):
    """The cache record of one code. Minutes count from 1970; `rule` is its position in the policy, from 1."""

    state: State
    rule: int
    epoch: int
    version: int
    since_minute: int
    until_minute: int

    def is_fresh(self, now: datetime) -> bool:
        """Return whether the record may be used without reading the database."""
        return self.state != State.EMPTY and self.until_minute > _minute(now)

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp(self.since_minute * 60, UTC)

    @property
    def until(self) -> datetime | None:
        """Return the minute at which the color ends by the clock, if it does."""
        return None if self.until_minute == NEVER else datetime.fromtimestamp(self.until_minute * 60, UTC)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


_known_minute = lru_cache(1_024)(_minute)  # the codes of a change have few moments


@lru_cache
def _place(rule: str, rules: tuple[str, ...]) -> int:
    return rules.index(rule) + 1


def make_record(code: Code | Any, rules: tuple[str, ...]) -> CacheRecord:
    """Return the record of a row of codes. `rules` are the policy's rule ids in their permanent order."""
    return CacheRecord(
        state=State(code.state),
        rule=0 if code.rule is None else _place(code.rule, rules),
        epoch=code.epoch,
        version=code.version,
        since_minute=0 if code.since is None else _known_minute(code.since),
        until_minute=NEVER if code.due_at is None else _known_minute(code.due_at),
    )


def pack(record: CacheRecord) -> bytes:
    return _LAYOUT.pack(*record)


def unpack(data: bytes) -> CacheRecord:
    """Return the record in 16 bytes; an empty one for fewer bytes, or for a state unknown to this release."""
    if len(data) < RECORD_SIZE:
        data = bytes(RECORD_SIZE)
    state, rule, epoch, version, since, until = _LAYOUT.unpack(data)
    return CacheRecord(_STATES.get(state, State.EMPTY), rule, epoch, version, since, until)


def cache_key(serial: int) -> str:
    """Return the key of the string with the record of a code, where the cache has one part."""
    return ONE_PART[0].string_key(serial // RECORDS_PER_KEY)


def cache_offset(serial: int) -> int:
    return serial % RECORDS_PER_KEY * RECORD_SIZE

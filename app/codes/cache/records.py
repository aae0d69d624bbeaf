"""The color cache in Redis: a record of 16 bytes for every code.

Records are packed into strings of 4,092, addressed by serial, so that a province of codes needs few keys and a read is
one GETRANGE. A record is only replaced by a newer one. For an empty record, or one past its last fresh minute, the
database is read. The cache decides nothing and can be deleted at any time.
"""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from redis import Redis

from app.codes.models import Code
from app.codes.states import State

RECORD_SIZE = 16
RECORDS_PER_KEY = 4092  # 65,472 bytes: with its header a string still fits the 64 KiB class of Redis's allocator
NEVER = 0xFFFF_FFFF
_LAYOUT = struct.Struct(">BBHIII")
_STATES = frozenset(map(int, State))

# A new string gets its full length at once: one that grows step by step is allocated half as much memory again.
_WHOLE = f"""
local written = 0
if redis.call('STRLEN', KEYS[1]) < {RECORDS_PER_KEY * RECORD_SIZE} then
  redis.call('SETRANGE', KEYS[1], {RECORDS_PER_KEY * RECORD_SIZE - 1}, string.char(0))
end
local function put(offset, new)
  local old = redis.call('GETRANGE', KEYS[1], offset, offset + {RECORD_SIZE - 1})
  if struct.unpack('>I4', old, 5) < struct.unpack('>I4', new, 5) then
    redis.call('SETRANGE', KEYS[1], offset, new)
    written = written + 1
  end
end
"""
# Writes each (offset, record) whose version, bytes 5-8, is newer than the stored one. They are compared as numbers,
# because Redis compares strings by the locale of its machine.
_PUT_IF_NEWER = f"""{_WHOLE}
for i = 1, #ARGV, 2 do
  put(tonumber(ARGV[i]), ARGV[i + 1])
end
return written
"""
# The same for all records of a string, in one argument.
_PUT_BLOCK_IF_NEWER = f"""{_WHOLE}
for offset = 0, {(RECORDS_PER_KEY - 1) * RECORD_SIZE}, {RECORD_SIZE} do
  put(offset, string.sub(ARGV[1], offset + 1, offset + {RECORD_SIZE}))
end
return written
"""


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


def make_record(code: Code | Any, rules: tuple[str, ...]) -> CacheRecord:
    """Return the record of a row of codes. `rules` are the policy's rule ids in their permanent order."""
    return CacheRecord(
        state=State(code.state),
        rule=0 if code.rule is None else rules.index(code.rule) + 1,
        epoch=code.epoch,
        version=code.version,
        since_minute=0 if code.since is None else _minute(code.since),
        until_minute=NEVER if code.due_at is None else _minute(code.due_at),
    )


def pack(record: CacheRecord) -> bytes:
    return _LAYOUT.pack(*record)


def unpack(data: bytes) -> CacheRecord:
    """Return the record in 16 bytes; an empty one for fewer bytes, or for a state unknown to this release."""
    if len(data) < RECORD_SIZE:
        data = bytes(RECORD_SIZE)
    state, *rest = _LAYOUT.unpack(data)
    return CacheRecord(State(state) if state in _STATES else State.EMPTY, *rest)


def cache_key(serial: int) -> str:
    return _key(serial // RECORDS_PER_KEY)


def _key(number: int) -> str:
    return f"jx:codes:{number}"


def cache_offset(serial: int) -> int:
    return serial % RECORDS_PER_KEY * RECORD_SIZE


class ColorCache:
    """The cache in Redis. Every method raises redis.RedisError when Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._put = redis.register_script(_PUT_IF_NEWER)
        self._put_block = redis.register_script(_PUT_BLOCK_IF_NEWER)

    def get(self, serial: int) -> CacheRecord:
        """Return the record of one code, empty if there is none."""
        offset = cache_offset(serial)
        data = self._redis.getrange(cache_key(serial), offset, offset + RECORD_SIZE - 1)
        return unpack(cast(bytes, data))

    def block(self, number: int) -> bytes:
        """Return one whole string, empty if there is none."""
        return cast(bytes, self._redis.get(_key(number))) or b""

    def blocks(self) -> list[int]:
        """Return the numbers of the existing strings."""
        return sorted({int(key.rsplit(b":", 1)[1]) for key in self._redis.scan_iter("jx:codes:*", count=1000)})

    def put(self, records: Iterable[tuple[int, CacheRecord]]) -> int:
        """Write records by serial where they are newer than the stored ones; return how many were."""
        by_key: dict[str, list[bytes | int]] = {}
        for serial, record in records:
            by_key.setdefault(cache_key(serial), []).extend((cache_offset(serial), pack(record)))
        return sum(cast(int, self._put(keys=[key], args=arguments)) for key, arguments in by_key.items())

    def put_block(self, number: int, data: bytes) -> int:
        """Write all records of one string, RECORDS_PER_KEY * RECORD_SIZE bytes, as `put` does; return how many were."""
        if self._redis.set(_key(number), data, nx=True):  # nothing to compare with
            states = data[::RECORD_SIZE]
            return len(states) - states.count(0)
        return cast(int, self._put_block(keys=[_key(number)], args=[data]))

    def forget(self, serials: Iterable[int]) -> None:
        """Empty the records of codes, so that the database is read again."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for serial in serials:
                pipeline.setrange(cache_key(serial), cache_offset(serial), bytes(RECORD_SIZE).decode())
            pipeline.execute()

    def drop(self) -> None:
        """Delete the whole cache."""
        for number in self.blocks():
            self._redis.delete(_key(number))

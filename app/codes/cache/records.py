"""The color cache in Redis: a record of 16 bytes for every code.

Records are packed into strings of 4,092, addressed by serial, so that a province of codes needs few keys and a read is
one GETRANGE. A record is only replaced by a newer one. For an empty record, one past its last fresh minute, and while
nobody holds the cache lease (`lease`), the database is read. The cache decides nothing and can be deleted at any
time.

Before a change is committed its record is marked: empty, with the version that the database still has. Only a newer
version replaces a mark, or after a minute the same one, because the change may not have been committed.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from redis import Redis

from app.codes.cache import scripts
from app.codes.cache.scripts import ANY_GENERATION, RECORD_SIZE, RECORDS_PER_KEY
from app.codes.models import Code
from app.codes.states import State
from app.core.redis_client import ThreadConnections

NEVER = 0xFFFF_FFFF
_LAYOUT = struct.Struct(">BBHIII")
_STATES = frozenset(map(int, State))

LEASE_KEY = "jx:cache:lease"
GENERATION_KEY = "jx:cache:generation"
BEAT_KEY = "jx:cache:beat"
WARM_KEY = "jx:cache:warm"  # the generation that was filled
VALUE_PREFIX = "jx:cached:"  # of what is kept beside the colors, and as long as they are leased


class CacheReplaced(Exception):
    """The cache was emptied since: what was to be written could be old, and has to be read again."""


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


def read_command(serial: int) -> tuple[str | int, ...]:
    """Return the command that reads the packed record of a code."""
    offset = cache_offset(serial)
    return "GETRANGE", cache_key(serial), offset, offset + RECORD_SIZE - 1


def _counted(written: Any) -> int:
    if written == scripts.REPLACED:
        raise CacheReplaced
    return cast(int, written)


class LeasedRead(NamedTuple):
    """What was read of the cache, and the generation of the cache, or None when nobody holds a lease of it."""

    value: bytes
    generation: str | None


class ColorCache:
    """The cache in Redis. Every method raises redis.RedisError when Redis does not answer."""

    def __init__(self, redis: Redis, installed: Callable[[], int | None] = lambda: 0) -> None:
        """`installed` returns the generation of the installation, which a lease has to be of; None if unknown."""
        self._redis = redis
        self._installed = installed
        self.connections = ThreadConnections(redis)
        self._put = redis.register_script(scripts.PUT_IF_NEWER)
        self._put_block = redis.register_script(scripts.PUT_BLOCK_IF_NEWER)
        self._forget = redis.register_script(scripts.FORGET)
        self._mark = redis.register_script(scripts.MARK)
        self._set_value = redis.register_script(scripts.SET_VALUE)

    def get(self, serial: int) -> CacheRecord:
        """Return the record of one code, leased or not; empty if there is none."""
        return unpack(self.connections.execute(*read_command(serial)))

    def read(self, serial: int) -> LeasedRead:
        """Return the packed record of one code, and whether it is leased, in one round trip."""
        return self._read_leased(read_command(serial))

    def read_value(self, key: str) -> LeasedRead:
        """Return a value that is kept beside the colors, empty if there is none, as `read` does a record."""
        return self._read_leased(("GET", key))

    def _read_leased(self, command: tuple[str | int | bytes, ...]) -> LeasedRead:
        lease, value = self.connections.execute_all(("GET", LEASE_KEY), command)
        return LeasedRead(value or b"", self.leased_generation(lease))

    def lease_prefix(self, run_id: str) -> str | None:
        """Return how a lease of this run of Redis and this generation of the installation begins; None if unknown."""
        return f"{run_id}:{self._installed()}:" if run_id else None

    def leased_generation(self, lease: bytes | None) -> str | None:
        """Return the generation of the cache in the value of a lease, or None when it is of another run or history."""
        prefix, value = self.lease_prefix(self.connections.run_id()), (lease or b"").decode()
        return value.removeprefix(prefix) if prefix and value.startswith(prefix) else None

    def block(self, number: int) -> bytes:
        """Return one whole string, empty if there is none."""
        return cast(bytes, self._redis.get(_key(number))) or b""

    def blocks(self) -> list[int]:
        """Return the numbers of the existing strings."""
        return sorted({int(key.rsplit(b":", 1)[1]) for key in self._redis.scan_iter("jx:codes:*", count=1000)})

    def put(self, records: Iterable[tuple[int, CacheRecord]], generation: str = ANY_GENERATION) -> int:
        """Write records by serial where they are newer than the stored ones; return how many were.

        `generation` is that of the cache before they were read from the database. Raises CacheReplaced.
        """
        by_key: dict[str, list[bytes | int]] = {}
        for serial, record in records:
            by_key.setdefault(cache_key(serial), []).extend((cache_offset(serial), pack(record)))
        return sum(
            _counted(self._put(keys=[key, GENERATION_KEY], args=[generation, *arguments]))
            for key, arguments in by_key.items()
        )

    def put_block(self, number: int, data: bytes, generation: str = ANY_GENERATION) -> int:
        """Write all records of one string, RECORDS_PER_KEY * RECORD_SIZE bytes, as `put` does; return how many were."""
        written = self._put_block(keys=[_key(number), GENERATION_KEY], args=[generation, data])
        if written == scripts.NEW_STRING:
            states = data[::RECORD_SIZE]
            return len(states) - states.count(0)
        return _counted(written)

    def put_value(self, key: str, value: str, seconds: int, generation: str) -> None:
        """Keep a value beside the colors, unless there is one, as `put` keeps a record. Raises CacheReplaced."""
        _counted(self._set_value(keys=[key, GENERATION_KEY], args=[generation, value, seconds]))

    def mark(self, versions: Mapping[int, int]) -> str:
        """Mark the records of codes, by serial, that will get a newer version than this; return the generation."""
        if not versions:
            return self.generation()
        generation = b""
        by_key: dict[str, list[int]] = {}
        for serial, version in versions.items():
            by_key.setdefault(cache_key(serial), []).extend((cache_offset(serial), version))
        for key, arguments in by_key.items():
            generation = cast(bytes, self._mark(keys=[key, GENERATION_KEY], args=arguments))
        return generation.decode()

    def generation(self) -> str:
        """Return the generation of the cache."""
        return cast(bytes, self._redis.get(GENERATION_KEY) or b"").decode()

    def forget(self, serials: Iterable[int]) -> None:
        """Empty the records of codes, so that the database is read again.

        A marked one is left as it is: its mark keeps the record from before a change out.
        """
        by_key: dict[str, list[int]] = {}
        for serial in serials:
            by_key.setdefault(cache_key(serial), []).append(cache_offset(serial))
        for key, offsets in by_key.items():
            self._forget(keys=[key], args=offsets)

    def set_values(self, values: Mapping[str, str], seconds: int) -> None:
        """Keep values beside the colors, by key, whatever there is."""
        for key, value in values.items():
            self.connections.execute("SET", key, value, "EX", seconds)

    def delete_values(self, keys: Sequence[str]) -> None:
        """Forget values that are kept beside the colors."""
        self.connections.execute("DEL", *keys)

    def drop(self) -> None:
        """Delete the whole cache, and every value that is kept beside the colors."""
        for number in self.blocks():
            self._redis.delete(_key(number))
        for key in self._redis.scan_iter(f"{VALUE_PREFIX}*", count=1000):
            self._redis.delete(key)

"""The color cache in Redis: the records of all codes, and values beside them.

For an empty record, one past its last fresh minute, and while nobody holds the cache lease (`lease`), the database is
read. The cache decides nothing and can be deleted at any time.

Before a change is committed its record is marked: empty, with the version that the database still has. Only a newer
version replaces a mark, or after a minute the same one, because the change may not have been committed.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from app.codes.cache import scripts
from app.codes.cache.parts import ONE_PART, PARTS_OF_CLUSTER, STRING_PREFIX, VALUE_PREFIX, CachePart
from app.codes.cache.records import CacheRecord, cache_offset, pack, unpack
from app.codes.cache.scripts import ANY_GENERATION, RECORD_SIZE, RECORDS_PER_KEY
from app.core.redis_client import AnyRedis, ClusterRedis, Command, LuaScript, connections_of, is_cluster

_PUT = LuaScript(scripts.PUT_IF_NEWER)
_PUT_BLOCK = LuaScript(scripts.PUT_BLOCK_IF_NEWER)
_FORGET = LuaScript(scripts.FORGET)
_MARK = LuaScript(scripts.MARK)
_SET_VALUE = LuaScript(scripts.SET_VALUE)


class CacheReplaced(Exception):
    """The cache was emptied since: what was to be written could be old, and has to be read again."""


def _counted(written: Any) -> int:
    if written == scripts.REPLACED:
        raise CacheReplaced
    return cast(int, written)


class CacheRead(NamedTuple):
    """A command that reads the cache, and the part whose lease has to be read with it."""

    part: CachePart
    command: Command


class LeasedRead(NamedTuple):
    """What was read of the cache, and the generation of the cache, or None when nobody holds a lease of it."""

    value: bytes
    generation: str | None


# by the number of the part: the run ids of the servers that have taken marks, with the generation of the cache there
Marked = dict[int, set[tuple[str, str]]]


class ColorCache:
    """The cache in Redis. Every method raises redis.RedisError when Redis does not answer.

    Its generations are by the number of the part; those that are given to a method that writes are from before what is
    written was read from the database, and where the cache was emptied since, the method raises CacheReplaced.
    """

    def __init__(self, redis: AnyRedis, installed: Callable[[], int | None] = lambda: 0) -> None:
        """`installed` returns the generation of the installation, which a lease has to be of; None if unknown."""
        self._redis = redis
        self._installed = installed
        self.connections = connections_of(redis)
        self.parts = PARTS_OF_CLUSTER if is_cluster(redis) else ONE_PART

    # --- reading --------------------------------------------------------------------------------------------------

    def get(self, serial: int) -> CacheRecord:
        """Return the record of one code, leased or not; empty if there is none."""
        return unpack(self.connections.execute(*self.record_read(serial).command))

    def read(self, serial: int) -> LeasedRead:
        """Return the packed record of one code, and whether it is leased, in one round trip."""
        return self._read_leased(self.record_read(serial))

    def read_value(self, key: str) -> LeasedRead:
        """Return a value that is kept beside the colors, empty if there is none, as `read` does a record."""
        return self._read_leased(self.value_read(key))

    def record_read(self, serial: int) -> CacheRead:
        """Return how to read the packed record of a code."""
        part, offset = self.parts.of_serial(serial), cache_offset(serial)
        key = part.string_key(serial // RECORDS_PER_KEY)
        return CacheRead(part, ("GETRANGE", key, offset, offset + RECORD_SIZE - 1))

    def value_read(self, key: str) -> CacheRead:
        """Return how to read a value that is kept beside the colors."""
        part = self.parts.of_value(key)
        return CacheRead(part, ("GET", part.value_key(key)))

    def key_of(self, serial: int) -> str:
        """Return the key of the string with the record of a code."""
        return self._key(serial // RECORDS_PER_KEY)

    def _key(self, string: int) -> str:
        return self.parts.of_string(string).string_key(string)

    def _read_leased(self, read: CacheRead) -> LeasedRead:
        (lease, value), run_id = self.connections.ask(("GET", read.part.lease_key), read.command)
        return LeasedRead(value or b"", self._leased_generation(lease, run_id))

    def lease_prefix(self, run_id: str) -> str | None:
        """Return how a lease of this run of Redis and this generation of the installation begins; None if unknown."""
        return f"{run_id}:{self._installed()}:" if run_id else None

    def _leased_generation(self, lease: bytes | None, run_id: str) -> str | None:
        """Return the generation of the cache in the value of a lease, or None when it is of another run or history."""
        prefix, value = self.lease_prefix(run_id), (lease or b"").decode()
        return value.removeprefix(prefix) if prefix and value.startswith(prefix) else None

    def count_leased(self) -> int:
        """Return how many parts of the cache are leased."""
        told = self.connections.ask_each({part: [("GET", part.lease_key)] for part in self.parts})
        leases = [self._leased_generation(answers[0], run_id) for answers, run_id in told.values()]
        return sum(lease is not None for lease in leases)

    def block(self, string: int) -> bytes:
        """Return one whole string, empty if there is none."""
        return self.connections.execute("GET", self._key(string)) or b""

    def blocks(self) -> list[int]:
        """Return the numbers of the existing strings."""
        return sorted({_string_of(key) for key in self._redis.scan_iter(f"{STRING_PREFIX}*", count=1000)})

    def generations(self, serials: Iterable[int]) -> dict[int, str]:
        """Return the generations of the parts with these codes."""
        return self.generations_of({self.parts.of_serial(serial) for serial in serials})

    def generations_of(self, parts: Iterable[CachePart]) -> dict[int, str]:
        """Return the generations of these parts, as far as their nodes answer."""
        told = self.connections.ask_each({part: [("GET", part.generation_key)] for part in parts})
        return {part.number: (answers[0] or b"").decode() for part, (answers, _) in told.items()}

    # --- writing --------------------------------------------------------------------------------------------------

    def put(self, records: Iterable[tuple[int, CacheRecord]], generations: Mapping[int, str] | None = None) -> int:
        """Write records by serial where they are newer than the stored ones; return how many were."""
        by_string: dict[int, list[bytes | int]] = {}
        for serial, record in records:
            by_string.setdefault(serial // RECORDS_PER_KEY, []).extend((cache_offset(serial), pack(record)))
        return sum(_counted(self._write(_PUT, string, generations, each)) for string, each in by_string.items())

    def put_block(self, string: int, data: bytes, generations: Mapping[int, str] | None = None) -> int:
        """Write all records of one string, RECORDS_PER_KEY * RECORD_SIZE bytes, as `put` does; return how many were."""
        written = self._write(_PUT_BLOCK, string, generations, [data])
        if written == scripts.NEW_STRING:
            states = data[::RECORD_SIZE]
            return len(states) - states.count(0)
        return _counted(written)

    def _write(
        self, script: LuaScript, string: int, generations: Mapping[int, str] | None, arguments: Sequence[bytes | int]
    ) -> int:
        part = self.parts.of_string(string)
        generation = ANY_GENERATION if generations is None else generations.get(part.number, "")
        keys = (part.string_key(string), part.generation_key)
        return cast(int, self.connections.run(script, keys, (generation, *arguments)))

    def put_value(self, key: str, value: str, seconds: int, generation: str) -> None:
        """Keep a value beside the colors, unless there is one, as `put` keeps a record. Raises CacheReplaced."""
        part = self.parts.of_value(key)
        keys = (part.value_key(key), part.generation_key)
        _counted(self.connections.run(_SET_VALUE, keys, (generation, value, seconds)))

    def mark(self, versions: Mapping[int, int]) -> Marked:
        """Mark the records of codes, by serial, that will get a newer version than this."""
        by_string: dict[int, list[int]] = {}
        for serial, version in versions.items():
            by_string.setdefault(serial // RECORDS_PER_KEY, []).extend((cache_offset(serial), version))
        marked: Marked = {}
        for string, arguments in by_string.items():
            part = self.parts.of_string(string)
            keys = (part.string_key(string), part.generation_key)
            generation, run_id = self.connections.run_identified(_MARK, keys, arguments)
            marked.setdefault(part.number, set()).add((run_id, generation.decode()))
        return marked

    def mark_values(self, keys: Iterable[str], mark: str, seconds: int) -> Marked:
        """Put a mark in place of values that are kept beside the colors."""
        marked: Marked = {}
        for key in keys:
            part = self.parts.of_value(key)
            write = ("SET", part.value_key(key), mark, "EX", seconds)
            (_, generation), run_id = self.connections.ask(write, ("GET", part.generation_key))
            marked.setdefault(part.number, set()).add((run_id, (generation or b"").decode()))
        return marked

    def forget(self, serials: Iterable[int]) -> None:
        """Empty the records of codes, so that the database is read again.

        A marked one is left as it is: its mark keeps the record from before a change out.
        """
        by_string: dict[int, list[int]] = {}
        for serial in serials:
            by_string.setdefault(serial // RECORDS_PER_KEY, []).append(cache_offset(serial))
        for string, offsets in by_string.items():
            self.connections.run(_FORGET, (self._key(string),), offsets)

    def set_values(self, values: Mapping[str, str], seconds: int) -> None:
        """Keep values beside the colors, by key, whatever there is."""
        for key, value in values.items():
            self.connections.execute("SET", self.parts.of_value(key).value_key(key), value, "EX", seconds)

    def delete_values(self, keys: Iterable[str]) -> None:
        """Forget values that are kept beside the colors."""
        for key in keys:
            self.connections.execute("DEL", self.parts.of_value(key).value_key(key))

    def drop(self, parts: Collection[CachePart] | None = None) -> None:
        """Delete the whole cache, or some parts of it, and every value that is kept beside their colors."""
        for key in self._keys(self.parts if parts is None else parts):
            self.connections.execute("DEL", key)

    def _keys(self, parts: Collection[CachePart]) -> Iterator[bytes]:
        """Yield every key of these parts, but for those of their lease."""
        for prefix in (STRING_PREFIX, VALUE_PREFIX):
            begins = tuple(f"{prefix}{part.tag}".encode() for part in parts)
            for key in self._scan(prefix, parts):
                if key.startswith(begins):
                    yield key

    def _scan(self, prefix: str, parts: Collection[CachePart]) -> Iterator[bytes]:
        """Yield the keys with a prefix of the servers with these parts: another one may not answer."""
        options: dict[str, Any] = {}
        if isinstance(self._redis, ClusterRedis):
            options = {"target_nodes": list({self._redis.node_of(part.lease_key) for part in parts})}
        return cast(Iterator[bytes], self._redis.scan_iter(f"{prefix}*", count=1000, **options))


def _string_of(key: bytes) -> int:
    return int(key.rsplit(b":", 1)[1])

"""Delays between log-ins by password at one account, which grow with each wrong one and never close it.

The first few log-ins are free. After that each wrong one doubles the time in which no other is tried, from a second up
to that of a rate: "50 per hour" is one in 72 seconds. A quiet hour forgets them. An attempt is counted before its
password is checked, so that many at once are no way around, and a right one is given back. Without Redis each process
counts for itself.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import structlog
from limits import parse_many
from redis import RedisError

from app.core.redis_client import AnyRedis, LuaScript, run_script

log = structlog.get_logger()

FREE: Final = 5
MEMORY: Final = 3600  # seconds
_PREFIX: Final = "jx:login:"
_MAX_KEPT: Final = 100_000  # accounts that a process counts for itself

# KEYS: the counters of one attempt. ARGV: now in ms, FREE, MEMORY in s, and the longest delay of each counter in ms.
# Returns 0 and counts the attempt, or the ms to wait.
_RESERVE: Final = LuaScript("""
local now, wait = tonumber(ARGV[1]), 0
for _, key in ipairs(KEYS) do
  local past = tonumber(redis.call('HGET', key, 'until') or '0')
  if past > now then wait = math.max(wait, past - now) end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  local last = tonumber(redis.call('HGET', key, 'last') or '0')
  if now - last > ARGV[3] * 1000 then redis.call('DEL', key) end
  local over = redis.call('HINCRBY', key, 'count', 1) - ARGV[2]
  local delay = 0
  if over > 0 then delay = math.min(tonumber(ARGV[3 + i]), 1000 * 2 ^ math.min(over - 1, 30)) end
  redis.call('HSET', key, 'last', ARGV[1], 'until', string.format('%d', now + delay))
  redis.call('EXPIRE', key, ARGV[3] * 2)
end
return 0
""")
_GIVE_BACK: Final = LuaScript("""
for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then
    if redis.call('HINCRBY', key, 'count', -1) < 0 then redis.call('HSET', key, 'count', 0) end
    redis.call('HSET', key, 'until', 0)
  end
end
return 0
""")


class Counter(NamedTuple):
    """One counter of an attempt: its key, and the longest delay in ms."""

    key: str
    longest: int


@dataclass(slots=True)
class _Kept:
    """What a process keeps of one counter while Redis does not answer; times in ms."""

    count: int = 0
    last: int = 0
    until: int = 0


@dataclass
class _Memory:
    """The counters of this process, the last one counted at the end; beyond a number the first is forgotten."""

    most: int = _MAX_KEPT
    lock: threading.Lock = field(default_factory=threading.Lock)
    kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)

    def reserve(self, counters: Sequence[Counter], now: int) -> int:
        with self.lock:
            found = [(self._find(one.key), one.longest) for one in counters]
            wait = max(kept.until - now for kept, _ in found)
            if wait > 0:
                return wait
            for kept, longest in found:
                kept.count = 1 if now - kept.last > MEMORY * 1000 else kept.count + 1
                over = kept.count - FREE
                kept.last, kept.until = now, now + (min(longest, 1000 << min(over - 1, 30)) if over > 0 else 0)
            return 0

    def give_back(self, counters: Sequence[Counter]) -> None:
        with self.lock:
            for one in counters:
                kept = self._find(one.key)
                kept.count, kept.until = max(0, kept.count - 1), 0

    def forget(self, counters: Sequence[Counter]) -> None:
        with self.lock:
            for one in counters:
                self.kept.pop(one.key, None)

    def _find(self, key: str) -> _Kept:
        kept = self.kept.setdefault(key, _Kept())
        self.kept.move_to_end(key)
        if len(self.kept) > self.most:
            self.kept.popitem(last=False)
        return kept


_memory = _Memory()


def longest_delay(rate: str, at_most: str | None = None) -> int:
    """Return the time between two attempts of a rate, in ms: of several limits, the longest; `at_most` bounds it."""
    items = [*parse_many(rate), *(parse_many(at_most) if at_most else [])]
    return max(1000 * item.get_expiry() // item.amount for item in items)


def reserve(redis: AnyRedis, counters: Sequence[Counter], now: float) -> float:
    """Count an attempt at this time, in seconds since 1970, and return 0; or return the seconds to wait instead."""
    milliseconds = int(now * 1000)
    arguments = [milliseconds, FREE, MEMORY, *(one.longest for one in counters)]
    try:
        return int(run_script(redis, _RESERVE, _keys(counters), arguments)) / 1000
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)
        return _memory.reserve(counters, milliseconds) / 1000


def give_back(redis: AnyRedis, counters: Sequence[Counter]) -> None:
    """Take a right attempt out of the count again."""
    try:
        run_script(redis, _GIVE_BACK, _keys(counters), [])
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)
        _memory.give_back(counters)


def forget(redis: AnyRedis, keys: Sequence[str]) -> None:
    """Forget these counters: who was slowed down by them logs in at once."""
    counters = [Counter(key, 0) for key in keys]
    try:
        redis.delete(*_keys(counters))
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)
    _memory.forget(counters)


def _keys(counters: Sequence[Counter]) -> list[str]:
    return [_PREFIX + one.key for one in counters]

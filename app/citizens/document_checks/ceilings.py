"""Ceilings: how often one inspector, or one device, may look people up by their documents, and how often find nobody.

Rates such as "30 per minute; 600 per hour", each window of which begins with its first look-up, are counted in Redis in
one step. A look-up is counted before it is made, as one that found nobody too, so that many at once are no way around;
one that found somebody is given back there. Without Redis each process counts for itself: looser for a while.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from time import time
from typing import Any, Final, NamedTuple

import structlog
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError

from app.core.redis_client import AnyRedis, Command, LuaScript, run_script, together
from app.core.settings import DocumentCheckSettings

log = structlog.get_logger()

# KEYS: the windows. ARGV: the most and the seconds of each. Returns 0 and counts, or the seconds to wait.
_TAKE: Final = LuaScript("""
local wait = 0
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2 * i - 1]) then
    wait = math.max(wait, redis.call('TTL', key), 1)
  end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('EXPIRE', key, ARGV[2 * i]) end
end
return 0
""")
_GIVE_BACK: Final = LuaScript("""
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
end
return 0
""")

Asker = int | str  # the id of an inspector, or `device:` with that of a device

_memory = FixedWindowRateLimiter(MemoryStorage())


def take(redis: AnyRedis, settings: DocumentCheckSettings, who: Asker) -> int:
    """Count a look-up that may find nobody and return 0; or return the seconds to wait instead."""
    windows = [*_windows(settings.ceiling, "all"), *_windows(settings.ceiling_not_found, "not-found")]
    arguments = [number for item, _ in windows for number in (item.amount, item.get_expiry())]
    try:
        return int(run_script(redis, _TAKE, _keys(redis, who, windows), arguments))
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)
        return _take_here(windows, who)


class PlainTake(NamedTuple):
    """The commands that count a look-up of somebody who is known, for a connection without scripts."""

    commands: list[Command]
    most_not_found: list[int]
    most: list[int]

    def is_below(self, answers: Sequence[Any]) -> bool:
        """Return whether the look-up is below every ceiling, by the answers to the commands."""
        number = len(self.most_not_found)
        missed = [int(answer or 0) for answer in answers[:number]]
        counted = list(answers[number + 1 :: 2])
        is_below = all(one < most for one, most in zip(missed, self.most_not_found, strict=True))
        return is_below and all(one <= most for one, most in zip(counted, self.most, strict=True))


def plain_take(redis: AnyRedis, settings: DocumentCheckSettings, who: Asker) -> PlainTake:
    """Return how to count a look-up that finds somebody, which may be counted although it is refused then."""
    every, missed = _windows(settings.ceiling, "all"), _windows(settings.ceiling_not_found, "not-found")
    commands: list[Command] = [("GET", key) for key in _keys(redis, who, missed)]
    for key, (item, _) in zip(_keys(redis, who, every), every, strict=True):
        commands += [("SET", key, 0, "EX", item.get_expiry(), "NX"), ("INCR", key)]
    return PlainTake(commands, [item.amount for item, _ in missed], [item.amount for item, _ in every])


def give_back(redis: AnyRedis, settings: DocumentCheckSettings, who: Asker) -> None:
    """Count a look-up as one that found somebody."""
    windows = _windows(settings.ceiling_not_found, "not-found")
    try:
        run_script(redis, _GIVE_BACK, _keys(redis, who, windows), [])
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)
        for item, name in windows:
            _memory.hit(item, name, str(who), cost=-1)


_Window = tuple[RateLimitItem, str]


@lru_cache(16)
def _windows(rate: str, name: str) -> tuple[_Window, ...]:
    return tuple((item, name) for item in parse_many(rate))


def _keys(redis: AnyRedis, who: Asker, windows: Sequence[_Window]) -> list[str]:
    inspector = together(redis, who)
    return [f"jx:lookups:{inspector}:{name}:{item.get_expiry()}" for item, name in windows]


def _take_here(windows: Sequence[_Window], who: Asker) -> int:
    name_of = str(who)
    full = [(item, name) for item, name in windows if not _memory.test(item, name, name_of)]
    if full:
        return max(1, *(ceil(_memory.get_window_stats(item, name, name_of).reset_time - time()) for item, name in full))
    for item, name in windows:
        _memory.hit(item, name, name_of)
    return 0

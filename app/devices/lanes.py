"""Lanes: which reading of a thermal camera belongs to which check of the same lane, within ten seconds.

A lane remembers its checks and readings for those ten seconds in Redis, in one step for each: a token as it was shown,
which only our keys can open, and of other proofs nothing but that somebody was there. A reading belongs to a check when
nothing else of the lane's ten seconds could be meant; otherwise it is ambiguous, and nobody's.
"""

from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from app.core.redis_client import LuaScript, run_script, together
from app.devices.device_cache import KnownDevice
from app.runtime import Services

WINDOW_SECONDS: Final = 10

# Adds ARGV[3] to the lane KEYS[1] at the millisecond ARGV[1], and returns what else was there in the ARGV[2] before.
_ADD: Final = LuaScript("""
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (tonumber(ARGV[1]) - tonumber(ARGV[2])))
redis.call('ZREM', KEYS[1], ARGV[3])
local before = redis.call('ZRANGE', KEYS[1], 0, -1)
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return before
""")


class Passage(NamedTuple):
    """A check in a lane: of a token, or of another proof, by the number of the check."""

    number: UUID
    token: str  # empty where it was another proof

    def __str__(self) -> str:
        return f"check {self.token or self.number}"


class Reading(NamedTuple):
    """A temperature that a device of the lane has measured of somebody."""

    device: int
    number: UUID
    celsius: Decimal

    def __str__(self) -> str:
        return f"reading {self.device} {self.number} {self.celsius}"


class Before(NamedTuple):
    """What else a lane has seen in the last ten seconds."""

    checks: list[str]  # the token of each, or the number of a check of another proof
    readings: list[Reading]


def is_token(shown: str) -> bool:
    """Return whether the check in a lane was that of a token."""
    return shown.startswith("JX")


def add(services: Services, device: KnownDevice, event: Passage | Reading) -> Before:
    """Add an event to the lane of a device, once; return what else is there. Raises redis.RedisError."""
    lane = f"jx:lane:{together(services.redis, device.station)}:{device.lane}"
    now = int(services.real_clock.now().timestamp() * 1000)
    found = run_script(services.redis, _ADD, [lane], [now, WINDOW_SECONDS * 1000, str(event)])
    checks, readings = [], []
    for text in (member.decode() for member in found):
        kind, _, rest = text.partition(" ")
        if kind == "check":
            checks.append(rest)
        else:
            id_, number, celsius = rest.split(" ")
            readings.append(Reading(int(id_), UUID(number), Decimal(celsius)))
    return Before(checks, readings)

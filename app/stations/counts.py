"""Counts of the actions of stations: how many were let pass, measured and stopped; never whom.

Checks are counted in Redis: one hash for a station and a Beijing hour, kept for three days, with fields of a state and
an action, such as `GREEN/pass`. Each station counts a token once, whether it was checked with network or without, for
as long as a check may be submitted: the numbers of the tokens that it counted are in sets, one for those of ten
minutes, which Redis packs into some ten bytes each. Within seconds the roll-up adds the counts to the database.
Temperatures are counted there at once, in the transaction of their evidence.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from redis import ConnectionError as NotConnected
from redis import RedisError
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.codes.states import State
from app.core.clock import BEIJING
from app.core.redis_client import AnyRedis, LuaScript, run_script, servers_of, together
from app.core.settings import TokenSettings
from app.runtime import Services
from app.stations.models import StationCount

log = structlog.get_logger()

TEMPERATURE = "temperature"  # an action besides those of the policy: pass, measure, stop
FOREIGN = "foreign-"  # before the action, where the code was one of another province
SCAN, RECEIPT = "venue-scan", "venue-receipt"  # of the code at an entrance, and of receipts: without a state
RETENTION = timedelta(days=3)
RETENTION_SECONDS = int(RETENTION.total_seconds())
NUMBER_SECONDS = 3600  # in which a device may repeat a check of a document or a card that was not answered
RETENTION_HOURS = RETENTION_SECONDS // 3600

# Adds one to the field ARGV[1] of KEYS[1]; with a set KEYS[2], one for each of the tokens ARGV[4] and so on that is not
# in it yet. Returns how many were added.
ADD = LuaScript("""
local new = 1
if KEYS[2] then
  new = redis.call('SADD', KEYS[2], unpack(ARGV, 4))
  if new == 0 then return 0 end
  redis.call('EXPIRE', KEYS[2], ARGV[3])
end
redis.call('HINCRBY', KEYS[1], ARGV[1], new)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return new
""")


class StationEvent(NamedTuple):
    """An action of a station at a moment for a code in a state; `action` is one of the policy, or TEMPERATURE."""

    station: int
    at: datetime
    state: State
    action: str


class TokenMark(NamedTuple):
    """The mark of a token at the stations that counted it: its number, when it was issued, and how long to keep it."""

    number: int
    issued: int  # seconds since 1970
    seconds: int


class NumberMark(NamedTuple):
    """The mark of a check of a device by its own number, where a mark of the proof would say who was there."""

    device: int
    number: UUID


Mark = TokenMark | NumberMark


class Counters(NamedTuple):
    """What Redis has counted of a station in an hour: the numbers by field.

    `run` is the id of its run, which ends with a restart; `began_empty` says that this run began without any data.
    """

    run: str
    began_empty: bool
    numbers: dict[str, int]


class StoredCount(NamedTuple):
    """What the database has of a count, as in `StationCount`."""

    number: int
    seen: int
    run: str


def increment(redis: AnyRedis, event: StationEvent, mark: Mark | None = None) -> bool:
    """Count an event, by its mark once; while Redis is down it is not counted, the check goes on, and it is False."""
    try:
        increment_once(redis, event, mark)
    except RedisError as error:
        log.warning("check-not-counted", error=type(error).__name__)
        return False
    return True


def increment_once(redis: AnyRedis, event: StationEvent, mark: Mark | None) -> bool:
    """Count an event unless its mark was counted at the station before; return whether it was counted.

    Raises redis.RedisError when Redis does not answer.
    """
    station = together(redis, event.station)
    keys, arguments = [key_of(station, event.at)], [field_of(event.state, event.action), str(RETENTION_SECONDS)]
    if isinstance(mark, TokenMark):
        keys.append(marks_key_of(station, period_of(mark.issued)))
        arguments += [str(mark.seconds), str(mark.number)]
    elif mark is not None:
        keys.append(f"jx:station:{station}:done:{mark.device}:{mark.number}")
        arguments += [str(NUMBER_SECONDS), "1"]
    return bool(run_script(redis, ADD, keys, arguments))


def mark_seconds(tokens: TokenSettings) -> int:
    """Return how long a token is remembered: while it is valid and a check of it may be submitted, by any clock."""
    return int((tokens.life + tokens.offline + 2 * tokens.skew).total_seconds())


def period_of(issued: int) -> int:
    """Return the ten minutes of a moment, both since 1970: sets of a few hundred numbers are packed."""
    return issued // 600


def marks_key_of(station: int | str, period: int) -> str:
    """Return the key of the set of tokens, issued in those ten minutes, that a station has counted."""
    return f"jx:station:{station}:seen:{period}"


def count_temperature(session: Session, event: StationEvent) -> None:
    """Count a registered temperature in the transaction of its evidence: both are stored, or none."""
    hour = event.at.replace(minute=0, second=0, microsecond=0)
    key = {"station_id": event.station, "hour": hour, "state": event.state, "action": TEMPERATURE}
    session.execute(_ADD_ONE, {**key, "number": 1, "seen": 0, "run": ""})


def read_counters(services: Services, hashes: Iterable[tuple[int, datetime]]) -> dict[tuple[int, datetime], Counters]:
    """Return the counts of stations in the hours of moments, each of one run of Redis.

    Leaves out those whose node of a cluster does not answer. Raises redis.RedisError when none does.
    """
    connections, empty = services.cache.connections, _find_runs_begun_empty(services.redis)
    keys = {one: _keys_of(services.redis, *one) for one in hashes}
    runs = {
        one: told.run_id for one, told in connections.ask_each({one: [("GET", keys[one][0])] for one in keys}).items()
    }
    told = connections.ask_each(
        {
            one: [("SET", keys[one][0], runs[one], "NX"), ("GET", keys[one][0]), ("HGETALL", keys[one][1])]
            for one in runs
        }
    )
    found = {}
    for one, ((_, first_run, counted), run_id) in told.items():
        if run_id != runs[one]:
            raise NotConnected("Redis has just been started again")
        fields = counted if isinstance(counted, dict) else dict(zip(counted[::2], counted[1::2], strict=True))
        numbers = {field.decode(): int(number) for field, number in fields.items()}
        found[one] = Counters(run_id, first_run.decode() == run_id and run_id in empty, numbers)
    return found


def _keys_of(redis: AnyRedis, station: int, hour: datetime) -> tuple[str, str]:
    """Return two keys of a station: of the run of Redis in which its data began, and of its hash."""
    name = together(redis, station)
    return f"jx:station:{name}:first-run", key_of(name, hour)


def _find_runs_begun_empty(redis: AnyRedis) -> set[str]:
    """Return the runs of the servers that have loaded no data. Raises redis.RedisError."""
    found = set()
    for server in servers_of(redis):
        with suppress(RedisError):  # its counters are left out, too
            about = server.info("server", "persistence")
            if not (about.get("rdb_last_load_keys_loaded", 1) or about.get("aof_enabled", 1)):
                found.add(about["run_id"])
    return found


def growth(counted: int, counters: Counters, stored: StoredCount) -> int:
    """Return how much a counter has grown since the last roll-up, when `counted` is what it says now.

    In the same run a smaller number has begun anew: somebody has emptied Redis. In another one it may have come back as
    it was at any time before, so that only what exceeds all that is stored is new for certain: the rest is given up.
    """
    if counters.run == stored.run:
        return counted - stored.seen if counted >= stored.seen else counted
    if counters.began_empty and stored.run:
        return counted
    return max(0, counted - stored.number)


_NEW = insert(StationCount)
_ADD_ONE = _NEW.on_conflict_do_update(
    index_elements=["station_id", "hour", "state", "action"], set_={"number": StationCount.number + 1}
)


def field_of(state: State, action: str) -> str:
    """Return the field of the hash for a state and an action."""
    return f"{state.name}/{action}"


def key_of(station: int | str, at: datetime) -> str:
    """Return the key of the hash for a station, by its number as it is in keys, and the Beijing hour of a moment."""
    return f"jx:station:{station}:{at.astimezone(BEIJING):%Y%m%d%H}"

"""Log-ins of officers that a limit stopped before anything was compared: counted in Redis, summed into the audit.

A flood of them is a flood of increments and not of transactions; the worker adds what was counted to the other wrong
log-ins every minute. Redis has keyed hashes of user names; while it is away, nothing is counted.
"""

from typing import Final

import structlog
from redis import RedisError
from sqlalchemy import select

from app.audit import Actor, failed_logins
from app.core.encryption import FieldEncryption
from app.core.identity.spelling import fold_username
from app.core.redis_client import LuaScript, run_script
from app.runtime import Services
from app.staff.models import Officer
from app.staff.sessions import LOGIN_STOPPED

log = structlog.get_logger()

_KEY: Final = "jx:stopped-logins"
_MAX_NAMES: Final = 10_000  # anybody can enter as many as they like
_UNKNOWN: Final = "unknown"
_COUNT: Final = LuaScript("""
local full = redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2])
return redis.call('HINCRBY', KEYS[1], full and ARGV[3] or ARGV[1], 1)
""")
_TAKE: Final = LuaScript("""
local counted = redis.call('HGETALL', KEYS[1])
redis.call('DEL', KEYS[1])
return counted
""")


def count(services: Services, username: str) -> None:
    """Count a log-in at this name."""
    arguments: list[str | int] = [_field(services.encryption, username), _MAX_NAMES, _UNKNOWN]
    try:
        run_script(services.redis, _COUNT, [_KEY], arguments)
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)


def collect(services: Services) -> None:
    """Add what was counted since the last time to the wrong log-ins; those at names of nobody together."""
    counted = _take(services)
    if not counted:
        return
    with services.begin() as session:
        officers = session.execute(select(Officer.id, Officer.username)).all()
        ids = {_field(services.encryption, row.username): str(row.id) for row in officers}
        numbers: dict[str, int] = {}
        for field, number in counted.items():
            id_ = ids.get(field.decode(), "")
            numbers[id_] = numbers.get(id_, 0) + int(number)
        for id_, total in numbers.items():
            failed_logins.count(session, Actor("officer", id_), LOGIN_STOPPED, services.clock.now(), total)


def _take(services: Services) -> dict[bytes, bytes]:
    """Return what was counted by name, and forget it."""
    try:
        counted = list(run_script(services.redis, _TAKE, [_KEY], []))
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)
        return {}
    return dict(zip(counted[::2], counted[1::2], strict=True))


def _field(encryption: FieldEncryption, username: str) -> str:
    return encryption.fingerprint("username", f"officer:{fold_username(username)}").hex()

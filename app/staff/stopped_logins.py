"""Log-ins of officers and inspectors that a limit stopped before anything was compared, summed into the audit.

They are counted in Redis: a flood of them is a flood of increments and not of transactions. The worker adds what was
counted to the other wrong log-ins every minute. Redis has keyed hashes of user names; while it is away, nothing is
counted.
"""

from collections import Counter
from typing import Final

import structlog
from redis import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Actor, failed_logins
from app.core.encryption import FieldEncryption
from app.core.identity.spelling import fold_username
from app.core.redis_client import LuaScript, run_script
from app.runtime import Services
from app.staff.models import Officer
from app.staff.sessions import LOGIN_STOPPED
from app.stations.models import Inspector

log = structlog.get_logger()

_KEY: Final = "jx:stopped-logins"
_MAX_NAMES: Final = 10_000  # anybody can enter as many as they like
_UNKNOWN: Final = "unknown"
INSPECTOR_STOPPED: Final = "inspector-login-stopped"
_NOBODY: Final = (Actor("officer", ""), LOGIN_STOPPED)  # at a name of nobody, of whichever kind
_COUNT: Final = LuaScript("""
local full = redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2])
return redis.call('HINCRBY', KEYS[1], full and ARGV[3] or ARGV[1], 1)
""")
_TAKE: Final = LuaScript("""
local counted = redis.call('HGETALL', KEYS[1])
redis.call('DEL', KEYS[1])
return counted
""")


def count(services: Services, kind: str, username: str) -> None:
    """Count a log-in of an officer or inspector, as `kind` says, at this name."""
    arguments: list[str | int] = [_field(services.encryption, kind, username), _MAX_NAMES, _UNKNOWN]
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
        numbers: Counter[tuple[Actor, str]] = Counter()
        known = _known_fields(session, services.encryption)
        for field, number in counted.items():
            numbers[known.get(field.decode(), _NOBODY)] += int(number)
        for (actor, action), total in numbers.items():
            failed_logins.count(session, actor, action, services.clock.now(), total)


def _known_fields(session: Session, encryption: FieldEncryption) -> dict[str, tuple[Actor, str]]:
    """Return by field whose log-in is counted there, and as what."""
    return {
        _field(encryption, kind, username): (Actor(kind, str(id_)), action)
        for kind, table, action in (("officer", Officer, LOGIN_STOPPED), ("inspector", Inspector, INSPECTOR_STOPPED))
        for id_, username in session.execute(select(table.id, table.username))
    }


def _take(services: Services) -> dict[bytes, bytes]:
    """Return what was counted by name, and forget it."""
    try:
        counted = list(run_script(services.redis, _TAKE, [_KEY], []))
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)
        return {}
    return dict(zip(counted[::2], counted[1::2], strict=True))


def _field(encryption: FieldEncryption, kind: str, username: str) -> str:
    return encryption.fingerprint("username", f"{kind}:{fold_username(username)}").hex()

"""When devices were last heard: kept in Redis alone, for the list of devices and for the alert about silent ones."""

from datetime import UTC, datetime

from redis import RedisError
from sqlalchemy import select

from app.core.errors import Problem
from app.core.metrics import DEVICES_SILENT
from app.devices.models import Device
from app.runtime import Services

_KEY = "jx:devices:heard"


def note(services: Services, device_id: int) -> None:
    """Note that a device was heard now. Raises Problem `unavailable` without Redis."""
    try:
        services.redis.hset(_KEY, str(device_id), str(int(services.real_clock.now().timestamp())))
    except RedisError:
        raise Problem("unavailable", retry_after=5) from None


def last_heard(services: Services) -> dict[int, datetime]:
    """Return when each device was last heard; none without Redis."""
    try:
        found = services.redis.hgetall(_KEY)
    except RedisError:
        return {}
    return {int(id_): datetime.fromtimestamp(int(at), UTC) for id_, at in found.items()}


def measure_silence(services: Services) -> int:
    """Count the devices in use that were heard before and not for a while; set the metric. Raises RedisError."""
    found = services.redis.hgetall(_KEY)
    with services.sessions() as session:
        used = {str(id_).encode() for id_ in session.scalars(select(Device.id).where(Device.revoked_at.is_(None)))}
    if gone := [id_ for id_ in found if id_ not in used]:
        services.redis.hdel(_KEY, *gone)
    oldest = (services.real_clock.now() - services.settings.devices.silent).timestamp()
    silent = sum(int(at) < oldest for id_, at in found.items() if id_ in used)
    DEVICES_SILENT.set(silent)
    return silent

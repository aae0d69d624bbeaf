"""Cache of devices in Redis, beside the colors: written around the commit of a change, so that a device that was
revoked is refused by every process with its next request (`stations/inspector_cache.py` does the same)."""

import json
from contextlib import suppress
from typing import NamedTuple

from redis import RedisError
from sqlalchemy.orm import Session

from app.codes.cache.color_cache import CacheReplaced, LeasedRead
from app.codes.cache.parts import VALUE_PREFIX
from app.codes.cache.writing import CHANGED_VALUES, IN_DOUBT, VALUE_SECONDS
from app.devices.models import MAY, Device, DeviceAct, DeviceKind
from app.runtime import Services


class KnownDevice(NamedTuple):
    """What every request of a device needs of it; `key` is the public key, or the encrypted secret of a `shape`."""

    id: int
    station: int
    lane: str
    kind: str
    shape: str
    key: bytes
    revoked: bool

    def may(self, act: DeviceAct) -> bool:
        return act in MAY[DeviceKind(self.kind)]


def find_device(services: Services, device_id: int) -> KnownDevice | None:
    """Return a device from Redis, or from the database if Redis does not have it; None where there is none."""
    name, cached = _key(device_id), LeasedRead(b"", None)
    with suppress(RedisError):
        cached = services.cache.read_value(name)
    if cached.generation is not None and cached.value not in (b"", IN_DOUBT):
        return _parse(device_id, cached.value)
    with services.sessions() as session:
        row = session.get(Device, device_id)
    if cached.generation is not None:
        with suppress(RedisError, CacheReplaced):  # a change in between has newer values
            services.cache.put_value(name, _text(row), VALUE_SECONDS, cached.generation)
    return None if row is None else _parse(device_id, _text(row).encode())


def mark_changed(session: Session, device: Device) -> None:
    """Have a device written to Redis around the commit of this transaction."""
    session.info.setdefault(CHANGED_VALUES, {})[_key(device.id)] = _text(device)


def _text(row: Device | None) -> str:
    if row is None:
        return "null"
    key = row.public_key if row.shape is None else row.secret_ciphertext
    assert key is not None  # one of the two
    return json.dumps([row.station_id, row.lane, row.kind, row.shape or "", key.hex(), row.revoked_at is not None])


def _parse(device_id: int, content: bytes) -> KnownDevice | None:
    if (values := json.loads(content)) is None:
        return None
    station, lane, kind, shape, key, revoked = values
    return KnownDevice(device_id, station, lane, kind, shape, bytes.fromhex(key), revoked)


def _key(device_id: int) -> str:
    return f"{VALUE_PREFIX}device:{device_id}"

"""Administration of devices: added to a lane, listed, and revoked, by an administrator of the district or an operator.

A secret is shown once, in the answer to what made it: the private key where the device brings no public one, or the
secret of a shape. Whatever revokes takes effect with the next request, at every process.
"""

import binascii
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.core.db import WHOLE, Part, among
from app.core.errors import FieldError, Problem
from app.core.identity.spelling import tidy_name
from app.devices import device_cache
from app.devices.models import Device, DeviceKind
from app.staff.context import OfficerContext
from app.staff.inspectors import covers_station, own_district
from app.stations import accounts
from app.stations.models import Station

SECRET_COLUMN: Final = "devices.secret"  # noqa: S105  # the name of a column for its encryption
CODE_GUN: Final = "code-gun"
SIGNED_GATE: Final = "signed-gate"
SHAPES: Final = (CODE_GUN, SIGNED_GATE)  # of makers, as docs/reference/devices.md has them
_LANE: Final = re.compile(r"[\w-]{1,20}")
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device to add. It has a `public_key` (base64url), or gets a key or, with a `shape`, a secret."""

    station: str
    lane: str
    kind: str
    public_key: str = ""
    shape: str = ""


@dataclass(frozen=True, slots=True)
class AddedDevice:
    """A device, and its secret, which is shown once; empty where the device keeps its private key to itself."""

    device: Device
    secret: str = field(repr=False)


class PlacedDevice(NamedTuple):
    """A device and its station."""

    device: Device
    station: Station


def add_device(context: OfficerContext, new: NewDevice) -> AddedDevice:
    """Add a device to a lane. Raises Problem `invalid-request` with every mistake, and `lane-taken`."""
    station = accounts.find_station(context.session, new.station)
    lane, given = tidy_name(new.lane), _read_key(new.public_key)
    wrong = _find_errors(context, new, station)
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    assert station is not None  # or it were wrong
    same = select(Device.id).filter_by(station_id=station.id, lane=lane, kind=new.kind, revoked_at=None)
    if context.session.scalar(same) is not None:
        raise Problem("lane-taken")
    device = Device(station_id=station.id, lane=lane, kind=new.kind, added_at=context.now)
    secret = _give_key(context, device, given, new.shape)
    context.session.add(device)
    context.session.flush()
    device_cache.mark_changed(context.session, device)
    context.append_audit("device-added", device=device.id, station=station.id, kind=device.kind)
    return AddedDevice(device, secret)


def list_devices(context: OfficerContext, part: Part = WHOLE) -> Sequence[PlacedDevice]:
    """List the devices of the administrator's district, by station and lane; for an operator all."""
    placed = select(Device, Station).join(Station, Station.id == Device.station_id)
    if (district := own_district(context)) is not None:
        placed = placed.where(Station.district == district)
    ordered = placed.order_by(Station.name, Device.lane, Device.kind, Device.id)
    rows = context.session.execute(part.of(ordered, Station.name))
    return [PlacedDevice(*row) for row in rows]


def revoke_device(context: OfficerContext, device_id: int) -> Device:
    """Revoke a device for good; again it changes nothing. Raises Problem `device-not-found`."""
    device = context.session.get(Device, device_id, with_for_update=True, populate_existing=True)
    station = None if device is None else context.session.get_one(Station, device.station_id)
    if device is None or station is None or not covers_station(context, station):
        raise Problem("device-not-found")
    if device.revoked_at is None:
        device.revoked_at = context.now
        device_cache.mark_changed(context.session, device)
        context.append_audit("device-revoked", device=device.id, station=station.id)
    return device


def revoke_at(session: Session, stations: Collection[Station], actor: Actor, now: datetime) -> None:
    """Revoke every device of stations at which nobody checks any more."""
    there = select(Device).where(among(Device.station_id, [one.id for one in stations]), Device.revoked_at.is_(None))
    for device in session.scalars(there.order_by(Device.id).with_for_update()):
        device.revoked_at = now
        device_cache.mark_changed(session, device)
        audit.append(session, actor, "device-revoked", now, device=device.id, station=device.station_id)


def _find_errors(context: OfficerContext, new: NewDevice, station: Station | None) -> list[FieldError]:
    wrong = []
    closed = station is not None and accounts.is_closed(context.session, station)
    if station is None or closed or not covers_station(context, station):
        wrong.append(FieldError("/station", "no-such-station"))
    if not _LANE.fullmatch(tidy_name(new.lane)):
        wrong.append(FieldError("/lane", "lane-form"))
    if new.kind not in list(DeviceKind):
        wrong.append(FieldError("/kind", "not-a-choice"))
    if new.public_key and (new.shape or _read_key(new.public_key) is None):
        wrong.append(FieldError("/public_key", "public-key-form"))
    if new.shape and new.shape not in SHAPES:
        wrong.append(FieldError("/shape", "not-a-choice"))
    return wrong


def _read_key(text: str) -> bytes | None:
    """Return the 32 bytes of a public key in base64url, padded or not; None for anything else."""
    try:
        key = urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4))
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == _KEY_BYTES else None


def _give_key(context: OfficerContext, device: Device, given: bytes | None, shape: str) -> str:
    """Set what verifies a device; return the secret to show, or nothing."""
    if shape:
        secret = secrets.token_urlsafe(_KEY_BYTES)
        device.shape, device.secret_ciphertext = shape, context.encryption.encrypt(SECRET_COLUMN, secret)
        return secret
    if given is not None:
        device.public_key = given
        return ""
    private = Ed25519PrivateKey.generate()
    device.public_key = private.public_key().public_bytes_raw()
    return urlsafe_b64encode(private.private_bytes_raw()).decode().rstrip("=")

"""A device as the one who checks and measures: what `stations` wants of an inspector's shift."""

from typing import NamedTuple

from app.audit import Actor
from app.devices.device_cache import KnownDevice
from app.runtime import Services
from app.stations.models import Station


class DeviceShift(NamedTuple):
    """A device in its lane of a station, with network or without."""

    device: KnownDevice
    station: Station
    offline: bool = False

    @property
    def remark(self) -> str:
        return f", lane {self.device.lane}{', offline' if self.offline else ''}"

    @property
    def actor(self) -> Actor:
        return actor_of(self.device)


def actor_of(device: KnownDevice) -> Actor:
    """Return a device as the audit names it."""
    return Actor("device", str(device.id))


def make_shift(services: Services, device: KnownDevice, *, offline: bool = False) -> DeviceShift:
    """Return the shift of a device now."""
    with services.sessions() as session:
        return DeviceShift(device, session.get_one(Station, device.station), offline)

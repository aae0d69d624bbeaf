"""Checks made by a device without network, such as a bus: submitted in parts, each once, as those of inspectors are."""

from collections.abc import Sequence

from app.core.errors import Problem
from app.devices.device_cache import KnownDevice
from app.devices.models import DeviceAct
from app.devices.shifts import make_shift
from app.runtime import Services
from app.stations import offline
from app.stations.offline import OfflineOutcome, SubmittedCheck


def submit(services: Services, device: KnownDevice, made: Sequence[SubmittedCheck]) -> list[OfflineOutcome]:
    """Process checks that a device made without network and return their outcomes, in order. Every outcome is final.

    Raises Problem `device-may-not` and `unavailable`, after which the same part may be sent again.
    """
    if not device.may(DeviceAct.BATCH):
        raise Problem("device-may-not")
    return offline.process_checks(services, make_shift(services, device, offline=True), made)

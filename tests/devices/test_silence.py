"""A device that was heard and is silent since is counted, until it is revoked."""

from datetime import timedelta

from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from app.devices import heard
from app.runtime import Services
from tests.support.devices import Device, open_station


def test_a_silent_device_is_counted_until_it_is_revoked(client: FlaskClient, services: Services) -> None:
    open_station(services)
    gate, never = Device.add(client, services), Device.add(client, services, lane="2")
    assert gate.get("me").status_code == 200
    assert heard.measure_silence(services) == 0  # and one that never was is not silent: it is not there yet
    assert set(heard.last_heard(services)) == {gate.id}
    past = services.real_clock.now() - services.settings.devices.silent - timedelta(seconds=1)
    services.redis.hset("jx:devices:heard", str(gate.id), str(int(past.timestamp())))
    assert heard.measure_silence(services) == 1
    assert REGISTRY.get_sample_value("jixiang_devices_silent") == 1
    gate.revoke()
    never.revoke()
    assert heard.measure_silence(services) == 0
    assert heard.last_heard(services) == {}


def test_refusals_are_counted_by_problem(client: FlaskClient, services: Services) -> None:
    def number() -> float:
        return REGISTRY.get_sample_value("jixiang_device_refusals_total", {"problem": "device-signature"}) or 0.0

    before = number()
    client.get("/api/v1/devices/me")
    assert number() == before + 1

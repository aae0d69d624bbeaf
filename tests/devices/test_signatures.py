"""A device is let in by its signature alone: once, in time, and until it is revoked."""

import base64
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from sqlalchemy import select

from app import create_app
from app.audit import AuditEvent
from app.core.errors import Problem
from app.devices.registry import NewDevice, add_device
from app.runtime import Services, make_services
from app.staff.context import OPERATOR, begin_as
from tests.support.codes import without_redis
from tests.support.devices import PATH, STATION, Device, open_station
from tests.support.people import Phone
from tests.support.valkey import remembered_seconds

ME = f"{PATH}/me"


@pytest.fixture
def gate(client: FlaskClient, services: Services) -> Device:
    open_station(services)
    return Device.add(client, services)


def slug(answer: Any) -> str:
    return str(answer.json["type"]).removeprefix("/problems/")


def test_a_device_is_told_what_it_is_and_what_time_it_is(gate: Device) -> None:
    answer = gate.get("me")
    assert answer.status_code == 200, answer.json
    assert answer.json["station"] == STATION
    assert (answer.json["lane"], answer.json["kind"], answer.json["device"]) == ("1", "gate", gate.id)
    assert answer.json["fever_celsius"] == 37.3
    assert abs(datetime.fromisoformat(answer.json["server_time"]) - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_signature_made_by_hand_after_the_standard_is_accepted(gate: Device, services: Services) -> None:
    """RFC 9421 written out, without the library that both sides use."""
    body, created, nonce = json.dumps({"number": "x"}).encode(), int(time.time()), "n" * 20
    digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
    parameters = (
        f'("@method" "@path" "content-digest");created={created};keyid="{gate.id}";alg="ed25519";nonce="{nonce}"'
        ';tag="jixiang-device"'
    )
    base = f'"@method": POST\n"@path": {PATH}/checks\n"content-digest": {digest}\n"@signature-params": {parameters}'
    key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(gate.secret + "="))
    headers = {
        "Content-Digest": digest,
        "Signature-Input": f"sig1={parameters}",
        "Signature": f"sig1=:{base64.b64encode(key.sign(base.encode())).decode()}:",
    }
    answer = gate.client.post(f"{PATH}/checks", data=body, content_type="application/json", headers=headers)
    assert slug(answer) == "invalid-request"  # it was let in, and what it says is looked at


def test_what_is_not_signed_by_a_device_that_is_known_is_refused(gate: Device, subtests: pytest.Subtests) -> None:
    content = b'{"a": 1}'
    good = gate.headers("POST", f"{PATH}/checks", content)
    other = Device.add(gate.client, gate.services, lane="2")
    wrong: dict[str, tuple[str, dict[str, str], bytes]] = {
        "nothing": (f"{PATH}/checks", {}, content),
        "another body": (f"{PATH}/checks", good, b'{"a": 2}'),
        "another path": (f"{PATH}/batches", good, content),
        "no digest": (f"{PATH}/checks", gate.headers("POST", f"{PATH}/checks"), content),
        "another method": (f"{PATH}/checks", gate.headers("PUT", f"{PATH}/checks", content), content),
        "another's key": (f"{PATH}/checks", gate.headers("POST", f"{PATH}/checks", content, id=other.id), content),
        "nobody": (f"{PATH}/checks", gate.headers("POST", f"{PATH}/checks", content, id=10**9), content),
        "no number": (f"{PATH}/checks", gate.headers("POST", f"{PATH}/checks", content, id="x7"), content),
        "a query": (f"{PATH}/checks?a=1", good, content),
        "rubbish": (f"{PATH}/checks", {**good, "Signature-Input": "%%%"}, content),
    }
    for name, (path, headers, body) in wrong.items():
        with subtests.test(name):
            answer = gate.client.post(path, data=body, content_type="application/json", headers=headers)
            assert (answer.status_code, slug(answer)) == (401, "device-signature")


def test_a_request_is_answered_once(gate: Device) -> None:
    headers = gate.headers("GET", ME)
    assert gate.client.get(ME, headers=headers).status_code == 200
    again = gate.client.get(ME, headers=headers)
    assert (again.status_code, slug(again)) == (409, "device-replayed")


def test_a_request_of_a_clock_that_is_ahead_is_remembered_until_its_time_is_over(
    gate: Device, services: Services
) -> None:
    skew = services.settings.devices.clock_skew
    kept = remembered_seconds(services.redis, f"jx:device:{gate.id}:nonce:*", lambda: gate.get("me"))
    assert kept >= 2 * skew.total_seconds()


def test_a_wrong_clock_is_told_the_time_of_the_server(gate: Device) -> None:
    for ahead in (timedelta(minutes=-5), timedelta(minutes=5)):
        answer = gate.post("checks", {}, ahead=ahead)
        assert (answer.status_code, slug(answer)) == (401, "device-clock")
        told = datetime.fromisoformat(answer.json["server_time"])  # type: ignore[index]
        assert abs(told - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_revoked_device_is_refused_by_every_process_at_once(gate: Device, services: Services) -> None:
    """Another process has it in its cache, and reads that it is revoked with the next request."""
    others = make_services(services.settings)
    elsewhere = Device(create_app(others).test_client(), services, gate.id, gate.secret)
    assert elsewhere.get("me").status_code == 200
    gate.revoke()
    for one in (gate, elsewhere):
        answer = one.get("me")
        assert (answer.status_code, slug(answer)) == (403, "device-revoked")
    others.close()


def test_without_redis_nobody_knows_what_was_seen_so_nothing_is_let_in(gate: Device, services: Services) -> None:
    away = Device(create_app(without_redis(services)).test_client(), services, gate.id, gate.secret)
    assert away.get("me").status_code == 503


def test_a_session_opens_no_device_and_a_device_nothing_else(gate: Device, green_citizen: Phone) -> None:
    assert slug(green_citizen.get(ME)) == "device-signature"
    answer = gate.client.get("/api/v1/code", headers=gate.headers("GET", "/api/v1/code"))
    assert answer.status_code == 401


def test_every_mistake_of_a_new_device_is_said_at_once(services: Services) -> None:
    with begin_as(services, OPERATOR) as context, pytest.raises(Problem) as raised:
        add_device(context, NewDevice("没有", "a b", "tank", public_key="short", shape="other"))
    pointers = {field.pointer for field in raised.value.fields}
    assert pointers == {"/station", "/lane", "/kind", "/public_key", "/shape"}


def test_a_lane_has_one_device_of_a_kind_and_each_act_is_audited(gate: Device, services: Services) -> None:
    with begin_as(services, OPERATOR) as context, pytest.raises(Problem, match="lane-taken"):
        add_device(context, NewDevice(STATION, "1", "gate"))
    gate.revoke()
    Device.add(gate.client, services)
    with services.sessions() as session:
        actions = session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("device%"))).all()
    assert sorted(actions) == ["device-added", "device-added", "device-revoked"]


def test_a_device_brings_its_own_public_key(client: FlaskClient, services: Services, gate: Device) -> None:
    private = Ed25519PrivateKey.generate()
    public = base64.urlsafe_b64encode(private.public_key().public_bytes_raw()).decode().rstrip("=")
    device = Device.add(client, services, lane="9", public_key=public)
    assert device.secret == ""
    device.secret = base64.urlsafe_b64encode(private.private_bytes_raw()).decode()
    assert device.get("me").status_code == 200

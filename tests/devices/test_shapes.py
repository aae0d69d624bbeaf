"""Terminals that speak the shape of their maker: let in by it, answered in it, and told less than it has room for."""

import hashlib
import time
from base64 import b64encode
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.runtime import Services
from app.stations import rollup
from tests.support.codes import contact, tell
from tests.support.devices import PATH, Device, open_station
from tests.support.people import Phone


class Gun:
    """A code gun at its maker's address."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def post(self, kind: int, number: str, temperature: str = "0", secret: str = "") -> TestResponse:
        basic = b64encode(f"{self.device.id}:{secret or self.device.secret}".encode()).decode()
        body = {"cardNoType": kind, "idCardNo": number, "temperature": temperature, "deviceIndexCode": "866000"}
        return self.device.client.post(
            f"{PATH}/adapters/code-gun", json=body, headers={"Authorization": f"Basic {basic}"}
        )


class Gate:
    """A gate that signs as its maker's document says."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def body(self, **fields: str) -> dict[str, str]:
        given = {"appId": str(self.device.id), "timestamp": str(int(time.time() * 1000)), **fields}
        text = "&".join(f"{k}={v}" for k, v in sorted({**given, "secretKey": self.device.secret}.items()))
        return {**given, "sign": hashlib.sha256(text.encode()).hexdigest().upper()}

    def post(self, body: dict[str, Any]) -> TestResponse:
        return self.device.client.post(f"{PATH}/adapters/signed-gate", json=body)


@pytest.fixture
def gun(client: FlaskClient, services: Services) -> Gun:
    open_station(services)
    return Gun(Device.add(client, services, shape="code-gun"))


@pytest.fixture
def gate(client: FlaskClient, services: Services) -> Gate:
    open_station(services)
    return Gate(Device.add(client, services, shape="signed-gate"))


def problem(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, str(answer.json["type"]).removeprefix("/problems/")  # type: ignore[index]


def test_a_code_gun_opens_for_green_and_for_a_fever_it_does_not(gun: Gun, green_citizen: Phone) -> None:
    answer = gun.post(2, green_citizen.code()["token"] + "\r\n", "36.5")
    assert answer.status_code == 200, answer.json
    assert answer.json == {"code": 0, "msg": answer.json["msg"], "status": "00"}
    assert gun.post(2, green_citizen.code()["token"], "38.21").json["status"] == "01"  # type: ignore[index]
    assert gun.post(2, "https://example.com").json["code"] == 1  # type: ignore[index]


def test_a_number_without_a_name_is_nobodys_at_a_code_gun(gun: Gun, green_citizen: Phone) -> None:
    answer = gun.post(1, green_citizen.document)
    assert (answer.json["code"], answer.json["status"]) == (1, "")  # type: ignore[index]
    assert green_citizen.document not in answer.text


def test_a_gate_with_a_signature_is_told_the_grade_and_no_name(gate: Gate, green_citizen: Phone) -> None:
    code, by_name = (
        gate.body(code_content=green_citizen.code()["token"]),
        gate.body(certificate_type="10", certificate_id=green_citizen.document, name=green_citizen.name),
    )
    for body in (code, by_name):
        answer = gate.post(body)
        assert answer.status_code == 200, answer.json
        assert answer.json["data"]["risk_assessment_grade"] == "00"  # type: ignore[index]
        assert green_citizen.name not in answer.text
        assert green_citizen.document not in answer.text


def test_no_grade_that_opens_is_said_of_another_color(gate: Gate, green_citizen: Phone, services: Services) -> None:
    tell(services, 1, contact(services.clock.now()))
    data = gate.post(gate.body(code_content=green_citizen.code()["token"])).json["data"]  # type: ignore[index]
    assert data["risk_assessment_grade"] == "10"  # orange, which has no sign of its own
    unknown = gate.post(gate.body(certificate_type="99", certificate_id="1", name="示例甲")).json["data"]  # type: ignore[index]
    assert unknown["risk_assessment_grade"] == ""


def test_a_code_that_is_over_is_said_in_the_shape(gate: Gate, green_citizen: Phone, services: Services) -> None:
    token = green_citizen.code()["token"]
    services.clock.advance(minutes=5)  # type: ignore[attr-defined]
    data = gate.post(gate.body(code_content=token)).json["data"]  # type: ignore[index]
    assert (data["qrcode_expired"], data["risk_assessment_grade"]) == (True, "")


def test_what_is_no_number_and_no_text_is_refused_as_any_other(
    gun: Gun, client: FlaskClient, services: Services, green_citizen: Phone
) -> None:
    """A sensor that says "NaN" measures nothing, and half of a surrogate pair signs nothing."""
    gate = Gate(Device.add(client, services, lane="2", shape="signed-gate"))
    answer = gun.post(2, green_citizen.code()["token"], "NaN")
    assert (answer.status_code, answer.json["status"]) == (200, "00")  # type: ignore[index]
    assert problem(gate.post({**gate.body(code_content="JX1:"), "sign": "\ud800"})) == (401, "device-signature")


def test_a_terminal_that_does_not_prove_itself_is_refused(
    gun: Gun, client: FlaskClient, services: Services, green_citizen: Phone
) -> None:
    token = green_citizen.code()["token"]
    gate = Gate(Device.add(client, services, lane="2", shape="signed-gate"))
    assert problem(gun.post(2, token, secret="wrong")) == (401, "device-signature")
    assert problem(client.post(f"{PATH}/adapters/code-gun", json={})) == (401, "device-signature")
    good = gate.body(code_content=token)
    assert problem(gate.post({**good, "code_content": "JX1:"})) == (401, "device-signature")
    assert problem(gate.post(gate.body(code_content=token, timestamp="1"))) == (401, "device-clock")
    assert problem(gate.post({**good, "appId": str(gun.device.id)})) == (401, "device-signature")
    assert gate.post(good).status_code == 200
    assert problem(gate.post(good)) == (409, "device-replayed")
    assert problem(gun.device.get("me")) == (401, "device-signature")  # its secret is no key
    for one in (gun.device, gate.device):
        one.revoke()
    assert problem(gun.post(2, token)) == (403, "device-revoked")
    assert problem(gate.post(gate.body(code_content=token))) == (403, "device-revoked")


def test_a_token_counts_once_for_terminals_too(gun: Gun, green_citizen: Phone, services: Services) -> None:
    token = green_citizen.code()["token"]
    for _ in range(3):
        gun.post(2, token)
    assert rollup.day_counts(services, 1, services.clock.now())["pass"] == 1

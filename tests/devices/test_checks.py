"""Checks by devices: the answer of an inspector, and each counted once, whatever is cut off and sent again."""

import json
from base64 import b64encode
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.codes.states import State
from app.core.clock import rfc3339
from app.runtime import Services
from app.stations import rollup
from tests.support.clock import START, StandingClock
from tests.support.codes import contact, tell, without_redis
from tests.support.devices import PATH, Device, open_station
from tests.support.people import Phone
from tests.support.trust import EXAMPLE, OTHER, TwoAdministrators, make_list, trusting


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


@pytest.fixture
def gate(client: FlaskClient, services: Services) -> Device:
    open_station(services)
    return Device.add(client, services)


def counted(services: Services) -> dict[str, int]:
    return {action: number for action, number in rollup.day_counts(services, 1, services.clock.now()).items() if number}


def slug(answer: Any) -> str:
    return str(answer.json["type"]).removeprefix("/problems/")


def test_a_gate_is_told_the_color_and_what_to_do_as_an_inspector_is(
    gate: Device, citizen: Phone, services: Services
) -> None:
    answer = gate.check(citizen.code()["token"])
    assert answer.status_code == 200, answer.json
    assert answer.json is not None
    given = {name: answer.json[name] for name in ("outcome", "state", "color", "action", "counted", "reading")}
    assert given == {
        "outcome": "green", "state": "GREEN", "color": "GREEN", "action": "pass", "counted": True, "reading": None,
    }  # fmt: skip
    assert answer.json["instruction"]
    tell(services, 1, contact(services.clock.now()))
    assert gate.check(citizen.code()["token"]).json["action"] == "stop"  # type: ignore[index]


def test_a_check_that_was_cut_off_and_repeated_counts_once(gate: Device, citizen: Phone, services: Services) -> None:
    """By code, by document and by card; a repeat has a signature of its own, and the number it had."""
    document = {"type": "id-card", "number": citizen.document, "name": citizen.name}
    for proof in ({"token": citizen.code()["token"]}, {"document": document}):
        body = {"number": str(uuid4()), **proof}
        answers = [gate.post("checks", body) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 3
    assert counted(services) == {"pass": 2}
    gate.post("checks", {"number": str(uuid4()), "document": document})
    assert counted(services) == {"pass": 3}  # another check of the same document


def test_what_was_counted_with_network_is_known_in_a_batch_and_the_other_way(
    gate: Device, citizen: Phone, services: Services, clock: StandingClock
) -> None:
    token, other = citizen.code()["token"], None
    gate.check(token)
    clock.advance(seconds=30)
    other = citizen.code()["token"]
    made = [{"number": str(uuid4()), "token": one, "at": rfc3339(clock.now())} for one in (token, other)]
    for expected in (["known", "counted"], ["known", "known"]):
        answer = gate.post("batches", {"checks": made})
        assert answer.status_code == 200, answer.json
        assert [one["result"] for one in answer.json["results"]] == expected  # type: ignore[index]
    gate.check(other)
    assert counted(services) == {"pass": 2}


def test_a_token_that_the_counters_did_not_take_is_said_to_be_submitted_later(
    gate: Device, citizen: Phone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis is lost between the signature and the counting: the gate opens all the same."""
    token = citizen.code()["token"]
    away = without_redis(services)
    monkeypatch.setattr("app.api.devices.caller.signatures.authenticate", _let_in(gate, services))
    answer = Device(create_app(away).test_client(), services, gate.id, gate.secret).check(token)
    assert answer.status_code == 200, answer.json
    assert (answer.json["action"], answer.json["counted"]) == ("pass", False)  # type: ignore[index]


def _let_in(gate: Device, services: Services) -> Any:
    from app.devices.device_cache import find_device

    return lambda _services, _request: find_device(services, gate.id)


def test_each_kind_does_what_it_is_for(
    gate: Device, client: FlaskClient, citizen: Phone, services: Services, subtests: pytest.Subtests
) -> None:
    token = citizen.code()["token"]
    document = {"type": "id-card", "number": citizen.document, "name": citizen.name}
    batch = {"checks": [{"number": str(uuid4()), "token": token, "at": rfc3339(services.clock.now())}]}
    may = {
        "scanner": {"token", "batch"},
        "card-reader": {"document"},
        "thermal": {"temperature"},
        "bus": {"token", "batch"},
    }
    for kind, acts in may.items():
        device = Device.add(client, services, kind=kind, lane=kind)
        answers = {
            "token": device.check(token),
            "document": device.post("checks", {"number": str(uuid4()), "document": document}),
            "temperature": device.measure(36.5),
            "batch": device.post("batches", batch),
        }
        for act, answer in answers.items():
            with subtests.test(f"{kind}: {act}"):
                allowed = answer.status_code == 200
                assert allowed or slug(answer) == "device-may-not"
                assert allowed == (act in acts)


def test_one_thing_is_shown_and_a_code_that_is_none_is_refused(gate: Device, citizen: Phone) -> None:
    for body in ({}, {"token": "JX1:A", "paper": {"token": "JX2:A", "document_tail": "0000"}}):
        answer = gate.post("checks", {"number": str(uuid4()), **body})
        assert answer.status_code == 422
        assert answer.json["errors"][0]["pointer"] == "/token"  # type: ignore[index]
    assert slug(gate.check("JX1:A")) == "token-malformed"


def test_a_number_and_a_wrong_name_are_answered_as_nobody_and_bounded(
    gate: Device, citizen: Phone, services: Services
) -> None:
    wrong = {"type": "id-card", "number": citizen.document, "name": "示例丁"}
    answer = gate.post("checks", {"number": str(uuid4()), "document": wrong})
    assert (answer.json["outcome"], answer.json["action"]) == ("not-found", "ask")  # type: ignore[index]
    small = services.settings.document_checks.model_copy(update={"ceiling_not_found": "1 per minute"})
    settings = services.settings.model_copy(update={"document_checks": small})
    from dataclasses import replace

    bounded = Device(create_app(replace(services, settings=settings)).test_client(), services, gate.id, gate.secret)
    answer = bounded.post("checks", {"number": str(uuid4()), "document": wrong})
    assert (answer.status_code, slug(answer)) == (429, "document-checks-too-many")
    assert json.dumps(answer.json).find(citizen.document) == -1


def test_a_code_of_another_province_is_answered_at_a_gate_as_an_inspector_is(
    services: Services, clock: StandingClock
) -> None:
    two = TwoAdministrators(trusting(services))
    two.take(make_list(EXAMPLE.issuer(), at=START - timedelta(days=1)))
    open_station(services)
    client = create_app(two.services).test_client()
    gate, gun = Device.add(client, services), Device.add(client, services, lane="2", shape="code-gun")
    camera = Device.add(client, services, kind="thermal")
    answers = [gate.check(EXAMPLE.code(state)).json for state in (State.GREEN, State.UNVERIFIED, State.RED)]
    given = [(one["outcome"], one["action"], one["issuer"]["id"]) for one in answers]  # type: ignore[index]
    assert given == [("green", "pass", "example"), ("unverified", "measure", "example"), ("red", "stop", "example")]
    fever = gate.check(EXAMPLE.code(), celsius=38.2).json
    assert (fever["action"], fever["reading"]) == ("stop", None)  # type: ignore[index]
    assert counted(services) == {"foreign-pass": 1, "foreign-measure": 1, "foreign-stop": 2, "foreign-temperature": 1}
    assert "示例省" in str(answers[0]["instruction"])  # type: ignore[index]
    basic = b64encode(f"{gun.id}:{gun.secret}".encode()).decode()
    body = {"cardNoType": 2, "idCardNo": EXAMPLE.code(), "temperature": "0", "deviceIndexCode": "1"}
    headers = {"Authorization": f"Basic {basic}"}
    assert client.post(f"{PATH}/adapters/code-gun", json=body, headers=headers).json["status"] == "00"  # type: ignore[index]
    stranger = {**body, "idCardNo": OTHER.code()}  # whom the list does not have
    assert client.post(f"{PATH}/adapters/code-gun", json=stranger, headers=headers).json["code"] == 1  # type: ignore[index]
    assert slug(gate.check(OTHER.code())) == "token-unknown-key"
    assert camera.measure(38.2).json["result"] == "ambiguous"  # type: ignore[index]


def test_a_fever_in_the_lane_is_measured_by_hand_of_who_has_a_code_of_another_province(services: Services) -> None:
    two = TwoAdministrators(trusting(services))
    two.take(make_list(EXAMPLE.issuer(), at=START - timedelta(days=1)))
    open_station(services)
    client = create_app(two.services).test_client()
    gate, camera = Device.add(client, services), Device.add(client, services, kind="thermal")
    camera.measure(38.2)
    answer = gate.check(EXAMPLE.code()).json
    assert (answer["action"], answer["reading"]["fever"]) == ("measure", True)  # type: ignore[index]
    assert counted(services) == {"foreign-measure": 1}

"""Checks by devices: the answer of an inspector, and each counted once, whatever is cut off and sent again."""

import json
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.core.clock import rfc3339
from app.runtime import Services
from app.stations import rollup
from tests.support.clock import StandingClock
from tests.support.codes import contact, tell, without_redis
from tests.support.devices import Device, open_station
from tests.support.people import Phone


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

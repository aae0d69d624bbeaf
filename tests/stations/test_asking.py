"""Issuers that are asked about the state of now, themselves or through the national platform: a failure is no color."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from app import create_app
from app.core.errors import ConfigError
from app.platform.recognition import RecognitionWay, StateClient, check_ways, load_ways
from app.runtime import Services
from platform_sandbox import create_sandbox
from platform_sandbox.serving import RequestHandler
from sandbox_kit.testing import served
from tests.support.people import Station
from tests.support.trust import EXAMPLE, OTHER, TwoAdministrators, make_list, trusting

KEY, SECRET = "jilin", "an-invented-secret-of-a-partner"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    """A partner who speaks the envelope: the platform, or an issuer."""
    with served(create_sandbox(KEY, SECRET), RequestHandler) as url:
        yield url


def way_to(base_url: str, **changes: Any) -> RecognitionWay:
    given = {"way": "issuer", "base_url": base_url, "requester_id": KEY, "service_id": "jx-recognition"}
    given |= {"path": "/sysapi/recognition", "secret_file": Path("secret"), "timeout_seconds": 5.0}
    return RecognitionWay(**{**given, **changes})


def asking(services: Services, way: RecognitionWay, secret: str = SECRET) -> Services:
    """The same services, which ask about the codes of one province."""
    return replace(trusting(services), recognition={EXAMPLE.id: StateClient(way, secret)})


@pytest.fixture
def asked(services: Services, sandbox: str) -> Iterator[Services]:
    requests.post(f"{sandbox}/sandbox/reset", timeout=10).raise_for_status()
    TwoAdministrators(trusting(services)).take(make_list(EXAMPLE.issuer(), OTHER.issuer()))
    made = asking(services, way_to(sandbox))
    with closing(made.recognition[EXAMPLE.id]):
        yield made


def station_of(services: Services) -> Station:
    return Station.open(create_app(services).test_client(), services)


def says(sandbox: str, state: str) -> None:
    requests.put(f"{sandbox}/sandbox/codes/{EXAMPLE.id}", json={"state": state}, timeout=10).raise_for_status()


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def test_the_state_is_that_of_now_and_still_the_statement_of_its_issuer(asked: Services, sandbox: str) -> None:
    station = station_of(asked)
    says(sandbox, "RED")
    answer = station.check(EXAMPLE.code()).json
    assert answer is not None
    assert (answer["state"], answer["action"], answer["issuer"]["id"]) == ("RED", "stop", "example")
    assert station.measure(EXAMPLE.code(), 36.5).json["action"] == "stop"  # type: ignore[index]
    says(sandbox, "GREEN")
    assert station.check(EXAMPLE.code()).json["action"] == "pass"  # type: ignore[index]
    calls = requests.get(f"{sandbox}/sandbox/calls", timeout=10).json()
    assert calls == {"/sysapi/recognition": 3}
    assert station.check(OTHER.code()).json["state"] == "GREEN", "one that is shown as it is"  # type: ignore[index]


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        ({"on": False}, (503, "foreign-check-failed")),
        ({"status": 500}, (503, "foreign-check-failed")),
        ({"garbage": True}, (503, "foreign-check-failed")),
        ({"delay": 3}, (504, "foreign-time-out")),
    ],
)
def test_what_fails_or_takes_too_long_is_an_outcome_and_never_the_color_in_the_code(
    services: Services, asked: Services, sandbox: str, trouble: dict[str, Any], outcome: tuple[int, str]
) -> None:
    says(sandbox, "GREEN")
    requests.put(f"{sandbox}/sandbox/switch", json=trouble, timeout=10).raise_for_status()
    hurried = asking(services, way_to(sandbox, timeout_seconds=0.5 if "delay" in trouble else 5.0))
    with closing(hurried.recognition[EXAMPLE.id]):
        station = station_of(hurried)
        answer = station.check(EXAMPLE.code())
        assert (answer.status_code, slug(answer)) == outcome
        calls = requests.get(f"{sandbox}/sandbox/calls", timeout=10).json()["/sysapi/recognition"]
        again = station.check(EXAMPLE.code())
        asked_again = requests.get(f"{sandbox}/sandbox/calls", timeout=10).json()["/sysapi/recognition"] - calls
        assert again.status_code == 503 and asked_again == int("garbage" in trouble), "the circuit is open"


def test_a_refusal_an_unknown_word_and_a_wrong_secret_are_no_color(
    services: Services, asked: Services, sandbox: str
) -> None:
    station = station_of(asked)
    assert slug(station.check(EXAMPLE.code())) == "foreign-check-failed", "an issuer that is not known there"
    says(sandbox, "new-blue")
    assert slug(station.check(EXAMPLE.code())) == "foreign-check-failed"
    says(sandbox, "GREEN")
    wrong = asking(services, way_to(sandbox), "another-secret")
    with closing(wrong.recognition[EXAMPLE.id]):
        refused = Station(create_app(wrong).test_client(), station.session)
        assert slug(refused.check(EXAMPLE.code())) == "foreign-check-failed"


def test_nobody_is_asked_about_a_code_that_is_not_to_be_believed(asked: Services, sandbox: str) -> None:
    token = EXAMPLE.code()
    changed = token[:150] + ("0" if token[150] != "0" else "1") + token[151:]
    assert slug(station_of(asked).check(changed)) == "token-forged"
    assert requests.get(f"{sandbox}/sandbox/calls", timeout=10).json() == {}


def test_all_mistakes_of_a_file_of_ways_are_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "ways.toml"
    file.write_text('[a]\nway = "phone"\nbase_url = "ftp://x"\n[b]\nway = "issuer"\nhost = "x"\n')
    with pytest.raises(ConfigError) as error:
        load_ways(file)
    said = str(error.value)
    assert all(f"trust.ways_file: {place}:" in said for place in ("a.way", "a.base_url", "a.path", "b.host", "b.path"))
    file.write_text(
        '[a]\nway = "issuer"\nbase_url = "http://x"\nrequester_id = "r"\nservice_id = "s"\npath = "/p"\n'
        f'secret_file = "{tmp_path / "none"}"\n'
    )
    assert load_ways(file)["a"].timeout_seconds == 2.0
    with pytest.raises(ConfigError, match=r"(?s)https:// in production.*cannot be read"):
        check_ways(file, is_production=True)
    assert load_ways(None) == {}

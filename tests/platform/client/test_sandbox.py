"""The client and the sandbox of the platform understand each other."""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import requests

from app.platform.client import PlatformClient
from app.platform.messages import PlatformRefused
from platform_sandbox import create_sandbox
from sandbox_kit.testing import served
from tests.support.platform import own_client
from tests.support.platform_client import APP_KEY, CONTACT, NAME, NUMBER, QUARANTINE, RECORD, SECRET, ask, refusal


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with served(create_sandbox(APP_KEY, SECRET)) as url:
        yield url


Control = Callable[..., None]


@pytest.fixture
def control(sandbox: str) -> Control:
    """Control an empty sandbox."""

    def run(method: str, path: str, body: object = None) -> None:
        requests.request(method, f"{sandbox}/sandbox{path}", json=body, timeout=5).raise_for_status()

    run("POST", "/reset")
    return run


@pytest.fixture
def real(sandbox: str) -> Iterator[PlatformClient]:
    with contextlib.closing(own_client(sandbox, APP_KEY, SECRET, 2.0)) as client:
        yield client


def test_the_sandbox_understands_the_question_and_the_client_its_answer(real: PlatformClient, control: Control) -> None:
    findings = [CONTACT, QUARANTINE, {"kind": "suspected", **RECORD}, {"kind": "confirmed", **RECORD}]
    control("PUT", f"/people/{NUMBER}", {"findings": findings})
    answer = ask(real)
    assert [finding.kind for finding in answer.findings] == [
        "contact",
        "quarantine",
        "suspected",
        "confirmed",
    ]
    assert answer.findings[1].last_day == date(2020, 3, 23)
    assert ask(real, document_number="X00000002").findings == ()


def test_the_same_reference_gets_the_same_reference_back(real: PlatformClient, control: Control) -> None:
    first, again = ask(real), ask(real)
    assert first.reference == again.reference != ask(real, reference="declaration-2").reference


def test_a_wrong_identity_comes_from_the_sandbox_too(real: PlatformClient, control: Control) -> None:
    control("PUT", f"/people/{NUMBER}", {"result": "identity-mismatch"})
    assert ask(real).result == "identity-mismatch"
    control("PUT", f"/people/{NUMBER}", {"name": NAME, "phone": "13900000001"})
    assert ask(real).mismatched == ("phone",)


@pytest.mark.parametrize(
    ("switch", "reason"),
    [
        ({"on": False}, "http-503"),
        ({"status": 429}, "http-429"),
        ({"status": 500}, "http-500"),
        ({"garbage": True}, "malformed"),
    ],
)
def test_a_sandbox_in_trouble_is_unavailable_until_it_is_well_again(
    real: PlatformClient, control: Control, switch: dict[str, Any], reason: str
) -> None:
    control("PUT", "/switch", switch)
    assert refusal(real) == reason
    control("PUT", "/switch", {})
    assert ask(real).result == "consistent"


@pytest.mark.parametrize(
    ("app_key", "secret", "late"), [(APP_KEY, "wrong", 0), ("wrong", SECRET, 0), (APP_KEY, SECRET, 400)]
)
def test_the_sandbox_refuses_a_wrong_secret_key_or_clock(
    sandbox: str, control: Control, app_key: str, secret: str, late: float
) -> None:
    client = own_client(sandbox, app_key, secret, 2.0, seconds=lambda: time.time() - late)
    with contextlib.closing(client), pytest.raises(PlatformRefused) as caught:
        ask(client)
    assert caught.value.code == 40101


def test_a_question_without_a_name_is_refused_for_good(real: PlatformClient, control: Control) -> None:
    with pytest.raises(PlatformRefused) as caught:
        ask(real, name="")
    assert caught.value.code == 40001

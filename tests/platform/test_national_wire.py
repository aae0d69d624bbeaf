"""The envelope with four headers: what is sent, which answers count, and a secret that the gateway renews."""

import base64
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
import responses
from structlog.testing import capture_logs

from app import create_app
from app.core.errors import ConfigError
from app.core.settings import PlatformSettings
from app.platform.client import PlatformClient
from app.platform.connection import connect
from app.platform.messages import PlatformAnswer, PlatformQuestion, PlatformRefused, PlatformUnavailable
from app.platform.national_wire import sign
from app.runtime import Services
from platform_sandbox import create_sandbox
from platform_sandbox.serving import RequestHandler
from sandbox_kit.testing import served
from tests.support.people import Phone

BASE = "https://platform.example"
KEY, SECRET = "local", "platform-secret-of-32-characters"
NAMES = {
    "requester_id": KEY,
    "verification_service_id": "jx-verification",
    "guardianship_service_id": "jx-guardianship",
}
QUESTION = PlatformQuestion("declaration-1", "示例甲", "passport", "X00000001", None)
DATA: dict[str, Any] = {
    "question": "declaration-1",
    "result": "consistent",
    "reference": "GP-1",
    "checked_at": "2020-03-11T15:00:01+08:00",
    "findings": [],
}
ASKED_AT = 1_583_910_000.0  # 2020-03-11 15:00 in Beijing


def national(base_url: str, secret: str = SECRET, **names: str) -> PlatformClient:
    settings = PlatformSettings(
        wire="national", base_url=base_url, app_key=KEY, timeout_seconds=5, national={**NAMES, **names}
    )  # type: ignore[arg-type]
    return connect(settings, secret)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformClient]:
    client = national(BASE)
    monkeypatch.setattr(client, "_seconds", lambda: ASKED_AT)
    with contextlib.closing(client):
        yield client


@pytest.fixture
def rsps() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def answers(rsps: responses.RequestsMock, body: object) -> None:
    rsps.post(f"{BASE}/sysapi/verification", body=body if isinstance(body, bytes) else json.dumps(body))


def test_what_is_signed_has_a_fixed_value() -> None:
    """By `printf 'jx-verificationlocal1583910000000' | openssl dgst -sha256 -hmac … -binary | base64`."""
    assert sign(SECRET, "jx-verification", "local", "1583910000000") == "v0VRXPJGWNUp94M8jualokZklrkoi+ivvaO9D/2AhME="


def test_a_question_is_one_post_with_four_headers(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    answers(rsps, {"code": "200", "message": "", "data": DATA})
    platform.verify(QUESTION)
    headers = rsps.calls[0].request.headers
    assert {name: headers[f"gjzwfwpt_{name}"] for name in ("rid", "sid", "rtime")} == {
        "rid": "local",
        "sid": "jx-verification",
        "rtime": "1583910000000",
    }
    assert headers["gjzwfwpt_sign"] == sign(SECRET, "jx-verification", "local", "1583910000000")
    body = json.loads(rsps.calls[0].request.body or b"")
    assert (body["reference"], body["name"]) == ("declaration-1", "示例甲")


@pytest.mark.parametrize("code", ["200", 200], ids=["text", "number"])
def test_the_code_is_a_text_or_a_number(platform: PlatformClient, rsps: responses.RequestsMock, code: object) -> None:
    answers(rsps, {"code": code, "message": "success", "data": DATA})
    assert platform.verify(QUESTION).result == "consistent"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param({"code": "api-101", "data": DATA}, "code-api-101", id="a code of a domain"),
        pytest.param({"code": "0", "data": DATA}, "code-0", id="the code of our own contract"),
        pytest.param({"code": "示例甲", "data": DATA}, "code-unknown", id="no code"),
        pytest.param({"code": True, "data": DATA}, "malformed", id="a truth as code"),
        pytest.param({"data": DATA}, "malformed", id="without a code"),
        pytest.param([DATA], "malformed", id="a list"),
        pytest.param({"code": "200", "data": None}, "malformed", id="without data"),
        pytest.param(
            {"code": "200", "data": {**DATA, "question": "declaration-2"}}, "another-question", id="another's"
        ),
        pytest.param({"code": "200", "data": {**DATA, "checked_at": "soon"}}, "malformed", id="no time"),
        pytest.param(
            {"code": "200", "data": {name.upper(): value for name, value in DATA.items()}},
            "another-question",
            id="upper",
        ),
        pytest.param(b"<html>", "malformed", id="HTML"),
    ],
)
def test_what_is_no_answer_is_none(
    platform: PlatformClient, rsps: responses.RequestsMock, answer: object, reason: str
) -> None:
    answers(rsps, answer)
    with pytest.raises(PlatformUnavailable) as caught:
        platform.verify(QUESTION)
    assert caught.value.reason == reason


def test_a_refusal_is_one(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    answers(rsps, {"code": "300", "message": "示例甲 gjzwfwpt_rtime"})
    with pytest.raises(PlatformRefused) as caught:
        platform.verify(QUESTION)
    assert caught.value.code == 300 and "示例甲" not in str(caught.value)


# Against the sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with served(create_sandbox(KEY, SECRET), RequestHandler) as url:
        yield url


@pytest.fixture
def control(sandbox: str) -> Callable[..., None]:
    def run(method: str, path: str, body: object = None) -> None:
        requests.request(method, f"{sandbox}/sandbox{path}", json=body, timeout=30).raise_for_status()

    run("POST", "/reset")
    return run


def ask(client: PlatformClient) -> PlatformAnswer:
    with contextlib.closing(client):
        return client.verify(QUESTION)


def test_the_sandbox_understands_the_question_and_the_client_its_answer(
    sandbox: str, control: Callable[..., None]
) -> None:
    control("PUT", "/people/X00000001", {"name": "示例乙"})
    answer = ask(national(sandbox))
    assert (answer.result, answer.mismatched) == ("identity-mismatch", ("name",))


@pytest.mark.parametrize("names", [{"requester_id": "another"}, {"verification_service_id": "jx-guardianship"}])
def test_the_sandbox_refuses_other_names(sandbox: str, control: Callable[..., None], names: dict[str, str]) -> None:
    with pytest.raises(PlatformRefused):
        ask(national(sandbox, **names))


def test_a_secret_of_the_gateway_is_renewed_before_it_ends_and_in_mid_flight(
    sandbox: str, control: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, fixed = national(sandbox, secret_path="/gateway/secret"), national(sandbox)
    with contextlib.closing(client), contextlib.closing(fixed):
        assert client.verify(QUESTION).result == "consistent"
        with pytest.raises(PlatformRefused):  # once one was exchanged, the other signs no more
            fixed.verify(QUESTION)
        control("POST", "/secret/renew")
        assert client.verify(QUESTION).result == "consistent"
        calls = requests.get(f"{sandbox}/sandbox/calls", timeout=30).json()
        assert calls["/gateway/secret"] == 2, "one at the start, and one when it was refused"


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"code": "300"}, SECRET),
        ({"code": "200", "data": {"secret": "?", "endtime": "1"}}, SECRET),
        ({"code": "200", "data": {"secret": base64.b64encode(bytes(16)).decode(), "endtime": "1"}}, SECRET),
        ({"code": "200", "data": {"secret": ""}}, SECRET),
    ],
)
def test_without_a_secret_nothing_is_asked(rsps: responses.RequestsMock, answer: object, key: str) -> None:
    rsps.post(f"{BASE}/gateway/secret", json=answer)
    with pytest.raises(PlatformUnavailable, match="no-secret"):
        ask(national(BASE, key, secret_path="/gateway/secret"))


def test_a_key_that_aes_cannot_use_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"platform\.secret_file"):
        national(BASE, "short", secret_path="/gateway/secret")


def _signed(service_id: str, requester_id: str, rtime: str, text: str) -> dict[str, str]:
    return {
        "gjzwfwpt_rid": requester_id,
        "gjzwfwpt_sid": service_id,
        "gjzwfwpt_rtime": rtime,
        "gjzwfwpt_sign": sign(SECRET, text, "", ""),
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda given: {}, ""),
        (lambda given: {"gjzwfwpt_sign": sign(SECRET, "local", "jx-verification", "")}, "sign is wrong"),
        (lambda given: {"gjzwfwpt_sid": ""}, "gjzwfwpt_sid is missing"),
        (lambda given: {"gjzwfwpt_rtime": str(int(time.time()))}, "milliseconds"),
        (lambda given: {"gjzwfwpt_rtime": str(int(time.time() * 1000) - 400_000)}, "not now"),
        (lambda given: {"gjzwfwpt_rid": "", "gjzwfwpt-rid": "local"}, "gjzwfwpt_rid is missing"),
    ],
    ids=["as it should be", "another order", "no service id", "seconds", "stale", "a dash"],
)
def test_the_sandbox_names_what_is_wrong(
    sandbox: str, control: Callable[..., None], change: Callable[[dict[str, str]], dict[str, str]], says: str
) -> None:
    rtime = str(int(time.time() * 1000))
    given = _signed("jx-verification", "local", rtime, f"jx-verificationlocal{rtime}")
    headers = {name: value for name, value in {**given, **change(given)}.items() if value}
    answer = requests.post(
        f"{sandbox}/sysapi/verification", data=QUESTION.to_json(),
        headers={**headers, "Content-Type": "application/json"}, timeout=30,
    ).json()  # fmt: skip
    assert (answer["code"], says in answer["message"]) == ("300" if says else "200", True)


def test_keys_in_upper_case_are_refused(sandbox: str, control: Callable[..., None]) -> None:
    rtime = str(int(time.time() * 1000))
    headers = _signed("jx-verification", "local", rtime, f"jx-verificationlocal{rtime}")
    body = {name.upper(): value for name, value in json.loads(QUESTION.to_json()).items()}
    answer = requests.post(f"{sandbox}/sysapi/verification", json=body, headers=headers, timeout=30).json()
    assert answer["code"] == "300" and "lower case" in answer["message"]


@pytest.mark.parametrize("body", ["[]", "1", "{", ""])
def test_the_gateway_takes_an_object_alone(sandbox: str, control: Callable[..., None], body: str) -> None:
    headers = {"gjzwfwpt_rid": "local", "gjzwfwpt_rtime": str(int(time.time() * 1000))}
    headers["Content-Type"] = "application/json"
    answer = requests.post(f"{sandbox}/gateway/secret", data=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (200, "300")


# Through the product


def test_a_declaration_is_verified_and_one_that_is_refused_stays_unverified_with_a_reason_in_the_log(
    services: Services, sandbox: str, control: Callable[..., None], phone: Callable[..., Phone]
) -> None:
    with contextlib.closing(national(sandbox)) as good, contextlib.closing(national(sandbox, requester_id="x")) as bad:
        states = []
        with capture_logs() as logs:
            for name, client in (("示例甲", good), ("示例乙", bad)):
                citizen = phone(name)
                citizen.client = create_app(replace(services, platform=client)).test_client()
                citizen.register()
                citizen.declare()
                states.append(citizen.code()["state"])
    assert states == ["GREEN", "UNVERIFIED"]
    assert {line["code"] for line in logs if line["event"] == "platform-refused"} == {300}

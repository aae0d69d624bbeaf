"""Questions to the national platform, and which of its answers are evidence."""

import contextlib
import hashlib
import hmac
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
import responses

from app.platform.client import PlatformClient
from app.platform.messages import Finding, PlatformRefused
from tests.support.platform import own_client
from tests.support.platform_client import (
    APP_KEY,
    ASKED,
    BASE,
    CONTACT,
    DATA,
    DECLARED_AT,
    NAME,
    QUARANTINE,
    RECORD,
    SECRET,
    URL,
    ask,
    padded,
    refusal,
    seconds,
    success,
    without,
)


def test_a_question_is_one_signed_post_in_json(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    rsps.post(URL, json=success())
    ask(platform)
    (call,) = rsps.calls
    body, headers = call.request.body, call.request.headers
    assert isinstance(body, bytes)
    assert json.loads(body) == ASKED
    assert headers["Content-Type"] == headers["Accept"] == "application/json"
    assert (headers["X-App-Key"], headers["X-Timestamp"], headers["X-Nonce"]) == (
        APP_KEY,
        "1583910000",
        "n-1",
    )
    lines = f"POST\n/gov/v1/verification\n1583910000\nn-1\n{hashlib.sha256(body).hexdigest()}"
    expected = hmac.new(SECRET.encode(), lines.encode(), hashlib.sha256).hexdigest()
    assert headers["X-Signature"] == expected
    assert SECRET not in f"{call.request.url} {headers} {body!r}"


def test_a_slash_after_the_address_makes_no_difference(rsps: responses.RequestsMock) -> None:
    rsps.post(URL, json=success())
    with contextlib.closing(own_client(BASE + "/", APP_KEY, SECRET, 1.0, seconds=seconds)) as platform:
        assert ask(platform).result == "consistent"


def test_every_question_has_a_nonce_of_its_own(rsps: responses.RequestsMock) -> None:
    rsps.post(URL, json=success())
    with contextlib.closing(own_client(BASE, APP_KEY, SECRET, 1.0, seconds=seconds)) as platform:
        for _ in range(3):
            ask(platform)
    nonces = {call.request.headers["X-Nonce"] for call in rsps.calls}
    assert len(nonces) == 3
    assert min(map(len, nonces)) >= 32


def test_no_symptoms_and_no_contact_are_sent_as_such(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    rsps.post(URL, json=success())
    ask(platform, symptoms=(), contact_on=None)
    said = json.loads(rsps.calls[0].request.body or b"")["declaration"]
    assert (said["symptoms"], said["contact_on"]) == ([], None)


def test_a_time_without_zone_is_not_asked_about(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    with pytest.raises(ValueError, match="time zone"):
        ask(platform, declared_at=DECLARED_AT.replace(tzinfo=None))
    assert len(rsps.calls) == 0


# The answer
def test_an_answer_without_findings_is_read(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    rsps.post(URL, json=success())
    answer = ask(platform)
    assert (answer.result, answer.reference, answer.findings) == ("consistent", "GP-1", ())
    assert answer.checked_at == datetime(2020, 3, 11, 7, 0, 1, tzinfo=UTC)


def test_a_wrong_identity_is_an_answer(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    rsps.post(URL, json={"code": 0, "data": without({**DATA, "result": "identity-mismatch"}, "findings")})
    answer = ask(platform)
    assert (answer.result, answer.mismatched) == ("identity-mismatch", ())


@pytest.mark.parametrize("finding", [CONTACT, QUARANTINE, *({"kind": k, **RECORD} for k in ("suspected", "confirmed"))])
def test_a_finding_of_each_kind_is_read(
    platform: PlatformClient, rsps: responses.RequestsMock, finding: dict[str, Any]
) -> None:
    rsps.post(URL, json=success(findings=[finding]))
    (read,) = ask(platform).findings
    assert read.since == datetime(2020, 3, 10, 1, 0, tzinfo=UTC)
    days = {name: date.fromisoformat(finding[name]) for name in finding if name[-3:] in ("_on", "day")}
    assert isinstance(read, Finding)
    assert read == Finding(**{**finding, **days, "since": read.since})


def test_a_quarantine_of_one_day_is_read(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    rsps.post(URL, json=success(findings=[{**QUARANTINE, "last_day": "2020-03-10"}]))
    (finding,) = ask(platform).known_findings
    assert finding.first_day == finding.last_day == date(2020, 3, 10)


def test_what_we_do_not_know_is_left_out(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    new = {"new": {"name": NAME}}
    rsps.post(URL, json={**success(findings=[{**CONTACT, **new}], **new), **new})
    assert NAME not in ask(platform).model_dump_json()


@pytest.mark.parametrize(("findings", "words"), [(100, 200), (1, 1)])
def test_an_answer_at_its_limits_is_read(
    platform: PlatformClient, rsps: responses.RequestsMock, findings: int, words: int
) -> None:
    rsps.post(URL, json=success(findings=[{**CONTACT, "document": "d" * words}] * findings))
    assert len(ask(platform).findings) == findings


def test_words_that_are_not_known_leave_the_rest_of_the_answer(
    platform: PlatformClient, rsps: responses.RequestsMock
) -> None:
    new = [{"kind": "recovered", "day": 5}, {"kind": "康复"}]
    body = json.dumps(success(result="partly", findings=[new[0], CONTACT, new[1]]))
    rsps.post(URL, body=b"\xef\xbb\xbf" + body.encode())
    answer = ask(platform)
    assert [finding.kind for finding in answer.known_findings] == ["contact"]
    assert (answer.result, answer.unknown_findings) == ("partly", 2)


NOT_IN_AN_ANSWER: list[dict[str, Any]] = [
    {"result": ""},
    {"result": "sick\n"},
    {"result": None},
    {"reference": ""},
    {"reference": 7},
    {"reference": "r" * 201},
    {"reference": "GP-1\n"},
    {"checked_at": "2020-03-11T15:00:01"},
    {"checked_at": 1_583_910_001},
    {"checked_at": "yesterday"},
    {"checked_at": "1970-01-01T08:00:00+08:00"},
    {"checked_at": "2020-03-10T14:59:00+08:00"},
    {"checked_at": "2020-03-11T15:06:00+08:00"},
    {"findings": None},
    {"findings": {}},
    {"findings": ["contact"]},
    {"findings": [CONTACT] * 101},
]
NOT_A_FINDING: list[dict[str, Any]] = [
    {**CONTACT, "kind": ""},
    {**CONTACT, "kind": None},
    {**CONTACT, "authority": ""},
    {**CONTACT, "document": "12\x00"},
    {**CONTACT, "document": ["12"]},
    {**CONTACT, "since": "2020-03-10T09:00:00"},
    {**CONTACT, "since": "2020-03-10"},
    {**CONTACT, "exposed_on": "2020-02-30"},
    {**CONTACT, "exposed_on": 18_329},
    {**CONTACT, "exposed_on": None},
    without(CONTACT, "exposed_on"),
    without(CONTACT, "authority"),
    without(CONTACT, "document"),
    without(CONTACT, "since"),
    without(QUARANTINE, "first_day"),
    without(QUARANTINE, "last_day"),
    {**QUARANTINE, "last_day": "2020-03-09"},
    {**QUARANTINE, "first_day": "2020-03-10T00:00:01"},
]
MALFORMED: list[dict[str, Any]] = [
    *(success(**change) for change in NOT_IN_AN_ANSWER),
    *(success(findings=[CONTACT, finding]) for finding in NOT_A_FINDING),
    *({"code": 0, "data": without(DATA, name)} for name in ("result", "reference", "checked_at")),
    {"code": 0},
    {"code": 0, "data": []},
    {"data": DATA},
    {**success(), "code": "0"},
    {**success(), "code": 1},
]


@pytest.mark.parametrize("answer", MALFORMED)
def test_an_answer_that_is_wrong_anywhere_is_no_answer(
    platform: PlatformClient, rsps: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    rsps.post(URL, json=answer)
    assert refusal(platform) == "malformed"


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"code":0,"data":{"res', b"[]", b"null", b"\xff", b"[" * 60_000])
def test_a_success_that_is_no_json_is_no_answer(
    platform: PlatformClient, rsps: responses.RequestsMock, body: bytes
) -> None:
    rsps.post(URL, body=body)
    assert refusal(platform) == "malformed"


def test_an_answer_of_64_kib_is_read_and_a_longer_one_is_not(
    platform: PlatformClient, rsps: responses.RequestsMock
) -> None:
    for size in (64 * 1024, 64 * 1024 + 1):
        rsps.post(URL, body=padded(size))
    assert ask(platform).result == "consistent"
    assert refusal(platform) == "too-large"


@pytest.mark.parametrize("status", [200, 400, 503])
def test_an_endless_answer_is_cut_whatever_its_status(
    platform: PlatformClient, rsps: responses.RequestsMock, status: int
) -> None:
    rsps.post(URL, body=padded(10_000_000), status=status)
    assert refusal(platform) == "too-large"


# Refused, or not now
@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"code": 40001, "message": "no"}', 40001),
        (401, b'{"code": 40102}', 40102),
        (499, b'{"code": 999999}', 999999),
        (403, b"<html>", 403),
        (404, b"", 404),
        (409, b"[]", 409),
        (410, b'{"code": "40001"}', 410),
        (410, b'{"code": true}', 410),
        (422, b'{"code": 0}', 422),
        (422, b'{"code": -1}', 422),
        (422, b'{"code": 13900000000}', 422),  # a phone number is no code
        (422, b"[" * 60_000, 422),
        (422, b"\xff", 422),
    ],
)
def test_a_refused_question_brings_the_platforms_code_or_else_the_status(
    platform: PlatformClient, rsps: responses.RequestsMock, status: int, body: bytes, code: int
) -> None:
    rsps.post(URL, body=body, status=status)
    with pytest.raises(PlatformRefused) as caught:
        ask(platform)
    assert caught.value.code == code
    assert len(rsps.calls) == 1


@pytest.mark.parametrize("status", [201, 206, 408, 429, 500, 502, 503, 504, 599])
def test_what_is_neither_success_nor_refusal_may_be_asked_again(
    platform: PlatformClient, rsps: responses.RequestsMock, status: int
) -> None:
    rsps.post(URL, json={**success(), "code": 40001}, status=status)
    assert refusal(platform) == f"http-{status}"
    assert len(rsps.calls) == 1  # but not by the client itself


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_question_does_not_follow_a_redirect(
    platform: PlatformClient, rsps: responses.RequestsMock, status: int
) -> None:
    elsewhere = "https://elsewhere.example/verification"
    rsps.post(URL, status=status, headers={"Location": elsewhere})
    rsps.add(responses.GET, elsewhere, json=success())
    rsps.add(responses.POST, elsewhere, json=success())
    assert refusal(platform) == f"http-{status}"
    assert [call.request.url for call in rsps.calls] == [URL]

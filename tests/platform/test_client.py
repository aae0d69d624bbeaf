"""The platform client: its wire format, its checks of every answer, and real connections to the sandbox."""

import contextlib
import gzip
import hashlib
import hmac
import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
import requests
import responses
from werkzeug.serving import make_server

from app.platform.client import PlatformClient
from app.platform.messages import Finding, PlatformAnswer, PlatformQuestion, PlatformRefused, PlatformUnavailable
from platform_sandbox import create_sandbox
from tests.support.platform import own_client
from tests.support.waiting import PATIENCE

BASE = "https://platform.example/gov/v1"
URL = BASE + "/verification"
APP_KEY, SECRET = "jixiang-demo", "platform-secret-0001"
NAME, NUMBER, PHONE, SYMPTOM = "示例甲", "X00000001", "13900000000", "dry-cough"
BEIJING = timezone(timedelta(hours=8))
DECLARED_AT = datetime(2020, 3, 11, 15, 0, tzinfo=BEIJING)
ARGUMENTS: dict[str, Any] = {
    "reference": "declaration-1",
    "name": NAME,
    "document_type": "passport",
    "document_number": NUMBER,
    "phone": PHONE,
    "symptoms": (SYMPTOM,),
    "contact_on": date(2020, 3, 8),
    "declared_at": DECLARED_AT,
}
ASKED = {
    "reference": "declaration-1",
    "name": NAME,
    "document": {"type": "passport", "number": NUMBER},
    "phone": PHONE,
    "declaration": {
        "symptoms": [SYMPTOM],
        "contact_on": "2020-03-08",
        "declared_at": "2020-03-11T15:00:00+08:00",
    },
}
AUTHORITY = "长春市疾病预防控制中心"
PRIVATE = (NAME, NUMBER, PHONE, SYMPTOM, "2020-03-08", SECRET, AUTHORITY)
DATA: dict[str, Any] = {
    "result": "consistent",
    "reference": "GP-1",
    "checked_at": "2020-03-11T15:00:01+08:00",
    "findings": [],
}
RECORD = {"authority": AUTHORITY, "document": "长疾控〔2020〕12号", "since": "2020-03-10T09:00:00+08:00"}
CONTACT: dict[str, Any] = {"kind": "contact", **RECORD, "exposed_on": "2020-03-08"}
QUARANTINE: dict[str, Any] = {
    "kind": "quarantine",
    **RECORD,
    "first_day": "2020-03-10",
    "last_day": "2020-03-23",
}


def success(**changes: object) -> dict[str, Any]:
    return {"code": 0, "message": "ok", "data": {**DATA, **changes}}


def without(known: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in known.items() if key != name}


def seconds() -> float:
    """The time of the questions: a moment after DECLARED_AT."""
    return DECLARED_AT.timestamp() + 0.9


def ask(platform: PlatformClient, **changes: object) -> PlatformAnswer:
    return platform.verify(PlatformQuestion(**{**ARGUMENTS, **changes}))


def refusal(platform: PlatformClient) -> str:
    """Return the reason for which the platform is unavailable."""
    with pytest.raises(PlatformUnavailable) as caught:
        ask(platform)
    return caught.value.reason


@pytest.fixture
def rsps() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def platform() -> Iterator[PlatformClient]:
    client = own_client(BASE, APP_KEY, SECRET, 1.0, seconds=seconds, nonce=lambda: "n-1")
    with contextlib.closing(client):
        yield client


# The question


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
MALFORMED: list[dict[str, Any]] = [success(**change) for change in NOT_IN_AN_ANSWER]
MALFORMED += [success(findings=[CONTACT, finding]) for finding in NOT_A_FINDING]
MALFORMED += [{"code": 0, "data": without(DATA, name)} for name in ("result", "reference", "checked_at")]
MALFORMED += [
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


def padded(size: int) -> bytes:
    """Return a valid answer of that many bytes."""
    return json.dumps(success()).encode().ljust(size)


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


# Real connections


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SQUEEZED = gzip.compress(padded(20_000_000))


class Host:
    """A server that sends every client the same bytes, some one by one, and then hangs up or stays silent."""

    def __init__(self) -> None:
        self.says, self.drips, self.hangs_up = b"", b"", True
        self.end = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while not self.end.is_set():
                connection, _ = self.socket.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(self.says)
                    for place in range(len(self.drips)):
                        self.end.wait(0.05)
                        connection.sendall(self.drips[place : place + 1])
                    if not self.hangs_up:
                        self.end.wait(5)

    def close(self) -> None:
        self.end.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(PATIENCE)


@pytest.fixture
def host() -> Iterator[Host]:
    with contextlib.closing(Host()) as host:
        yield host


@pytest.fixture
def near(host: Host) -> Iterator[PlatformClient]:
    """A client of that host, with a short time-out."""
    with contextlib.closing(own_client(host.url, APP_KEY, SECRET, 0.2)) as client:
        yield client


@pytest.mark.parametrize("says", [b"", HEAD + b"Content-Length: 100\r\n\r\n", HEAD + b"Content-Length: 9\r\n\r\n{"])
def test_a_platform_that_falls_silent_is_a_time_out(near: PlatformClient, host: Host, says: bytes) -> None:
    host.says, host.hangs_up = says, False
    assert refusal(near) == "timeout"


def test_a_platform_that_answers_byte_by_byte_is_a_time_out_as_a_whole(near: PlatformClient, host: Host) -> None:
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(padded(0)) + padded(0)
    for said in (0, len(whole) - 60):  # from the first byte of the headers, and from the middle of the body
        host.says, host.drips = whole[:said], whole[said:]
        start = time.monotonic()
        assert refusal(near) == "timeout"
        assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"SSH-2.0\r\n",
        HEAD + b"Content-Length: 100\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_an_answer_that_breaks_off_is_no_connection(near: PlatformClient, host: Host, says: bytes) -> None:
    host.says = says
    assert refusal(near) == "no-connection"


def test_nobody_at_the_address_is_no_connection(near: PlatformClient, host: Host) -> None:
    host.close()
    assert refusal(near) == "no-connection"


def test_a_small_answer_that_unpacks_to_a_huge_one_is_too_large(near: PlatformClient, host: Host) -> None:
    length = f"Content-Length: {len(SQUEEZED)}\r\n\r\n".encode()
    host.says = HEAD + b"Content-Encoding: gzip\r\n" + length + SQUEEZED
    assert refusal(near) == "too-large"


def test_a_redirect_to_what_is_no_address_is_malformed(near: PlatformClient, host: Host) -> None:
    host.says = b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n"
    assert refusal(near) == "malformed"


# Nothing leaks


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def everything(error: BaseException) -> str:
    """Return what a log or an error reporter could show of it, hidden contexts included."""
    shown = ["".join(traceback.format_exception(error))]
    shown += [f"{link!r} {link} {link.args!r} {vars(link)!r}" for link in chain(error)]
    return "\n".join(shown)


ECHO = json.dumps({"code": 40001, "message": ASKED, "data": {**DATA, "reference": ["", NAME, NUMBER, PHONE]}}).encode()
TROUBLES: list[tuple[bytes, bool]] = [
    (b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(ECHO), ECHO), True)
    for status in (200, 302, 400, 503)
]
TROUBLES += [(b"", False), (b"", True), (HEAD + b"Content-Length: 900000\r\n\r\n" + ECHO * 200, True)]


@pytest.mark.parametrize(("says", "hangs_up"), TROUBLES)
def test_no_failure_leaks_into_an_exception_or_a_log(
    near: PlatformClient, host: Host, caplog: pytest.LogCaptureFixture, says: bytes, hangs_up: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")
    host.says, host.hangs_up = says, hangs_up
    with pytest.raises((PlatformRefused, PlatformUnavailable)) as caught:
        ask(near)
    said = everything(caught.value) + caplog.text + repr(near)
    assert not [text for text in PRIVATE if text in said]
    assert len(list(chain(caught.value))) == 1
    assert "urllib3" in caplog.text  # it does log, only nothing of this


@pytest.mark.parametrize("field", ["name", "document_number", "phone", "reference"])
def test_a_text_that_is_no_unicode_does_not_show_in_an_error(near: PlatformClient, host: Host, field: str) -> None:
    host.says = b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(PlatformRefused) as caught:
        ask(near, **{field: "\ud800"})
    assert not [text for text in PRIVATE if text in everything(caught.value)]


def test_an_answer_does_not_show_its_findings(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    rsps.post(URL, json=success(findings=[CONTACT]))
    answer = ask(platform)
    assert AUTHORITY not in repr(answer)
    assert "exposed_on" not in repr(answer.findings[0])


# Against the sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_sandbox(APP_KEY, SECRET), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


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

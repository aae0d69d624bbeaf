"""The SMS sandbox over real HTTP: it keeps the documented contract, and refuses what the real gateway refuses."""

import hashlib
import hmac
import json
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox_kit.testing import served
from sms_sandbox import Limits, create_sandbox

SECRET_ID, KEY = "AKIDinvented", "invented-key"
PHONE, OTHER = "+8613800000000", "+8613800000001"
MESSAGE: dict[str, Any] = {
    "PhoneNumberSet": [PHONE],
    "SmsSdkAppId": "1400000000",
    "SignName": "吉林政务",
    "TemplateId": "1000001",
}


class Clock:
    moment = datetime(2026, 11, 30, 4, 0, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


Serve = Callable[..., str]


@pytest.fixture
def serve(clock: Clock) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(**options: Any) -> str:
            app = create_sandbox(SECRET_ID, KEY, now=clock, sleep=lambda _: None, **options)
            return stack.enter_context(served(app))

        yield start


@pytest.fixture
def url(serve: Serve) -> str:
    return serve()


def signed(url: str, action: str, body: bytes, clock: Clock, key: str = KEY, **headers: str) -> dict[str, str]:
    """The headers of a request, signed as the published text says."""
    host, at = url.removeprefix("http://"), str(int(clock()))
    day = datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%d")
    canonical = f"POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n"
    canonical += hashlib.sha256(body).hexdigest()
    text = f"TC3-HMAC-SHA256\n{at}\n{day}/sms/tc3_request\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    secret = f"TC3{key}".encode()
    for part in (day, "sms", "tc3_request"):
        secret = hmac.new(secret, part.encode(), "sha256").digest()
    signature = hmac.new(secret, text.encode(), "sha256").hexdigest()
    authorization = f"TC3-HMAC-SHA256 Credential={SECRET_ID}/{day}/sms/tc3_request, "
    authorization += f"SignedHeaders=content-type;host, Signature={signature}"
    known = {"Content-Type": "application/json", "X-TC-Action": action, "X-TC-Version": "2021-01-11"}
    return {**known, "X-TC-Timestamp": at, "Authorization": authorization, **headers}


def ask(url: str, clock: Clock, action: str = "SendSms", body: Any = MESSAGE, **headers: str) -> dict[str, Any]:
    text = json.dumps(body).encode()
    answer = requests.post(url, data=text, headers=signed(url, action, text, clock, **headers), timeout=5)
    assert answer.status_code == 200
    response: dict[str, Any] = answer.json()["Response"]
    assert response["RequestId"]
    return response


def code(response: dict[str, Any]) -> str:
    """The code of an answer, or of its only message."""
    if "Error" in response:
        return str(response["Error"]["Code"])
    return str(response["SendStatusSet"][0]["Code"])


def put(url: str, path: str, **body: Any) -> None:
    requests.put(f"{url}/sandbox/{path}", json=body, timeout=5).raise_for_status()


def test_a_signed_message_arrives_and_is_reported_once(url: str, clock: Clock) -> None:
    status = ask(url, clock)["SendStatusSet"][0]
    assert (status["Code"], status["Fee"], status["PhoneNumber"], status["IsoCode"]) == ("Ok", 1, PHONE, "CN")
    arrived = requests.get(f"{url}/sandbox/messages", params={"phone": PHONE}, timeout=5).json()["messages"]
    assert [message["text"] for message in arrived] == ["【吉林政务】您的吉祥码有变化，请打开小程序查看。拒收请回复T"]
    pull = {"Limit": 100, "SmsSdkAppId": "1400000000"}
    [report] = ask(url, clock, "PullSmsSendStatus", pull)["PullSmsSendStatusSet"]
    assert (report["SerialNo"], report["ReportStatus"], report["Description"]) == (
        status["SerialNo"],
        "SUCCESS",
        "DELIVRD",
    )
    assert ask(url, clock, "PullSmsSendStatus", pull)["PullSmsSendStatusSet"] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"SmsSdkAppId": "1"}, "InvalidParameterValue.SdkAppIdNotExist"),
        ({"SignName": "别人"}, "FailedOperation.SignatureIncorrectOrUnapproved"),
        ({"TemplateId": "1"}, "FailedOperation.TemplateIncorrectOrUnapproved"),
        ({"TemplateParamSet": ["黄码"]}, "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"),
        ({"PhoneNumberSet": ["12345"]}, "InvalidParameterValue.IncorrectPhoneNumber"),
        ({"PhoneNumberSet": ["+85261234567"]}, "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone"),
        ({"PhoneNumberSet": []}, "MissingParameter.EmptyPhoneNumberSet"),
        ({"PhoneNumberSet": [PHONE] * 201}, "LimitExceeded.PhoneNumberCountLimit"),
    ],
)
def test_what_the_gateway_refuses(url: str, clock: Clock, change: dict[str, Any], expected: str) -> None:
    assert code(ask(url, clock, body={**MESSAGE, **change})) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"key": "another"}, "AuthFailure.SignatureFailure"),
        ({"Authorization": "Bearer x"}, "AuthFailure.SignatureFailure"),
        ({"X-TC-Version": "2019-07-11"}, "NoSuchVersion"),
        ({"X-TC-Timestamp": "soon"}, "MissingParameter"),
    ],
)
def test_who_is_not_let_in(url: str, clock: Clock, headers: dict[str, str], expected: str) -> None:
    assert code(ask(url, clock, **headers)) == expected


def test_a_clock_that_is_over_five_minutes_off_is_refused(url: str, clock: Clock) -> None:
    put(url, "switch", skew=301)
    assert code(ask(url, clock)) == "AuthFailure.SignatureExpire"
    put(url, "switch", skew=-299)
    assert code(ask(url, clock)) == "Ok"


def test_a_number_takes_one_message_in_thirty_seconds_five_in_an_hour_and_ten_on_a_day(url: str, clock: Clock) -> None:
    assert [code(ask(url, clock)) for _ in range(2)] == ["Ok", "LimitExceeded.PhoneNumberThirtySecondLimit"]
    assert code(ask(url, clock, body={**MESSAGE, "PhoneNumberSet": [OTHER]})) == "Ok", "another number"
    ends = []
    for _ in range(5):
        clock.moment += 31
        ends.append(code(ask(url, clock)))
    assert ends == ["Ok"] * 4 + ["LimitExceeded.PhoneNumberOneHourLimit"]
    clock.moment += 3600
    for _ in range(6):
        clock.moment += 1000
        ends.append(code(ask(url, clock)))
    assert ends[-1] == "LimitExceeded.PhoneNumberDailyLimit" and ends[-6:-1] == ["Ok"] * 5


def test_long_texts_are_charged_in_parts_and_an_empty_balance_sends_nothing(serve: Serve, clock: Clock) -> None:
    url = serve(templates={"1000001": "长" * 64, "2": "长" * 65}, limits=Limits(thirty_seconds=9, balance=2))
    assert ask(url, clock)["SendStatusSet"][0]["Fee"] == 1, "64 and the 6 of the sender are 70"
    assert (
        code(ask(url, clock, body={**MESSAGE, "TemplateId": "2"})) == "FailedOperation.InsufficientBalanceInSmsPackage"
    )
    assert code(ask(url, clock)) == "Ok"
    assert code(ask(url, clock)) == "FailedOperation.InsufficientBalanceInSmsPackage"


def test_a_reply_is_pulled_once_and_t_ends_messages(url: str, clock: Clock) -> None:
    requests.post(f"{url}/sandbox/numbers/{PHONE}/reply", json={"text": "T"}, timeout=5).raise_for_status()
    pull = {"Limit": 10, "SmsSdkAppId": "1400000000"}
    [reply] = ask(url, clock, "PullSmsReplyStatus", pull)["PullSmsReplyStatusSet"]
    assert (reply["PhoneNumber"], reply["ReplyContent"]) == (PHONE, "T")
    assert ask(url, clock, "PullSmsReplyStatus", pull)["PullSmsReplyStatusSet"] == []
    assert code(ask(url, clock)) == "FailedOperation.PhoneNumberInBlacklist"


def test_the_page_shows_messages_without_whole_numbers_and_answers_t(url: str, clock: Clock) -> None:
    ask(url, clock)
    page = requests.get(url, timeout=5)
    assert "您的吉祥码有变化" in page.text and "+86138" not in page.text.replace("+86138****0000", "")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    serial_no = requests.get(f"{url}/sandbox/messages", timeout=5).json()["messages"][0]["serial_no"]
    assert requests.post(f"{url}/reply", data={"serial_no": serial_no}, timeout=5).status_code == 200
    assert code(ask(url, clock)) == "FailedOperation.PhoneNumberInBlacklist"
    other_site = {"Origin": "https://example.com"}
    assert requests.post(f"{url}/switch", data={"on": "false"}, headers=other_site, timeout=5).status_code == 403


def test_a_switch_breaks_the_answer_and_a_restart_keeps_what_arrived(
    serve: Serve, clock: Clock, tmp_path: Path
) -> None:
    url = serve(state_file=tmp_path / "state.json")
    put(url, "switch", body="html")
    text = json.dumps(MESSAGE).encode()
    answer = requests.post(url, data=text, headers=signed(url, "SendSms", text, clock), timeout=5)
    assert answer.status_code == 200 and answer.text.startswith("<html>")
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
    again = serve(state_file=tmp_path / "state.json")
    assert len(requests.get(f"{again}/sandbox/messages", timeout=5).json()["messages"]) == 1
    assert requests.put(f"{again}/sandbox/switch", json={"on": "maybe"}, timeout=5).status_code == 400

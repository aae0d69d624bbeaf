"""The client of the SMS gateway: its signature, the meaning of answers, and what it never tells."""

from dataclasses import replace
from typing import Any

import pytest
import responses

from app.core.errors import ConfigError
from app.core.settings import Settings, SmsSettings
from app.runtime import make_sms_client
from app.sms.answers import SmsError, SmsNotYet, SmsOutcomeUnknown, SmsRefused, SmsUnavailable
from app.sms.client import SmsAccount, SmsApi, SmsTimeouts
from app.sms.signing import SignedCall, SmsCredentials, authorization

BASE = "https://sms.invented.example"
PHONE = "13800000000"


def api(url: str = BASE, seconds: float = 1_700_000_000) -> SmsApi:
    account = SmsAccount("1400000000", "吉林政务", "ap-guangzhou", url)
    return SmsApi(account, SmsCredentials("id", "a-secret-key"), SmsTimeouts(1, 1), seconds=lambda: seconds)


def status(**fields: Any) -> dict[str, Any]:
    known = {"SerialNo": "2640:1", "PhoneNumber": "+86" + PHONE, "Fee": 1, "Code": "Ok", "Message": "send success"}
    return {"Response": {"SendStatusSet": [{**known, **fields}], "RequestId": "1"}}


def test_the_signature_is_that_of_the_published_example() -> None:
    body = b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    call = SignedCall("cvm", "cvm.tencentcloudapi.com", "DescribeInstances", body, 1551113065)
    credentials = SmsCredentials("AKID" + "*" * 32, "*" * 32)
    header = authorization(credentials, call)
    assert (
        f"Credential=AKID{'*' * 32}/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action" in header
    )
    assert header.endswith("Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (status(Code="LimitExceeded.PhoneNumberDailyLimit", SerialNo=""), SmsRefused),
        (status(Code="UnsupportedOperation.NobodyKnows", SerialNo=""), SmsRefused),
        (status(Code="LimitExceeded.PhoneNumberThirtySecondLimit", SerialNo=""), SmsNotYet),
        (status(Code="FailedOperation.InsufficientBalanceInSmsPackage", SerialNo=""), SmsUnavailable),
        (status(Code="InternalError.OtherError", SerialNo=""), SmsOutcomeUnknown),
        (status(Code=None), SmsOutcomeUnknown),
        (status(SerialNo=None), SmsOutcomeUnknown),
        ({"Response": {"Error": {"Code": "AuthFailure.SignatureExpire", "Message": PHONE}}}, SmsUnavailable),
        ({"Response": {"Error": "no"}}, SmsOutcomeUnknown),
        ({"Response": {"SendStatusSet": []}}, SmsOutcomeUnknown),
        ({"Response": []}, SmsOutcomeUnknown),
        ([], SmsOutcomeUnknown),
    ],
)
@responses.activate
def test_each_answer_means_one_of_four_things(answer: Any, expected: type[SmsError]) -> None:
    responses.post(f"{BASE}/", json=answer)
    with pytest.raises(expected) as raised:
        api().send(PHONE, "1")
    assert PHONE not in str(raised.value) and "a-secret-key" not in repr(raised.value)
    assert len(responses.calls) == 1, "never tried twice"


@pytest.mark.parametrize(
    ("code", "expected"), [(503, SmsOutcomeUnknown), (404, SmsUnavailable), (302, SmsOutcomeUnknown)]
)
@responses.activate
def test_a_status_of_http_is_no_answer(code: int, expected: type[SmsError]) -> None:
    responses.post(f"{BASE}/", status=code, headers={"Location": "https://[elsewhere"})
    with pytest.raises(expected):
        api().send(PHONE, "1")


def test_without_a_connection_nothing_was_sent() -> None:
    with pytest.raises(SmsUnavailable, match="not-connected") as raised:
        api("http://127.0.0.1:1").send(PHONE, "1")
    assert raised.value.__context__ is None, "no error of requests, which has the address"


@responses.activate
def test_what_was_charged_is_believed_within_reason() -> None:
    responses.post(f"{BASE}/", json=status(Fee=2))
    responses.post(f"{BASE}/", json=status(Fee=10**9))
    assert [api().send(PHONE, "1").segments for _ in range(2)] == [2, 1]


@responses.activate
def test_reports_that_cannot_be_read_hide_no_others() -> None:
    good = {"SerialNo": "2640:1", "PhoneNumber": "+86" + PHONE, "ReportStatus": "FAIL", "Description": "MK:0001"}
    found = [None, {}, {**good, "PhoneNumber": "12"}, good, {**good, "Description": "很长的话"}]
    responses.post(f"{BASE}/", json={"Response": {"PullSmsSendStatusSet": found}})
    assert [(report.word, report.arrived) for report in api().pull_reports()] == [("MK:0001", False), ("FAIL", False)]


def test_a_gateway_needs_an_account_and_a_key_that_others_cannot_read(
    settings: Settings, sms_settings: SmsSettings
) -> None:
    with pytest.raises(ValueError, match="a gateway needs secret_id, secret_key_file, sdk_app_id, sign_name"):
        SmsSettings(gateway="tencent-cloud")
    assert make_sms_client(settings) is None, "off by default"
    file = sms_settings.secret_key_file
    assert file is not None
    file.chmod(0o644)
    try:
        with pytest.raises(ConfigError, match="can be read by others"):
            make_sms_client(settings.model_copy(update={"sms": sms_settings}))
    finally:
        file.chmod(0o600)
    assert "key" not in repr(replace(SmsCredentials("id", "a-secret-key")))

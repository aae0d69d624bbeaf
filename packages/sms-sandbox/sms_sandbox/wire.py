"""The wire of Tencent Cloud's API 3.0, seen from the gateway: its signature, its errors and their documented words.

Written from the published text and the error codes of the published SDK, and shared with no client, so that the two
check each other.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

ALGORITHM = "TC3-HMAC-SHA256"
VERSION = "2021-01-11"
WINDOW_SECONDS = 300
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<id>[^/ ,]+)/(?P<date>[0-9-]{{10}})/(?P<service>[a-z0-9]+)/tc3_request, "
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)

WORDS = {
    "AuthFailure.SecretIdNotFound": "The SecretId is not found.",
    "AuthFailure.SignatureExpire": "The provided credentials have expired: the time differs by over five minutes.",
    "AuthFailure.SignatureFailure": "The provided credentials could not be validated.",
    "FailedOperation.InsufficientBalanceInSmsPackage": "Insufficient SMS package balance",
    "FailedOperation.PhoneNumberInBlacklist": "The number is in the blacklist",
    "FailedOperation.SignatureIncorrectOrUnapproved": "The signature is incorrect or unapproved",
    "FailedOperation.TemplateIncorrectOrUnapproved": "The template is incorrect or unapproved",
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": "The parameters do not match the approved template",
    "InvalidAction": "The action is invalid.",
    "InvalidParameter": "The parameter is invalid.",
    "InvalidParameterValue.IncorrectPhoneNumber": "Invalid phone number",
    "InvalidParameterValue.SdkAppIdNotExist": "SdkAppId does not exist",
    "LimitExceeded.PhoneNumberCountLimit": "More than 200 numbers",
    "LimitExceeded.PhoneNumberDailyLimit": "The number has reached its limit of the day",
    "LimitExceeded.PhoneNumberOneHourLimit": "The number has reached its limit of an hour",
    "LimitExceeded.PhoneNumberThirtySecondLimit": "The number has reached its limit of 30 seconds",
    "MissingParameter": "A parameter is missing.",
    "MissingParameter.EmptyPhoneNumberSet": "PhoneNumberSet is empty",
    "NoSuchVersion": "The version does not exist.",
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": "A mainland template cannot go to another number",
}


class Denied(Exception):
    """The gateway's answer is an error: `code` as documented, and words without anybody's data in them."""

    def __init__(self, code: str) -> None:
        self.code, self.words = code, WORDS.get(code, code)
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Account:
    """Who may call, and what is approved: the sender's name, and texts by template."""

    secret_id: str
    secret_key: str = field(repr=False)
    sdk_app_id: str
    sign_name: str
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it was signed; header names are in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def check(account: Account, call: Call, now: float) -> str:
    """The action. Raises Denied for a wrong key, time, signature or version."""
    given = _AUTHORIZATION.fullmatch(call.headers.get("authorization", ""))
    if given is None or not {"content-type", "host"} <= set(given["headers"].split(";")):
        raise Denied("AuthFailure.SignatureFailure")
    if given["id"] != account.secret_id:
        raise Denied("AuthFailure.SecretIdNotFound")
    timestamp = call.headers.get("x-tc-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise Denied("MissingParameter")
    if abs(now - int(timestamp)) > WINDOW_SECONDS:
        raise Denied("AuthFailure.SignatureExpire")
    same_day = given["date"] == datetime.fromtimestamp(int(timestamp), UTC).strftime("%Y-%m-%d")
    right = _signature(account.secret_key, call, given.groupdict(), timestamp)
    if not same_day or not hmac.compare_digest(right, given["signature"]):
        raise Denied("AuthFailure.SignatureFailure")
    if call.headers.get("x-tc-version") != VERSION:
        raise Denied("NoSuchVersion")
    return call.headers.get("x-tc-action", "")


def _signature(key: str, call: Call, given: Mapping[str, str], timestamp: str) -> str:
    names = given["headers"].split(";")
    headers = "".join(f"{name}:{call.headers.get(name, '').strip().lower()}\n" for name in names)
    payload = hashlib.sha256(call.body).hexdigest()
    request = f"{call.method}\n{call.path}\n{call.query}\n{headers}\n{given['headers']}\n{payload}"
    scope = f"{given['date']}/{given['service']}/tc3_request"
    text = f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    secret = b"TC3" + key.encode()
    for part in (given["date"], given["service"], "tc3_request", text):
        secret = hmac.new(secret, part.encode(), "sha256").digest()
    return secret.hex()

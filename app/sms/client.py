"""Client of the gateway for text messages: Tencent Cloud SMS, its API of 2021-01-11.

Owns the HTTP exchange. A number, an answer and the key must never reach a log or an exception; so errors are raised
only after the handler of their cause has ended. Nothing is tried twice here: a second try could be a second message.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from app.core.http_client import AnswerTooLarge, pooled_session, read_limited
from app.sms.answers import OK, UNREADABLE, SmsOutcomeUnknown, SmsUnavailable, raise_code, read_answer
from app.sms.signing import CONTENT_TYPE, SignedCall, SmsCredentials, authorization

_ANSWER_BYTES: Final = 256 * 1024
_VERSION: Final = "2021-01-11"
_SERVICE: Final = "sms"
_MAINLAND: Final = "+86"
_MOST_PULLED: Final = 100
_SERIAL: Final = re.compile(r"[!-~]{1,64}")
_WORD: Final = re.compile(r"[!-~]{1,40}")
_MOST_SEGMENTS: Final = 20


@dataclass(frozen=True, slots=True)
class SmsAccount:
    """The application at the gateway, its approved name of the sender, and the server at which both are known."""

    sdk_app_id: str
    sign_name: str
    region: str
    api_base: str


@dataclass(frozen=True, slots=True)
class SmsTimeouts:
    """Limits in seconds: for a connection, and for the whole answer."""

    connect: float
    read: float


@dataclass(frozen=True, slots=True)
class SentSms:
    """A message that the gateway has taken: its number there, and for how many it is charged."""

    serial_no: str
    segments: int


@dataclass(frozen=True, slots=True)
class SmsReport:
    """What became of a message at the carrier; `word` is the carrier's, such as DELIVRD."""

    serial_no: str
    phone: str = field(repr=False)
    arrived: bool
    word: str


@dataclass(frozen=True, slots=True)
class SmsReply:
    """What somebody has answered to a message."""

    phone: str = field(repr=False)
    text: str = field(repr=False)


class SmsApi:
    """The gateway for one application; one object serves all threads. `seconds` is real time, for the signature."""

    def __init__(
        self,
        account: SmsAccount,
        credentials: SmsCredentials,
        timeouts: SmsTimeouts,
        *,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        self._account, self._credentials, self._seconds = account, credentials, seconds
        self._timeouts = (timeouts.connect, timeouts.read)
        self._url, self._host = f"{account.api_base.rstrip('/')}/", urlsplit(account.api_base).netloc
        self._http = pooled_session(account.api_base, "sms")

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def send(self, phone: str, template_id: str) -> SentSms:
        """Send an approved template without values to a mainland number of 11 digits. Raises SmsError's kinds."""
        body = {
            "PhoneNumberSet": [_MAINLAND + phone],
            "SmsSdkAppId": self._account.sdk_app_id,
            "SignName": self._account.sign_name,
            "TemplateId": template_id,
        }
        statuses = self._ask("SendSms", body).get("SendStatusSet")
        if not isinstance(statuses, list) or len(statuses) != 1 or not isinstance(statuses[0], dict):
            raise SmsOutcomeUnknown(UNREADABLE)
        return _read_status(statuses[0])

    def pull_reports(self) -> list[SmsReport]:
        """Return reports that were not pulled before, but those that cannot be read. Raises SmsError's kinds."""
        found = self._pull("PullSmsSendStatus", "PullSmsSendStatusSet")
        return [report for report in map(_read_report, found) if report is not None]

    def pull_replies(self) -> list[SmsReply]:
        """Return replies that were not pulled before, but those that cannot be read. Raises SmsError's kinds."""
        found = self._pull("PullSmsReplyStatus", "PullSmsReplyStatusSet")
        return [reply for reply in map(_read_reply, found) if reply is not None]

    def _pull(self, action: str, name: str) -> Sequence[Any]:
        body = {"Limit": _MOST_PULLED, "SmsSdkAppId": self._account.sdk_app_id}
        found = self._ask(action, body).get(name) or []
        return found if isinstance(found, list) else []

    def _ask(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        status, text = self._post(action, json.dumps(body, ensure_ascii=False).encode())
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SmsUnavailable(f"http-{status}")  # not of the API, which answers 200: it was not read
        if status != HTTPStatus.OK:
            raise SmsOutcomeUnknown(f"http-{status}")
        return read_answer(text)

    def _post(self, action: str, body: bytes) -> tuple[int, bytes]:
        """Return HTTP status and answer. Raises SmsUnavailable without a connection, SmsOutcomeUnknown after it."""
        raised: SmsUnavailable | SmsOutcomeUnknown
        try:
            response = self._http.post(
                self._url,
                data=body,
                headers=self._headers(action, body),
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            )
            return response.status_code, read_limited(response, _ANSWER_BYTES)
        except AnswerTooLarge:
            raised = SmsOutcomeUnknown("too-large")
        except requests.RequestException as error:
            raised = SmsUnavailable("not-connected") if _is_unread(error) else SmsOutcomeUnknown("no-answer")
        raise raised

    def _headers(self, action: str, body: bytes) -> dict[str, str]:
        call = SignedCall(_SERVICE, self._host, action, body, int(self._seconds()))
        return {
            "Authorization": authorization(self._credentials, call),
            "Content-Type": CONTENT_TYPE,
            "Host": self._host,
            "X-TC-Action": action,
            "X-TC-Version": _VERSION,
            "X-TC-Timestamp": str(call.timestamp),
            "X-TC-Region": self._account.region,
            "X-TC-Language": "en-US",
        }


def _is_unread(error: requests.RequestException) -> bool:
    """Return whether no connection was made, so that the gateway has read nothing."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _read_status(status: Mapping[str, Any]) -> SentSms:
    if status.get("Code") != OK:
        raise_code(status.get("Code"))
    serial_no, fee = status.get("SerialNo"), status.get("Fee")
    if not isinstance(serial_no, str) or not _SERIAL.fullmatch(serial_no):
        raise SmsOutcomeUnknown(UNREADABLE)
    return SentSms(serial_no, fee if type(fee) is int and 0 < fee <= _MOST_SEGMENTS else 1)


def _read_report(entry: Any) -> SmsReport | None:
    if not isinstance(entry, dict):
        return None
    serial_no, phone, word = entry.get("SerialNo"), _phone(entry), entry.get("Description")
    if not isinstance(serial_no, str) or not _SERIAL.fullmatch(serial_no) or phone is None:
        return None
    known = isinstance(word, str) and _WORD.fullmatch(word)
    return SmsReport(serial_no, phone, entry.get("ReportStatus") == "SUCCESS", str(word) if known else "FAIL")


def _read_reply(entry: Any) -> SmsReply | None:
    phone, text = (_phone(entry), entry.get("ReplyContent")) if isinstance(entry, dict) else (None, None)
    return SmsReply(phone, text) if phone is not None and isinstance(text, str) else None


def _phone(entry: Mapping[str, Any]) -> str | None:
    """Return the 11 digits of a mainland number."""
    given = entry.get("PhoneNumber")
    digits = given.removeprefix(_MAINLAND) if isinstance(given, str) else ""
    return digits if re.fullmatch(r"1[0-9]{10}", digits) else None

"""Asks the national government service platform about a declaration.

The platform's real interface is not public. What is spoken here is a plausible contract of our own,
written down in this module and kept by the sandbox (`packages/platform-sandbox`): one signed POST in JSON. To connect
the real platform, change this module.

Owns the wire format and its checks: a wrong answer never becomes evidence. It must never let a
person's data, the answer or the secret into a log or an exception. So errors are raised only after
the handler of their cause has ended.
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

import requests
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from urllib3.exceptions import ReadTimeoutError

from app.core.http_client import pooled_session

_ANSWER_BYTES: Final = 64 * 1024
_LARGEST_CODE: Final = 999_999
_NOT_NOW: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})

_Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\P{Cc}+$")]


class PlatformUnavailable(Exception):
    """The platform could not be asked, or its answer cannot be used; `reason` is a word of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PlatformRefused(Exception):
    """The platform refuses the question itself: its code, or the HTTP status where it gives none."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Wire(BaseModel):
    """A part of the answer: fields that we do not know are left out, those we know must be right."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


class Finding(_Wire):
    """What an authority has on record about the person. Days are Beijing days, the last one included."""

    kind: Literal["contact", "quarantine", "suspected", "confirmed"]
    authority: _Text
    document: _Text
    since: AwareDatetime
    exposed_on: date | None = Field(default=None, repr=False)
    first_day: date | None = Field(default=None, repr=False)
    last_day: date | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def the_days_that_its_kind_rests_on_are_there(self) -> Self:
        if self.kind == "contact" and self.exposed_on is None:
            raise ValueError("a contact needs exposed_on")
        days_right = self.first_day and self.last_day and self.first_day <= self.last_day
        if self.kind == "quarantine" and not days_right:
            raise ValueError("a quarantine needs first_day and a last_day not before it")
        return self


class PlatformAnswer(_Wire):
    """The platform's answer; `reference` is its own id of it."""

    result: Literal["consistent", "identity-mismatch"]
    reference: _Text
    checked_at: AwareDatetime
    findings: tuple[Finding, ...] = Field(default=(), max_length=100, repr=False)


class _Envelope(_Wire):
    code: Literal[0]
    data: PlatformAnswer


def sign_request(secret: str, method: str, path: str, timestamp: str, nonce: str, body: bytes) -> str:
    """The hex HMAC-SHA256 over a request's parts, one a line, the body as its hex SHA-256."""
    lines = [method, path, timestamp, nonce, hashlib.sha256(body).hexdigest()]
    return hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


class PlatformClient:
    """The platform at `base_url`; one object serves all threads.

    `timeout` is in seconds, for the connection and for each wait for data. `seconds` is the time of
    the signature: real time, whatever the clock of the rules says.
    """

    def __init__(
        self,
        base_url: str,
        app_key: str,
        secret: str,
        timeout: float,
        *,
        seconds: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/verification"
        self._app_key, self._secret, self._timeout = app_key, secret, timeout
        self._seconds, self._nonce = seconds, nonce
        self._http = pooled_session(base_url, "platform")

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()

    def verify(
        self,
        reference: str,
        name: str,
        document_type: str,
        document_number: str,
        phone: str | None,
        symptoms: Sequence[str],
        contact_on: date | None,
        declared_at: datetime,
    ) -> PlatformAnswer:
        """What the platform says of a declaration; `reference` is our own id of the question.

        Without a phone the platform goes by name and document alone.

        Raises PlatformUnavailable when it is worth asking again later, PlatformRefused when it is
        not.
        """
        if declared_at.tzinfo is None:
            raise ValueError("declared_at needs a time zone")
        question = {
            "reference": reference,
            "name": name,
            "document": {"type": document_type, "number": document_number},
            "phone": phone,
            "declaration": {
                "symptoms": list(symptoms),
                "contact_on": contact_on.isoformat() if contact_on else None,
                "declared_at": declared_at.isoformat(),
            },
        }
        # In ASCII: a text that is no Unicode becomes an escape here, and no error that shows it.
        status, text = self._post(json.dumps(question).encode())
        _check_status(status, text)
        return _parse_answer(text)

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """HTTP status and answer, which is never longer than 64 KiB."""
        try:
            with self._http.post(
                self._url,
                data=body,
                headers=self._headers(body),
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, _read_limited(response, _ANSWER_BYTES)
        except requests.RequestException as error:
            reason = "timeout" if _is_timeout(error) else "no-connection"
        except ValueError:  # a redirect to what is no address
            reason = "malformed"
        raise PlatformUnavailable(reason)

    def _headers(self, body: bytes) -> dict[str, str]:
        timestamp, nonce = str(int(self._seconds())), self._nonce()
        path = urlsplit(self._url).path
        return {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-App-Key": self._app_key,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Signature": sign_request(self._secret, "POST", path, timestamp, nonce, body),
        }


def _is_timeout(error: requests.RequestException) -> bool:
    """Whether it was a time-out; in the middle of an answer requests calls it a lost connection."""
    inner = error.args[0] if error.args else None
    return isinstance(error, requests.Timeout) or isinstance(inner, ReadTimeoutError)


def _read_limited(response: requests.Response, limit: int) -> bytes:
    received = bytearray()
    for part in response.iter_content(8192):
        received += part
        if len(received) > limit:
            raise PlatformUnavailable("too-large")
    return bytes(received)


def _check_status(status: int, text: bytes) -> None:
    """Let a success pass. Raises PlatformRefused for a definite 4xx, else PlatformUnavailable."""
    if status == HTTPStatus.OK:
        return
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _NOT_NOW:
        raise PlatformRefused(_code(text) or status)
    raise PlatformUnavailable(f"http-{status}")


def _code(text: bytes) -> int | None:
    """The platform's code in an error; a longer number is none, and might be about a person."""
    try:
        error: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    code = error.get("code") if isinstance(error, dict) else None
    return code if type(code) is int and 0 < code <= _LARGEST_CODE else None


def _parse_answer(text: bytes) -> PlatformAnswer:
    """The checked answer in a success."""
    try:
        return _Envelope.model_validate_json(text).data
    except ValidationError:
        pass
    raise PlatformUnavailable("malformed")

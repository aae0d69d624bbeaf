"""Client of the national government service platform, which verifies declarations and knows guardians.

The platform's real interface is not public. This is a plausible contract of our own, defined in this package and
implemented by the sandbox (`packages/platform-sandbox`): signed POSTs in JSON. To connect the real platform, change
this package.

Owns the HTTP exchange; question and answer are in `messages.py`. A person's data, the answer and the secret must never
reach a log or an exception; so errors are raised only after the handler of their cause has ended.
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ReadTimeoutError

from app.core.http_client import AnswerTooLarge, pooled_session, read_limited
from app.platform.guardianship import GuardianshipAnswer, GuardianshipQuestion, parse_guardianship
from app.platform.messages import (
    PlatformAnswer,
    PlatformAnswerUnusable,
    PlatformQuestion,
    PlatformRefused,
    PlatformUnavailable,
    parse_answer,
    require_fresh,
)

_ANSWER_BYTES: Final = 64 * 1024
_LARGEST_CODE: Final = 999_999
_RETRY_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def sign_request(secret: str, parts: Sequence[str], body: bytes) -> str:
    """Return the hex HMAC-SHA256 over the lines of a request: method, path, time, nonce, hex SHA-256 of the body."""
    lines = [*parts, hashlib.sha256(body).hexdigest()]
    return hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class PlatformAccess:
    """Address and credentials; `timeout` is in seconds, for the connection, and then for the whole answer."""

    base_url: str
    app_key: str
    secret: str = field(repr=False)
    timeout: float


class PlatformClient:
    """Client of the platform; one object serves all threads.

    `seconds` is the time of signature and answer: real time, whatever the clock of the rules says.
    """

    def __init__(
        self,
        access: PlatformAccess,
        *,
        seconds: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._access, self._seconds, self._nonce = access, seconds, nonce
        self._url = access.base_url.rstrip("/")
        self._http = pooled_session(access.base_url, "platform")

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def verify(self, question: PlatformQuestion) -> PlatformAnswer:
        """Return the platform's answer about a declaration.

        Raises PlatformUnavailable when it is worth asking again later (PlatformAnswerUnusable: about this person
        alone), and PlatformRefused when it is not.
        """
        answer = parse_answer(self._ask(f"{self._url}/verification", question.to_json()))
        require_fresh(answer, datetime.fromtimestamp(self._seconds(), UTC))
        return answer

    def ask_guardianship(self, question: GuardianshipQuestion) -> GuardianshipAnswer:
        """Return the platform's answer about a guardian and a child. Raises as `verify` does."""
        answer = parse_guardianship(self._ask(f"{self._url}/guardianship", question.to_json()))
        require_fresh(answer, datetime.fromtimestamp(self._seconds(), UTC))
        return answer

    def _ask(self, url: str, body: bytes) -> bytes:
        status, text = self._post(url, body)
        _check_status(status, text)
        return text

    def _post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Return HTTP status and answer, which is never longer than 64 KiB."""
        try:
            response = self._http.post(
                url,
                data=body,
                headers=self._headers(url, body),
                timeout=self._access.timeout,
                allow_redirects=False,
                stream=True,
            )
            return response.status_code, read_limited(response, _ANSWER_BYTES)
        except AnswerTooLarge:
            raised: PlatformUnavailable = PlatformAnswerUnusable("too-large")
        except requests.RequestException as error:
            raised = PlatformUnavailable("timeout" if _is_timeout(error) else "no-connection")
        except ValueError:  # a redirect to an invalid address
            raised = PlatformUnavailable("malformed")
        raise raised

    def _headers(self, url: str, body: bytes) -> dict[str, str]:
        timestamp, nonce = str(int(self._seconds())), self._nonce()
        parts = ["POST", urlsplit(url).path, timestamp, nonce]
        return {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-App-Key": self._access.app_key,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Signature": sign_request(self._access.secret, parts, body),
        }


def _is_timeout(error: requests.RequestException) -> bool:
    """Return whether it was a time-out; within an answer, requests reports one as a lost connection."""
    inner = error.args[0] if error.args else None
    return isinstance(error, requests.Timeout) or isinstance(inner, ReadTimeoutError)


def _check_status(status: int, text: bytes) -> None:
    """Raise PlatformRefused for a definite 4xx, and PlatformUnavailable for every other status but 200."""
    if status == HTTPStatus.OK:
        return
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _RETRY_LATER:
        raise PlatformRefused(_code(text) or status)
    raise PlatformUnavailable(f"http-{status}")


def _code(text: bytes) -> int | None:
    """Return the platform's code in an error; a longer number is not one, and might be personal data."""
    try:
        error: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    code = error.get("code") if isinstance(error, dict) else None
    return code if type(code) is int and 0 < code <= _LARGEST_CODE else None

"""The wire of our own contract: signed POSTs, whose signature covers the body. See `packages/platform-sandbox`."""

import hashlib
import hmac
import json
import secrets
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from app.platform.exchange import Answered, Exchange, Question
from app.platform.messages import PlatformAnswerUnusable, PlatformRefused, PlatformUnavailable

AnswerT = TypeVar("AnswerT", bound=BaseModel)

_LARGEST_CODE: Final = 999_999
_RETRY_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True)
class OwnAccess:
    """Address and credentials of our own contract."""

    base_url: str
    app_key: str
    secret: str = field(repr=False)


class _Envelope(BaseModel, Generic[AnswerT]):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    code: Literal[0]
    data: AnswerT


def make_nonce() -> str:
    return secrets.token_hex(16)


def sign_request(secret: str, parts: Sequence[str], body: bytes) -> str:
    """Return the hex HMAC-SHA256 over the lines of a request: method, path, time, nonce, hex SHA-256 of the body."""
    lines = [*parts, hashlib.sha256(body).hexdigest()]
    return hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


class OwnWire:
    """Asks by our own contract: the interface is the path."""

    def __init__(self, access: OwnAccess, exchange: Exchange, nonce: Callable[[], str] = make_nonce) -> None:
        self._access, self._exchange, self._nonce = access, exchange, nonce
        self._url = access.base_url.rstrip("/")

    def ask(self, interface: str, question: Question, seconds: float, shape: type[AnswerT]) -> AnswerT:
        """Return the answer in its shape. Raises PlatformUnavailable, PlatformRefused."""
        url, body = f"{self._url}/{interface}", question.to_json()
        answered = self._exchange.post(url, self._headers(url, body, seconds), body)
        require_ok(answered)
        try:
            return _Envelope[shape].model_validate_json(answered.text.removeprefix(BOM_UTF8)).data  # type: ignore[valid-type]
        except ValidationError:
            pass
        raise PlatformAnswerUnusable("malformed")

    def _headers(self, url: str, body: bytes, seconds: float) -> dict[str, str]:
        timestamp, nonce = str(int(seconds)), self._nonce()
        parts = ["POST", urlsplit(url).path, timestamp, nonce]
        return {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-App-Key": self._access.app_key,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Signature": sign_request(self._access.secret, parts, body),
        }


def require_ok(answered: Answered) -> None:
    """Raise PlatformRefused for a definite 4xx, and PlatformUnavailable for every other status but 200."""
    status = answered.status
    if status == HTTPStatus.OK:
        return
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _RETRY_LATER:
        raise PlatformRefused(_code(answered.text) or status)
    raise PlatformUnavailable(f"http-{status}")


def _code(text: bytes) -> int | None:
    """Return the platform's code in an error; a longer number is not one, and might be personal data."""
    try:
        error: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    code = error.get("code") if isinstance(error, dict) else None
    return code if type(code) is int and 0 < code <= _LARGEST_CODE else None

"""One POST to the platform: a time-out for the whole answer, a limit of its size, and errors without any content."""

from dataclasses import dataclass, field
from typing import Final, Protocol

import requests
from urllib3.exceptions import ReadTimeoutError

from app.core.http_client import AnswerTooLarge, pooled_session, read_limited
from app.platform.messages import PlatformAnswerUnusable, PlatformUnavailable

_ANSWER_BYTES: Final = 64 * 1024


class Question(Protocol):
    """A question of any interface: our own id of it, and its body."""

    @property
    def reference(self) -> str: ...
    def to_json(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Answered:
    """HTTP status and answer, which is never longer than 64 KiB."""

    status: int
    text: bytes = field(repr=False)


class Exchange:
    """Pooled connections to the platform; one object serves all threads. `timeout` is in seconds."""

    def __init__(self, base_url: str, timeout: float) -> None:
        self._timeout = timeout
        self._http = pooled_session(base_url, "platform")

    def close(self) -> None:
        self._http.close()

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Answered:
        """Return what is answered, whatever its status. Raises PlatformUnavailable."""
        try:
            response = self._http.post(
                url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
            )
            return Answered(response.status_code, read_limited(response, _ANSWER_BYTES))
        except AnswerTooLarge:
            raised: PlatformUnavailable = PlatformAnswerUnusable("too-large")
        except requests.RequestException as error:
            raised = PlatformUnavailable("timeout" if _is_timeout(error) else "no-connection")
        raise raised


def _is_timeout(error: requests.RequestException) -> bool:
    """Return whether it was a time-out; within an answer, requests reports one as a lost connection."""
    inner = error.args[0] if error.args else None
    return isinstance(error, requests.Timeout) or isinstance(inner, ReadTimeoutError)

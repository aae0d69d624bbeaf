"""The installation, as a device asks it: every call signed, bounded in time, and safe to repeat."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import requests

from station_bridge.signing import Signer
from station_bridge.store import Kept

DEVICES: Final = "/api/v1/devices"


class Unreachable(Exception):
    """Nobody answered, or answered that it cannot now: the same may be sent again."""


class Refused(Exception):
    """The installation has answered, and refuses; `slug` names why, `words` say it."""

    def __init__(self, slug: str, words: str, server_time: str | None = None) -> None:
        super().__init__(slug)
        self.slug = slug
        self.words = words
        self.server_time = server_time


class Timeouts(NamedTuple):
    """Seconds for a connection and for an answer; a person waits."""

    connect: float = 0.7
    read: float = 2.0


class Server:
    """An installation at an address, asked as one device in a language."""

    def __init__(self, url: str, signer: Signer, language: str = "zh", timeouts: Timeouts | None = None) -> None:
        self._url = url.rstrip("/")
        self._signer = signer
        self._language = language
        self._timeouts = timeouts or Timeouts()
        self._sessions = threading.local()
        self._ahead = timedelta(0)  # of the server's clock, as it said when it refused ours

    def me(self) -> dict[str, Any]:
        """Return what this device is. Raises Unreachable and Refused, as every call."""
        return self._signed("GET", f"{DEVICES}/me")

    def check(self, number: str, proof: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a check of what was shown."""
        return self._signed("POST", f"{DEVICES}/checks", {"number": number, **proof})

    def temperature(self, number: str, celsius: float, at: datetime) -> dict[str, Any]:
        """Return what became of a temperature."""
        return self._signed(
            "POST", f"{DEVICES}/temperatures", {"number": number, "celsius": celsius, "at": at.isoformat()}
        )

    def submit(self, part: Sequence[Kept]) -> dict[str, str]:
        """Submit checks made without network; return the result of each by its number."""
        checks = [{"number": one.number, "token": one.token, "at": one.at} for one in part]
        answer = self._signed("POST", f"{DEVICES}/batches", {"checks": checks})
        return {one["number"]: one["result"] for one in answer["results"]}

    def fetch(self, path: str) -> bytes:
        """Return what is published for everybody, such as the keys."""
        response = self._send(lambda session: session.get(self._url + path, timeout=self._timeouts))
        if response.status_code != 200:
            raise Unreachable(str(response.status_code))
        return response.content

    def _signed(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            return self._once(method, path, body)
        except Refused as refused:
            if refused.slug != "device-clock" or refused.server_time is None:
                raise
            self._ahead = datetime.fromisoformat(refused.server_time) - datetime.now(UTC)
            return self._once(method, path, body)  # signed by the server's time; whoever runs the box is shown it

    def now(self) -> datetime:
        """Return the time, by the server's clock where it has refused ours."""
        return datetime.now(UTC) + self._ahead

    @property
    def clock_is_off(self) -> timedelta:
        """How far the server's clock was ahead of ours when it refused ours."""
        return self._ahead

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        url = self._url + path
        headers = {"Accept-Language": self._language, "Content-Type": "application/json"} if content else {}
        headers |= self._signer.headers(method, url, content, self.now())
        response = self._send(
            lambda session: session.request(method, url, data=content, headers=headers, timeout=self._timeouts)
        )
        return _read(response)

    def _send(self, ask: Callable[[requests.Session], requests.Response]) -> requests.Response:
        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
        began = time.monotonic()
        try:
            return ask(self._sessions.session)
        except requests.RequestException as error:
            self._sessions.session.close()
            del self._sessions.session
            raise Unreachable(f"{type(error).__name__} after {time.monotonic() - began:.1f} s") from None


def _read(response: requests.Response) -> dict[str, Any]:
    """Return the answer. Raises Refused for a refusal, Unreachable for what may be repeated."""
    if response.status_code >= 500 or response.status_code == 429:
        raise Unreachable(str(response.status_code))
    try:
        answer = response.json()
    except ValueError:
        raise Unreachable("no JSON") from None  # of a portal in between
    if response.status_code != 200:
        slug = str(answer.get("type", "")).rpartition("/")[2]
        raise Refused(slug, f"{answer.get('title', '')} {answer.get('detail', '')}".strip(), answer.get("server_time"))
    return dict(answer)

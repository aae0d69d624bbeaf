"""Requests as phones and stations send them: an answer, or none in time."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import requests

PATIENCE_SECONDS = 12  # longer than a change waits for the lease of the cache to end


class Reply(NamedTuple):
    """An answer; its status is 0 when none came, and `body` is empty when it was no JSON object."""

    status: int
    body: dict[str, Any]

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


def call(method: str, url: str, body: Any = None, session: str = "") -> Reply:
    """Send one request, and never again."""
    headers = {"Authorization": f"Bearer {session}"} if session else {}
    try:
        answer = requests.request(method, url, json=body, headers=headers, timeout=PATIENCE_SECONDS)
        given = answer.json() if answer.content else {}
    except requests.RequestException:  # a body that is no JSON among them
        return Reply(0, {})
    return Reply(answer.status_code, given if isinstance(given, dict) else {})


def sandbox(method: str, url: str, body: Any = None) -> Any:
    """Ask a sandbox, which is never broken. Raises requests.RequestException."""
    answer = requests.request(method, url, json=body, timeout=PATIENCE_SECONDS)
    answer.raise_for_status()
    return answer.json()


def wait_until(come_true: Callable[[], bool], seconds: float) -> bool:
    """Look again and again; return whether it has come true in time."""
    end = time.monotonic() + seconds
    while not come_true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True

"""Fetching a trust list from where its maker, or another province, publishes it; its reader says what it is worth."""

import requests

from app.core.errors import Problem
from app.core.http_client import AnswerTooLarge, pooled_session, read_limited
from app.trust.signed_list import MOST_BYTES

SECONDS = 10.0  # for the connection, and for the whole answer
_OK, _NOT_MODIFIED = 200, 304


def fetch(url: str, known: int) -> str | None:
    """Return what is at an address, None where the version that is known is there still.

    No redirect is followed: the setting names the host that is asked. Raises Problem `trust-fetch-failed`.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "If-None-Match": f'"{known}"'}
    try:
        with pooled_session(url) as session:
            answer = session.get(url, headers=headers, timeout=SECONDS, allow_redirects=False, stream=True)
            if answer.status_code not in (_OK, _NOT_MODIFIED):
                raise Problem("trust-fetch-failed")
            body = read_limited(answer, MOST_BYTES)
        return None if answer.status_code == _NOT_MODIFIED else body.decode().strip()
    except (requests.RequestException, AnswerTooLarge, UnicodeDecodeError):
        raise Problem("trust-fetch-failed") from None

"""Captures: callbacks stored as they arrived, so that an operator can inspect and replay them.

Owns which part of a request is kept and how it is encrypted. Nothing of it is ever logged. Off unless
`wechat.callbacks.capture` is set, and deleted after `capture_retention_days`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from app.core.encryption import FieldEncryption
from app.wechat.callbacks.models import WeChatCapture
from app.wechat.callbacks.replay_file import CapturedRequest, format_request, parse_request

_COLUMN: Final = "wechat_captures.sealed"
_HEADERS: Final = ("content-type", "user-agent")  # the others come from proxies
_ROWS: Final = 200  # decrypted at a time


@dataclass(frozen=True, slots=True)
class Capture:
    """One stored callback."""

    id: int
    request: CapturedRequest


def store_capture(session: Session, encryption: FieldEncryption, request: CapturedRequest) -> None:
    """Store a callback as it arrived: its bytes, its query, and two of its headers."""
    given = {name.lower(): value for name, value in request.headers.items()}
    kept = replace(request, headers={name: given[name] for name in _HEADERS if name in given})
    ciphertext = encryption.encrypt(_COLUMN, format_request(kept))
    session.add(WeChatCapture(at=kept.at, size=len(kept.body), ciphertext=ciphertext))


def purge(session: Session, before: datetime) -> int:
    """Delete captures from before that moment; return their number."""
    result = session.execute(delete(WeChatCapture).where(WeChatCapture.at < before))
    return cast(CursorResult[Any], result).rowcount


def find_captures(
    session: Session, encryption: FieldEncryption, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Capture]:
    """Yield the captures from `since` on and before `until`, the oldest first."""
    query = select(WeChatCapture).order_by(WeChatCapture.at, WeChatCapture.id)
    if since is not None:
        query = query.where(WeChatCapture.at >= since)
    if until is not None:
        query = query.where(WeChatCapture.at < until)
    for row in session.scalars(query.execution_options(yield_per=_ROWS)):
        yield _decrypt(encryption, row)


def get_capture(session: Session, encryption: FieldEncryption, number: int) -> Capture | None:
    """Return the capture with this number."""
    row = session.get(WeChatCapture, number)
    return None if row is None else _decrypt(encryption, row)


def _decrypt(encryption: FieldEncryption, row: WeChatCapture) -> Capture:
    return Capture(row.id, parse_request(json.loads(encryption.decrypt(_COLUMN, row.ciphertext))))

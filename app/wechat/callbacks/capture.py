"""Callbacks kept as they came, so that an operator can look at them and send them again.

Owns what is kept of a request and how it is sealed. Nothing of it is ever logged. Off unless the settings say so
(`wechat.callbacks.capture`), and forgotten after `capture_retention_days`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from app.core.encryption import FieldEncryption
from app.wechat.callbacks.models import WeChatCapture
from app.wechat.callbacks.replay_file import CapturedRequest, format_request, parse_request

_COLUMN: Final = "wechat_captures.sealed"
_HEADERS: Final[tuple[str, ...]] = ("content-type", "user-agent")  # the others are those of proxies
_ROWS: Final = 200  # opened at a time


@dataclass(frozen=True, slots=True)
class Capture:
    """One callback that was kept."""

    id: int
    request: CapturedRequest


def store_capture(
    session: Session,
    encryption: FieldEncryption,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> None:
    """Keep a callback as it came: its bytes, its query, and those headers that matter."""
    given = {name.lower(): value for name, value in headers.items()}
    matter = {name: given[name] for name in _HEADERS if name in given}
    sealed = encryption.encrypt(_COLUMN, format_request(CapturedRequest(now, dict(query), matter, body)))
    session.add(WeChatCapture(at=now, size=len(body), ciphertext=sealed))


def purge(session: Session, before: datetime) -> int:
    """Forget what arrived before that moment; returns how many there were."""
    result = session.execute(delete(WeChatCapture).where(WeChatCapture.at < before))
    return cast(CursorResult[Any], result).rowcount


def find_captures(
    session: Session, encryption: FieldEncryption, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Capture]:
    """What was kept from `since` on and before `until`, the oldest first."""
    query = select(WeChatCapture).order_by(WeChatCapture.at, WeChatCapture.id)
    if since is not None:
        query = query.where(WeChatCapture.at >= since)
    if until is not None:
        query = query.where(WeChatCapture.at < until)
    for row in session.scalars(query.execution_options(yield_per=_ROWS)):
        yield _decrypted(encryption, row)


def get_capture(session: Session, encryption: FieldEncryption, number: int) -> Capture | None:
    """The callback that was kept under this number."""
    row = session.get(WeChatCapture, number)
    return None if row is None else _decrypted(encryption, row)


def _decrypted(encryption: FieldEncryption, row: WeChatCapture) -> Capture:
    return Capture(row.id, parse_request(json.loads(encryption.decrypt(_COLUMN, row.ciphertext))))

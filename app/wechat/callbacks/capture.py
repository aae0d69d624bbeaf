"""Callbacks kept as they came, so that an operator can look at them and send them again.

Owns what is kept of a request and how it is sealed. Nothing of it is ever logged. Off unless the settings say so
(`wechat.callbacks.capture`), and forgotten after `capture_days`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from app.vault import Vault
from app.wechat.callbacks.models import WeChatCapture
from app.wechat.callbacks.recording import Arrival, read_arrival, write_arrival

_COLUMN: Final = "wechat_captures.sealed"
_HEADERS: Final[tuple[str, ...]] = ("content-type", "user-agent")  # the others are those of proxies
_ROWS: Final = 200  # opened at a time


@dataclass(frozen=True, slots=True)
class Captured:
    """One callback that was kept."""

    id: int
    arrival: Arrival


def keep(
    session: Session,
    vault: Vault,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> None:
    """Keep a callback as it came: its bytes, its query, and those headers that matter."""
    given = {name.lower(): value for name, value in headers.items()}
    matter = {name: given[name] for name in _HEADERS if name in given}
    sealed = vault.seal(_COLUMN, write_arrival(Arrival(now, dict(query), matter, body)))
    session.add(WeChatCapture(at=now, size=len(body), sealed=sealed))


def purge(session: Session, before: datetime) -> int:
    """Forget what arrived before that moment; returns how many there were."""
    result = session.execute(delete(WeChatCapture).where(WeChatCapture.at < before))
    return cast(CursorResult[Any], result).rowcount


def captured(
    session: Session, vault: Vault, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Captured]:
    """What was kept from `since` on and before `until`, the oldest first."""
    query = select(WeChatCapture).order_by(WeChatCapture.at, WeChatCapture.id)
    if since is not None:
        query = query.where(WeChatCapture.at >= since)
    if until is not None:
        query = query.where(WeChatCapture.at < until)
    for row in session.scalars(query.execution_options(yield_per=_ROWS)):
        yield _opened(vault, row)


def find(session: Session, vault: Vault, number: int) -> Captured | None:
    """The callback that was kept under this number."""
    row = session.get(WeChatCapture, number)
    return None if row is None else _opened(vault, row)


def _opened(vault: Vault, row: WeChatCapture) -> Captured:
    return Captured(row.id, read_arrival(json.loads(vault.open(_COLUMN, row.sealed))))

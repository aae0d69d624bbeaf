"""Report of a replay: the answers of the server, and the outcomes on its receipts.

Reads receipts only. A callback that the server had received before changes nothing, and the report says so.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from app.wechat.callbacks.replay_client import SentCallback
from app.wechat.models import CallbackReceipt

NOT_KNOWN: Final = "—"
_WAITING: Final = "waiting for a worker"
_MAX_ROWS: Final = 40
_PAUSE_SECONDS: Final = 0.1
_BATCH: Final = 1000


class ReportRow(NamedTuple):
    """One callback, or all equal ones; `milliseconds` is the median, and the maximum where it differs."""

    event: str
    times: int
    answer: str
    milliseconds: str
    changed: str


class ReceiptSummary(NamedTuple):
    """All receipts of one event with the same outcome, which is None while they wait for a worker."""

    event: str
    outcome: str | None
    callbacks: int
    oldest: datetime


def recorded_outcomes(session: Session, keys: Collection[bytes]) -> dict[bytes, str | None]:
    """Return the outcomes of the receipts with these keys; None while a worker has not handled one."""
    wanted = list(keys)
    found: dict[bytes, str | None] = {}
    for start in range(0, len(wanted), _BATCH):
        some = CallbackReceipt.event_key.in_(wanted[start : start + _BATCH])
        query = select(CallbackReceipt.event_key, CallbackReceipt.outcome).where(some)
        found |= {row.event_key: row.outcome for row in session.execute(query)}
    return found


def wait_for_outcomes(sessions: sessionmaker[Session], keys: Collection[bytes], timeout: float) -> dict[bytes, str]:
    """Return the outcomes of the receipts with these keys, waiting up to `timeout` seconds for the worker.

    Returns nothing when the database cannot be reached: the server may have another one.
    """
    end = time.monotonic() + timeout
    outcomes: dict[bytes, str] = {}
    waiting = set(keys)
    while True:
        try:
            with sessions() as session:
                found = recorded_outcomes(session, waiting)
        except DBAPIError:
            return {}
        outcomes |= {key: outcome or _WAITING for key, outcome in found.items()}
        waiting = {key for key, outcome in found.items() if outcome is None}
        if not waiting or time.monotonic() >= end:
            return outcomes
        time.sleep(_PAUSE_SECONDS)


def changes(
    sent: Sequence[SentCallback], before: Collection[bytes], outcomes: Mapping[bytes, str]
) -> Iterator[tuple[SentCallback, str]]:
    """Yield each answer with its outcome; `before` are the keys that the server knew already."""
    seen = set(before)
    for one in sent:
        if not one.acknowledged or one.key not in outcomes:
            yield one, NOT_KNOWN
        elif one.key in seen:
            yield one, "nothing: a duplicate"
        else:
            seen.add(one.key)
            yield one, outcomes[one.key]


def report_rows(changed: Sequence[tuple[SentCallback, str]]) -> list[ReportRow]:
    """Return a row for each callback of a short replay; in a long one, equal callbacks share a row."""
    groups: dict[tuple[int, str, str, str], list[int]] = {}
    for number, (one, change) in enumerate(changed):
        apart = number if len(changed) <= _MAX_ROWS else 0
        groups.setdefault((apart, one.step.event, one.answer, change), []).append(one.milliseconds)
    return [
        ReportRow(event, len(times), answer, _milliseconds(times), change)
        for (_, event, answer, change), times in groups.items()
    ]


def _milliseconds(times: Sequence[int]) -> str:
    usual, longest = round(median(times)), max(times)
    return str(usual) if usual == longest else f"{usual}, up to {longest}"


def summarize_receipts(session: Session) -> list[ReceiptSummary]:
    """Return the number of receipts by event and outcome, those that wait for a worker first."""
    receipt = CallbackReceipt
    oldest = func.min(receipt.received_at)
    query = select(receipt.name, receipt.outcome, func.count(), oldest).group_by(receipt.name, receipt.outcome)
    ordered = query.order_by(receipt.outcome.is_not(None), receipt.name, receipt.outcome)
    return [ReceiptSummary(*row) for row in session.execute(ordered)]

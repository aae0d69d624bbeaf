"""The audit events of changed rows, each with the digest of its row: one for every evidence and every decision.

The digest of a code goes into the last event about it in the transaction, so that most codes need none of their own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.codes.models import Code
from app.codes.row_digests.digests import RowDigests, digests_of

_Row = Mapping[str, Any]
_Event = tuple[datetime, int, dict[str, Any]]  # moment, serial and detail


class WrittenRows(NamedTuple):
    """The rows that a change has written, with their columns: new evidence, new decisions, and changed codes."""

    evidence: Sequence[_Row]
    decisions: Sequence[_Row]
    codes: Sequence[_Row]


def append_events(session: Session, actor: Actor, now: datetime, rows: WrittenRows) -> None:
    """Append the events of a change of any number of codes."""
    digests = digests_of(session)
    recorded = [_recorded(row, now, digests) for row in rows.evidence]
    decided = [_decided(row, digests) for row in rows.decisions]
    last = {event[1]: event for event in (*recorded, *decided)}
    alone: list[_Event] = [(now, row["serial"], {}) for row in rows.codes if row["serial"] not in last]
    last |= {event[1]: event for event in alone}
    for row in rows.codes:
        at, _, detail = last[row["serial"]]
        detail["code"] = digests.of_row("codes", row, at)
    audit.append_many(session, actor, "evidence-recorded", recorded)
    audit.append_many(session, actor, "decided", decided)
    audit.append_many(session, actor, "reevaluated", alone)


def _recorded(row: _Row, now: datetime, digests: RowDigests) -> _Event:
    return now, row["serial"], {"evidence": row["id"], "digest": digests.of_row("evidence", row, now)}


def _decided(row: _Row, digests: RowDigests) -> _Event:
    at = row["decided_at"]
    named = {"decision": row["id"], "rule": row["rule"], "state": row["state"].name}
    return at, row["serial"], {**named, "digest": digests.of_row("decisions", row, at)}


def code_detail(session: Session, code: Code, now: datetime) -> dict[str, str]:
    """Return what an event of this moment says of a code that was changed alone."""
    return {"code": digests_of(session).of_row("codes", code, now)}

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
from app.codes.row_digests.digests import digests_of
from app.codes.states import State

_Row = Mapping[str, Any]


class WrittenRows(NamedTuple):
    """The rows that a change has written, with their columns: new evidence, new decisions, and changed codes."""

    evidence: Sequence[_Row]
    decisions: Sequence[_Row]
    codes: Sequence[_Row]


def append_events(session: Session, actor: Actor, now: datetime, rows: WrittenRows) -> None:
    """Append the events of a change of any number of codes."""
    digests = digests_of(session)
    recorded = [
        (now, row["serial"], {"evidence": row["id"], "digest": digests.of_row("evidence", row, now)})
        for row in rows.evidence
    ]
    decided = [
        (
            row["decided_at"],
            row["serial"],
            {
                "decision": row["id"],
                "rule": row["rule"],
                "state": State(row["state"]).name,
                "digest": digests.of_row("decisions", row, row["decided_at"]),
            },
        )
        for row in rows.decisions
    ]
    last = {serial: (at, detail) for at, serial, detail in (*recorded, *decided)}
    alone: list[tuple[datetime, int, dict[str, Any]]] = [
        (now, row["serial"], {}) for row in rows.codes if row["serial"] not in last
    ]
    last |= {serial: (at, detail) for at, serial, detail in alone}
    for row in rows.codes:
        at, detail = last[row["serial"]]
        detail["code"] = digests.of_row("codes", row, at)
    audit.append_many(session, actor, "evidence-recorded", recorded)
    audit.append_many(session, actor, "decided", decided)
    audit.append_many(session, actor, "reevaluated", alone)


def code_detail(session: Session, code: Code, now: datetime) -> dict[str, str]:
    """Return what an event of this moment says of a code that was changed alone."""
    return {"code": digests_of(session).of_row("codes", code, now)}

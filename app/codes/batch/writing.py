"""Writing of the decisions of a batch change, and of their notices."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.audit import Actor
from app.codes.batch.reading import LockedCode
from app.codes.evaluation import Evaluation
from app.codes.evidence import rules_to_column
from app.codes.models import DecisionRow, Notice
from app.codes.states import State
from app.core.db import draw_ids, insert_rows
from app.core.queue import defer_notices

Evaluated = Sequence[tuple[LockedCode, Evaluation]]
Row = dict[str, Any]


def write_decisions(session: Session, evaluations: Evaluated, actor: Actor) -> list[Row]:
    """Write the new decisions, and return their rows."""
    decided = [(code, evaluation) for code, evaluation in evaluations if evaluation.decision is not None]
    ids = draw_ids(session, DecisionRow.id, len(decided)) if decided else []
    rows = [
        _decision_row(id_, code, evaluation, str(actor)) for id_, (code, evaluation) in zip(ids, decided, strict=True)
    ]
    insert_rows(session, DecisionRow, rows)
    return rows


def _decision_row(id_: int, code: LockedCode, evaluation: Evaluation, actor: str) -> Row:
    decision = evaluation.decision
    assert decision is not None
    return {
        "id": id_,
        "serial": code.serial,
        "version": code.version + version_increment(code, evaluation),
        "previous_state": State(code.state),
        "state": evaluation.state,
        "rule": decision.rule,
        "rules": rules_to_column(decision),
        "evidence": list(decision.evidence),
        "missing": list(decision.missing),
        "policy_version": decision.policy_version,
        "since": decision.since,
        "until": decision.until,
        "decided_at": evaluation.at,
        "actor": actor,
    }


def version_increment(code: LockedCode, evaluation: Evaluation) -> int:
    """Return the increase of a code's version: one for another due time, and one for a decision."""
    return int(code.due_at != evaluation.due_at) + int(evaluation.decision is not None)


def write_notices(session: Session, evaluations: Evaluated, decisions: Sequence[Row], *, bulk: bool) -> None:
    """Write the notices for the inbox, and put their delivery by WeChat into jobs where they are waiting."""
    deliveries = {code.serial: evaluation.delivery for code, evaluation in evaluations}
    notices = list(_notices(decisions, deliveries))
    insert_rows(session, Notice, notices)
    defer_notices(session, [row["serial"] for row in notices if row["delivery"] == "waiting"], bulk=bulk)


def _notices(decisions: Sequence[Row], deliveries: Mapping[int, str | None]) -> Iterator[Row]:
    for row in decisions:
        serial = row["serial"]
        delivery = deliveries[serial]
        if delivery is not None:
            yield {
                "serial": serial, "decision_id": row["id"], "created_at": row["decided_at"], "delivery": delivery,
            }  # fmt: skip

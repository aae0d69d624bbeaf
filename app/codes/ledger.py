"""The color ledger: the functions that create codes, record and withdraw evidence, and re-evaluate.

The only entrance to a change of color: other packages call these functions, and every change, of one code or of
thousands, goes through `batch_change.change_codes`, which locks, evaluates and writes.
Evidence, decision, current color, audit event, notice and job are written in the caller's transaction. Nothing here
commits or writes the cache: `Services.begin` does both, and a job repairs the cache.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.codes import batch_change
from app.codes.batch import reading
from app.codes.batch_change import ChangeContext as ChangeContext  # callers make one
from app.codes.batch_change import change_codes
from app.codes.cache.writing import CHANGED_VERSIONS
from app.codes.evidence import NewEvidence
from app.codes.models import Code, DecisionRow, EvidenceRow
from app.codes.row_digests.digests import digests_of
from app.codes.row_digests.events import code_detail
from app.codes.states import State
from app.core.db import among, draw_ids, insert_rows
from app.core.errors import Problem
from app.rules import Evidence


class BatchResult(NamedTuple):
    """The result of a batch change: the number of new evidence, and the states before and after each new decision."""

    entries: int
    states: dict[int, tuple[State, State]]


def create_code(session: Session, now: datetime) -> Code:
    """Create a code without declaration or color."""
    code = Code(opened_at=now, state=State.NOT_DECLARED, version=1, epoch=1)
    session.add(code)
    session.flush()
    return code


def create_codes(session: Session, number: int, now: datetime) -> list[int]:
    """Create a number of codes; return their serials."""
    serials = draw_ids(session, Code.serial, number)
    row = {"opened_at": now, "state": State.NOT_DECLARED, "version": 1, "epoch": 1}
    insert_rows(session, Code, [{"serial": serial, **row} for serial in serials])
    return serials


def get_code(session: Session, serial: int) -> Code:
    """Return the row of a code. Raises Problem when there is no such code."""
    code = session.get(Code, serial)
    if code is None:
        raise Problem("code-not-found")
    return code


def lock_code(session: Session, serial: int) -> Code:
    """Lock a code until the transaction ends, and return its row. Raises Problem when there is no such code."""
    code = session.get(Code, serial, with_for_update=True, populate_existing=True)
    if code is None:
        raise Problem("code-not-found")
    return code


def lock_codes(session: Session, serials: Collection[int]) -> None:
    """Lock many codes until the transaction ends, in one order. Raises Problem when one of them does not exist."""
    reading.lock_codes(session, serials)


def record(
    context: ChangeContext, serial: int, new_evidence: Sequence[NewEvidence], *, on_screen: bool = False
) -> DecisionRow | None:
    """Record evidence and re-evaluate; return the new decision, or None when it is unchanged.

    `on_screen` means that the holder is viewing the code: the inbox has the change, and WeChat is not used.
    """
    _, decisions = change_codes(context, {serial: new_evidence}, on_screen=on_screen)
    return DecisionRow(**decisions[0]) if decisions else None


def record_many(context: ChangeContext, new_evidence: Mapping[int, Sequence[NewEvidence]]) -> BatchResult:
    """Record evidence of many codes by serial and re-evaluate each, as `record` does for one."""
    new, decisions = change_codes(context, new_evidence, bulk=True)
    return BatchResult(new, {row["serial"]: (row["previous_state"], row["state"]) for row in decisions})


def withdraw(context: ChangeContext, serial: int, evidence_id: str, reason: str) -> DecisionRow | None:
    """Withdraw wrong evidence and re-evaluate; `reason` is a slug of at most 30 letters.

    Raises Problem when the code has no such evidence.
    """
    return withdraw_some(context, serial, {evidence_id: reason})


def withdraw_some(context: ChangeContext, serial: int, reasons: Mapping[str, str]) -> DecisionRow | None:
    """Withdraw several pieces of wrong evidence of one code, each with its reason, and re-evaluate once.

    Raises Problem when the code has no such evidence.
    """
    session, _, actor, now = context
    lock_code(session, serial)
    for evidence_id, reason in reasons.items():
        row = session.get(EvidenceRow, (serial, evidence_id), populate_existing=True)
        if row is None or row.withdrawn_at is not None:
            raise Problem("evidence-not-found")
        row.withdrawn_at, row.withdrawn_for = now, reason
        digest = digests_of(session).of_row("evidence", row, now)
        detail = {"evidence": evidence_id, "digest": digest}
        audit.append(session, actor, "evidence-withdrawn", now, serial=serial, reason=reason, **detail)
        session.flush()
    return record(context, serial, ())


def withdraw_many(context: ChangeContext, evidence: Mapping[int, str], reason: str) -> BatchResult:
    """Withdraw one piece of evidence of each of many codes, by serial, and re-evaluate each, as `withdraw` for one.

    Raises Problem when one of the codes has no such evidence.
    """
    session, _, actor, now = context
    reading.lock_codes(session, evidence)
    these = among(EvidenceRow.serial, evidence), among(EvidenceRow.id, evidence.values())
    rows = update(EvidenceRow).where(*these, EvidenceRow.withdrawn_at.is_(None))
    rows = rows.values(withdrawn_at=now, withdrawn_for=reason)
    withdrawn = {row.serial: row for row in session.execute(rows.returning(*EvidenceRow.__table__.columns))}
    if {serial: row.id for serial, row in withdrawn.items()} != dict(evidence):
        raise Problem("evidence-not-found")
    digests = digests_of(session)
    events = [
        (now, serial, {"evidence": id_, "reason": reason, "digest": digests.of_row("evidence", withdrawn[serial], now)})
        for serial, id_ in evidence.items()
    ]
    audit.append_many(session, actor, "evidence-withdrawn", events)
    return record_many(context, dict.fromkeys(evidence, ()))._replace(entries=0)


def reevaluate(context: ChangeContext, serial: int) -> DecisionRow | None:
    """Re-evaluate a code because time has passed or the policy has changed, and clear its retry."""
    _, decisions = change_codes(context, {serial: ()}, clear_retry=True)
    return DecisionRow(**decisions[0]) if decisions else None


def reevaluate_many(context: ChangeContext, serials: Collection[int]) -> BatchResult:
    """Re-evaluate many codes, as `reevaluate` does one."""
    _, decisions = change_codes(context, dict.fromkeys(serials, ()), clear_retry=True, bulk=True)
    return BatchResult(0, {row["serial"]: (row["previous_state"], row["state"]) for row in decisions})


def end_sessions(session: Session, serial: int, *, actor: Actor, now: datetime) -> int:
    """End every session of the code's holder; return the epoch of new sessions."""
    code = lock_code(session, serial)
    code.epoch = code.epoch % 65_535 + 1
    code.version += 1
    audit.append(session, actor, "sessions-ended", now, serial=serial, **code_detail(session, code, now))
    session.flush()
    batch_change.mark_changed(session, {serial: code.version - 1}, bulk=False)
    return code.epoch


def schedule_retry(session: Session, serial: int, moment: datetime | None) -> None:
    """Have the code re-evaluated at a moment, because the platform has not answered; None: only when it is due."""
    lock_code(session, serial).retry_at = moment


def clear_retries(session: Session, serials: Collection[int]) -> None:
    """Have codes re-evaluated only when they are due."""
    waiting = update(Code).where(among(Code.serial, serials), Code.retry_at.is_not(None))
    session.execute(waiting.values(retry_at=None))


def lease_due(session: Session, now: datetime, until: datetime, limit: int) -> list[int]:
    """Return the serials of codes that are due, earliest first; no other worker gets them before `until`."""
    due_at = func.coalesce(Code.retry_at, Code.due_at)
    due = select(Code.serial).where(due_at <= now).order_by(due_at).limit(limit)
    serials = list(session.scalars(due.with_for_update(skip_locked=True)))
    session.execute(update(Code).where(among(Code.serial, serials)).values(retry_at=until))
    return serials


def load_evidence(session: Session, serial: int) -> list[Evidence]:
    """Return all evidence of a code, withdrawn facts included, as the database has it now."""
    return reading.load_evidence(session, [serial]).facts[serial]


def load_evidence_many(session: Session, serials: Collection[int]) -> Mapping[int, list[Evidence]]:
    """Return all evidence of many codes by serial, as `load_evidence` does for one."""
    return reading.load_evidence(session, serials).facts


@contextmanager
def rolled_back(session: Session) -> Iterator[None]:
    """Roll back everything written inside: rows, jobs, and the list of codes to refresh after the commit.

    The ledger bypasses the session's objects, so all of them are expired afterwards.
    """
    marked = dict(session.info.get(CHANGED_VERSIONS, {}))
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        session.info[CHANGED_VERSIONS] = marked
        session.expire_all()

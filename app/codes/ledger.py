"""The color ledger: the verbs by which a code comes to be and changes.

Every change goes one way, whether of one code or of thousands: `changing.change` locks, weighs and writes. Evidence,
decision, current color, audit entry, notice and job are written in the caller's one transaction. Verbs here never
commit, and never touch the cache: the edge does that after the commit (`services.begin`), and the job repairs it.
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
from app.codes.batch_change import change_codes
from app.codes.evidence import NewEvidence
from app.codes.models import Code, DecisionRow, EvidenceRow
from app.codes.states import State
from app.core.db import among, insert_rows
from app.core.errors import Problem
from app.rules import Evidence, Policy


class BatchResult(NamedTuple):
    """What became of a mass change: how many entries were new, and the state before and after of each new decision."""

    entries: int
    states: dict[int, tuple[State, State]]


def create_code(session: Session, now: datetime) -> Code:
    """A new code without declaration or color."""
    code = Code(opened_at=now, state=State.NOT_DECLARED, version=1, epoch=1)
    session.add(code)
    session.flush()
    return code


def create_codes(session: Session, number: int, now: datetime) -> list[int]:
    """So many new codes, by their serials."""
    row = {"opened_at": now, "state": State.NOT_DECLARED, "version": 1, "epoch": 1}
    return [new.serial for new in insert_rows(session, Code, [row] * number, returning=["serial"])]


def get_code(session: Session, serial: int) -> Code:
    """The code's row as it stands. Raises Problem when there is no such code."""
    code = session.get(Code, serial)
    if code is None:
        raise Problem("code-not-found")
    return code


def lock_code(session: Session, serial: int) -> Code:
    """The code's row, locked until the transaction ends. Raises Problem when there is no such code."""
    code = session.get(Code, serial, with_for_update=True, populate_existing=True)
    if code is None:
        raise Problem("code-not-found")
    return code


def lock_codes(session: Session, serials: Collection[int]) -> None:
    """Lock many codes until the transaction ends, in one order. Raises Problem when one of them does not exist."""
    batch_change.lock_codes(session, serials)


def record(
    session: Session,
    policy: Policy,
    serial: int,
    new_evidence: Sequence[NewEvidence],
    *,
    actor: Actor,
    now: datetime,
    on_screen: bool = False,
) -> DecisionRow | None:
    """Write evidence down and decide anew; the new decision, or None when it stays as it was.

    `seen` says that the holder is looking at the screen: the inbox has the change, WeChat is not troubled.
    """
    _, decisions = change_codes(session, policy, {serial: new_evidence}, actor=actor, now=now, on_screen=on_screen)
    return DecisionRow(**decisions[0]) if decisions else None


def record_many(
    session: Session, policy: Policy, new_evidence: Mapping[int, Sequence[NewEvidence]], *, actor: Actor, now: datetime
) -> BatchResult:
    """Write evidence of many codes down, by serial, and decide each anew, as `record` does for one."""
    new, decisions = change_codes(session, policy, new_evidence, actor=actor, now=now, bulk=True)
    return BatchResult(new, {row["serial"]: (row["previous_state"], row["state"]) for row in decisions})


def withdraw(
    session: Session, policy: Policy, serial: int, evidence_id: str, *, reason: str, actor: Actor, now: datetime
) -> DecisionRow | None:
    """Take a wrong piece of evidence back and decide anew; `reason` is a slug of 30 letters at most.

    Raises Problem when the code has no such evidence.
    """
    return withdraw_some(session, policy, serial, {evidence_id: reason}, actor=actor, now=now)


def withdraw_some(
    session: Session, policy: Policy, serial: int, reasons: Mapping[str, str], *, actor: Actor, now: datetime
) -> DecisionRow | None:
    """Take several wrong pieces of evidence of one code back, each for its reason, and decide anew once.

    Raises Problem when the code has no such evidence.
    """
    lock_code(session, serial)
    for evidence_id, reason in reasons.items():
        row = session.get(EvidenceRow, evidence_id, populate_existing=True)
        if row is None or row.serial != serial or row.withdrawn_at is not None:
            raise Problem("evidence-not-found")
        row.withdrawn_at, row.withdrawn_for = now, reason
        audit.append(session, actor, "evidence-withdrawn", now, serial=serial, evidence=evidence_id, reason=reason)
        session.flush()
    return record(session, policy, serial, (), actor=actor, now=now)


def withdraw_many(
    session: Session, policy: Policy, evidence: Mapping[int, str], *, reason: str, actor: Actor, now: datetime
) -> BatchResult:
    """Take back one piece of evidence of each of many codes, by serial, and decide each anew, as `withdraw` for one.

    Raises Problem when one of the codes has no such evidence.
    """
    batch_change.lock_codes(session, evidence)
    wrong = update(EvidenceRow).where(among(EvidenceRow.id, evidence.values()), EvidenceRow.withdrawn_at.is_(None))
    taken = wrong.values(withdrawn_at=now, withdrawn_for=reason).returning(EvidenceRow.id, EvidenceRow.serial)
    if {row.serial: row.id for row in session.execute(taken)} != dict(evidence):
        raise Problem("evidence-not-found")
    events = [(now, serial, {"evidence": id_, "reason": reason}) for serial, id_ in evidence.items()]
    audit.append_many(session, actor, "evidence-withdrawn", events)
    entries: dict[int, Sequence[NewEvidence]] = dict.fromkeys(evidence, ())
    _, decisions = change_codes(session, policy, entries, actor=actor, now=now, bulk=True)
    return BatchResult(0, {row["serial"]: (row["previous_state"], row["state"]) for row in decisions})


def reevaluate(session: Session, policy: Policy, serial: int, *, actor: Actor, now: datetime) -> DecisionRow | None:
    """Decide anew on the same evidence, because time has passed or the policy has changed; the look is over."""
    _, decisions = change_codes(session, policy, {serial: ()}, actor=actor, now=now, clear_retry=True)
    return DecisionRow(**decisions[0]) if decisions else None


def reevaluate_many(
    session: Session, policy: Policy, serials: Collection[int], *, actor: Actor, now: datetime
) -> BatchResult:
    """Decide many codes anew, as `decide_again` does for one."""
    entries: dict[int, Sequence[NewEvidence]] = dict.fromkeys(serials, ())
    _, decisions = change_codes(session, policy, entries, actor=actor, now=now, clear_retry=True, bulk=True)
    return BatchResult(0, {row["serial"]: (row["previous_state"], row["state"]) for row in decisions})


def end_sessions(session: Session, serial: int, *, actor: Actor, now: datetime) -> int:
    """End every session of the code's holder; returns the epoch of the sessions to come."""
    code = lock_code(session, serial)
    code.epoch = code.epoch % 65_535 + 1
    code.version += 1
    audit.append(session, actor, "sessions-ended", now, serial=serial)
    session.flush()
    batch_change.mark_changed(session, [serial], bulk=False)
    return code.epoch


def schedule_retry(session: Session, serial: int, moment: datetime | None) -> None:
    """Let the clock look at this code at the moment, for the platform has not answered yet; None: when it is due."""
    lock_code(session, serial).retry_at = moment


def clear_retries(session: Session, serials: Collection[int]) -> None:
    """Let the clock look at these codes when they are due, and not before."""
    waiting = update(Code).where(among(Code.serial, serials), Code.retry_at.is_not(None))
    session.execute(waiting.values(retry_at=None))


def lease_due(session: Session, now: datetime, until: datetime, limit: int) -> list[int]:
    """The serials of codes that are due for a look, earliest first; nobody else gets them before `until`."""
    next_look = func.coalesce(Code.retry_at, Code.due_at)
    due = select(Code.serial).where(next_look <= now).order_by(next_look).limit(limit)
    serials = list(session.scalars(due.with_for_update(skip_locked=True)))
    session.execute(update(Code).where(among(Code.serial, serials)).values(retry_at=until))
    return serials


def load_evidence(session: Session, serial: int) -> list[Evidence]:
    """All evidence of a code as facts for the rules, withdrawn ones included, as the database has it now."""
    return batch_change.load_evidence(session, [serial])[serial]


def load_evidence_many(session: Session, serials: Collection[int]) -> Mapping[int, list[Evidence]]:
    """All evidence of many codes by serial, as `evidence_of` has it for one."""
    return batch_change.load_evidence(session, serials)


@contextmanager
def rolled_back(session: Session) -> Iterator[None]:
    """Roll back what is written inside: the rows, the jobs, and the note of which codes to refresh after the commit.

    The ledger writes past the session's objects, so that all of them are read anew afterwards.
    """
    marked = set(session.info.get(batch_change.CHANGED_SERIALS, ()))
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        session.info[batch_change.CHANGED_SERIALS] = marked
        session.expire_all()

"""How an appeal ends: upheld, because the record is right, or mended, because evidence fell or came.

Nobody types a color here: it follows by the rules, and can be looked at before. Whoever had a hand in the evidence of
the decision does not settle the appeal.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.appeals.appeals import actor_of, append_audit, require_visible
from app.appeals.models import Appeal
from app.appeals.record import lowers_risk
from app.codes import explanation, ledger
from app.codes.explanation import EvidencePreview
from app.codes.models import Code, DecisionRow, EvidenceRow
from app.codes.states import State
from app.core.db import among
from app.core.errors import Problem, bad_field
from app.entries import effects, workflow
from app.entries.models import Entry, EntrySubject
from app.entries.validation import RISK_LOWERING_KINDS, RejectionReason
from app.rules import Policy
from app.staff import officers
from app.staff.models import Officer, Role


class UpholdReason(StrEnum):
    """Why a color was right: grounds that the record shows, and no others."""

    DOCUMENT_CONFIRMS = "document-confirms"  # the document that the evidence names says so
    PERIOD_RUNS = "period-runs"  # a quarantine or observation has not ended yet
    OWN_STATEMENT = "own-statement"  # it rests on what the citizen declared
    PLATFORM_CONFIRMS = "platform-confirms"  # the national platform was asked again and says so


class LaterEntry(NamedTuple):
    """What officers have recorded about the person since the appeal was filed, and what counts."""

    entry: int
    kind: str
    authority: str
    reference: str
    evidence: str


def uphold(session: Session, officer: Officer, id_: int, reason: UpholdReason, now: datetime) -> Appeal:
    """Answer that the color was right. Raises Problem."""
    appeal = _lock_appeal(session, officer, id_)
    appeal.resulting_decision_id = ledger.get_code(session, appeal.serial).decision_id
    _resolve(session, officer, appeal, "upheld", reason, now)
    return appeal


def overturn(
    session: Session,
    policy: Policy,
    officer: Officer,
    id_: int,
    withdrawals: Mapping[str, RejectionReason],
    now: datetime,
    entry_id: int | None = None,
) -> Appeal:
    """Mend the record: withdraw evidence of the decision, each for a reason, or name a proposal that counts since.

    What others have withdrawn since the appeal was filed mends it as well. Raises Problem.
    """
    appeal = _lock_appeal(session, officer, id_)
    appeal.added_evidence = _validate_overturn(session, appeal, withdrawals, entry_id)
    _preview(session, policy, appeal, withdrawals, now)
    if withdrawals:
        actor = actor_of(officer)
        ledger.withdraw_some(session, policy, appeal.serial, withdrawals, actor=actor, now=now)
        effects.end_undiagnosed_cases(session, policy, [appeal.serial], officer, Role.APPEALS, now)
    appeal.withdrawn_evidence = _withdrawn_since(session, appeal)
    appeal.resulting_decision_id = session.get_one(Code, appeal.serial, populate_existing=True).decision_id
    _resolve(
        session,
        officer,
        appeal,
        "overturned",
        "evidence-withdrawn" if appeal.withdrawn_evidence else "evidence-added",
        now,
    )
    return appeal


def preview_overturn(
    session: Session,
    policy: Policy,
    officer: Officer,
    id_: int,
    withdrawals: Mapping[str, RejectionReason],
    now: datetime,
    entry_id: int | None = None,
) -> EvidencePreview:
    """What the code would be if the record were mended so; writes nothing. Raises Problem where `mend` would."""
    appeal = _lock_appeal(session, officer, id_)
    _validate_overturn(session, appeal, withdrawals, entry_id)
    return _preview(session, policy, appeal, withdrawals, now)


def may_resolve(session: Session, officer: Officer, appeal: Appeal) -> bool:
    """Whether an officer who sees the appeal had no hand in its evidence."""
    hands = select(Entry.recorder_id, Entry.cleared_by, Entry.resolved_by).join(
        EntrySubject, EntrySubject.entry_id == Entry.id
    )
    evidence = _decision(session, appeal).evidence
    signed = session.scalars(select(EvidenceRow.recorded_by).where(among(EvidenceRow.id, evidence)))
    rows = session.execute(hands.where(among(EntrySubject.evidence_id, evidence)))
    return not any(officer.id in row for row in rows) and not any(
        officer.id in officers.officer_ids_of(actor) for actor in signed
    )


def list_later_entries(session: Session, appeal: Appeal) -> Sequence[LaterEntry]:
    """What was recorded about the person since the appeal was filed, and counts: one of these can mend it."""
    rows = (
        select(Entry.id, Entry.kind, Entry.authority, Entry.reference, EvidenceRow.id)
        .select_from(EntrySubject)
        .join(EvidenceRow, EvidenceRow.id == EntrySubject.evidence_id)
        .join(Entry, Entry.id == EntrySubject.entry_id)
        .where(
            Entry.state == "applied",
            EntrySubject.serial == appeal.serial,
            EvidenceRow.recorded_at >= appeal.filed_at,
            EvidenceRow.withdrawn_at.is_(None),
        )
        .order_by(Entry.id)
    )
    return [LaterEntry(*row) for row in session.execute(rows)]


# --- what must hold -----------------------------------------------------------------------------------------------


def _lock_appeal(session: Session, officer: Officer, id_: int) -> Appeal:
    """An open appeal that the officer may settle, locked after its code, as everywhere. Raises Problem."""
    workflow.lock_workflow(session)
    ledger.lock_code(session, require_visible(officer, session.get(Appeal, id_)).serial)
    appeal = session.get_one(Appeal, id_, with_for_update=True, populate_existing=True)
    if appeal.state != "open":
        raise Problem("appeal-resolved")
    if not may_resolve(session, officer, appeal):
        raise Problem("own-record")
    return appeal


def _validate_overturn(
    session: Session, appeal: Appeal, withdrawals: Mapping[str, RejectionReason], entry_id: int | None
) -> str | None:
    """The evidence of the proposal that is named, if one is. Raises Problem where nothing of this mends the record.

    Alone, a proposal must lower a risk; what makes a code worse mends only a record from which something falls. What
    ended a restriction or an infection does not fall here.
    """
    fallen = _withdrawn_since(session, appeal)
    if not set(withdrawals) <= set(_decision(session, appeal).evidence):
        raise bad_field("/withdrawals", "not-a-choice")
    if not fallen and not withdrawals and entry_id is None:
        raise bad_field("/withdrawals", "required")
    if not set(withdrawals).isdisjoint(fallen):
        raise Problem("evidence-not-found")
    rows = session.execute(select(EvidenceRow.kind, EvidenceRow.facts).where(among(EvidenceRow.id, withdrawals)))
    if any(lowers_risk(kind, facts) for kind, facts in rows):
        raise bad_field("/withdrawals", "lowers-risk")
    if entry_id is None:
        return None
    added = next((one for one in list_later_entries(session, appeal) if one.entry == entry_id), None)
    if added is None or (added.kind not in RISK_LOWERING_KINDS and not withdrawals):
        raise bad_field("/entry", "no-such-entry")
    return added.evidence


def _preview(
    session: Session, policy: Policy, appeal: Appeal, withdrawals: Mapping[str, RejectionReason], now: datetime
) -> EvidencePreview:
    """What the code would be. Raises Problem where it would be orange or red and worse, or green no more."""
    outlook = explanation.preview_withdrawal(session, policy, appeal.serial, withdrawals, now)
    worse = outlook.then > outlook.now and outlook.then >= State.ORANGE
    if withdrawals and (worse or (outlook.now is State.GREEN and outlook.then is not State.GREEN)):
        raise bad_field("/withdrawals", "makes-worse")
    return outlook


def _decision(session: Session, appeal: Appeal) -> DecisionRow:
    """The decision that the appeal is about."""
    return session.get_one(DecisionRow, appeal.decision_id)


def _withdrawn_since(session: Session, appeal: Appeal) -> list[str]:
    """The evidence of the decision that was withdrawn after the appeal was filed, by whomever."""
    fallen = select(EvidenceRow.id).where(
        among(EvidenceRow.id, _decision(session, appeal).evidence), EvidenceRow.withdrawn_at >= appeal.filed_at
    )
    return list(session.scalars(fallen.order_by(EvidenceRow.at, EvidenceRow.id)))


# --- what follows -------------------------------------------------------------------------------------------------


def _resolve(session: Session, officer: Officer, appeal: Appeal, state: str, outcome: str, now: datetime) -> None:
    appeal.state, appeal.outcome, appeal.resolved_by, appeal.resolved_at = state, outcome, officer.id, now
    action = {"overturned": "mended"}.get(state, state)  # the API gives the action to citizens
    append_audit(session, actor_of(officer), action, appeal, now, outcome=outcome)

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

from app.codes import explaining, ledger
from app.codes.explaining import Outlook
from app.codes.models import Code, DecisionRow, EvidenceRow
from app.codes.states import State
from app.db import among
from app.errors import Problem, bad_field
from app.officers import accounts, applying, proposals
from app.officers.appeal_models import Appeal
from app.officers.appeal_record import lowers_risk
from app.officers.appeals import actor_of, note, within
from app.officers.drafts import MILDER, Refusal
from app.officers.models import Concerned, Officer, Proposal, Role
from app.rules import Policy


class Uphold(StrEnum):
    """Why a color was right: grounds that the record shows, and no others."""

    DOCUMENT_CONFIRMS = "document-confirms"  # the document that the evidence names says so
    PERIOD_RUNS = "period-runs"  # a quarantine or observation has not ended yet
    OWN_STATEMENT = "own-statement"  # it rests on what the citizen declared
    PLATFORM_CONFIRMS = "platform-confirms"  # the national platform was asked again and says so


class Since(NamedTuple):
    """What officers have recorded about the person since the appeal was filed, and what counts."""

    proposal: int
    kind: str
    authority: str
    reference: str
    evidence: str


def uphold(session: Session, officer: Officer, id_: int, reason: Uphold, now: datetime) -> Appeal:
    """Answer that the color was right. Raises Problem."""
    appeal = _locked(session, officer, id_)
    appeal.decided = ledger.code_of(session, appeal.serial).decision_id
    _settle(session, officer, appeal, "upheld", reason, now)
    return appeal


def mend(
    session: Session,
    policy: Policy,
    officer: Officer,
    id_: int,
    withdrawals: Mapping[str, Refusal],
    now: datetime,
    proposal_id: int | None = None,
) -> Appeal:
    """Mend the record: withdraw evidence of the decision, each for a reason, or name a proposal that counts since.

    What others have withdrawn since the appeal was filed mends it as well. Raises Problem.
    """
    appeal = _locked(session, officer, id_)
    appeal.added = _check(session, appeal, withdrawals, proposal_id)
    _outlook(session, policy, appeal, withdrawals, now)
    if withdrawals:
        actor = actor_of(officer)
        ledger.withdraw_some(session, policy, appeal.serial, withdrawals, actor=actor, now=now)
        applying.end_cases_without_diagnosis(session, policy, [appeal.serial], officer, Role.APPEALS, now)
    appeal.withdrawn = _fallen_since(session, appeal)
    appeal.decided = session.get_one(Code, appeal.serial, populate_existing=True).decision_id
    _settle(session, officer, appeal, "mended", "evidence-withdrawn" if appeal.withdrawn else "evidence-added", now)
    return appeal


def outlook(
    session: Session,
    policy: Policy,
    officer: Officer,
    id_: int,
    withdrawals: Mapping[str, Refusal],
    now: datetime,
    proposal_id: int | None = None,
) -> Outlook:
    """What the code would be if the record were mended so; writes nothing. Raises Problem where `mend` would."""
    appeal = _locked(session, officer, id_)
    _check(session, appeal, withdrawals, proposal_id)
    return _outlook(session, policy, appeal, withdrawals, now)


def may_settle(session: Session, officer: Officer, appeal: Appeal) -> bool:
    """Whether an officer who sees the appeal had no hand in its evidence."""
    hands = select(Proposal.recorder_id, Proposal.released_by, Proposal.settled_by).join(
        Concerned, Concerned.proposal_id == Proposal.id
    )
    evidence = _decision(session, appeal).evidence
    signed = session.scalars(select(EvidenceRow.recorded_by).where(among(EvidenceRow.id, evidence)))
    rows = session.execute(hands.where(among(Concerned.evidence_id, evidence)))
    return not any(officer.id in row for row in rows) and not any(
        officer.id in accounts.officers_in(actor) for actor in signed
    )


def recorded_since(session: Session, appeal: Appeal) -> Sequence[Since]:
    """What was recorded about the person since the appeal was filed, and counts: one of these can mend it."""
    rows = (
        select(Proposal.id, Proposal.kind, Proposal.authority, Proposal.reference, EvidenceRow.id)
        .select_from(Concerned)
        .join(EvidenceRow, EvidenceRow.id == Concerned.evidence_id)
        .join(Proposal, Proposal.id == Concerned.proposal_id)
        .where(
            Proposal.state == "applied",
            Concerned.serial == appeal.serial,
            EvidenceRow.recorded_at >= appeal.filed_at,
            EvidenceRow.withdrawn_at.is_(None),
        )
        .order_by(Proposal.id)
    )
    return [Since(*row) for row in session.execute(rows)]


# --- what must hold -----------------------------------------------------------------------------------------------


def _locked(session: Session, officer: Officer, id_: int) -> Appeal:
    """An open appeal that the officer may settle, locked after its code, as everywhere. Raises Problem."""
    proposals.in_turn(session)
    ledger.lock_code(session, within(officer, session.get(Appeal, id_)).serial)
    appeal = session.get_one(Appeal, id_, with_for_update=True, populate_existing=True)
    if appeal.state != "open":
        raise Problem("appeal-settled")
    if not may_settle(session, officer, appeal):
        raise Problem("own-record")
    return appeal


def _check(session: Session, appeal: Appeal, withdrawals: Mapping[str, Refusal], proposal_id: int | None) -> str | None:
    """The evidence of the proposal that is named, if one is. Raises Problem where nothing of this mends the record.

    Alone, a proposal must lower a risk; what makes a code worse mends only a record from which something falls. What
    ended a restriction or an infection does not fall here.
    """
    fallen = _fallen_since(session, appeal)
    if not set(withdrawals) <= set(_decision(session, appeal).evidence):
        raise bad_field("/withdrawals", "not-a-choice")
    if not fallen and not withdrawals and proposal_id is None:
        raise bad_field("/withdrawals", "required")
    if not set(withdrawals).isdisjoint(fallen):
        raise Problem("evidence-not-found")
    rows = session.execute(select(EvidenceRow.kind, EvidenceRow.facts).where(among(EvidenceRow.id, withdrawals)))
    if any(lowers_risk(kind, facts) for kind, facts in rows):
        raise bad_field("/withdrawals", "lowers-risk")
    if proposal_id is None:
        return None
    added = next((one for one in recorded_since(session, appeal) if one.proposal == proposal_id), None)
    if added is None or (added.kind not in MILDER and not withdrawals):
        raise bad_field("/proposal", "no-such-proposal")
    return added.evidence


def _outlook(
    session: Session, policy: Policy, appeal: Appeal, withdrawals: Mapping[str, Refusal], now: datetime
) -> Outlook:
    """What the code would be. Raises Problem where it would be orange or red and worse, or green no more."""
    outlook = explaining.without(session, policy, appeal.serial, withdrawals, now)
    worse = outlook.then > outlook.now and outlook.then >= State.ORANGE
    if withdrawals and (worse or (outlook.now is State.GREEN and outlook.then is not State.GREEN)):
        raise bad_field("/withdrawals", "makes-worse")
    return outlook


def _decision(session: Session, appeal: Appeal) -> DecisionRow:
    """The decision that the appeal is about."""
    return session.get_one(DecisionRow, appeal.decision_id)


def _fallen_since(session: Session, appeal: Appeal) -> list[str]:
    """The evidence of the decision that was withdrawn after the appeal was filed, by whomever."""
    fallen = select(EvidenceRow.id).where(
        among(EvidenceRow.id, _decision(session, appeal).evidence), EvidenceRow.withdrawn_at >= appeal.filed_at
    )
    return list(session.scalars(fallen.order_by(EvidenceRow.at, EvidenceRow.id)))


# --- what follows -------------------------------------------------------------------------------------------------


def _settle(session: Session, officer: Officer, appeal: Appeal, state: str, outcome: str, now: datetime) -> None:
    appeal.state, appeal.outcome, appeal.settled_by, appeal.settled_at = state, outcome, officer.id, now
    note(session, actor_of(officer), state, appeal, now, outcome=outcome)

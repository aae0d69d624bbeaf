"""Appeals (纠错): a citizen objects to a decision, and an officer looks at the record on which it rests.

Nobody types a color here. An appeal ends upheld, because the record is right, or mended, because evidence fell or came,
and the color follows by the rules. Whoever had a hand in that evidence does not settle the appeal. One that nobody has
settled in time is escalated: every district sees it from then on.

    open -> upheld, mended        an appeals officer
         -> withdrawn             its citizen is erased (appeal_retention.py)
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens.models import Account
from app.codes import ledger
from app.codes.models import Code, DecisionRow, EvidenceRow
from app.codes.states import State
from app.db import among
from app.errors import Problem, bad_field
from app.officers import proposals
from app.officers.appeal_models import Appeal, Attachment
from app.officers.appeal_record import Record, record_of
from app.officers.attachments import Attached
from app.officers.models import Concerned, Officer, Proposal, Role
from app.officers.proposals import MILDER, Refusal
from app.rules import Policy
from app.vault import Vault

APPEALS = Role.APPEALS
ANSWERED_IN = timedelta(hours=24)
MOST, MOST_IN = 3, timedelta(days=7)
LONGEST = 500
_TEXT, _CONTENT = "appeals.text", "attachments.content"


class Uphold(StrEnum):
    """Why a color was right: grounds that the record shows, and no others."""

    DOCUMENT_CONFIRMS = "document-confirms"  # the document that the evidence names says so
    PERIOD_RUNS = "period-runs"  # a quarantine or observation has not ended yet
    OWN_STATEMENT = "own-statement"  # it rests on what the citizen declared
    PLATFORM_CONFIRMS = "platform-confirms"  # the national platform was asked again and says so


class Opened(NamedTuple):
    """An appeal on an officer's desk: what the citizen says, what they attached, and the record."""

    appeal: Appeal
    text: str | None
    attachments: Sequence[Any]
    record: Record


def file(session: Session, vault: Vault, serial: int, text: str, attached: Sequence[Attached], now: datetime) -> Appeal:
    """Appeal against the decision that is in force.

    Raises Problem: `not-registered` (erased meanwhile), `identity-unconfirmed`, `not-declared`, `appeal-open`,
    `appeals-too-many`, or a bad text.
    """
    text = _checked(text)
    code = ledger.lock_code(session, serial)
    if session.get(Account, serial) is None:
        raise Problem("not-registered")
    if code.confirmed_at is None:  # the record is not for a holder who only says so
        raise Problem("identity-unconfirmed")
    if code.decision_id is None or code.state == State.NOT_DECLARED:
        raise Problem("not-declared")
    _check_free(session, serial, now)
    decision = session.get_one(DecisionRow, code.decision_id)
    appeal = Appeal(
        serial=serial, decision_id=decision.id, district=_district(session, decision), filed_at=now,
        due_at=now + ANSWERED_IN, text_sealed=vault.seal(_TEXT, text), state="open", withdrawn=[],
    )  # fmt: skip
    session.add(appeal)
    session.flush()
    for kind, content in attached:
        sealed = vault.seal_bytes(_CONTENT, content)
        session.add(Attachment(appeal_id=appeal.id, kind=kind, size=len(content), content_sealed=sealed))
    actor, attachments = Actor("citizen", str(serial)), len(attached)
    _note(session, actor, "filed", appeal, now, decision=decision.id, attachments=attachments)
    return appeal


def own(session: Session, serial: int) -> Sequence[Appeal]:
    """The appeals of a citizen, newest first; none of those that were filed before the holder came."""
    code = ledger.code_of(session, serial)
    rows = session.scalars(select(Appeal).where(Appeal.serial == serial).order_by(Appeal.id.desc()))
    return [appeal for appeal in rows if not code.may_not_know(appeal.filed_at)]


def text_of(vault: Vault, appeal: Appeal) -> str | None:
    """What the citizen wrote; None once it is forgotten."""
    return None if appeal.text_sealed is None else vault.open(_TEXT, appeal.text_sealed)


def waiting_for(session: Session, officer: Officer) -> Sequence[Appeal]:
    """The open appeals that an officer may look at, the most urgent first; a hand in the evidence is not asked here."""
    _must_hear_appeals(officer)
    rows = select(Appeal).where(Appeal.state == "open").order_by(Appeal.due_at, Appeal.id)
    if officer.district is not None:
        rows = rows.where(or_(Appeal.district == officer.district, Appeal.escalated_at.is_not(None)))
    return session.scalars(rows).all()


def read(session: Session, vault: Vault, officer: Officer, id_: int, now: datetime) -> Opened:
    """Open an appeal, which the audit notes. Raises Problem."""
    appeal = _within(officer, session.get(Appeal, id_))
    columns = select(Attachment.id, Attachment.kind, Attachment.size).where(Attachment.appeal_id == id_)
    attachments = session.execute(columns.order_by(Attachment.id)).all()
    _note(session, _actor(officer), "read", appeal, now)
    return Opened(appeal, text_of(vault, appeal), attachments, record_of(session, appeal))


def attachment(session: Session, vault: Vault, officer: Officer, id_: int, now: datetime) -> Attached:
    """One attachment, which the audit notes; to be saved, never shown inside a page of ours. Raises Problem."""
    row = session.get(Attachment, id_)
    appeal = _within(officer, None if row is None else session.get(Appeal, row.appeal_id))
    assert row is not None
    _note(session, _actor(officer), "attachment-read", appeal, now, attachment=id_)
    return Attached(row.kind, vault.open_bytes(_CONTENT, row.content_sealed))


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
    decision = session.get_one(DecisionRow, appeal.decision_id)
    if not set(withdrawals) <= set(decision.evidence):
        raise bad_field("/withdrawals", "not-a-choice")
    appeal.added = None if proposal_id is None else _added(session, appeal, proposal_id, bool(withdrawals))
    if withdrawals:
        actor = _actor(officer)
        ledger.withdraw_some(session, policy, appeal.serial, withdrawals, actor=actor, now=now)
        proposals.end_cases_without_diagnosis(session, policy, appeal.serial, officer, now)
    appeal.withdrawn = _fallen_since(session, appeal, decision)
    if not appeal.withdrawn and appeal.added is None:
        raise bad_field("/withdrawals", "required")
    appeal.decided = session.get_one(Code, appeal.serial, populate_existing=True).decision_id
    _settle(session, officer, appeal, "mended", "evidence-withdrawn" if appeal.withdrawn else "evidence-added", now)
    return appeal


def escalate(session: Session, now: datetime, most: int) -> int:
    """Show appeals that nobody has settled in time to every district; returns how many."""
    late = select(Appeal).where(Appeal.state == "open", Appeal.due_at <= now, Appeal.escalated_at.is_(None))
    appeals = session.scalars(late.order_by(Appeal.due_at).limit(most).with_for_update(skip_locked=True)).all()
    for appeal in appeals:
        appeal.escalated_at = now
        _note(session, audit.CLOCK, "escalated", appeal, now)
    return len(appeals)


# --- what must hold -----------------------------------------------------------------------------------------------


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise bad_field("/text", "required")
    if len(text) > LONGEST:
        raise bad_field("/text", "too-long")
    if not text.replace("\r\n", "\n").replace("\n", "").isprintable():
        raise bad_field("/text", "invalid")
    return text


def _check_free(session: Session, serial: int, now: datetime) -> None:
    """One open appeal a person, and three in a week. The code is locked, so that nobody files two at once."""
    recent = session.scalars(
        select(Appeal).where(Appeal.serial == serial, Appeal.filed_at > now - MOST_IN).order_by(Appeal.filed_at)
    ).all()
    if session.scalar(select(func.count()).where(Appeal.serial == serial, Appeal.state == "open")):
        raise Problem("appeal-open")
    if len(recent) >= MOST:
        wait = recent[-MOST].filed_at + MOST_IN - now
        raise Problem("appeals-too-many", retry_after=int(wait.total_seconds()) + 1)


def _district(session: Session, decision: DecisionRow) -> str | None:
    """The district whose officers proposed the evidence; the province, where it is none or several."""
    of_evidence = select(Proposal.district).join(Concerned, Concerned.proposal_id == Proposal.id).distinct()
    districts = session.scalars(of_evidence.where(among(Concerned.evidence_id, decision.evidence))).all()
    return districts[0] if len(districts) == 1 else None


def _must_hear_appeals(officer: Officer) -> None:
    if APPEALS not in officer.roles:
        raise Problem("not-your-role")


def _within(officer: Officer, appeal: Appeal | None) -> Appeal:
    """The appeal, where the officer's district has it or it is escalated. Raises Problem."""
    _must_hear_appeals(officer)
    if appeal is None or (officer.district not in (None, appeal.district) and appeal.escalated_at is None):
        raise Problem("appeal-not-found")
    return appeal


def _locked(session: Session, officer: Officer, id_: int) -> Appeal:
    """An open appeal that the officer may settle, locked after its code, as everywhere. Raises Problem."""
    ledger.lock_code(session, _within(officer, session.get(Appeal, id_)).serial)
    appeal = session.get_one(Appeal, id_, with_for_update=True, populate_existing=True)
    if appeal.state != "open":
        raise Problem("appeal-settled")
    decision = session.get_one(DecisionRow, appeal.decision_id)
    hands = select(Proposal.recorder_id, Proposal.released_by, Proposal.settled_by).join(
        Concerned, Concerned.proposal_id == Proposal.id
    )
    if any(officer.id in row for row in session.execute(hands.where(among(Concerned.evidence_id, decision.evidence)))):
        raise Problem("own-record")
    return appeal


def _added(session: Session, appeal: Appeal, proposal_id: int, replaces: bool) -> str:
    """The evidence of a proposal about this person that counts since the appeal was filed.

    Alone it must lower a risk; what makes a code worse mends only a record from which something falls.
    """
    found = session.execute(
        select(EvidenceRow.id, Proposal.kind)
        .join(Concerned, Concerned.evidence_id == EvidenceRow.id)
        .join(Proposal, Proposal.id == Concerned.proposal_id)
        .where(
            Proposal.id == proposal_id,
            Proposal.state == "applied",
            Concerned.serial == appeal.serial,
            EvidenceRow.recorded_at >= appeal.filed_at,
            EvidenceRow.withdrawn_at.is_(None),
        )
    ).first()
    if found is None or (found.kind not in MILDER and not replaces):
        raise bad_field("/proposal", "no-such-proposal")
    return str(found.id)


def _fallen_since(session: Session, appeal: Appeal, decision: DecisionRow) -> list[str]:
    """The evidence of the decision that was withdrawn after the appeal was filed, by whomever."""
    fallen = select(EvidenceRow.id).where(
        among(EvidenceRow.id, decision.evidence), EvidenceRow.withdrawn_at >= appeal.filed_at
    )
    return list(session.scalars(fallen.order_by(EvidenceRow.at, EvidenceRow.id)))


# --- what follows -------------------------------------------------------------------------------------------------


def _settle(session: Session, officer: Officer, appeal: Appeal, state: str, outcome: str, now: datetime) -> None:
    appeal.state, appeal.outcome, appeal.settled_by, appeal.settled_at = state, outcome, officer.id, now
    _note(session, _actor(officer), state, appeal, now, outcome=outcome)


def _actor(officer: Officer) -> Actor:
    return Actor("officer", str(officer.id))


def _note(session: Session, actor: Actor, deed: str, appeal: Appeal, now: datetime, **more: Any) -> None:
    audit.enter(session, actor, f"appeal-{deed}", now, serial=appeal.serial, appeal=appeal.id, **more)

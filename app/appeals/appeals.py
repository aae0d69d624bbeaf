"""Appeals (纠错): a citizen objects to a decision, and an officer checks the record on which it rests.

Owns how an appeal is filed, and its escalation: every district sees an overdue appeal. `viewing.py` shows appeals to
officers, `resolution.py` resolves them.

    open -> upheld, overturned    an appeals officer
         -> withdrawn             its citizen is erased (`retention.py`)
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import audit
from app.appeals.attachments import AttachmentFile
from app.appeals.models import Appeal, Attachment
from app.audit import Actor
from app.citizens.models import Account
from app.codes import ledger
from app.codes.models import Code, DecisionRow
from app.codes.states import State
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem
from app.entries.models import Entry, EntrySubject

ANSWER_DEADLINE = timedelta(hours=24)
MAX_APPEALS, MAX_APPEALS_PERIOD = 3, timedelta(days=7)
MAX_TEXT_LENGTH = 500
_TEXT, CONTENT = "appeals.text", "attachments.content"


class NewAppeal(NamedTuple):
    """An appeal to file, by its citizen or in their name (`by_system`)."""

    serial: int
    text: str
    attachments: Sequence[AttachmentFile] = ()
    by_system: bool = False


def file_appeal(session: Session, encryption: FieldEncryption, new: NewAppeal, now: datetime) -> Appeal:
    """File an appeal against the decision in force.

    Raises Problem: `not-registered` (erased meanwhile), `identity-unconfirmed`, `not-declared`, `nothing-to-appeal`,
    `appeal-open`, `appeals-too-many`, or a bad text.
    """
    new = new._replace(text=new.text.strip())
    if wrong := find_text_errors(new.text):
        raise Problem("invalid-request", fields=tuple(wrong))
    decision = _lock_decision(session, new.serial)
    _require_may_file(session, new.serial, now)
    return add(session, encryption, new, decision, now)


def add(session: Session, encryption: FieldEncryption, new: NewAppeal, decision: DecisionRow, now: datetime) -> Appeal:
    """Add an appeal against a decision of a locked code."""
    appeal = Appeal(
        serial=new.serial, decision_id=decision.id, district=_district(session, decision), filed_at=now,
        due_at=now + ANSWER_DEADLINE, text_ciphertext=encryption.encrypt(_TEXT, new.text), state="open",
        withdrawn_evidence=[],
    )  # fmt: skip
    session.add(appeal)
    session.flush()
    for kind, content in new.attachments:
        ciphertext = encryption.encrypt_bytes(CONTENT, content)
        session.add(Attachment(appeal_id=appeal.id, kind=kind, size=len(content), content_ciphertext=ciphertext))
    detail: dict[str, Any] = {"appeal": appeal.id, "decision": decision.id, "attachments": len(new.attachments)}
    actor = audit.CLOCK if new.by_system else Actor("citizen", str(new.serial))
    audit.append(session, actor, "appeal-filed", now, serial=new.serial, **detail)
    return appeal


def require_right(session: Session, serial: int, now: datetime) -> None:
    """Require that a citizen may appeal now, before their appeal is read. Raises Problem as `file_appeal` does."""
    _require_decision(session, ledger.get_code(session, serial))
    _require_may_file(session, serial, now)


def list_own(session: Session, serial: int) -> Sequence[Appeal]:
    """List the appeals of a citizen, newest first: those since they claimed the code.

    Once they are confirmed, also those that were answered before, or withdrawn as they were erased.
    """
    code = ledger.get_code(session, serial)
    listed = Appeal.filed_at >= (code.claimed_at or code.opened_at)
    if not code.is_withheld:
        listed = or_(listed, Appeal.resolved_at < code.claimed_at)
    rows = select(Appeal).where(Appeal.serial == serial, listed)
    return session.scalars(rows.order_by(Appeal.id.desc())).all()


def decrypt_text(encryption: FieldEncryption, appeal: Appeal) -> str | None:
    """Decrypt the text of an appeal; None once it is deleted."""
    return None if appeal.text_ciphertext is None else encryption.decrypt(_TEXT, appeal.text_ciphertext)


def escalate_overdue(session: Session, now: datetime, most: int) -> int:
    """Escalate overdue appeals, which every district sees from then on; returns their number."""
    late = select(Appeal).where(Appeal.state == "open", Appeal.due_at <= now, Appeal.escalated_at.is_(None))
    appeals = session.scalars(late.order_by(Appeal.due_at).limit(most).with_for_update(skip_locked=True)).all()
    for appeal in appeals:
        appeal.escalated_at = now
        audit.append(session, audit.CLOCK, "appeal-escalated", now, serial=appeal.serial, appeal=appeal.id)
    return len(appeals)


# --- what must hold -----------------------------------------------------------------------------------------------
def find_text_errors(text: str) -> list[FieldError]:
    """Return what is wrong with the text of an appeal."""
    text = text.strip()
    if not text:
        return [FieldError("/text", "required")]
    if len(text) > MAX_TEXT_LENGTH:
        return [FieldError("/text", "too-long")]
    is_printable = text.replace("\r\n", "\n").replace("\n", "").isprintable()
    return [] if is_printable else [FieldError("/text", "invalid")]


def _lock_decision(session: Session, serial: int) -> DecisionRow:
    """Return the decision in force of a code, which is locked. Raises Problem."""
    return session.get_one(DecisionRow, _require_decision(session, ledger.lock_code(session, serial)))


def _require_decision(session: Session, code: Code) -> int:
    """Return the id of the decision that the holder of a code may appeal against. Raises Problem."""
    if session.get(Account, code.serial) is None:
        raise Problem("not-registered")
    if code.confirmed_at is None:  # the record is not for a holder whose identity is only claimed
        raise Problem("identity-unconfirmed")
    if code.decision_id is None or code.state == State.NOT_DECLARED:
        raise Problem("not-declared")
    if code.state == State.GREEN:  # no evidence of it restricts anybody, and no answer could make it better
        raise Problem("nothing-to-appeal")
    return code.decision_id


def _require_may_file(session: Session, serial: int, now: datetime) -> None:
    """Allow one open appeal per person, and three in a week; while the code is locked, nobody files two at once."""
    claimed_at = ledger.get_code(session, serial).claimed_at
    filed = select(Appeal).where(Appeal.serial == serial).order_by(Appeal.filed_at)
    own = [one for one in session.scalars(filed) if claimed_at is None or one.filed_at >= claimed_at]
    recent = [appeal for appeal in own if appeal.filed_at > now - MAX_APPEALS_PERIOD]
    if any(appeal.state == "open" for appeal in own):
        raise Problem("appeal-open")
    if len(recent) >= MAX_APPEALS:
        wait = recent[-MAX_APPEALS].filed_at + MAX_APPEALS_PERIOD - now
        raise Problem("appeals-too-many", retry_after=int(wait.total_seconds()) + 1)


def _district(session: Session, decision: DecisionRow) -> str | None:
    """Return the district whose officers recorded the evidence; None, the province, where it is none or several."""
    of_evidence = select(Entry.district).join(EntrySubject, EntrySubject.entry_id == Entry.id).distinct()
    districts = session.scalars(of_evidence.where(among(EntrySubject.evidence_id, decision.evidence))).all()
    return districts[0] if len(districts) == 1 else None

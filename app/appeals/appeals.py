"""Appeals (纠错): a citizen objects to a decision, and an officer checks the record on which it rests.

Owns how an appeal is filed, who may view it, and its escalation: every district sees an overdue appeal. `resolution.py`
resolves appeals.

    open -> upheld, overturned    an appeals officer
         -> withdrawn             its citizen is erased (`retention.py`)
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app import audit
from app.appeals.attachments import AttachmentFile
from app.appeals.models import Appeal, Attachment
from app.appeals.record import AppealRecord, load_record
from app.audit import Actor, AuditEvent
from app.citizens.models import Account
from app.codes import ledger
from app.codes.models import Code, DecisionRow
from app.codes.states import State
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem
from app.entries.models import Entry, EntrySubject
from app.staff.context import OfficerContext
from app.staff.models import Officer, Role

ANSWER_DEADLINE = timedelta(hours=24)
MAX_APPEALS, MAX_APPEALS_PERIOD = 3, timedelta(days=7)
MAX_TEXT_LENGTH = 500
RESOLVED_SHOWN_FOR = timedelta(days=7)  # in the list of resolved appeals
_TEXT, _CONTENT = "appeals.text", "attachments.content"


class NewAppeal(NamedTuple):
    """An appeal to file, by its citizen or in their name (`by_system`)."""

    serial: int
    text: str
    attachments: Sequence[AttachmentFile] = ()
    by_system: bool = False


class AppealDetail(NamedTuple):
    """An appeal as an officer views it: what the citizen wrote and attached, and the record."""

    appeal: Appeal
    text: str | None
    attachments: Sequence[Any]
    record: AppealRecord


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
        ciphertext = encryption.encrypt_bytes(_CONTENT, content)
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


def list_open(session: Session, officer: Officer, most: int | None = None, skip: int = 0) -> Sequence[Appeal]:
    """List the open appeals that an officer may view, the most urgent first, also those that others must resolve."""
    rows = _visible_to(officer).where(Appeal.state == "open").order_by(Appeal.due_at, Appeal.id)
    return session.scalars(rows.limit(most).offset(skip)).all()


def count_open(session: Session, officer: Officer, *, due_by: datetime | None = None) -> int:
    """Count the open appeals that the officer may view, or those of them that are due by a moment."""
    waiting = _visible_to(officer).where(Appeal.state == "open")
    waiting = waiting if due_by is None else waiting.where(Appeal.due_at <= due_by)
    return session.scalars(waiting.with_only_columns(func.count())).one()


def list_resolved(session: Session, officer: Officer, now: datetime, most: int, skip: int = 0) -> Sequence[Appeal]:
    """List the recently resolved appeals that an officer may view, newest first, without those of erased citizens."""
    resolved = _visible_to(officer).where(
        Appeal.state.in_(("upheld", "overturned")),
        Appeal.resolved_at > now - RESOLVED_SHOWN_FOR,
        Appeal.text_ciphertext.is_not(None),
    )
    rows = resolved.order_by(Appeal.resolved_at.desc(), Appeal.id.desc())
    return session.scalars(rows.limit(most).offset(skip)).all()


def view_appeal(context: OfficerContext, id_: int) -> AppealDetail:
    """Return an appeal, and record the access. Raises Problem."""
    context, session = context.acting_as(Role.APPEALS), context.session
    appeal = require_visible(context.me, session.get(Appeal, id_))
    columns = select(Attachment.id, Attachment.kind, Attachment.size).where(Attachment.appeal_id == id_)
    attachments = session.execute(columns.order_by(Attachment.id)).all()
    append_audit(context, "read", appeal)
    return AppealDetail(appeal, decrypt_text(context.encryption, appeal), attachments, load_record(session, appeal))


def require_viewed(context: OfficerContext, appeal: Appeal) -> None:
    """Require that the officer was shown the appeal before they resolve it. Raises Problem `view-first`."""
    views = select(AuditEvent.id).where(
        AuditEvent.serial == appeal.serial, AuditEvent.action == "appeal-read", AuditEvent.actor == str(context.actor),
        AuditEvent.detail["appeal"].as_integer() == appeal.id,
    )  # fmt: skip
    if context.session.scalar(views.limit(1)) is None:
        raise Problem("view-first")


def view_attachment(context: OfficerContext, id_: int) -> AttachmentFile:
    """Return an attachment to save, never to show inside a page, and record the access. Raises Problem."""
    context, session = context.acting_as(Role.APPEALS), context.session
    row = session.get(Attachment, id_)
    appeal = require_visible(context.me, None if row is None else session.get(Appeal, row.appeal_id))
    assert row is not None
    append_audit(context, "attachment-read", appeal, attachment=id_)
    return AttachmentFile(row.kind, context.encryption.decrypt_bytes(_CONTENT, row.content_ciphertext))


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


def _require_appeals_role(officer: Officer) -> None:
    if Role.APPEALS not in officer.roles:
        raise Problem("not-your-role")


def _visible_to(officer: Officer) -> Select[Appeal]:
    """Select the appeals of the officer's district, and the escalated ones. Raises Problem."""
    _require_appeals_role(officer)
    rows = select(Appeal)
    if officer.district is not None:
        rows = rows.where(or_(Appeal.district == officer.district, Appeal.escalated_at.is_not(None)))
    return rows


def require_visible(officer: Officer, appeal: Appeal | None) -> Appeal:
    """Return the appeal, where the officer's district has it or it is escalated. Raises Problem."""
    _require_appeals_role(officer)
    if appeal is None or (officer.district not in (None, appeal.district) and appeal.escalated_at is None):
        raise Problem("appeal-not-found")
    return appeal


def append_audit(context: OfficerContext, action: str, appeal: Appeal, **detail: Any) -> None:
    """Append what an officer did with an appeal to the audit."""
    context.append_audit(f"appeal-{action}", serial=appeal.serial, appeal=appeal.id, **detail)

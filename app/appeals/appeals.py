"""Appeals (纠错): a citizen objects to a decision, and an officer looks at the record on which it rests.

Owns how an appeal comes, who may look at it, and what becomes of one that nobody settles in time: it is escalated, and
every district sees it from then on. How it is settled is said in appeal_settling.py.

    open -> upheld, mended        an appeals officer
         -> withdrawn             its citizen is erased (appeal_retention.py)
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
from app.audit import Actor
from app.citizens.models import Account
from app.codes import ledger
from app.codes.models import DecisionRow
from app.codes.states import State
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.errors import Problem, bad_field
from app.entries.models import Entry, EntrySubject
from app.staff.models import Officer, Role

APPEALS = Role.APPEALS
ANSWER_DEADLINE = timedelta(hours=24)
MAX_APPEALS, MAX_APPEALS_PERIOD = 3, timedelta(days=7)
MAX_TEXT_LENGTH = 500
RESOLVED_SHOWN_FOR = timedelta(days=7)  # after an appeal was settled, in the list of those
_TEXT, _CONTENT = "appeals.text", "attachments.content"


class AppealDetail(NamedTuple):
    """An appeal on an officer's desk: what the citizen says, what they attached, and the record."""

    appeal: Appeal
    text: str | None
    attachments: Sequence[Any]
    record: AppealRecord


def file_appeal(
    session: Session,
    encryption: FieldEncryption,
    serial: int,
    text: str,
    attached: Sequence[AttachmentFile],
    now: datetime,
) -> Appeal:
    """Appeal against the decision that is in force.

    Raises Problem: `not-registered` (erased meanwhile), `identity-unconfirmed`, `not-declared`, `appeal-open`,
    `appeals-too-many`, or a bad text.
    """
    text = _validate_text(text)
    code = ledger.lock_code(session, serial)
    if session.get(Account, serial) is None:
        raise Problem("not-registered")
    if code.confirmed_at is None:  # the record is not for a holder who only says so
        raise Problem("identity-unconfirmed")
    if code.decision_id is None or code.state == State.NOT_DECLARED:
        raise Problem("not-declared")
    _require_may_file(session, serial, now)
    decision = session.get_one(DecisionRow, code.decision_id)
    appeal = Appeal(
        serial=serial, decision_id=decision.id, district=_district(session, decision), filed_at=now,
        due_at=now + ANSWER_DEADLINE, text_ciphertext=encryption.encrypt(_TEXT, text), state="open", withdrawn_evidence=[],
    )  # fmt: skip
    session.add(appeal)
    session.flush()
    for kind, content in attached:
        sealed = encryption.encrypt_bytes(_CONTENT, content)
        session.add(Attachment(appeal_id=appeal.id, kind=kind, size=len(content), content_ciphertext=sealed))
    actor, attachments = Actor("citizen", str(serial)), len(attached)
    append_audit(session, actor, "filed", appeal, now, decision=decision.id, attachments=attachments)
    return appeal


def list_own(session: Session, serial: int) -> Sequence[Appeal]:
    """The appeals of a citizen, newest first; none of those that were filed before the holder came."""
    code = ledger.get_code(session, serial)
    rows = session.scalars(select(Appeal).where(Appeal.serial == serial).order_by(Appeal.id.desc()))
    return [appeal for appeal in rows if not code.must_withhold(appeal.filed_at)]


def decrypt_text(encryption: FieldEncryption, appeal: Appeal) -> str | None:
    """What the citizen wrote; None once it is forgotten."""
    return None if appeal.text_ciphertext is None else encryption.decrypt(_TEXT, appeal.text_ciphertext)


def list_open(session: Session, officer: Officer, most: int | None = None, skip: int = 0) -> Sequence[Appeal]:
    """The open appeals that an officer may look at, the most urgent first; a hand in the evidence is not asked here."""
    rows = _visible_to(officer).where(Appeal.state == "open").order_by(Appeal.due_at, Appeal.id)
    return session.scalars(rows.limit(most).offset(skip)).all()


def count_open(session: Session, officer: Officer) -> int:
    """How many open appeals the officer may look at."""
    waiting = _visible_to(officer).where(Appeal.state == "open")
    return session.scalars(waiting.with_only_columns(func.count())).one()


def list_resolved(session: Session, officer: Officer, now: datetime, most: int, skip: int = 0) -> Sequence[Appeal]:
    """What was settled in the last days of what an officer may look at, the newest first; nothing of who is erased."""
    settled = _visible_to(officer).where(
        Appeal.state.in_(("upheld", "overturned")),
        Appeal.resolved_at > now - RESOLVED_SHOWN_FOR,
        Appeal.text_ciphertext.is_not(None),
    )
    rows = settled.order_by(Appeal.resolved_at.desc(), Appeal.id.desc())
    return session.scalars(rows.limit(most).offset(skip)).all()


def view_appeal(
    session: Session, encryption: FieldEncryption, officer: Officer, id_: int, now: datetime
) -> AppealDetail:
    """Open an appeal, which the audit notes. Raises Problem."""
    appeal = require_visible(officer, session.get(Appeal, id_))
    columns = select(Attachment.id, Attachment.kind, Attachment.size).where(Attachment.appeal_id == id_)
    attachments = session.execute(columns.order_by(Attachment.id)).all()
    append_audit(session, actor_of(officer), "read", appeal, now)
    return AppealDetail(appeal, decrypt_text(encryption, appeal), attachments, load_record(session, appeal))


def view_attachment(
    session: Session, encryption: FieldEncryption, officer: Officer, id_: int, now: datetime
) -> AttachmentFile:
    """One attachment, which the audit notes; to be saved, never shown inside a page of ours. Raises Problem."""
    row = session.get(Attachment, id_)
    appeal = require_visible(officer, None if row is None else session.get(Appeal, row.appeal_id))
    assert row is not None
    append_audit(session, actor_of(officer), "attachment-read", appeal, now, attachment=id_)
    return AttachmentFile(row.kind, encryption.decrypt_bytes(_CONTENT, row.content_ciphertext))


def escalate_overdue(session: Session, now: datetime, most: int) -> int:
    """Show appeals that nobody has settled in time to every district; returns how many."""
    late = select(Appeal).where(Appeal.state == "open", Appeal.due_at <= now, Appeal.escalated_at.is_(None))
    appeals = session.scalars(late.order_by(Appeal.due_at).limit(most).with_for_update(skip_locked=True)).all()
    for appeal in appeals:
        appeal.escalated_at = now
        append_audit(session, audit.CLOCK, "escalated", appeal, now)
    return len(appeals)


# --- what must hold -----------------------------------------------------------------------------------------------


def _validate_text(text: str) -> str:
    text = text.strip()
    if not text:
        raise bad_field("/text", "required")
    if len(text) > MAX_TEXT_LENGTH:
        raise bad_field("/text", "too-long")
    if not text.replace("\r\n", "\n").replace("\n", "").isprintable():
        raise bad_field("/text", "invalid")
    return text


def _require_may_file(session: Session, serial: int, now: datetime) -> None:
    """One open appeal a person, and three in a week. The code is locked, so that nobody files two at once."""
    recent = session.scalars(
        select(Appeal)
        .where(Appeal.serial == serial, Appeal.filed_at > now - MAX_APPEALS_PERIOD)
        .order_by(Appeal.filed_at)
    ).all()
    if session.scalar(select(func.count()).where(Appeal.serial == serial, Appeal.state == "open")):
        raise Problem("appeal-open")
    if len(recent) >= MAX_APPEALS:
        wait = recent[-MAX_APPEALS].filed_at + MAX_APPEALS_PERIOD - now
        raise Problem("appeals-too-many", retry_after=int(wait.total_seconds()) + 1)


def _district(session: Session, decision: DecisionRow) -> str | None:
    """The district whose officers proposed the evidence; the province, where it is none or several."""
    of_evidence = select(Entry.district).join(EntrySubject, EntrySubject.entry_id == Entry.id).distinct()
    districts = session.scalars(of_evidence.where(among(EntrySubject.evidence_id, decision.evidence))).all()
    return districts[0] if len(districts) == 1 else None


def _require_appeals_role(officer: Officer) -> None:
    if APPEALS not in officer.roles:
        raise Problem("not-your-role")


def _visible_to(officer: Officer) -> Select[Appeal]:
    """The appeals of the officer's district, and those that are escalated. Raises Problem."""
    _require_appeals_role(officer)
    rows = select(Appeal)
    if officer.district is not None:
        rows = rows.where(or_(Appeal.district == officer.district, Appeal.escalated_at.is_not(None)))
    return rows


def require_visible(officer: Officer, appeal: Appeal | None) -> Appeal:
    """The appeal, where the officer's district has it or it is escalated. Raises Problem."""
    _require_appeals_role(officer)
    if appeal is None or (officer.district not in (None, appeal.district) and appeal.escalated_at is None):
        raise Problem("appeal-not-found")
    return appeal


# --- what follows -------------------------------------------------------------------------------------------------


def actor_of(officer: Officer) -> Actor:
    """Who acts, as the audit names them."""
    return Actor("officer", str(officer.id))


def append_audit(session: Session, actor: Actor, action: str, appeal: Appeal, now: datetime, **more: Any) -> None:
    """Write in the audit what was done with an appeal; an officer does it in this one role."""
    role = APPEALS if actor.kind == "officer" else None
    audit.append(session, actor, f"appeal-{action}", now, serial=appeal.serial, role=role, appeal=appeal.id, **more)

"""What officers are shown of appeals: lists of their district and of the overdue, and one appeal with its record.

Owns who may view an appeal; each look is an access of the person, in the audit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app.appeals.appeals import CONTENT, decrypt_text
from app.appeals.attachments import AttachmentFile
from app.appeals.models import Appeal, Attachment
from app.appeals.record import AppealRecord, load_record
from app.audit import AuditEvent
from app.core.errors import Problem
from app.staff.context import OfficerContext
from app.staff.models import Officer, Role

RESOLVED_SHOWN_FOR = timedelta(days=7)  # in the list of resolved appeals


class AppealDetail(NamedTuple):
    """An appeal as an officer views it: what the citizen wrote and attached, and the record."""

    appeal: Appeal
    text: str | None
    attachments: Sequence[Any]
    record: AppealRecord


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
    return AttachmentFile(row.kind, context.encryption.decrypt_bytes(CONTENT, row.content_ciphertext))


def require_visible(officer: Officer, appeal: Appeal | None) -> Appeal:
    """Return the appeal, where the officer's district has it or it is escalated. Raises Problem."""
    _require_appeals_role(officer)
    if appeal is None or (officer.district not in (None, appeal.district) and appeal.escalated_at is None):
        raise Problem("appeal-not-found")
    return appeal


def _visible_to(officer: Officer) -> Select[Appeal]:
    """Select the appeals of the officer's district, and the escalated ones. Raises Problem."""
    _require_appeals_role(officer)
    rows = select(Appeal)
    if officer.district is not None:
        rows = rows.where(or_(Appeal.district == officer.district, Appeal.escalated_at.is_not(None)))
    return rows


def _require_appeals_role(officer: Officer) -> None:
    if Role.APPEALS not in officer.roles:
        raise Problem("not-your-role")


def append_audit(context: OfficerContext, action: str, appeal: Appeal, **detail: Any) -> None:
    """Append what an officer did with an appeal to the audit."""
    context.append_audit(f"appeal-{action}", serial=appeal.serial, appeal=appeal.id, **detail)

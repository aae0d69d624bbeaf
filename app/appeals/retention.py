"""The retention of what citizens wrote and attached: until they are erased, or some time after the answer.

The outcome of an appeal stays, as evidence and decisions do. `docs/explanation/privacy.md` says the same to people.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import audit
from app.appeals.models import Appeal, Attachment
from app.audit import Actor
from app.core.db import among

RETENTION = timedelta(days=90)  # after an appeal was resolved


def erase_person(session: Session, serial: int, *, actor: Actor, now: datetime) -> None:
    """Delete what a person wrote and attached, and withdraw their open appeal."""
    appeals = session.scalars(select(Appeal).where(Appeal.serial == serial).order_by(Appeal.id).with_for_update()).all()
    for appeal in appeals:
        if appeal.state == "open":
            appeal.state, appeal.resolved_at = "withdrawn", now
            audit.append(session, actor, "appeal-withdrawn", now, serial=serial, appeal=appeal.id)
    session.flush()
    _delete_content(session, [appeal.id for appeal in appeals])


def delete_expired(session: Session, now: datetime, most: int) -> int:
    """Delete the content of appeals that were resolved long ago; returns their number."""
    old = select(Appeal.id, Appeal.serial).where(
        Appeal.resolved_at <= now - RETENTION, Appeal.text_ciphertext.is_not(None)
    )
    rows = session.execute(old.order_by(Appeal.resolved_at).limit(most).with_for_update(skip_locked=True)).all()
    _delete_content(session, [row.id for row in rows])
    events = [(now, row.serial, {"appeal": row.id}) for row in rows]
    audit.append_many(session, audit.CLOCK, "appeal-forgotten", events)
    return len(rows)


def _delete_content(session: Session, ids: Sequence[int]) -> None:
    session.execute(delete(Attachment).where(among(Attachment.appeal_id, ids)))
    session.execute(update(Appeal).where(among(Appeal.id, ids)).values(text_ciphertext=None))

"""How long appeals keep what citizens wrote and attached: until they are erased, or some time after the answer.

What was decided on an appeal stays, as evidence and decisions stay. `docs/privacy.md` tells people the same.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.db import among
from app.officers.appeal_models import Appeal, Attachment

KEPT = timedelta(days=90)  # after an appeal was settled


def forget_person(session: Session, serial: int, *, actor: Actor, now: datetime) -> None:
    """Forget what a person has written and attached; an appeal of theirs that is open is taken back."""
    appeals = session.scalars(select(Appeal).where(Appeal.serial == serial).order_by(Appeal.id).with_for_update()).all()
    for appeal in appeals:
        if appeal.state == "open":
            appeal.state, appeal.settled_at = "withdrawn", now
            audit.enter(session, actor, "appeal-withdrawn", now, serial=serial, appeal=appeal.id)
    session.flush()
    _forget(session, [appeal.id for appeal in appeals])


def forget_settled(session: Session, now: datetime, most: int) -> int:
    """Forget what belongs to appeals that were settled long ago; returns how many these were."""
    old = select(Appeal.id, Appeal.serial).where(Appeal.settled_at <= now - KEPT, Appeal.text_sealed.is_not(None))
    rows = session.execute(old.order_by(Appeal.settled_at).limit(most).with_for_update(skip_locked=True)).all()
    _forget(session, [row.id for row in rows])
    deeds = [(now, row.serial, {"appeal": row.id}) for row in rows]
    audit.enter_many(session, audit.CLOCK, "appeal-forgotten", deeds)
    return len(rows)


def _forget(session: Session, ids: Sequence[int]) -> None:
    session.execute(delete(Attachment).where(among(Attachment.appeal_id, ids)))
    session.execute(update(Appeal).where(among(Appeal.id, ids)).values(text_sealed=None))

"""What is deleted of families: all of somebody who is erased, and what is past its time."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.citizens.models import Citizen
from app.families import shows
from app.families.invitations import SILENCE
from app.families.models import FamilyInvitation, FamilyTie

ENDED_TIES: Final = timedelta(days=30)


def erase_person(session: Session, serial: int, now: datetime) -> None:
    """Delete the ties and invitations of somebody who is erased, on either side."""
    shows.write_sums(session, now, of=serial)
    session.execute(delete(FamilyTie).where(or_(FamilyTie.holder == serial, FamilyTie.dependant == serial)))
    document = select(Citizen.document_fingerprint).filter_by(serial=serial).scalar_subquery()
    mine = or_(FamilyInvitation.holder == serial, FamilyInvitation.document_fingerprint == document)
    session.execute(delete(FamilyInvitation).where(mine))


def delete_ended_ties(session: Session, now: datetime, limit: int) -> int:
    """Delete ties that ended long ago; return their number."""
    old = select(FamilyTie.id).where(FamilyTie.ended_at <= now - ENDED_TIES).limit(limit)
    gone = delete(FamilyTie).where(FamilyTie.id.in_(old)).returning(FamilyTie.id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def delete_invitations(session: Session, now: datetime, limit: int) -> int:
    """Delete invitations that have ended, and those that were declined so long ago that they are not counted."""
    ended = FamilyInvitation.declined_at.is_(None) & (FamilyInvitation.expires_at <= now)
    old = select(FamilyInvitation.id).where(or_(ended, FamilyInvitation.declined_at <= now - SILENCE)).limit(limit)
    gone = delete(FamilyInvitation).where(FamilyInvitation.id.in_(old)).returning(FamilyInvitation.id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())

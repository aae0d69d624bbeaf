"""What is deleted of venues: all that names somebody who is erased, and what is past its time.

A venue goes on without its manager, as its inspectors go on checking: an administrator of the district closes it.
"""

from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from app.citizens.models import Citizen
from app.stations.models import Venue
from app.venues.applications import KEPT
from app.venues.models import VenueApplication, VenueHandover


def erase_person(session: Session, serial: int) -> None:
    """Delete the applications of somebody who is erased, and the offers by and to them; nobody manages their venues."""
    session.execute(delete(VenueApplication).where(VenueApplication.serial == serial))
    document = select(Citizen.document_fingerprint).filter_by(serial=serial).scalar_subquery()
    mine = or_(VenueHandover.manager == serial, VenueHandover.document_fingerprint == document)
    session.execute(delete(VenueHandover).where(mine))
    session.execute(update(Venue).where(Venue.manager == serial).values(manager=None, manager_claimed_at=None))


def delete_old(session: Session, now: datetime, limit: int) -> int:
    """Delete applications that were answered long ago, and offers that have ended; return how many of the former."""
    session.execute(delete(VenueHandover).where(VenueHandover.expires_at <= now))
    old = select(VenueApplication.id).where(VenueApplication.resolved_at <= now - KEPT).limit(limit)
    gone = delete(VenueApplication).where(VenueApplication.id.in_(old)).returning(VenueApplication.id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())

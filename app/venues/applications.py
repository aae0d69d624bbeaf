"""Applications of citizens for venues.

    waiting -> approved, refused   by an administrator of the district (`review`)
    waiting -> withdrawn           by the citizen

An application reserves nothing: another may apply for the same place, so nobody is kept out by a false one, and the
officer is shown both.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.codes import ledger
from app.codes.models import Code
from app.core.errors import Problem
from app.stations import accounts
from app.stations.models import Venue
from app.venues import form
from app.venues.form import VenueForm
from app.venues.models import VenueApplication

MOST_WAITING: Final = 3
MOST, MOST_PERIOD = 10, timedelta(days=30)
KEPT: Final = timedelta(days=90)  # after the answer


def apply(session: Session, serial: int, described: VenueForm, now: datetime) -> VenueApplication:
    """Apply for a venue, in a locked code that the platform has confirmed.

    Raises Problem with every bad field; `identity-unconfirmed`, `venue-exists`, `venue-applied`, or
    `venue-applications-too-many`.
    """
    code = require_confirmed(session, serial)
    tidy = form.validate(described)
    mine = list_own(session, serial)
    waiting = [one for one in mine if one.state == "waiting"]
    if any(one.name == tidy.name for one in waiting):
        raise Problem("venue-applied")
    if len(waiting) >= MOST_WAITING or sum(one.applied_at > now - MOST_PERIOD for one in mine) >= MOST:
        raise Problem("venue-applications-too-many")
    require_new(session, tidy)
    row = VenueApplication(
        serial=serial, claimed_at=code.claimed_at, name=tidy.name, kind=tidy.kind, district=tidy.district,
        address=tidy.address, credit_code=tidy.credit_code, hours=list(tidy.hours), entrances=list(tidy.entrances),
        applied_at=now, state="waiting",
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.append(session, Actor("citizen", str(serial)), "venue-applied", now, serial=serial, application=row.id)
    return row


def require_confirmed(session: Session, serial: int) -> Code:
    """Return a code whose holder the platform has confirmed. Raises Problem `identity-unconfirmed`."""
    code = ledger.get_code(session, serial)
    if code.confirmed_at is None:
        raise Problem("identity-unconfirmed")
    return code


def require_new(session: Session, described: VenueForm | VenueApplication) -> None:
    """Raise Problem `venue-exists` for the name of an open venue or of its station, or for its code and address."""
    same_place = (Venue.credit_code == described.credit_code) & (Venue.address == described.address)
    same = or_(Venue.name == described.name, same_place)
    known = session.scalar(select(func.count()).select_from(Venue).where(Venue.closed_at.is_(None), same))
    names = [station_name(described.name, entrance) for entrance in described.entrances]
    if known or any(accounts.find_station(session, name) is not None for name in names):
        raise Problem("venue-exists")


def station_name(venue: str, entrance: str) -> str:
    """Return the name of the station at an entrance."""
    return f"{venue} {entrance}"


def list_own(session: Session, serial: int) -> Sequence[VenueApplication]:
    """List the applications of the present holder of a code, newest first."""
    mine = select(VenueApplication).join(Code, Code.serial == VenueApplication.serial)
    mine = mine.where(Code.serial == serial, Code.claimed_at == VenueApplication.claimed_at)
    return session.scalars(mine.order_by(VenueApplication.id.desc())).all()


def withdraw(session: Session, serial: int, application_id: int, now: datetime) -> None:
    """Withdraw one's application, in a locked code. Raises Problem `venue-application-not-found`."""
    row = next((one for one in list_own(session, serial) if one.id == application_id), None)
    if row is not None:
        session.refresh(row, with_for_update=True)
    if row is None or row.state != "waiting":
        raise Problem("venue-application-not-found")
    _withdraw(session, row, Actor("citizen", str(serial)), now)


def withdraw_again(session: Session, application_id: int, actor: Actor, now: datetime) -> bool:
    """Withdraw an application after a restore; return False where it does not wait."""
    row = session.get(VenueApplication, application_id, with_for_update=True, populate_existing=True)
    if row is None or row.state != "waiting":
        return False
    _withdraw(session, row, actor, now)
    return True


def _withdraw(session: Session, row: VenueApplication, actor: Actor, now: datetime) -> None:
    row.state, row.resolved_at = "withdrawn", now
    audit.append(session, actor, "venue-withdrawn", now, serial=row.serial, application=row.id)

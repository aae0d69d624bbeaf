"""How an administrator of the district decides an application, and closes a venue that should not go on.

Nobody decides what they have not seen: the view names the applicant, and is an access to their record.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.audit import AccessReason, RecordPart
from app.citizens import accounts as citizen_accounts
from app.citizens.documents import mask_name
from app.codes import ledger
from app.core.db import WHOLE, Part
from app.core.errors import Problem, bad_field
from app.notifications import account_messages
from app.notifications.account_messages import Subject
from app.staff.context import OfficerContext
from app.staff.models import Officer, Role
from app.stations.models import Station, Venue
from app.venues import applications, entrances
from app.venues.models import VenueApplication
from app.wechat import login

_WAITING: Final = VenueApplication.state == "waiting"
MOST_ALIKE: Final = 20  # that are shown: a chain has hundreds of branches under one credit code


class VenueRefusal(StrEnum):
    """Why an application is refused. The slugs are permanent."""

    NOT_THERE = "not-there"
    NOT_ITS_CODE = "not-its-code"
    NOT_ENTITLED = "not-entitled"
    ALREADY_THERE = "already-there"
    UNCLEAR = "unclear"


class ApplicationView(NamedTuple):
    """An application as an officer sees it: the applicant masked, and others like it or venues that are there."""

    row: VenueApplication
    name: str
    phone_ends: str
    alike: Sequence[VenueApplication]
    venues: Sequence[Venue]


def list_waiting(session: Session, officer: Officer, part: Part = WHOLE) -> Sequence[VenueApplication]:
    """List the applications that wait for an administrator of the officer's district, oldest first."""
    waiting = select(VenueApplication).where(_WAITING, *_of_district(VenueApplication.district, officer))
    return session.scalars(part.of(waiting.order_by(VenueApplication.id))).all()


def count_waiting(session: Session, officer: Officer) -> int:
    """Count the applications that wait for this officer."""
    waiting = select(func.count()).select_from(VenueApplication)
    return session.scalars(waiting.where(_WAITING, *_of_district(VenueApplication.district, officer))).one()


def list_venues(session: Session, officer: Officer, part: Part = WHOLE) -> Sequence[Venue]:
    """List the venues of the officer's district by name, the closed ones last."""
    venues = select(Venue).where(*_of_district(Venue.district, officer))
    ordered = venues.order_by(Venue.closed_at.is_not(None), Venue.name, Venue.id)
    return session.scalars(part.of(ordered, Venue.name, Venue.address, Venue.credit_code)).all()


def view(context: OfficerContext, application_id: int) -> ApplicationView:
    """Return an application, which is an access to the applicant's record. Raises Problem."""
    context = context.acting_as(Role.ADMINISTRATOR)
    row = _find(context, application_id)
    own = citizen_accounts.get_own_data(context.session, context.encryption, row.serial)
    if own is None:
        raise Problem("venue-application-not-found")  # erased meanwhile
    context.record_access(row.serial, AccessReason.VENUE, RecordPart.IDENTITY)
    like = or_(VenueApplication.credit_code == row.credit_code, VenueApplication.name == row.name)
    alike = select(VenueApplication).where(_WAITING, like, VenueApplication.id != row.id)
    known = or_(Venue.credit_code == row.credit_code, Venue.name == row.name)
    there = select(Venue).where(known, Venue.closed_at.is_(None))
    return ApplicationView(
        row, mask_name(own.name), (own.phone or "")[-4:],
        context.session.scalars(alike.order_by(VenueApplication.id).limit(MOST_ALIKE)).all(),
        context.session.scalars(there.order_by(Venue.name != row.name, Venue.id).limit(MOST_ALIKE)).all(),
    )  # fmt: skip


def approve(context: OfficerContext, application_id: int) -> Venue:
    """Make the venue with a station at each entrance; the applicant manages it. Raises Problem."""
    context = context.acting_as(Role.ADMINISTRATOR)
    row, session = _lock(context, application_id), context.session
    if ledger.get_code(session, row.serial).claimed_at != row.claimed_at:
        raise Problem("venue-application-not-found")
    applications.require_new(session, row)
    venue = Venue(
        name=row.name, kind=row.kind, district=row.district, address=row.address, credit_code=row.credit_code,
        hours=row.hours, manager=row.serial, manager_claimed_at=row.claimed_at, created_at=context.now,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(venue)
    except IntegrityError:  # another was approved at the same moment
        raise Problem("venue-exists") from None
    for name in row.entrances:
        entrances.make_station(session, venue, name, context.now)
    _resolve(context, row, "approved")
    row.venue_id = venue.id
    context.append_audit("venue-approved", serial=row.serial, venue=venue.id, application=row.id)
    return venue


def refuse(context: OfficerContext, application_id: int, reason: str) -> None:
    """Refuse an application for a reason, which the applicant reads. Raises Problem."""
    context = context.acting_as(Role.ADMINISTRATOR)
    row = _lock(context, application_id)
    if reason not in set(VenueRefusal):
        raise bad_field("/reason", "not-a-choice")
    row.reason = reason
    _resolve(context, row, "refused")
    context.append_audit("venue-refused", serial=row.serial, reason=reason, application=row.id)


def find_venue(context: OfficerContext, venue_id: int) -> Venue:
    """Return a venue of the officer's district. Raises Problem `venue-not-found`."""
    context = context.acting_as(Role.ADMINISTRATOR)
    found = select(Venue).where(Venue.id == venue_id, *_of_district(Venue.district, context.me))
    venue = context.session.scalar(found)
    if venue is None:
        raise Problem("venue-not-found")
    return venue


def list_stations(context: OfficerContext, venue: Venue) -> Sequence[Station]:
    """List the stations of a venue in the order in which they were made."""
    return entrances.list_stations(context.session, venue.id)


def close_venue(context: OfficerContext, venue_id: int) -> None:
    """Close a venue and the accounts of its inspectors; closing it again changes nothing. Raises Problem."""
    context = context.acting_as(Role.ADMINISTRATOR)
    find_venue(context, venue_id)
    venue = context.session.get_one(Venue, venue_id, with_for_update=True, populate_existing=True)
    if venue.closed_at is None:
        entrances.close(context.session, venue, context.actor, context.now)
        context.append_audit("venue-closed", serial=venue.manager, venue=venue.id)


def _resolve(context: OfficerContext, row: VenueApplication, state: str) -> None:
    row.state, row.resolved_at, row.resolved_by = state, context.now, context.me.id
    subject, users = Subject("venue", row.id, row.serial), login.list_user_ids(context.session, row.serial)
    account_messages.announce(context.session, subject, users, context.now)


def _of_district(column: InstrumentedAttribute[str], officer: Officer) -> list[ColumnElement[bool]]:
    return [] if officer.district is None else [column == officer.district]


def _find(context: OfficerContext, application_id: int) -> VenueApplication:
    """Return a waiting application of the officer's district. Raises Problem `venue-application-not-found`."""
    mine = _of_district(VenueApplication.district, context.me)
    row = context.session.scalar(select(VenueApplication).filter_by(id=application_id).where(_WAITING, *mine))
    if row is None:
        raise Problem("venue-application-not-found")
    return row


def _lock(context: OfficerContext, application_id: int) -> VenueApplication:
    """Return a waiting application after its code, both locked, to an officer who has seen it. Raises Problem."""
    session = context.session
    ledger.lock_code(session, _find(context, application_id).serial)
    row = session.get_one(VenueApplication, application_id, with_for_update=True, populate_existing=True)
    if row.state != "waiting":
        raise Problem("venue-application-not-found")
    context.require_seen(row.serial, AccessReason.VENUE, row.applied_at)
    return row

"""Handing a venue over: the manager names a person, who accepts in their own account, as a family's invitation.

Whoever is named is not looked up, so that nobody learns whom we know: the offer is kept as keyed hashes of document and
name. A venue has one offer at a time, and goes on under its manager until it is accepted.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens.documents import mask_name
from app.citizens.models import Citizen
from app.codes.models import Code
from app.core.encryption import FieldEncryption
from app.core.errors import Problem, bad_field
from app.families import people
from app.families.people import Person
from app.stations.models import Venue
from app.venues.applications import require_confirmed
from app.venues.management import ManagedVenue
from app.venues.models import VenueHandover

LASTS: Final = timedelta(days=7)


class OfferedVenue(NamedTuple):
    """An offer as the named person sees it."""

    venue: Venue
    manager: str  # masked
    expires_at: datetime


def offer(managed: ManagedVenue, encryption: FieldEncryption, person: Person) -> datetime:
    """Offer the venue to a person, instead of any offer before; return when the offer ends. Raises Problem."""
    document, named = person.fingerprints(encryption)
    own = select(Citizen.document_fingerprint).filter_by(serial=managed.manager)
    if managed.session.scalar(own) == document:
        raise bad_field("/document/number", "own-document")
    values = {
        "manager": managed.manager, "manager_claimed_at": managed.venue.manager_claimed_at,
        "document_fingerprint": document, "name_fingerprint": named,
        "sent_at": managed.now, "expires_at": managed.now + LASTS,
    }  # fmt: skip
    row = insert(VenueHandover).values(venue_id=managed.venue.id, **values)
    managed.session.execute(row.on_conflict_do_update(index_elements=["venue_id"], set_=values))
    managed.append_audit("venue-offered")
    return managed.now + LASTS


def take_back(managed: ManagedVenue) -> None:
    """Take the offer of the venue back, if there is one."""
    if _delete(managed.session, managed.venue.id):
        managed.append_audit("venue-offer-ended")


def find_offer(session: Session, venue: Venue, now: datetime) -> datetime | None:
    """Return when the offer of a venue ends, if there is one."""
    open_one = select(VenueHandover.expires_at).filter_by(venue_id=venue.id, manager=venue.manager)
    same = VenueHandover.manager_claimed_at == venue.manager_claimed_at
    return session.scalar(open_one.where(same, VenueHandover.expires_at > now))


def list_offers(session: Session, encryption: FieldEncryption, serial: int, now: datetime) -> Sequence[OfferedVenue]:
    """Return the venues that are offered to somebody; none before the platform has confirmed them."""
    person = people.read(session, encryption, serial)
    code = session.get_one(Code, serial)
    if person is None or code.confirmed_at is None:
        return []
    document, named = person.fingerprints(encryption)
    same_manager = (Venue.manager == VenueHandover.manager) & (
        Venue.manager_claimed_at == VenueHandover.manager_claimed_at
    )
    still = (Code.serial == Venue.manager) & (Code.claimed_at == Venue.manager_claimed_at)
    offered = (
        select(Venue, Citizen, VenueHandover.expires_at)
        .join(VenueHandover, (VenueHandover.venue_id == Venue.id) & same_manager)
        .join(Code, still)
        .join(Citizen, Citizen.serial == Venue.manager)
        .where(VenueHandover.document_fingerprint == document, VenueHandover.name_fingerprint == named)
        .where(VenueHandover.expires_at > now, Venue.closed_at.is_(None))
    )
    return [
        OfferedVenue(venue, _masked(encryption, manager), expires_at)
        for venue, manager, expires_at in session.execute(offered.order_by(Venue.id))
    ]


def accept(session: Session, encryption: FieldEncryption, serial: int, venue_id: int, now: datetime) -> None:
    """Manage a venue that is offered to the holder of a locked code. Raises Problem `venue-not-found`."""
    code = require_confirmed(session, serial)
    venue = _lock_offered(session, encryption, serial, venue_id, now)
    before, venue.manager, venue.manager_claimed_at = venue.manager, serial, code.claimed_at
    _delete(session, venue.id)
    actor = Actor("citizen", str(serial))
    audit.append(session, actor, "venue-accepted", now, serial=serial, venue=venue.id)
    audit.append(session, actor, "venue-handed-over", now, serial=before, venue=venue.id)


def decline(session: Session, encryption: FieldEncryption, serial: int, venue_id: int, now: datetime) -> None:
    """Decline a venue that is offered. Raises Problem `venue-not-found`."""
    venue = _lock_offered(session, encryption, serial, venue_id, now)
    _delete(session, venue.id)
    audit.append(session, Actor("citizen", str(serial)), "venue-declined", now, serial=serial, venue=venue.id)


def _lock_offered(session: Session, encryption: FieldEncryption, serial: int, venue_id: int, now: datetime) -> Venue:
    """Return an offered venue, locked; asked again then, for another may have been named meanwhile."""
    session.get(Venue, venue_id, with_for_update=True, populate_existing=True)
    offered = list_offers(session, encryption, serial, now)
    venue = next((one.venue for one in offered if one.venue.id == venue_id), None)
    if venue is None:
        raise Problem("venue-not-found")
    return venue


def _delete(session: Session, venue_id: int) -> bool:
    gone = delete(VenueHandover).where(VenueHandover.venue_id == venue_id).returning(VenueHandover.venue_id)
    return session.scalar(gone) is not None


def _masked(encryption: FieldEncryption, citizen: Citizen) -> str:
    name = encryption.decrypt("citizens.name", citizen.name_ciphertext) if citizen.name_ciphertext else ""
    return name and mask_name(name)

"""What is repeated of devices, partners, venues and their codes: what was revoked, closed, or given to another."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.backup.repetition.removals import Removal
from app.codes.models import Code
from app.devices import registry
from app.devices.models import Device
from app.partners.models import Partner
from app.staff.context import OfficerContext
from app.stations.models import Venue
from app.venues import applications, entrances
from app.venues.models import VenueHandover
from app.visits import exposures, venue_codes


def revoke_device(context: OfficerContext, done: Removal) -> bool:
    """Revoke a device again."""
    device = context.session.get(Device, done.named("device"))
    if device is None or device.revoked_at is not None:
        return False
    registry.revoke_device(context, device.id)
    return True


def revoke_partner(context: OfficerContext, done: Removal) -> bool:
    """Revoke a partner again; not one that was added since under this id."""
    partner = context.session.get(Partner, done.named("partner"), with_for_update=True, populate_existing=True)
    if partner is None or partner.revoked_at is not None or partner.added_at > done.at:
        return False
    partner.revoked_at = context.now
    context.append_audit("partner-revoked", partner=partner.id)
    return True


def close_venue(context: OfficerContext, done: Removal) -> bool:
    """Close a venue again, with its inspectors and devices."""
    venue = _lock_open(context.session, done)
    if venue is None:
        return False
    entrances.close(context.session, venue, context.actor, context.now)
    context.append_audit("venue-closed", serial=venue.manager, venue=venue.id)
    return True


def hand_over(context: OfficerContext, done: Removal) -> bool:
    """Take a venue from its former manager again; its new one has it, unless the backup does not know them."""
    session, venue = context.session, _lock_open(context.session, done)
    if venue is None or venue.manager in (None, done.serial):
        return False
    code = session.get(Code, done.serial)
    held = code is not None and code.claimed_at is not None and code.claimed_at <= done.at
    before = venue.manager
    context.append_audit("venue-accepted", serial=done.serial, venue=venue.id)
    venue.manager, venue.manager_claimed_at = (code.serial, code.claimed_at) if code and held else (None, None)
    session.execute(delete(VenueHandover).where(VenueHandover.venue_id == venue.id))
    context.append_audit("venue-handed-over", serial=before, venue=venue.id)
    return True


def end_offer(context: OfficerContext, done: Removal) -> bool:
    """Take the offer of a venue back again."""
    same = VenueHandover.venue_id == done.named("venue"), VenueHandover.sent_at <= done.at
    ended = context.session.scalars(delete(VenueHandover).where(*same).returning(VenueHandover.venue_id)).all()
    for venue in ended:
        context.append_audit("venue-offer-ended", venue=venue)
    return bool(ended)


def withdraw_application(context: OfficerContext, done: Removal) -> bool:
    """Withdraw an application for a venue again, while it waits."""
    return applications.withdraw_again(context.session, done.named("application"), context.actor, context.now)


def end_venue_code(context: OfficerContext, done: Removal) -> bool:
    """End the print of an entrance that was replaced: the newer one is unknown, and the manager prints another."""
    station = done.named("station")
    if not venue_codes.end(context.session, station):
        return False
    context.append_audit("venue-code-ended", station=station)
    return True


def withdraw_notice(context: OfficerContext, done: Removal) -> bool:
    """Withdraw a notice of exposure again."""
    return exposures.withdraw_again(context, done.named("notice"))


def _lock_open(session: Session, done: Removal) -> Venue | None:
    venue = session.get(Venue, done.named("venue"), with_for_update=True, populate_existing=True)
    return None if venue is None or venue.closed_at is not None else venue

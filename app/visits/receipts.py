"""Receipts: who scans the code at an entrance gets one for a minute, and the venue scans it, once.

Neither act stores who was where: the number of a receipt that was scanned is kept for as long as the receipt lasts, and
only numbers are counted. Nothing here makes evidence, and a receipt takes no temperature.
"""

from datetime import datetime
from typing import Final, NamedTuple

from redis import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes import display
from app.codes.current_code import CurrentCode
from app.codes.display import DisplayedCode
from app.codes.states import State
from app.codes.tokens import TokenRefused
from app.codes.tokens.venue_tokens import ReadReceipt
from app.core.errors import Problem
from app.runtime import Services
from app.stations import alerts, checks, counts
from app.stations.checks import Check
from app.stations.counts import RECEIPT, SCAN, StationEvent
from app.stations.models import Station, Venue
from app.visits.venue_codes import Place

_UNAVAILABLE: Final = 5  # seconds until the next attempt


class Receipt(NamedTuple):
    """A receipt with what the phone shows beside it: the place and the code of its holder."""

    text: str
    venue: Venue
    station: Station
    at: datetime
    code: DisplayedCode


def scan(services: Services, place: Place, serial: int, current: CurrentCode) -> Receipt:
    """Return a receipt for the holder of a code who has scanned that of a place; the scan is counted, and no more.

    Raises Problem as showing the code does.
    """
    now, (station, venue) = services.clock.now(), place
    shown = display.display_code(services, serial, current)
    receipt = services.venue_tokens.mint_receipt(serial, station.id, now)
    counts.increment(services.redis, StationEvent(station.id, now, State.EMPTY, SCAN))
    return Receipt(receipt, venue, station, now, shown)


def check(services: Services, text: str, *, station_id: int) -> Check:
    """Check the code of who shows a receipt, at a station of the same venue, and count it; each receipt is good once.

    Raises Problem `receipt-…`, `token-…`, `not-declared`, or `unavailable` where nobody knows whether it was used.
    """
    now = services.clock.now()
    try:
        read = services.venue_tokens.read_receipt(text, now)
    except TokenRefused as refusal:
        raise Problem("receipt-expired" if refusal.outcome == "expired" else f"token-{refusal.outcome}") from None
    with services.sessions() as session:
        if not _is_same_venue(session, read.place, station_id):
            raise Problem("receipt-elsewhere")
    found = checks.check_code(services, services.current_code(read.serial))
    _use(services, read)
    state = found.current_code.record.state
    counts.increment(services.redis, StationEvent(station_id, now, state, found.action))
    counts.increment(services.redis, StationEvent(read.place, now, State.EMPTY, RECEIPT))
    alerts.note(services, read.serial, state, now)
    return found


def _is_same_venue(session: Session, place: int, station_id: int) -> bool:
    here = select(Station.venue_id).where(Station.id == station_id).scalar_subquery()
    return session.scalar(select(Station.id).where(Station.id == place, Station.venue_id == here)) is not None


def _use(services: Services, read: ReadReceipt) -> None:
    """Remember the number of a receipt for as long as it lasts, by any clock. Raises Problem."""
    tokens = services.settings.tokens
    seconds = int((tokens.life + 2 * tokens.skew).total_seconds()) + 1
    try:
        is_new = services.redis.set(f"jx:receipt:{read.number}", 1, nx=True, ex=seconds)
    except RedisError:
        raise Problem("unavailable", retry_after=_UNAVAILABLE) from None
    if not is_new:
        raise Problem("receipt-used")

"""Cards on paper that were scanned very often on a day: somebody may have copied them. Reads only.

A card has no place, so it is for auditors of the whole province. Shown is its number, and nothing of its holder.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AuditEvent
from app.codes.paper.cards import NUMBERS_KEPT
from app.codes.paper.models import PaperCard, PaperScan
from app.core.suppression import SUPPRESSION_THRESHOLD, Cell, round_down, suppress
from app.staff.models import Officer

SCANNED_OFTEN = "paper-scanned-often"


class ScannedCard(NamedTuple):
    """A card by its number, the day, how often it was scanned, and how often with a wrong tail; small numbers hidden.

    `is_live` where it is neither revoked nor over; `asked_at` is when another print of it was asked for.
    """

    number: int
    day: date
    scans: Cell
    wrong_tails: Cell
    is_live: bool
    asked_at: datetime | None


def find_scanned_cards(
    session: Session, auditor: Officer, now: datetime, *, many: int, most: int
) -> Sequence[ScannedCard]:
    """Find the cards that were scanned `many` times on a day of which numbers are kept, newest first."""
    if auditor.district is not None:
        return ()
    since = now - NUMBERS_KEPT
    noted = select(AuditEvent.serial).where(AuditEvent.action == SCANNED_OFTEN, audit.RARE)
    noted = noted.where(AuditEvent.id >= audit.first_id_since(session, since), AuditEvent.at > since)
    rows = (
        select(PaperCard, PaperScan)
        .join(PaperScan, PaperScan.card_id == PaperCard.id)
        .where(PaperCard.serial.in_(noted), PaperScan.scans >= max(many, SUPPRESSION_THRESHOLD))
        .order_by(PaperScan.day.desc(), PaperScan.scans.desc(), PaperCard.id)
        .limit(most)
    )
    return [_show(card, scan, now) for card, scan in session.execute(rows)]


def _show(card: PaperCard, scan: PaperScan, now: datetime) -> ScannedCard:
    is_live = card.revoked_at is None and card.ends_at > now
    scans, wrong = round_down(scan.scans), suppress(scan.wrong_tails)
    return ScannedCard(card.id, scan.day, scans, wrong, is_live, card.reprint_asked_at)

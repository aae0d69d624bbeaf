"""Checks of cards on paper: the card, the tail of the person's document, and the present color.

A card is good for months and can be copied, so it counts only with the document of its holder beside it. How often a
card was scanned is counted; by whom and where is not. A check without network is submitted afterwards, as of its
moment: what its holder has reported since does not undo it.
"""

import hmac
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy.orm import Session

from app import audit
from app.audit import CLOCK
from app.codes import ledger
from app.codes.paper import cards
from app.codes.paper.models import PaperCard
from app.codes.tokens import Paper, TokenRefused
from app.core.encryption import FieldEncryption
from app.core.errors import Problem
from app.runtime import Services
from app.stations import alerts, checks, counts
from app.stations.checks import Check, Shift
from app.stations.counts import StationEvent

TAIL = 4  # characters of a document


class ScannedPaper(NamedTuple):
    """What an inspector has before them: the text on a card, and the last characters of the document shown with it."""

    token: str
    tail: str


def tail_fingerprint(encryption: FieldEncryption, serial: int, tail: str) -> bytes:
    """Return the keyed hash of the tail of a person's document: ten thousand tails are nothing without the key."""
    return encryption.fingerprint("paper-tail", f"{serial}:{tail}")


def check(services: Services, scanned: ScannedPaper, *, station_id: int) -> Check:
    """Check the code of a card, count the check and the scan. Raises Problem `token-…` and `paper-…`."""
    now = services.clock.now()
    check = read_check(services, scanned, now)
    # without a mark of the card: it would be the same at every station, and show for a while where it has been
    counts.increment(services.redis, StationEvent(station_id, now, check.current_code.record.state, check.action))
    return check


def read_check(services: Services, scanned: ScannedPaper, now: datetime) -> Check:
    """Return the check of the code of a card, which is not counted yet; the scan is. Raises Problem as `check`."""
    serial = open_card(services, scanned, now)
    check = checks.check_code(services, services.current_code(serial))
    alerts.note(services, serial, check.current_code.record.state, now)
    return check


def register_temperature(services: Services, scanned: ScannedPaper, celsius: Decimal, shift: Shift) -> Check:
    """Record an on-site temperature of a card's holder and return the check after it. Raises Problem as `check`."""
    serial = open_card(services, scanned, services.clock.now())
    with services.begin() as session:
        ledger.lock_code(session, serial)
        decided = checks.measure(services, session, serial, celsius, shift)
    alerts.note(services, serial, decided.record.state, services.clock.now())
    return checks.check_measured(services, decided, celsius)


def open_card(services: Services, scanned: ScannedPaper, now: datetime, *, at: datetime | None = None) -> int:
    """Return the serial of a card that is valid, shown with the right tail; the scan is counted in any case.

    With `at`, a moment in the past, the card must have been valid then.
    """
    paper = read_card(services, scanned.token, at or now)
    with services.begin() as session:
        card = cards.find_card(session, paper)
        if card is None or card.serial is None or _is_revoked(card, at):
            raise Problem("paper-ended")
        serial, refused = card.serial, _count(services, session, card, scanned.tail, now)
    if refused is not None:  # after the commit: the scan is counted
        raise refused
    return serial


def read_card(services: Services, token: str, at: datetime) -> Paper:
    """Return what a token on paper is about, valid at a moment. Raises Problem `token-…` and `paper-over`."""
    try:
        read = services.paper_tokens.read(token, at)
    except TokenRefused as refusal:
        raise Problem("paper-over" if refusal.outcome == "expired" else f"token-{refusal.outcome}") from None
    assert read.card is not None  # only a token verified without our keys has no card
    return Paper(read.card, read.issued_at, read.ends_at)


def note_scan(services: Services, paper: Paper, now: datetime) -> int | None:
    """Count a scan that was made without network, of a card that is still known; return its serial, if it is."""
    with services.begin() as session:
        card = cards.find_card(session, paper)
        if card is None or card.serial is None:
            return None
        scans = cards.count_scan(session, card, now).scans
        _watch(session, card, scans, services.settings.paper.many_scans_a_day, now)
        return card.serial


def _is_revoked(card: PaperCard, at: datetime | None) -> bool:
    return card.revoked_at is not None and (at is None or card.revoked_at <= at)


def _count(services: Services, session: Session, card: PaperCard, tail: str, now: datetime) -> Problem | None:
    """Count a scan; return why it is refused. From a number of wrong tails on a right one is not answered either."""
    settings, right = services.settings.paper, _is_right(services.encryption, card, tail)
    today = cards.count_scan(session, card, now, wrong_tail=not right)
    _watch(session, card, today.scans, settings.many_scans_a_day, now)
    if today.wrong_tails - (not right) >= settings.wrong_tails_a_day:
        return Problem("paper-tail-stopped")
    return None if right else Problem("paper-tail-wrong")


def _watch(session: Session, card: PaperCard, scans: int, many: int, now: datetime) -> None:
    """Say once a day that a card was scanned unusually often."""
    if scans == many:
        audit.append(session, CLOCK, "paper-scanned-often", now, serial=card.serial, scans=scans)


def _is_right(encryption: FieldEncryption, card: PaperCard, tail: str) -> bool:
    assert card.serial is not None and card.tail_fingerprint is not None  # those of an erased holder are revoked
    return hmac.compare_digest(tail_fingerprint(encryption, card.serial, tail), card.tail_fingerprint)

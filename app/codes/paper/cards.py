"""The cards of a code: issued, revoked and counted. One of a person lives at a time; printing another one ends it."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.codes.paper.models import PaperCard, PaperScan
from app.codes.tokens import Paper, PaperTokens
from app.core.clock import BEIJING
from app.core.db import draw_ids

REVOKED_FOR = LOST, REPLACED, CLAIMED, ERASED, CORRECTED = "lost", "replaced", "claimed", "erased", "corrected"
NUMBERS_KEPT = timedelta(days=30)  # how often a card was scanned, and a card after its end


class NewCard(NamedTuple):
    """A card to issue: of which code, the keyed hash of the document's tail, where, and for how many days."""

    serial: int
    tail_fingerprint: bytes
    place: str
    days: int


class ScansToday(NamedTuple):
    """How often a card was scanned today, and how often with a wrong tail."""

    scans: int
    wrong_tails: int


def issue(session: Session, tokens: PaperTokens, new: NewCard, *, actor: Actor, now: datetime) -> PaperCard:
    """Issue a card, valid to the end of its last day in Beijing; an earlier card ends. The code is locked already."""
    revoke(session, new.serial, REPLACED, actor=actor, now=now)
    issued_at = now.replace(microsecond=0)  # in a token there are whole seconds
    last_day = issued_at.astimezone(BEIJING).replace(hour=23, minute=59, second=59) + timedelta(days=new.days)
    (id_,) = draw_ids(session, PaperCard.id, 1)
    card = PaperCard(
        id=id_,
        serial=new.serial,
        issued_at=issued_at,
        ends_at=last_day,
        issued_by=str(actor),
        place=new.place,
        tail_fingerprint=new.tail_fingerprint,
        number=tokens.number_of(Paper(id_, issued_at, last_day)),
    )
    session.add(card)
    session.flush()
    audit.append(session, actor, "paper-issued", now, serial=new.serial, card=card.id)
    return card


def find_live(session: Session, serial: int, now: datetime) -> PaperCard | None:
    """Return the card of a code that is neither revoked nor over, if any."""
    live = select(PaperCard).where(PaperCard.serial == serial, PaperCard.revoked_at.is_(None), PaperCard.ends_at > now)
    return session.scalar(live)


def lock_live(session: Session, card_id: int, now: datetime) -> PaperCard | None:
    """Return the card with this id, locked, if it is neither revoked nor over."""
    live = select(PaperCard).where(PaperCard.id == card_id, PaperCard.revoked_at.is_(None), PaperCard.ends_at > now)
    return session.scalar(live.with_for_update())


def find_card(session: Session, paper: Paper) -> PaperCard | None:
    """Return the card that a token is about: the one with its id and its times.

    After a restore another card may have the id of one that was issued since the backup.
    """
    card = session.get(PaperCard, paper.card)
    same = card is not None and (card.issued_at, card.ends_at) == (paper.issued_at, paper.ends_at)
    return card if same else None


def revoke(session: Session, serial: int, reason: str, *, actor: Actor, now: datetime) -> bool:
    """Revoke the card of a code for good, and at once; return False where there is none."""
    live = update(PaperCard).where(PaperCard.serial == serial, PaperCard.revoked_at.is_(None))
    ended = session.execute(live.values(revoked_at=now, revoked_for=reason).returning(PaperCard.id)).scalars().all()
    for card in ended:
        audit.append(session, actor, "paper-revoked", now, serial=serial, reason=reason, card=card)
    return bool(ended)


def forget(session: Session, serial: int, *, actor: Actor, now: datetime) -> None:
    """Revoke the card of a holder who is erased. Cards stay revoked until their end, without whose they were."""
    revoke(session, serial, ERASED, actor=actor, now=now)
    cards = select(PaperCard.id).where(PaperCard.serial == serial)
    session.execute(delete(PaperScan).where(PaperScan.card_id.in_(cards)))
    nobodys = {"serial": None, "tail_fingerprint": None, "issued_by": actor.kind, "place": ""}
    session.execute(update(PaperCard).where(PaperCard.serial == serial).values(nobodys))


def count_scan(session: Session, card: PaperCard, now: datetime, *, wrong_tail: bool = False) -> ScansToday:
    """Count a scan of a card; return the numbers of today with it."""
    first = insert(PaperScan).values(card_id=card.id, day=_day(now), scans=1, wrong_tails=int(wrong_tail))
    again = {"scans": PaperScan.scans + 1, "wrong_tails": PaperScan.wrong_tails + int(wrong_tail)}
    counted = first.on_conflict_do_update(index_elements=["card_id", "day"], set_=again)
    return ScansToday(*session.execute(counted.returning(PaperScan.scans, PaperScan.wrong_tails)).one())


def scans_today(session: Session, card: PaperCard, now: datetime) -> ScansToday:
    """Return how often a card was scanned today."""
    row = session.get(PaperScan, (card.id, _day(now)))
    return ScansToday(0, 0) if row is None else ScansToday(row.scans, row.wrong_tails)


def delete_old(session: Session, now: datetime, limit: int) -> int:
    """Delete cards that ended long ago, with their numbers, and old numbers of the others; return their number."""
    old = session.scalars(select(PaperCard.id).where(PaperCard.ends_at <= now - NUMBERS_KEPT).limit(limit)).all()
    session.execute(delete(PaperScan).where(PaperScan.card_id.in_(old) | (PaperScan.day < _day(now - NUMBERS_KEPT))))
    session.execute(delete(PaperCard).where(PaperCard.id.in_(old)))
    return len(old)


def count_live(session: Session, now: datetime) -> int:
    """Return how many cards live."""
    live = select(func.count()).select_from(PaperCard).where(PaperCard.revoked_at.is_(None), PaperCard.ends_at > now)
    return session.scalar(live) or 0


def _day(now: datetime) -> date:
    return now.astimezone(BEIJING).date()

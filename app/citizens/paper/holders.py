"""Cards on paper for their holders: who gets one, and what is printed on it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.audit import Actor
from app.citizens.documents import mask_name
from app.citizens.models import Citizen
from app.codes import ledger
from app.codes.paper import cards
from app.codes.paper.cards import NewCard
from app.codes.paper.models import PaperCard
from app.codes.states import State
from app.codes.tokens import Paper
from app.core.encryption import FieldEncryption
from app.core.errors import Problem
from app.runtime import Services
from app.stations.paper_checks import TAIL, tail_fingerprint

MINI_PROGRAM = "mini-program"  # where a card was issued
_DOUBLE_CLICK = timedelta(seconds=5)


class PrintedCard(NamedTuple):
    """What is printed: the token, the masked name, the kind of the document, and the days of the card."""

    token: str
    name: str
    document_type: str
    issued_at: datetime
    ends_at: datetime


def issue(services: Services, session: Session, serial: int, place: str, *, actor: Actor) -> PaperCard:
    """Issue a card to a citizen whom the platform has confirmed; an earlier one ends at once.

    Who has just issued one gets it again: of two clicks the first print would be dead, and nobody sees which that is.

    Raises Problem `not-declared` or `identity-unconfirmed`.
    """
    now, code = services.clock.now(), ledger.lock_code(session, serial)
    citizen = session.get(Citizen, serial)
    if code.state == State.NOT_DECLARED:
        raise Problem("not-declared")
    if code.confirmed_at is None or code.denied_at is not None:
        raise Problem("identity-unconfirmed")
    live = cards.find_live(session, serial, now)
    if (
        live is not None
        and (live.issued_by, live.place) == (str(actor), place)
        and now - live.issued_at < _DOUBLE_CLICK
    ):
        return live
    assert citizen is not None and citizen.document_ciphertext is not None  # the platform has confirmed both
    number = services.encryption.decrypt("citizens.document", citizen.document_ciphertext)
    tail = tail_fingerprint(services.encryption, serial, number[-TAIL:])
    new = NewCard(serial, tail, place, services.settings.paper.days)
    return cards.issue(session, services.paper_tokens, new, actor=actor, now=now)


def report_lost(session: Session, serial: int, *, actor: Actor, now: datetime) -> None:
    """Revoke the card of a citizen at once. Raises Problem `no-paper-card`."""
    ledger.lock_code(session, serial)
    if not cards.revoke(session, serial, cards.LOST, actor=actor, now=now):
        raise Problem("no-paper-card")


def get_live(session: Session, serial: int, now: datetime) -> PaperCard:
    """Return the card of a citizen. Raises Problem `no-paper-card`."""
    card = cards.find_live(session, serial, now)
    if card is None:
        raise Problem("no-paper-card")
    return card


def printed(services: Services, session: Session, card: PaperCard) -> PrintedCard:
    """Return what is printed on a card, with its token, which is the same on each print."""
    citizen = session.get_one(Citizen, card.serial)
    name = _name(services.encryption, citizen)
    token = services.paper_tokens.mint(Paper(card.id, card.issued_at, card.ends_at))
    return PrintedCard(token, mask_name(name), citizen.document_type, card.issued_at, card.ends_at)


def _name(encryption: FieldEncryption, citizen: Citizen) -> str:
    assert citizen.name_ciphertext is not None  # nobody is confirmed without a name
    return encryption.decrypt("citizens.name", citizen.name_ciphertext)

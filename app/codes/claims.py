"""Who holds a code: an account that the platform has confirmed to be the person's, or one that only says so.

Anybody can register with a document number that they have seen. Until the platform has confirmed name and document, an
account sees nothing of what others have recorded about the person; and once the platform has denied it, or a day has
passed, the person themselves can register instead.
"""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.audit import Actor
from app.codes import ledger
from app.codes.models import Code, Notice

OWN_EVIDENCE_KINDS = frozenset({"declaration", "temperature"})  # what comes from whoever holds the code
UNCONFIRMED_CLAIM_DAYS = 1


def claim(session: Session, serial: int, *, actor: Actor, now: datetime) -> None:
    """A new account holds the code from now on, not confirmed yet; the sessions of an earlier one end."""
    code = ledger.lock_code(session, serial)
    if code.claimed_at is not None:
        ledger.end_sessions(session, serial, actor=actor, now=now)
    code.claimed_at, code.confirmed_at, code.denied_at = now, None, None
    # what still waits to be told was meant for whoever the person is, not for who has just said so
    waiting = update(Notice).where(Notice.serial == serial, Notice.delivery == "waiting")
    session.execute(waiting.values(delivery="withheld", updated_at=now))


def confirm(session: Session, serial: int, now: datetime) -> None:
    """The platform knows the holder as this person."""
    code = ledger.lock_code(session, serial)
    code.confirmed_at, code.denied_at = code.confirmed_at or now, None


def deny(session: Session, serial: int, now: datetime) -> None:
    """The platform does not know the holder as this person."""
    ledger.lock_code(session, serial).denied_at = now


def can_be_claimed(code: Code, now: datetime) -> bool:
    """Whether somebody else may register as the person: never once the platform has confirmed the holder."""
    if code.confirmed_at is not None:
        return False
    return code.claimed_at is None or code.denied_at is not None or now - code.claimed_at > _UNCONFIRMED_LIFETIME


_UNCONFIRMED_LIFETIME = timedelta(days=UNCONFIRMED_CLAIM_DAYS)

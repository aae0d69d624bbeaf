"""Claims of codes: the account that holds a code, confirmed by the platform or not.

Anybody can register with a document number that they have seen. Until the platform has confirmed name and document, an
account sees nothing that others have recorded about the citizen. An account gives way to one with a stronger assurance;
once the platform has denied the claim, or a day has passed without confirmation, to any other.
"""

from datetime import datetime, timedelta
from enum import IntEnum

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.audit import Actor
from app.codes import ledger
from app.codes.models import Code, Notice


class Assurance(IntEnum):
    """Who confirms a claim: nobody, the platform by a phone that was typed in, or the platform by WeChat's phone."""

    NONE = 0
    PLATFORM = 1
    PHONE = 2


OWN_EVIDENCE_KINDS = frozenset({"declaration", "temperature"})  # evidence that comes from the holder of the code
UNCONFIRMED_CLAIM_DAYS = 1


def claim(session: Session, serial: int, *, actor: Actor, now: datetime) -> None:
    """Give the code to a new account, still unconfirmed, and end the sessions of an earlier holder."""
    code = ledger.lock_code(session, serial)
    if code.claimed_at is not None:
        ledger.end_sessions(session, serial, actor=actor, now=now)
    code.claimed_at, code.confirmed_at, code.denied_at = now, None, None
    # a notice that still waits is meant for the citizen, who the new account may not be
    waiting = update(Notice).where(Notice.serial == serial, Notice.delivery == "waiting")
    session.execute(waiting.values(delivery="withheld", updated_at=now))


def confirm(session: Session, serial: int, now: datetime) -> None:
    """Record that the platform knows the holder as this citizen."""
    code = ledger.lock_code(session, serial)
    code.confirmed_at, code.denied_at = code.confirmed_at or now, None


def deny(session: Session, serial: int, now: datetime) -> None:
    """Record that the platform does not know the holder as this citizen."""
    ledger.lock_code(session, serial).denied_at = now


def assurance_of(code: Code, *, by_wechat: bool) -> Assurance:
    """Return the assurance of the holder's claim; `by_wechat`: WeChat vouched for the phone of the account."""
    if code.confirmed_at is None:
        return Assurance.NONE
    return Assurance.PHONE if by_wechat else Assurance.PLATFORM


def can_be_claimed(code: Code, now: datetime) -> bool:
    """Return whether another account may claim the code: never once the platform has confirmed the holder."""
    if code.confirmed_at is not None:
        return False
    return code.claimed_at is None or code.denied_at is not None or now - code.claimed_at > _UNCONFIRMED_LIFETIME


_UNCONFIRMED_LIFETIME = timedelta(days=UNCONFIRMED_CLAIM_DAYS)

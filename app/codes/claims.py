"""Claims of codes: the account that holds a code, confirmed by the platform or not.

Anybody can register with a document number that they have seen. Until the platform has confirmed name, document and
phone, an account sees nothing that others have recorded about the citizen. An account gives way to one with a stronger
assurance. One that the platform never confirmed gives way to any other once it was denied, or a day has passed; one
that was confirmed and denied since, because a name or phone has changed, to one with the same assurance.
"""

from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import audit
from app.audit import PLATFORM, Actor
from app.codes import ledger
from app.codes.models import Code, EvidenceRow, Notice
from app.codes.paper import cards
from app.codes.row_digests.events import code_detail


class Assurance(IntEnum):
    """Who confirms a claim: nobody, the platform alone, or the platform and somebody who vouches for the holder.

    WeChat vouches by its phone, and a clerk at a service window by the document that they have in hand. Neither is
    enough without the platform.
    """

    NONE = 0
    PLATFORM = 1
    VOUCHED = 2


UNCONFIRMED_CLAIM_DAYS = 1


def claim(session: Session, serial: int, *, actor: Actor, now: datetime) -> datetime:
    """Give the code to a new account, still unconfirmed, and end the sessions of an earlier holder.

    Returns the moment of the claim: after everything that is known of the person, and after an earlier claim, because
    the order in which the lock was given decides, not the clocks of the machines.
    """
    code = ledger.lock_code(session, serial)
    known = session.scalar(select(func.max(EvidenceRow.at)).filter_by(serial=serial)), code.claimed_at
    now = max([now, *(moment + timedelta(microseconds=1) for moment in known if moment is not None)])
    if code.claimed_at is not None:
        ledger.end_sessions(session, serial, actor=actor, now=now)
    cards.revoke(session, serial, cards.CLAIMED, actor=actor, now=now)
    code.claimed_at, code.confirmed_at, code.denied_at = now, None, None
    # a notice that still waits is meant for the citizen, who the new account may not be
    waiting = update(Notice).where(Notice.serial == serial, Notice.delivery == "waiting")
    session.execute(waiting.values(delivery="withheld", updated_at=now))
    audit.append(session, actor, "registered", now, serial=serial, **code_detail(session, code, now))
    return now


def release(session: Session, serial: int, *, actor: Actor, now: datetime, **detail: Any) -> None:
    """Take the code from its holder, who is erased: it is nobody's until an account claims it.

    `detail` goes into the audit event, which is that of the erasure.
    """
    code = ledger.lock_code(session, serial)
    cards.forget(session, serial, actor=actor, now=now)
    code.claimed_at = code.confirmed_at = code.denied_at = None
    audit.append(session, actor, "erased", now, serial=serial, **detail, **code_detail(session, code, now))


def confirm(session: Session, serial: int, now: datetime) -> None:
    """Record that the platform knows the holder as this citizen."""
    code = ledger.lock_code(session, serial)
    if code.confirmed_at is None or code.denied_at is not None:
        code.confirmed_at, code.denied_at = code.confirmed_at or now, None
        audit.append(session, PLATFORM, "identity-confirmed", now, serial=serial, **code_detail(session, code, now))


def deny(session: Session, serial: int, now: datetime) -> None:
    """Record that the platform does not know the holder as this citizen."""
    code = ledger.lock_code(session, serial)
    code.denied_at = now
    audit.append(session, PLATFORM, "identity-denied", now, serial=serial, **code_detail(session, code, now))


def assurance_of(code: Code, *, is_vouched: bool) -> Assurance:
    """Return the assurance of the holder's claim; `is_vouched`: by WeChat, or by a clerk at a service window."""
    if code.confirmed_at is None:
        return Assurance.NONE
    return Assurance.VOUCHED if is_vouched else Assurance.PLATFORM


def can_be_claimed(code: Code, now: datetime) -> bool:
    """Return whether an account without any assurance may claim the code: never once the platform has confirmed it."""
    if code.confirmed_at is not None:
        return False
    return code.claimed_at is None or code.denied_at is not None or now - code.claimed_at > _UNCONFIRMED_LIFETIME


def gives_way(code: Code, held: Assurance, assurance: Assurance, now: datetime) -> bool:
    """Return whether the claim of a holder with the assurance `held` gives way to one with another assurance."""
    return held < assurance or can_be_claimed(code, now) or (code.denied_at is not None and held == assurance)


_UNCONFIRMED_LIFETIME = timedelta(days=UNCONFIRMED_CLAIM_DAYS)

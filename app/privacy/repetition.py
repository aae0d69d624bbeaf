"""Repeating erasures after a restore: a backup has again what people had deleted since it was made.

Owns what is repeated, and for whom: never for somebody who has come back since their erasure.
"""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens.models import Account
from app.codes import ledger
from app.codes.models import Code
from app.families import ties
from app.families.models import FamilyTie
from app.families.ties import Ender
from app.privacy import erasure
from app.wechat.models import WeChatUser

TIE_ENDED: Final = "family-ended"
REPEATED_ACTIONS: Final = (erasure.ERASED, "phone-deleted", TIE_ENDED)  # of the audit
_OPERATOR: Final = Actor("operator")


class Erasure(NamedTuple):
    """An erasure, the deletion of a phone number, or the end of a tie, as the audit has it: whose, and of which users.

    Serials, the ids of WeChat users and of ties are given once, whatever was restored in between.
    """

    at: datetime
    action: str
    serial: int | None
    users: tuple[int, ...]
    tie: str | None = None


def repeat(session: Session, done: Erasure, now: datetime) -> bool:
    """Repeat an erasure; return False where nothing of it is there, or the person has come back since."""
    if done.action == TIE_ENDED:
        return _end_tie(session, done, now)
    held = done.serial is not None and _was_held(session, done.serial, done.at)
    if done.action != erasure.ERASED:
        return held and erasure.delete_phone(session, done.serial or 0, actor=_OPERATOR, now=now)
    users = []
    for id_ in done.users:
        user = session.get(WeChatUser, id_, with_for_update=True, populate_existing=True)
        if user is not None and user.last_login_at <= done.at:
            erasure.delete_user(session, user)
            users.append(id_)
    if users:
        audit.append(session, _OPERATOR, erasure.ERASED, now, users=users, repeated=True)
    if held:
        erasure.erase_holder(session, done.serial or 0, _OPERATOR, now, repeated=True)
    return held or bool(users)


def _end_tie(session: Session, done: Erasure, now: datetime) -> bool:
    """End a tie that a backup has again; one that was made anew since is another."""
    tie = session.get(FamilyTie, done.tie) if done.tie is not None else None
    if tie is None:
        return False
    ties.lock_both(session, tie.holder, tie.dependant)
    session.refresh(tie)
    if tie.ended_at is not None:
        return False
    ties.end(session, tie, Ender.CLOCK, now)
    return True


def _was_held(session: Session, serial: int, at: datetime) -> bool:
    """Return whether a code has the account again that was there before a moment; the code is locked then."""
    if session.get(Code, serial) is None or session.get(Account, serial) is None:
        return False
    claimed_at = ledger.lock_code(session, serial).claimed_at
    return claimed_at is not None and claimed_at <= at

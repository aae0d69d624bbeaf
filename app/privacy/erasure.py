"""Forgetting a person who has asked for it, and a single datum that a person has taken back.

Owns what goes and what stays; `docs/privacy.md` tells people the same. Who somebody is goes: account, name, document,
phone, openid, subscriptions, the words of appeals. What was found out for the prevention of the epidemic stays:
evidence and decisions, under the serial of the code, with the keyed hash of the document as the only thread back. It
never touches evidence.
"""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app import audit
from app.appeals import retention
from app.audit import Actor
from app.citizens.models import Account, Citizen
from app.codes import ledger
from app.wechat import login
from app.wechat.models import Subscription, SubscriptionAccept, WeChatUser


def erase(session: Session, user: WeChatUser, *, actor: Actor, now: datetime) -> int | None:
    """Forget a WeChat user and the citizen whom they are bound to, whose sessions end.

    Returns the serial under which evidence and decisions stay, or None where there was no citizen.
    """
    serial = user.serial
    _forget_user(session, user)
    if serial is not None:
        login.unbind_all(session, serial)  # other phones of the person; their users have not asked to be forgotten
        _forget_citizen(session, serial, now)
        ledger.end_sessions(session, serial, actor=actor, now=now)
        retention.erase_person(session, serial, actor=actor, now=now)  # the code is locked: none is filed now
    audit.append(session, actor, "erased", now, serial=serial, user=user.id)
    return serial


def delete_phone(session: Session, serial: int, *, actor: Actor, now: datetime) -> bool:
    """Delete a citizen's phone number; False when there is none."""
    citizen = _locked(session, serial)
    if citizen is None or citizen.phone_ciphertext is None:
        return False
    citizen.phone_ciphertext = None
    audit.append(session, actor, "phone-deleted", now, serial=serial)
    return True


def _forget_user(session: Session, user: WeChatUser) -> None:
    session.execute(delete(SubscriptionAccept).filter_by(wechat_user_id=user.id))
    session.execute(delete(Subscription).filter_by(wechat_user_id=user.id))
    session.delete(user)
    session.flush()


def _forget_citizen(session: Session, serial: int, now: datetime) -> None:
    session.execute(delete(Account).filter_by(serial=serial))
    citizen = _locked(session, serial)
    if citizen is not None:
        citizen.name_ciphertext = citizen.phone_ciphertext = citizen.document_ciphertext = None
        citizen.erased_at = now


def _locked(session: Session, serial: int) -> Citizen | None:
    """The citizen's row, held until the transaction ends against those who come with the same document."""
    return session.get(Citizen, serial, with_for_update={"key_share": True}, populate_existing=True)

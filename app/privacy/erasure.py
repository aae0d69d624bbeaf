"""Erasure of a person on request, and deletion of a single datum that a person has revoked.

Owns what is deleted and what is kept, as `docs/explanation/privacy.md` promises. Everything that identifies a person
is deleted: account, name, document, phone, openid, subscriptions, the words of appeals, statements at windows. What
the prevention of the epidemic needs is kept: evidence and decisions, under the serial of the code, with the keyed
hash of the document as the only link back. It never changes evidence, so an order of officers stays in force. A
document that officers have brought stays too where nobody confirmed that the account is that of its person: it is not
the holder's to delete.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from app import audit
from app.appeals import retention
from app.audit import Actor
from app.citizens.document_checks import identities, trail
from app.citizens.models import Account, Citizen
from app.codes import claims, ledger
from app.core import queue
from app.corrections import requests
from app.entries.models import EntrySubject
from app.families import retention as family_retention
from app.families import ties
from app.families.models import FamilyTie
from app.families.ties import Consent, Ender
from app.notifications.models import AccountMessage
from app.stations import alerts
from app.venues import retention as venue_retention
from app.wechat import login
from app.wechat.callbacks import receipts
from app.wechat.models import Subscription, SubscriptionAccept, WeChatUser
from app.wechat.official import followers
from app.windows.models import FormerBinding, WindowStatement

ERASED: Final = "erased"  # the action of the audit


def erase(session: Session, user: WeChatUser, *, actor: Actor, now: datetime) -> int | None:
    """Erase a WeChat user and the citizen whom they have registered, with every WeChat user bound to that citizen.

    Returns the serial under which evidence and decisions are kept, or None where there was no citizen. Of a WeChat user
    who only logged in with the password of an account, nothing else is erased.
    """
    serial = registered_serial(session, user)
    if serial is None:
        delete_user(session, user)
        audit.append(session, actor, ERASED, now, user=user.id, users=[user.id])
    else:
        erase_holder(session, serial, actor, now, user=user.id)
    return serial


def registered_serial(session: Session, user: WeChatUser) -> int | None:
    """Return the serial of the citizen whom a WeChat user has registered; None for who is bound to it by a password."""
    account = None if user.serial is None else session.get(Account, user.serial)
    other = account is not None and account.registered_by not in (None, user.id)
    return None if other else user.serial


def erase_account(session: Session, serial: int, user: WeChatUser | None, now: datetime, certificate: str) -> None:
    """Erase a citizen who asks for it, as the WeChat user who asks, if any, with the id of a certificate."""
    asked = None if user is None else user.id
    erase_holder(session, serial, Actor("citizen", str(serial)), now, user=asked, certificate=certificate)


def erase_holder(session: Session, serial: int, actor: Actor, now: datetime, **asked: int | bool | str | None) -> None:
    """Erase the holder of a code with all their WeChat users; `asked` goes into the audit event."""
    account = session.get(Account, serial)
    users = login.lock_users_of(session, serial, None if account is None else account.registered_by)
    ids = [user.id for user in users]
    children = [tie for tie in ties.list_of_holder(session, serial, now) if tie.consent == Consent.GUARDIAN]
    family_retention.erase_person(session, serial, now)
    venue_retention.erase_person(session, serial)
    for user in users:
        delete_user(session, user)
    _delete_citizen(session, serial, now)
    ledger.end_sessions(session, serial, actor=actor, now=now)
    session.execute(delete(WindowStatement).filter_by(serial=serial))
    alerts.delete_of(session, serial)  # the code is locked: what waits of a check is stored before, or never
    session.execute(delete(AccountMessage).filter_by(serial=serial))
    requests.forget(session, serial, now)
    retention.erase_person(session, serial, actor=actor, now=now)  # the locked code lets no appeal be filed now
    claims.release(session, serial, actor=actor, now=now, users=ids, **asked)
    for tie in children:
        _erase_if_alone(session, tie.dependant, actor, now)


def end_tie(session: Session, tie: FamilyTie, by: Ender, now: datetime) -> None:
    """End a tie; a child whom a guardian has registered, and whom nobody shows any more, is erased."""
    ties.end(session, tie, by, now)
    if tie.consent == Consent.GUARDIAN:
        _erase_if_alone(session, tie.dependant, ties.family_actor(tie.holder), now)


def end_over(session: Session, tie: FamilyTie, now: datetime) -> None:
    """End a tie that is not in force any more, unless somebody has done so meanwhile."""
    ties.lock_both(session, tie.holder, tie.dependant)
    current = session.get(FamilyTie, tie.id, populate_existing=True)
    if current is not None and current.ended_at is None:
        end_tie(session, current, ties.ender_of_void(current, now), now)


def _erase_if_alone(session: Session, child: int, actor: Actor, now: datetime) -> None:
    """Erase a child whom a guardian has registered and none shows any more: there would be nobody to ask for it."""
    account = session.get(Account, child, populate_existing=True)
    by_guardian = account is not None and account.opens_nothing and account.attested_at is None
    if by_guardian and not ties.list_of_dependant(session, child, now):
        erase_holder(session, child, actor, now)


def delete_phone(session: Session, serial: int, *, actor: Actor, now: datetime) -> bool:
    """Delete a citizen's phone number; return False when there is none."""
    citizen = _lock(session, serial)
    if citizen is None or citizen.phone_ciphertext is None:
        return False
    citizen.phone_ciphertext = None
    audit.append(session, actor, "phone-deleted", now, serial=serial)
    return True


def delete_user(session: Session, user: WeChatUser) -> None:
    """Delete a WeChat user with their subscriptions and what waits of them."""
    queue.forget_lock(session, receipts.lock_of_hash(user.openid_hash), also_failed=True)
    session.execute(delete(SubscriptionAccept).filter_by(wechat_user_id=user.id))
    session.execute(delete(Subscription).filter_by(wechat_user_id=user.id))
    session.execute(delete(FormerBinding).filter_by(wechat_user_id=user.id))
    session.execute(delete(AccountMessage).filter_by(user_id=user.id))
    followers.remove_of_user(session, user)
    session.delete(user)
    session.flush()


def _delete_citizen(session: Session, serial: int, now: datetime) -> None:
    session.execute(delete(Account).filter_by(serial=serial))
    citizen = _lock(session, serial)
    if citizen is None:
        return
    citizen.name_ciphertext = citizen.phone_ciphertext = None
    identities.change(session, citizen, None)
    trail.delete_of(session, serial)
    if not _is_document_of_others(session, serial):
        citizen.document_ciphertext, citizen.erased_at = None, now


def _is_document_of_others(session: Session, serial: int) -> bool:
    """Return whether officers have brought the document, and nobody has confirmed that the holder is its person."""
    if ledger.get_code(session, serial).confirmed_at is not None:
        return False
    return bool(session.scalar(select(exists().where(EntrySubject.serial == serial))))


def _lock(session: Session, serial: int) -> Citizen | None:
    """Return the citizen's row, locked until the transaction ends against a registration with the same document."""
    return session.get(Citizen, serial, with_for_update={"key_share": True}, populate_existing=True)

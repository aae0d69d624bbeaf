"""What is repeated of citizens: erasures, never of somebody who has come back, and the log-ins that they have ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AuditEvent
from app.backup.repetition.removals import Removal
from app.citizens.models import Account
from app.codes import ledger
from app.codes.models import Code
from app.codes.paper import cards
from app.codes.paper.models import PaperCard
from app.core.passwords import generate_password, hash_password
from app.corrections import requests
from app.families import ties
from app.families.models import FamilyInvitation, FamilyTie
from app.families.ties import Ender
from app.privacy import erasure
from app.staff.context import OPERATOR, OfficerContext
from app.wechat import login
from app.wechat.models import WeChatUser
from app.windows import recoveries

_CHOSEN: Final = ("credentials-chosen", "password-changed", "password-ended", "account-recovered")


def erase(context: OfficerContext, done: Removal) -> bool:
    """Erase a holder and WeChat users again; not who has come back since."""
    session, users = context.session, []
    held = done.serial is not None and _was_held(session, done.serial, done.at)
    for id_ in done.named("users") or ():
        user = session.get(WeChatUser, id_, with_for_update=True, populate_existing=True)
        if user is not None and user.last_login_at <= done.at:
            erasure.delete_user(session, user)
            users.append(id_)
    if users:
        audit.append(session, OPERATOR, erasure.ERASED, context.now, users=users, repeated=True)
    if held:
        erasure.erase_holder(session, done.serial or 0, OPERATOR, context.now, repeated=True)
    return held or bool(users)


def delete_phone(context: OfficerContext, done: Removal) -> bool:
    """Delete a phone number again."""
    if done.serial is None or not _was_held(context.session, done.serial, done.at):
        return False
    return erasure.delete_phone(context.session, done.serial, actor=OPERATOR, now=context.now)


def end_tie(context: OfficerContext, done: Removal) -> bool:
    """End a tie that a backup has again; one that was made anew since is another."""
    session, id_ = context.session, done.named("tie")
    tie = None if id_ is None else session.get(FamilyTie, id_)
    if tie is None:
        return False
    ties.lock_both(session, tie.holder, tie.dependant)
    session.refresh(tie)
    if tie.ended_at is not None:
        return False
    ties.end(session, tie, Ender.CLOCK, context.now)
    return True


def decline_invitation(context: OfficerContext, done: Removal) -> bool:
    """Decline an invitation again, so that who was declined before stays silent as long."""
    id_ = done.named("invitation")  # which older events do not name
    row = None if id_ is None else context.session.get(FamilyInvitation, id_)
    if row is None:
        return False
    context.session.refresh(row, with_for_update=True)
    if row.declined_at is not None:
        return False
    row.declined_at = done.at
    context.append_audit("family-declined", serial=done.serial, holder=row.holder, invitation=row.id)
    return True


def switch_messages_off(context: OfficerContext, done: Removal) -> bool:
    """Send no text messages again to somebody who had switched them off."""
    session, serial = context.session, done.serial
    if serial is None or not _was_held(session, serial, done.at):
        return False
    account = session.get_one(Account, serial, with_for_update=True, populate_existing=True)
    if not account.sms_on:
        return False
    account.sms_on = False
    context.append_audit("sms-switched-off", serial=serial, repeated=True)
    return True


def unbind(context: OfficerContext, done: Removal) -> bool:
    """Unbind WeChat users again who are bound to this code, and were before; not who was bound anew since."""
    if done.serial is None:
        return False
    anew = _bound_since(context.session, done.serial, done.at)
    users = (one for one in done.named("users") or () if one not in anew)
    bound = [one for one in users if _is_bound(context.session, one, done.serial)]
    for user in bound:
        login.unbind(context.session, user)
        context.append_audit("wechat-unbound", serial=done.serial, user=user, repeated=True)
    if bound:
        ledger.end_sessions(context.session, done.serial, actor=OPERATOR, now=context.now)
    return bool(bound)


def end_password(context: OfficerContext, done: Removal) -> bool:
    """End the password of a citizen, which was another one since: who is bound chooses anew, others go to a window."""
    session, serial = context.session, done.serial
    if serial is None or not _was_held(session, serial, done.at):
        return False
    account = session.get_one(Account, serial, populate_existing=True)
    if account.username is None or _has_event(session, serial, _CHOSEN, done.at):
        return False
    if session.scalar(select(exists().where(WeChatUser.serial == serial))):
        account.username = account.password_hash = None
    else:
        account.password_hash = hash_password(generate_password())
    ledger.end_sessions(session, serial, actor=OPERATOR, now=context.now)
    audit.append(session, OPERATOR, "password-ended", context.now, serial=serial)
    return True


def recover(context: OfficerContext, done: Removal) -> bool:
    """Have who was bound and who knew the password before a recovery open the account no more."""
    unbound = unbind(context, done)
    return end_password(context, done) or unbound


def undo_recovery(context: OfficerContext, done: Removal) -> bool:
    """Give an account back again, from whom had recovered it wrongly; after that nobody had the password of before."""
    id_ = done.named("recovery")
    return (id_ is not None and recoveries.undo_again(context, id_)) or end_password(context, done)


def object_to_recovery(context: OfficerContext, done: Removal) -> bool:
    """Object to a recovery again for who did so in time, and would be late now."""
    [user] = done.named("users")
    return recoveries.object_again(context, done.named("recovery"), user)


def undo_correction(context: OfficerContext, done: Removal) -> bool:
    """Give somebody the document back that officers had taken from them."""
    return requests.undo_again(context, done.named("correction"))


def revoke_card(context: OfficerContext, done: Removal) -> bool:
    """Revoke a card on paper again; not another one that was given its number."""
    session, serial = context.session, done.serial
    card = session.get(PaperCard, done.named("card"))
    if card is None or serial is None or card.serial != serial or card.issued_at > done.at:
        return False
    ledger.lock_code(session, serial)
    session.refresh(card)
    return card.revoked_at is None and cards.revoke(session, serial, cards.LOST, actor=OPERATOR, now=context.now)


def _bound_since(session: Session, serial: int, at: datetime) -> set[int]:
    events = session.scalars(_events(serial, ("wechat-bound",), at))
    return {event.detail["user"] for event in events}


def _has_event(session: Session, serial: int, actions: Sequence[str], at: datetime) -> bool:
    return session.scalars(_events(serial, actions, at).limit(1)).first() is not None


def _events(serial: int, actions: Sequence[str], at: datetime) -> Select[AuditEvent]:
    of_code = AuditEvent.serial == serial, AuditEvent.at >= at
    return select(AuditEvent).where(*of_code, AuditEvent.action.in_(actions))


def _is_bound(session: Session, user_id: int, serial: int) -> bool:
    user = session.get(WeChatUser, user_id, with_for_update=True, populate_existing=True)
    return user is not None and user.serial == serial


def _was_held(session: Session, serial: int, at: datetime) -> bool:
    """Return whether a code has the account again that was there before a moment; the code is locked then."""
    if session.get(Code, serial) is None or session.get(Account, serial) is None:
        return False
    claimed_at = ledger.lock_code(session, serial).claimed_at
    return claimed_at is not None and claimed_at <= at

"""Bindings: the WeChat users whose log-ins open an account, as its holder sees them, and their end.

A binding is known by its number among those of the account: it counts nobody else's, and says who it is to nobody.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor, AuditEvent
from app.citizens.models import Account
from app.codes import ledger
from app.core.errors import Problem
from app.wechat import login
from app.wechat.models import WeChatUser


class Binding(NamedTuple):
    """A WeChat user who is bound to the account, since when, and whether they asked, or have registered it.

    Who registered stays: whoever got in by the password alone does not lock the holder out.
    """

    number: int
    user_id: int
    bound_at: datetime
    is_own: bool
    registered: bool

    @property
    def can_end(self) -> bool:
        return not self.is_own and not self.registered


def list_bindings(session: Session, serial: int, own_user: int) -> Sequence[Binding]:
    """List the WeChat users who are bound to the account of a code, the newest binding first."""
    account = session.get(Account, serial)
    if account is None:
        raise Problem("not-registered")
    binding = select(AuditEvent).where(AuditEvent.serial == serial, AuditEvent.action == "wechat-bound")
    since = binding.where(AuditEvent.at >= account.created_at).order_by(AuditEvent.id)
    events = {event.detail.get("user"): (number, event.at) for number, event in enumerate(session.scalars(since), 1)}
    bound = session.scalars(select(WeChatUser.id).where(WeChatUser.serial == serial)).all()
    found = []
    for user in bound:
        number, at = events[user]
        found.append(Binding(number, user, at, user == own_user, user == account.registered_by))
    return sorted(found, reverse=True)


def end_binding(session: Session, serial: int, own_user: int, number: int, now: datetime) -> None:
    """Unbind another WeChat user, and end every session of the account. Raises Problem."""
    binding = next((one for one in list_bindings(session, serial, own_user) if one.number == number), None)
    if binding is None:
        raise Problem("binding-not-found")
    if not binding.can_end:
        raise Problem("binding-stays")
    login.unbind(session, binding.user_id)
    actor = Actor("citizen", str(serial))
    ledger.end_sessions(session, serial, actor=actor, now=now)
    audit.append(session, actor, "wechat-unbound", now, serial=serial, user=binding.user_id)

"""The switch of a citizen for text messages, and what they are shown about it."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens.models import Account
from app.codes.models import Code
from app.core.errors import Problem
from app.notifications.sms import numbers
from app.notifications.sms.channel import OFF, STOPPED, UNDELIVERABLE, find_recipients
from app.runtime import Services


class SmsChoice(NamedTuple):
    """Whether a citizen is to be sent text messages, at which number, and why none would arrive."""

    offered: bool
    on: bool
    phone: str = ""
    obstacle: str | None = None


def read(services: Services, session: Session, serial: int, now: datetime) -> SmsChoice:
    """Return what a citizen has chosen. Raises Problem `not-registered` without an account."""
    account = _account(session, serial)
    recipient = find_recipients(services, session, [session.get_one(Code, serial)])[serial]
    obstacle = None if recipient.reason == OFF else recipient.reason
    if recipient.phone and obstacle is None:
        obstacle = _obstacle(services, session, recipient.phone, now)
    return SmsChoice(services.sms is not None, account.sms_on, recipient.phone, obstacle)


def choose(session: Session, serial: int, on: bool, now: datetime) -> None:
    """Switch text messages on or off. Raises Problem `not-registered` without an account."""
    account = _account(session, serial, lock=True)
    if account.sms_on is on:
        return
    account.sms_on, actor = on, Actor("citizen", str(serial))
    if on:
        audit.append(session, actor, "sms-switched-on", now, serial=serial)
    else:
        audit.append(session, actor, "sms-switched-off", now, serial=serial)


def _account(session: Session, serial: int, *, lock: bool = False) -> Account:
    account = session.get(Account, serial, with_for_update=lock or None)
    if account is None:
        raise Problem("not-registered")
    return account


def _obstacle(services: Services, session: Session, phone: str, now: datetime) -> str | None:
    number = numbers.find(session, numbers.hash_of(services.encryption, phone))
    if number is None:
        return None
    if number.stopped_at is not None:
        return STOPPED
    gone = number.undeliverable_until is not None and number.undeliverable_until > now
    return UNDELIVERABLE if gone else None

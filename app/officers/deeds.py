"""The audit as an auditor reads it: who did what, the newest first, narrowed by officer, deed, day or person.

Tells serials and never who somebody is. To ask for one person's entries is a look at a record, and entered as one. An
auditor of a district has the deeds of its officers before them, whomever they concern.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AuditEntry, ReadPart, ReadReason
from app.citizens import accounts as citizens
from app.citizens.accounts import Document
from app.clock import BEIJING
from app.codes.models import Code
from app.db import among
from app.errors import Problem, bad_field
from app.officers.accounts import actor_of
from app.officers.models import Officer, Role
from app.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose deeds, which, of what day in Beijing, about whom; what is left out narrows nothing."""

    officer: str = ""
    action: str = ""
    day: date | None = None
    serial: int | None = None


class Deed(NamedTuple):
    """An entry, and the user name of the officer who acted, where one with an account did."""

    entry: AuditEntry
    username: str | None


def found(session: Session, auditor: Officer, wanted: Wanted, most: int, before: int | None = None) -> Sequence[Deed]:
    """The entries that are wanted, newest first; `before` is the one from which to go on.

    Raises Problem `officer-not-found` for an officer whom the auditor has not before them.
    """
    rows = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(most)
    if before is not None:
        rows = rows.where(AuditEntry.id < before)
    if wanted.serial is not None:
        rows = rows.where(AuditEntry.serial == wanted.serial)
    if wanted.action:
        rows = rows.where(AuditEntry.action == wanted.action)
        rows = rows if wanted.action in audit.FREQUENT else rows.where(audit.RARE)
    if wanted.day is not None:
        rows = _on(session, rows, wanted.day)
    entries = session.scalars(_by(session, auditor, rows, wanted.officer.strip().lower())).all()
    names = _usernames(session, entries)
    return [Deed(entry, names.get(entry.actor)) for entry in entries]


def of_person(
    session: Session, vault: Vault, auditor: Officer, whom: int | Document, reason: str, now: datetime
) -> int | None:
    """The serial of a person, by serial or normalized document, once it is entered that the auditor looks.

    None for nobody; such a question is entered too. Raises Problem for a reason that is no ReadReason.
    """
    serial = _serial(session, vault, whom)
    actor, role = actor_of(auditor), Role.AUDITOR
    if serial is not None:
        audit.read(session, actor, role, serial, reason, ReadPart.ACCESS, now)
        return serial
    if reason not in set(ReadReason):
        raise bad_field("/reason", "not-a-choice")
    audit.enter(session, actor, "record-sought", now, role=role, reason=reason, what=str(ReadPart.ACCESS))
    return None


def _serial(session: Session, vault: Vault, whom: int | Document) -> int | None:
    if isinstance(whom, int):
        return None if session.get(Code, whom) is None else whom
    return citizens.find(session, vault, *whom)


def _on(session: Session, rows: Select[AuditEntry], day: date) -> Select[AuditEntry]:
    """Those of a day in Beijing."""
    begins = datetime.combine(day, time(), BEIJING)
    ends = begins + timedelta(days=1)
    first, beyond = (audit.first_since(session, moment) for moment in (begins, ends + 2 * audit.ASTRAY))
    return rows.where(AuditEntry.id >= first, AuditEntry.id < beyond, AuditEntry.at >= begins, AuditEntry.at < ends)


def _by(session: Session, auditor: Officer, rows: Select[AuditEntry], username: str) -> Select[AuditEntry]:
    """Those of one officer, or of all whom the auditor has before them."""
    theirs = select(Officer)
    if auditor.district is not None:
        theirs = theirs.filter_by(district=auditor.district)
    if username:
        officer = session.scalar(theirs.filter_by(username=username))
        if officer is None:
            raise Problem("officer-not-found")
        return rows.where(audit.OF_OFFICERS, AuditEntry.actor == str(actor_of(officer)))
    if auditor.district is None:
        return rows
    actors = [str(actor_of(officer)) for officer in session.scalars(theirs)]
    return rows.where(audit.OF_OFFICERS, among(AuditEntry.actor, actors))


def _usernames(session: Session, entries: Sequence[AuditEntry]) -> dict[str, str]:
    """The user names of those who acted, by the actor's name in the audit."""
    acted = {entry.actor.partition(":")[2] for entry in entries if entry.actor.startswith("officer:")}
    ids = [int(id_) for id_ in acted if id_.isdecimal()]  # at the command line an officer is named in words
    return {str(actor_of(one)): one.username for one in session.scalars(select(Officer).where(among(Officer.id, ids)))}

"""The audit as an auditor reads it: who did what, the newest first, narrowed by officer, deed, day or person.

Tells serials and never who somebody is. To ask for one person's entries is a look at a record, and entered as one. An
auditor of a district has the deeds of its officers before them, whomever they concern.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AuditEntry, ReadPart, ReadReason
from app.citizens import accounts as citizens
from app.citizens.accounts import Document
from app.clock import BEIJING
from app.codes.models import Code
from app.db import among
from app.errors import Problem, bad_field
from app.officers.accounts import actor_of, officers_in
from app.officers.models import Officer, Role
from app.vault import Vault

SIGNED: Final = "officer-list-signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose deeds, which, of what day in Beijing, about whom; what is left out narrows nothing."""

    officer: str = ""
    action: str = ""
    day: date | None = None
    serial: int | None = None


class Deed(NamedTuple):
    """An entry, and the user names of the officers with accounts who acted; two sign for the same."""

    entry: AuditEntry
    usernames: Sequence[str]


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
    return [Deed(entry, [names[id_] for id_ in officers_in(entry.actor) if id_ in names]) for entry in entries]


def lists_signed(session: Session, auditor: Officer, since: datetime, most: int) -> Sequence[Deed]:
    """The lists for which two officers have signed since then, newest first: the way that no alarm counts."""
    return [deed for deed in found(session, auditor, Wanted(action=SIGNED), most) if deed.entry.at > since]


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
    """Those of a day in Beijing; none of the first and the last of the calendar, beside which there is no other."""
    if not date.min < day < date.max:
        return rows.where(false())
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
        return rows.where(audit.OF_OFFICERS, among(AuditEntry.actor, _actors(session, [officer])))
    if auditor.district is None:
        return rows
    return rows.where(audit.OF_OFFICERS, among(AuditEntry.actor, _actors(session, session.scalars(theirs).all())))


def _actors(session: Session, officers: Sequence[Officer]) -> list[str]:
    """The actors that name one of these officers, also beside another: two who act as one have signed for a list."""
    ids = {officer.id for officer in officers}
    both = session.scalars(select(AuditEntry.actor).where(AuditEntry.action == SIGNED, audit.RARE).distinct())
    return [
        *(str(actor_of(officer)) for officer in officers),
        *(two for two in both if ids.intersection(officers_in(two))),
    ]


def _usernames(session: Session, entries: Sequence[AuditEntry]) -> dict[int, str]:
    """The user names of those who acted, by id; one who is named in words, by an older entry, has none."""
    ids = {id_ for entry in entries for id_ in officers_in(entry.actor)}
    rows = session.execute(select(Officer.id, Officer.username).where(among(Officer.id, ids)))
    return {row.id: row.username for row in rows}

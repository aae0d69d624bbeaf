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
from app.audit import AccessReason, AuditEvent, RecordPart
from app.citizens import accounts as citizens
from app.citizens.accounts import Document
from app.codes.models import Code
from app.core.clock import BEIJING
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.errors import Problem, bad_field
from app.staff.models import Officer, Role
from app.staff.officers import actor_of, officer_ids_of

LIST_SIGNED: Final = "officer-list-signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Whose deeds, which, of what day in Beijing, about whom; what is left out narrows nothing."""

    officer: str = ""
    action: str = ""
    day: date | None = None
    serial: int | None = None


class FoundEvent(NamedTuple):
    """An entry, and the user names of the officers with accounts who acted; two sign for the same."""

    event: AuditEvent
    usernames: Sequence[str]


def search(
    session: Session, auditor: Officer, query: AuditQuery, most: int, before: int | None = None
) -> Sequence[FoundEvent]:
    """The entries that are wanted, newest first; `before` is the one from which to go on.

    Raises Problem `officer-not-found` for an officer whom the auditor has not before them.
    """
    rows = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(most)
    if before is not None:
        rows = rows.where(AuditEvent.id < before)
    if query.serial is not None:
        rows = rows.where(AuditEvent.serial == query.serial)
    if query.action:
        rows = rows.where(AuditEvent.action == query.action)
        rows = rows if query.action in audit.FREQUENT else rows.where(audit.RARE)
    if query.day is not None:
        rows = _restrict_to_day(session, rows, query.day)
    entries = session.scalars(_restrict_to_officers(session, auditor, rows, query.officer.strip().lower())).all()
    names = _load_usernames(session, entries)
    return [FoundEvent(entry, [names[id_] for id_ in officer_ids_of(entry.actor) if id_ in names]) for entry in entries]


def list_signed_lists(session: Session, auditor: Officer, since: datetime, most: int) -> Sequence[FoundEvent]:
    """The lists for which two officers have signed since then, newest first: the way that no alarm counts."""
    return [deed for deed in search(session, auditor, AuditQuery(action=LIST_SIGNED), most) if deed.event.at > since]


def find_person(
    session: Session, encryption: FieldEncryption, auditor: Officer, whom: int | Document, reason: str, now: datetime
) -> int | None:
    """The serial of a person, by serial or normalized document, once it is entered that the auditor looks.

    None for nobody; such a question is entered too. Raises Problem for a reason that is no ReadReason.
    """
    serial = _find_serial(session, encryption, whom)
    actor, role = actor_of(auditor), Role.AUDITOR
    if serial is not None:
        audit.record_access(session, actor, role, serial, reason, RecordPart.ACCESS, now)
        return serial
    if reason not in set(AccessReason):
        raise bad_field("/reason", "not-a-choice")
    audit.append(session, actor, "record-sought", now, role=role, reason=reason, what=str(RecordPart.ACCESS))
    return None


def _find_serial(session: Session, encryption: FieldEncryption, whom: int | Document) -> int | None:
    if isinstance(whom, int):
        return None if session.get(Code, whom) is None else whom
    return citizens.find_serial(session, encryption, *whom)


def _restrict_to_day(session: Session, rows: Select[AuditEvent], day: date) -> Select[AuditEvent]:
    """Those of a day in Beijing; none of the first and the last of the calendar, beside which there is no other."""
    if not date.min < day < date.max:
        return rows.where(false())
    begins = datetime.combine(day, time(), BEIJING)
    ends = begins + timedelta(days=1)
    first, beyond = (audit.first_id_since(session, moment) for moment in (begins, ends + 2 * audit.MAX_ID_SKEW))
    return rows.where(AuditEvent.id >= first, AuditEvent.id < beyond, AuditEvent.at >= begins, AuditEvent.at < ends)


def _restrict_to_officers(
    session: Session, auditor: Officer, rows: Select[AuditEvent], username: str
) -> Select[AuditEvent]:
    """Those of one officer, or of all whom the auditor has before them."""
    theirs = select(Officer)
    if auditor.district is not None:
        theirs = theirs.filter_by(district=auditor.district)
    if username:
        officer = session.scalar(theirs.filter_by(username=username))
        if officer is None:
            raise Problem("officer-not-found")
        return rows.where(audit.BY_OFFICERS, among(AuditEvent.actor, _list_actors(session, [officer])))
    if auditor.district is None:
        return rows
    return rows.where(audit.BY_OFFICERS, among(AuditEvent.actor, _list_actors(session, session.scalars(theirs).all())))


def _list_actors(session: Session, officers: Sequence[Officer]) -> list[str]:
    """The actors that name one of these officers, also beside another: two who act as one have signed for a list."""
    ids = {officer.id for officer in officers}
    both = session.scalars(select(AuditEvent.actor).where(AuditEvent.action == LIST_SIGNED, audit.RARE).distinct())
    return [
        *(str(actor_of(officer)) for officer in officers),
        *(two for two in both if ids.intersection(officer_ids_of(two))),
    ]


def _load_usernames(session: Session, entries: Sequence[AuditEvent]) -> dict[int, str]:
    """The user names of those who acted, by id; one who is named in words, by an older entry, has none."""
    ids = {id_ for entry in entries for id_ in officer_ids_of(entry.actor)}
    rows = session.execute(select(Officer.id, Officer.username).where(among(Officer.id, ids)))
    return {row.id: row.username for row in rows}

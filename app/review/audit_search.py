"""Searching the audit: newest first, filtered by officer, action, day or person.

Events name serials and never a person. A search for one person is an access to a record, and recorded as one. An
auditor of a district sees the actions of its officers, whomever they concern, and the end of each case of the district.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Select, false, or_, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import CHOSEN_REASONS, AuditEvent, RecordPart
from app.citizens import lookup
from app.citizens.lookup import Document
from app.codes.models import Code
from app.core.clock import BEIJING
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.errors import Problem, bad_field
from app.core.identity.spelling import fold_username
from app.entries.content import CASE_ENDED
from app.staff.context import OfficerContext, actor_of, officer_ids_of
from app.staff.models import Officer, Role

LIST_ACTIONS: Final = ("officer-list-signed", "officer-list-refused")

# Actions that were renamed, with the slug in older events: the chain's hashes cover it, so that these stay as they are.
AUDIT_ALIASES: Final[Mapping[str, str]] = {
    "entry-recorded": "proposal-proposed",
    "entry-held": "proposal-held",
    "entry-hold-cleared": "proposal-hold-released",
    "entry-approved": "proposal-applied",
    "entry-rejected": "proposal-refused",
    "entry-withdrawn": "proposal-taken-back",
    "entry-lapsed": "proposal-lapsed",
    "officer-login-failed": "officer-refused",
    "officer-assignment-changed": "officer-post-changed",
}
_CURRENT: Final = {old: new for new, old in AUDIT_ALIASES.items()} | {"of-one-proposal": "of-one-entry"}


def spellings(action: str) -> tuple[str, ...]:
    """Return an action in all slugs that events have for it."""
    return (action, AUDIT_ALIASES[action]) if action in AUDIT_ALIASES else (action,)


def canonical(slug: str) -> str:
    """Return the current slug of an action, or of an alarm, that an older event or an older link names."""
    return _CURRENT.get(slug, slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """A filter of the audit by officer, action, Beijing day and person; an empty field filters nothing."""

    officer: str = ""
    action: str = ""
    day: date | None = None
    serial: int | None = None


class FoundEvent(NamedTuple):
    """An audit event, and the user names of the officers who acted: several for a signed list."""

    event: AuditEvent
    usernames: Sequence[str]


def search(
    session: Session, auditor: Officer, query: AuditQuery, most: int, before: int | None = None
) -> Sequence[FoundEvent]:
    """Return the events that match, newest first, older than the event `before`.

    Raises Problem `officer-not-found` for an officer whom the auditor does not see.
    """
    rows = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(most)
    if before is not None:
        rows = rows.where(AuditEvent.id < before)
    if query.serial is not None:
        rows = rows.where(AuditEvent.serial == query.serial)
    if query.action:
        rows = rows.where(AuditEvent.action.in_(spellings(query.action)))
        rows = rows if query.action in audit.FREQUENT else rows.where(audit.RARE)
    if query.day is not None:
        rows = _restrict_to_day(session, rows, query.day)
    entries = session.scalars(_restrict_to_officers(session, auditor, rows, fold_username(query.officer))).all()
    if auditor.district is not None and not query.officer:  # a query of its own, because each has an index
        known = {entry.id: entry for entry in session.scalars(_restrict_to_cases(rows, auditor.district))}
        known |= {entry.id: entry for entry in entries}
        entries = [known[id_] for id_ in sorted(known, reverse=True)[:most]]
    names = _load_usernames(session, entries)
    return [FoundEvent(entry, [names[id_] for id_ in officer_ids_of(entry.actor) if id_ in names]) for entry in entries]


def list_signed_lists(session: Session, auditor: Officer, since: datetime, most: int) -> Sequence[FoundEvent]:
    """Return the lists that officers have signed since then, or that were refused to two, newest first."""
    found = [one for action in LIST_ACTIONS for one in search(session, auditor, AuditQuery(action=action), most)]
    recent = [one for one in found if one.event.at > since]
    return sorted(recent, key=lambda one: one.event.id, reverse=True)[:most]


def find_person(context: OfficerContext, whom: int | Document, reason: str) -> int | None:
    """Return the serial of a person, by serial or normalized document, and record the access.

    None for an unknown person; that search is recorded too. Raises Problem for a reason that nobody may choose.
    """
    context = context.acting_as(Role.AUDITOR)
    if reason not in CHOSEN_REASONS:
        raise bad_field("/reason", "not-a-choice")
    serial = _find_serial(context.session, context.encryption, whom)
    if serial is not None:
        context.record_access(serial, reason, RecordPart.ACCESS)
        return serial
    context.append_audit("record-sought", reason=reason, what=str(RecordPart.ACCESS))
    return None


def _find_serial(session: Session, encryption: FieldEncryption, whom: int | Document) -> int | None:
    if isinstance(whom, int):
        return None if session.get(Code, whom) is None else whom
    return lookup.find_serial(session, encryption, *whom)


def _restrict_to_day(session: Session, rows: Select[AuditEvent], day: date) -> Select[AuditEvent]:
    """Restrict to a Beijing day; to nothing for the first and the last of the calendar, which have no neighbor."""
    if not date.min < day < date.max:
        return rows.where(false())
    begins = datetime.combine(day, time(), BEIJING)
    ends = begins + timedelta(days=1)
    first, beyond = (audit.first_id_since(session, moment) for moment in (begins, ends + 2 * audit.MAX_ID_SKEW))
    return rows.where(AuditEvent.id >= first, AuditEvent.id < beyond, AuditEvent.at >= begins, AuditEvent.at < ends)


def _restrict_to_officers(
    session: Session, auditor: Officer, rows: Select[AuditEvent], username: str
) -> Select[AuditEvent]:
    """Restrict to one officer, or to all whom the auditor sees. Raises Problem."""
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


def _restrict_to_cases(rows: Select[AuditEvent], district: str) -> Select[AuditEvent]:
    """Restrict to the ends of cases of a district, or that its officers recorded, whoever brought them about."""
    concerned = [AuditEvent.detail[name].as_string() == district for name in ("district", "recorder_district")]
    return rows.where(AuditEvent.action == CASE_ENDED, audit.RARE, or_(*concerned))


def _list_actors(session: Session, officers: Sequence[Officer]) -> list[str]:
    """List the actors that name one of these officers, also with another as the signers of a list."""
    ids = {officer.id for officer in officers}
    lists = select(AuditEvent.actor).where(AuditEvent.action.in_(LIST_ACTIONS), audit.RARE)
    together = session.scalars(lists.distinct())
    return [
        *(str(actor_of(officer)) for officer in officers),
        *(some for some in together if ids.intersection(officer_ids_of(some))),
    ]


def _load_usernames(session: Session, entries: Sequence[AuditEvent]) -> dict[int, str]:
    """Load the user names of those who acted, by id; an actor that older events name in words has none."""
    ids = {id_ for entry in entries for id_ in officer_ids_of(entry.actor)}
    rows = session.execute(select(Officer.id, Officer.username).where(among(Officer.id, ids)))
    return {row.id: row.username for row in rows}

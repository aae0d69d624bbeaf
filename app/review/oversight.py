"""Oversight: what needs an auditor now.

Held, urgent and lapsed entries, many releases and those from another district, ended cases, rejections, log-ins,
accesses, lists, inspectors at their ceiling of checks by document, accounts that one operator alone could use, held
clerks, objections to recoveries, and districts that are late to follow up.

Reads only. An auditor of a district sees its entries, cases and officers, and no others.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AuditEvent, failed_logins
from app.entries.alarms.totals import LOWERED_BY_ONE_OFFICER
from app.entries.content import BASIS_ENDED, CASE_RULED_OUT
from app.entries.models import Entry
from app.entries.queries import concerns
from app.follow_ups.tasks import OverdueDistrict, find_overdue_districts
from app.review import audit_search
from app.review.audit_search import FoundEvent, spellings
from app.review.ended_cases import EndedCase, list_ended_cases
from app.review.many_accesses import ManyAccesses, find_many_accesses
from app.review.released_elsewhere import ReleasedElsewhere, find_released_elsewhere
from app.review.stopped_document_checks import StoppedChecks, find_stopped_checks
from app.staff.context import actor_of
from app.staff.models import Officer
from app.staff.sessions import LOGIN_FAILED, LOGIN_STOPPED
from app.windows import clerks, recoveries
from app.windows.clerks import HeldClerk
from app.windows.recoveries import ObjectedRecovery

MAX_ROWS = 100  # entries of a kind
MAX_HELD_OF_ONE = 5  # of one recorder and one alarm
LAPSED_PERIOD = LOWERED_PERIOD = ENDED_PERIOD = REJECTED_PERIOD = SIGNED_PERIOD = timedelta(days=7)
ALONE_PERIOD = timedelta(days=30)  # an installation may begin long before its first auditor does
MIN_REJECTIONS = 3  # entries of one officer in that time
FAILED_LOGIN_PERIOD = ACCESS_PERIOD = timedelta(days=1)
MIN_FAILED_LOGINS = 5  # log-ins at one account in that time


class HeldTotal(NamedTuple):
    """The number of held entries, and of their people."""

    entries: int
    people: int


class RecordedEntry(NamedTuple):
    """An entry, and the user name of its recorder."""

    entry: Entry
    recorder: str


class Repetition(NamedTuple):
    """An officer with repeated events, their number and the last of them; the user name is empty for unknown names."""

    username: str
    number: int
    last: datetime


class HeldOfRecorder(NamedTuple):
    """How many entries of one recorder are held for an alarm, and their people, where not all of them are listed."""

    recorder: str
    alarm: str
    total: HeldTotal


class AloneReset(NamedTuple):
    """What an operator gave an officer, who had the other half from them too, and the officer."""

    event: AuditEvent
    officer: Officer


class OversightSummary(NamedTuple):
    """What an auditor has to check, the most urgent of each kind first."""

    held: Sequence[RecordedEntry]
    many_held: Sequence[HeldOfRecorder]
    urgent: Sequence[RecordedEntry]
    lapsed: Sequence[RecordedEntry]
    lowered: Sequence[RecordedEntry]
    released: Sequence[ReleasedElsewhere]
    ended: Sequence[EndedCase]
    rejected: Sequence[Repetition]
    failed_logins: Sequence[Repetition]
    many_accesses: Sequence[ManyAccesses]
    stopped_checks: Sequence[StoppedChecks]
    lists: Sequence[FoundEvent]
    alone: Sequence[AloneReset]
    window_holds: Sequence[HeldClerk]
    objections: Sequence[ObjectedRecovery]
    overdue_follow_ups: Sequence[OverdueDistrict]


def count_held(session: Session, auditor: Officer) -> HeldTotal:
    """Count what is held now."""
    people = func.coalesce(func.sum(Entry.people), 0)
    count = select(func.count(), people).where(Entry.state == "held", concerns(auditor.district))
    return HeldTotal(*session.execute(count).one())


def load_summary(session: Session, auditor: Officer, now: datetime) -> OversightSummary:
    """Load everything that needs an auditor now."""

    def entries(order: Any, *which: ColumnElement[bool]) -> list[RecordedEntry]:
        rows = select(Entry, Officer.username).join(Officer, Entry.recorder_id == Officer.id)
        rows = rows.where(*which, concerns(auditor.district)).order_by(order, Entry.id).limit(MAX_ROWS)
        return [RecordedEntry(entry, recorder) for entry, recorder in session.execute(rows)]

    return OversightSummary(
        held=entries(Entry.recorded_at.desc(), Entry.id.in_(_newest_held(auditor))),
        many_held=_count_many_held(session, auditor),
        urgent=entries(Entry.approve_until, Entry.state == "urgent"),
        lapsed=entries(Entry.resolved_at.desc(), Entry.state == "lapsed", Entry.resolved_at > now - LAPSED_PERIOD),
        lowered=entries(
            Entry.recorded_at.desc(),
            Entry.alarm == LOWERED_BY_ONE_OFFICER,
            Entry.recorded_at > now - LOWERED_PERIOD,
        ),
        released=find_released_elsewhere(session, auditor, now - LOWERED_PERIOD, MAX_ROWS),
        ended=list_ended_cases(session, auditor, now - ENDED_PERIOD, MAX_ROWS),
        rejected=_find_repeated_rejections(session, auditor, now),
        failed_logins=_find_failed_logins(session, auditor, now),
        many_accesses=find_many_accesses(session, _usernames(session, auditor), now - ACCESS_PERIOD, MAX_ROWS),
        stopped_checks=find_stopped_checks(session, auditor, now - ACCESS_PERIOD, MAX_ROWS),
        lists=audit_search.list_signed_lists(session, auditor, now - SIGNED_PERIOD, MAX_ROWS),
        alone=_find_alone_resets(session, auditor, now - ALONE_PERIOD),
        window_holds=clerks.list_holds(session, auditor, MAX_ROWS),
        objections=recoveries.list_objected(session, auditor, MAX_ROWS),
        overdue_follow_ups=find_overdue_districts(session, auditor, now),
    )


def _newest_held(auditor: Officer) -> Select[int]:
    """Select the newest held entries of each recorder and alarm: many of one do not hide those of others."""
    alike = Entry.recorder_id, Entry.alarm
    place = func.row_number().over(partition_by=alike, order_by=Entry.id.desc()).label("place")
    held = select(Entry.id, place).where(Entry.state == "held", concerns(auditor.district)).subquery()
    return select(held.c.id).where(held.c.place <= MAX_HELD_OF_ONE)


def _count_many_held(session: Session, auditor: Officer) -> list[HeldOfRecorder]:
    number, people = func.count(), func.coalesce(func.sum(Entry.people), 0)
    rows = (
        select(Officer.username, Entry.alarm, number, people)
        .join(Officer, Entry.recorder_id == Officer.id)
        .where(Entry.state == "held", concerns(auditor.district))
        .group_by(Officer.username, Entry.alarm)
        .having(number > MAX_HELD_OF_ONE)
        .order_by(number.desc(), Officer.username)
    )
    return [HeldOfRecorder(name, str(alarm), HeldTotal(*total)) for name, alarm, *total in session.execute(rows)]


def _find_repeated_rejections(session: Session, auditor: Officer, now: datetime) -> list[Repetition]:
    """Find recorders whose entries were rejected repeatedly, not counting what ended with what it rested on."""
    number = func.count()
    rows = (
        select(Officer.username, number, func.max(Entry.resolved_at))
        .join(Officer, Entry.recorder_id == Officer.id)
        .where(
            Entry.state == "rejected",
            Entry.resolution_reason.not_in((CASE_RULED_OUT, BASIS_ENDED)),
            concerns(auditor.district),
        )
        .where(Entry.resolved_at > now - REJECTED_PERIOD)
        .group_by(Officer.username)
        .having(number >= MIN_REJECTIONS)
        .order_by(number.desc(), Officer.username)
        .limit(MAX_ROWS)
    )
    return [Repetition(username, times, last) for username, times, last in session.execute(rows) if last is not None]


def _find_failed_logins(session: Session, auditor: Officer, now: datetime) -> list[Repetition]:
    """Find accounts with repeated failed log-ins, those that a limit stopped included."""
    since, number = now - FAILED_LOGIN_PERIOD, func.sum(failed_logins.number_of_event())
    rows = (
        select(AuditEvent.actor, number, func.max(AuditEvent.at))
        .where(AuditEvent.action.in_((*spellings(LOGIN_FAILED), LOGIN_STOPPED)), audit.RARE)
        .where(AuditEvent.id >= audit.first_id_since(session, since), AuditEvent.at > since)
        .group_by(AuditEvent.actor)
    )
    names = _usernames(session, auditor)
    if auditor.district is None:
        names["officer"] = ""  # unknown user names
    counted = {actor: (int(times), last) for actor, times, last in session.execute(rows)}
    for actor, (times, last) in failed_logins.waiting(session, (LOGIN_FAILED, LOGIN_STOPPED), since).items():
        counted[actor] = counted[actor][0] + times if actor in counted else times, last
    repeated = [one for one in counted.items() if one[0] in names and one[1][0] >= MIN_FAILED_LOGINS]
    repeated.sort(key=lambda one: (-one[1][0], one[0]))
    return [Repetition(names[actor], times, last) for actor, (times, last) in repeated[:MAX_ROWS]]


def _find_alone_resets(session: Session, auditor: Officer, since: datetime) -> list[AloneReset]:
    """Find the accounts of which an operator set password and authenticator, newest first."""
    rows = (
        select(AuditEvent, Officer)
        .join(Officer, Officer.id == AuditEvent.detail["officer"].as_integer())
        .where(AuditEvent.action.in_(("officer-password-reset", "officer-totp-reset")), audit.RARE)
        .where(AuditEvent.id >= audit.first_id_since(session, since), AuditEvent.at > since)
        .where(AuditEvent.detail["alone"].as_boolean())
    )
    if auditor.district is not None:
        rows = rows.where(Officer.district == auditor.district)
    return [AloneReset(*row) for row in session.execute(rows.order_by(AuditEvent.id.desc()).limit(MAX_ROWS))]


def _usernames(session: Session, auditor: Officer) -> dict[str, str]:
    """Return the user names of the officers whom the auditor sees, by actor."""
    everybody = select(Officer)
    if auditor.district is not None:
        everybody = everybody.filter_by(district=auditor.district)
    return {str(actor_of(officer)): officer.username for officer in session.scalars(everybody)}

"""What needs an auditor now: what alarms hold, what counts without a second person, what fell, who is refused again.

Reads only. An auditor of a district has its entries and its officers before them, and no others.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AuditEntry
from app.officers import deeds
from app.officers.accounts import actor_of
from app.officers.deeds import Deed
from app.officers.drafts import CASE_RULED_OUT
from app.officers.models import Officer, Proposal

MOST = 100  # entries of a kind
FALLEN_FOR = REFUSED_FOR = SIGNED_FOR = timedelta(days=7)
REFUSED = 3  # entries of one officer in that time
WRONG_FOR = timedelta(days=1)
WRONG = 5  # log-ins at one account in that time


class Held(NamedTuple):
    """How many entries alarms hold, and how many people they concern."""

    entries: int
    people: int


class Entered(NamedTuple):
    """An entry, and the user name of who recorded it."""

    proposal: Proposal
    recorder: str


class Again(NamedTuple):
    """An officer to whom something has happened again and again, how often, and when last; '' for names of nobody."""

    username: str
    number: int
    last: datetime


class Watch(NamedTuple):
    """What an auditor has to look at, the most urgent of each kind first."""

    held: Sequence[Entered]
    urgent: Sequence[Entered]
    fallen: Sequence[Entered]
    refused: Sequence[Again]
    log_ins: Sequence[Again]
    lists: Sequence[Deed]


def held(session: Session, auditor: Officer) -> Held:
    """What is held now."""
    people = func.coalesce(func.sum(Proposal.people), 0)
    count = select(func.count(), people).where(Proposal.state == "held", *_within(auditor))
    return Held(*session.execute(count).one())


def watch(session: Session, auditor: Officer, now: datetime) -> Watch:
    """Everything that needs an auditor now."""

    def entries(order: Any, *which: ColumnElement[bool]) -> list[Entered]:
        rows = select(Proposal, Officer.username).join(Officer, Proposal.recorder_id == Officer.id)
        rows = rows.where(*which, *_within(auditor)).order_by(order, Proposal.id).limit(MOST)
        return [Entered(proposal, recorder) for proposal, recorder in session.execute(rows)]

    return Watch(
        held=entries(Proposal.recorded_at.desc(), Proposal.state == "held"),
        urgent=entries(Proposal.approve_until, Proposal.state == "urgent"),
        fallen=entries(Proposal.settled_at.desc(), Proposal.state == "lapsed", Proposal.settled_at > now - FALLEN_FOR),
        refused=_refused(session, auditor, now),
        log_ins=_wrong_log_ins(session, auditor, now),
        lists=deeds.lists_signed(session, auditor, now - SIGNED_FOR, MOST),
    )


def _refused(session: Session, auditor: Officer, now: datetime) -> list[Again]:
    """Who recorded what others refused, several times; a contact that fell with its case was no mistake of theirs."""
    number = func.count()
    rows = (
        select(Officer.username, number, func.max(Proposal.settled_at))
        .join(Officer, Proposal.recorder_id == Officer.id)
        .where(Proposal.state == "refused", Proposal.settled_for.is_distinct_from(CASE_RULED_OUT), *_within(auditor))
        .where(Proposal.settled_at > now - REFUSED_FOR)
        .group_by(Officer.username)
        .having(number >= REFUSED)
        .order_by(number.desc(), Officer.username)
        .limit(MOST)
    )
    return [Again(username, times, last) for username, times, last in session.execute(rows) if last is not None]


def _wrong_log_ins(session: Session, auditor: Officer, now: datetime) -> list[Again]:
    """At whose account somebody has tried to log in with something wrong, several times."""
    since, number = now - WRONG_FOR, func.count()
    rows = (
        select(AuditEntry.actor, number, func.max(AuditEntry.at))
        .where(AuditEntry.action == "officer-refused", audit.RARE)
        .where(AuditEntry.id >= audit.first_since(session, since), AuditEntry.at > since)
        .group_by(AuditEntry.actor)
        .having(number >= WRONG)
        .order_by(number.desc(), AuditEntry.actor)
    )
    names = {str(actor_of(officer)): officer.username for officer in _officers(session, auditor)}
    if auditor.district is None:
        names["officer"] = ""  # a name that no officer has
    return [Again(names[actor], times, last) for actor, times, last in session.execute(rows) if actor in names][:MOST]


def _officers(session: Session, auditor: Officer) -> Sequence[Officer]:
    everybody = select(Officer)
    if auditor.district is not None:
        everybody = everybody.filter_by(district=auditor.district)
    return session.scalars(everybody).all()


def _within(auditor: Officer) -> list[ColumnElement[bool]]:
    return [] if auditor.district is None else [Proposal.district == auditor.district]

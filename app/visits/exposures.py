"""Exposure notices: officers publish a venue and an interval, and phones compare them with the visits that they keep.

    propose -> waiting -> published   by an approver of the district who did not propose it
               waiting, published -> withdrawn   by a recorder or an approver of the district

Of an hour at a venue there is one open notice: of two the one that is withdrawn would leave the other.

Nobody is looked up and nothing is sent: who was there declares, if they will. A notice names no person; at a small
venue people may still guess one, so that the reason is one of a list and the interval whole hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session

from app.core.clock import BEIJING
from app.core.db import WHOLE, Part
from app.core.errors import FieldError, Problem
from app.core.identity.spelling import tidy_name
from app.rules import VenueCodeRules
from app.staff.context import OfficerContext
from app.staff.models import Officer, Role
from app.stations.models import Venue
from app.visits.models import ExposureNotice

KEPT: Final = timedelta(days=90)  # after its end
_OPEN: Final = ("waiting", "published")


class ExposureReason(StrEnum):
    """Why a notice is published. The slugs are permanent."""

    CASE = "case"
    SAMPLE = "sample"
    SPREAD = "spread"


@dataclass(frozen=True, slots=True)
class NewExposure:
    """A notice to propose: the name of the venue, a Beijing day, the hours of it, and the reason."""

    venue: str
    day: str
    begins: int
    ends: int
    reason: str


class ShownExposure(NamedTuple):
    """A notice with its venue."""

    notice: ExposureNotice
    venue: Venue


class Edition(NamedTuple):
    """How many notices are published, when the last of them was, and the sum of their ids: each publication adds one
    later than all before, and each withdrawal or end leaves fewer."""

    notices: int
    published_at: datetime | None
    ids: int | None


def propose(context: OfficerContext, new: NewExposure) -> ExposureNotice:
    """Propose a notice about a venue of the officer's district. Raises Problem with every bad field."""
    context = context.acting_as(Role.RECORDER)
    rules, wrong = context.policy.venue_codes_at(context.now), list[FieldError]()
    venue = _find_venue(context, new.venue)
    interval = _read_interval(new, rules, context.now)
    if venue is None:
        wrong.append(FieldError("/venue", "no-such-venue"))
    if interval is None:
        wrong.append(FieldError("/day", "exposure-interval", rules.exposure_days))
    elif venue is not None and _is_open(context, venue, interval):
        wrong.append(FieldError("/day", "exposure-open"))
    if new.reason not in set(ExposureReason):
        wrong.append(FieldError("/reason", "not-a-choice"))
    if venue is None or interval is None or wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    begins_at, ends_at = interval
    notice = ExposureNotice(
        venue_id=venue.id, begins_at=begins_at, ends_at=ends_at, expires_at=ends_at + timedelta(days=rules.notice_days),
        reason=new.reason, state="waiting", proposed_by=context.me.id, proposed_at=context.now,
    )  # fmt: skip
    context.session.add(notice)
    context.session.flush()
    context.append_audit("exposure-proposed", reason=notice.reason, notice=notice.id, venue=venue.id)
    return notice


def publish(context: OfficerContext, id_: int) -> None:
    """Publish a notice that another officer has proposed. Raises Problem `exposure-not-found`, `two-persons`."""
    context = context.acting_as(Role.APPROVER)
    notice = _lock(context, id_)
    if notice.state != "waiting":
        raise Problem("exposure-not-found")
    if notice.proposed_by == context.me.id:
        raise Problem("two-persons")
    _resolve(context, notice, "published")
    context.append_audit("exposure-published", notice=notice.id, venue=notice.venue_id)


def withdraw(context: OfficerContext, id_: int) -> None:
    """Withdraw a notice that waits or is published: it is in no list any more. Raises Problem `exposure-not-found`."""
    context = context.acting_as(Role.RECORDER, Role.APPROVER)
    notice = _lock(context, id_)
    _resolve(context, notice, "withdrawn")
    context.append_audit("exposure-withdrawn", notice=notice.id, venue=notice.venue_id)


def withdraw_again(context: OfficerContext, id_: int) -> bool:
    """Withdraw a notice after a restore; return False where it is not open any more."""
    notice = context.session.get(ExposureNotice, id_, with_for_update=True, populate_existing=True)
    if notice is None or notice.state not in _OPEN:
        return False
    notice.state, notice.resolved_by, notice.resolved_at = "withdrawn", None, context.now
    context.append_audit("exposure-withdrawn", notice=notice.id, venue=notice.venue_id)
    return True


def list_open(session: Session, officer: Officer, now: datetime, part: Part = WHOLE) -> Sequence[ShownExposure]:
    """List the notices of the officer's district that wait or are published: what waits first, then the newest."""
    found = _with_venue().where(*_open_at(now), *_of_district(officer))
    ordered = found.order_by(ExposureNotice.state.desc(), ExposureNotice.id.desc())
    return [ShownExposure(*row) for row in session.execute(part.of(ordered, Venue.name))]


def count_waiting(session: Session, officer: Officer, now: datetime) -> int:
    """Count the notices that wait for this officer: of the district, and proposed by another."""
    of_others = (ExposureNotice.state == "waiting") & (ExposureNotice.proposed_by != officer.id)
    waiting = _with_venue().where(*_open_at(now), *_of_district(officer), of_others)
    return session.scalars(waiting.with_only_columns(func.count())).one()


def find_edition(session: Session, now: datetime) -> Edition:
    """Return what differs whenever another list is published, for less than the list itself takes."""
    found = select(func.count(), func.max(ExposureNotice.resolved_at), func.sum(ExposureNotice.id))
    return Edition(*session.execute(found.where(*_published_at(now))).one())


def list_published(session: Session, now: datetime) -> Sequence[ShownExposure]:
    """List the notices that are published now, the newest first."""
    found = _with_venue().where(*_published_at(now))
    return [ShownExposure(*row) for row in session.execute(found.order_by(ExposureNotice.id.desc()))]


def delete_old(session: Session, now: datetime, limit: int) -> int:
    """Delete notices that ended long ago; return their number."""
    old = select(ExposureNotice.id).where(ExposureNotice.expires_at <= now - KEPT).limit(limit)
    gone = delete(ExposureNotice).where(ExposureNotice.id.in_(old)).returning(ExposureNotice.id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def _open_at(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for notices that wait or are published, and are not over."""
    return ExposureNotice.state.in_(_OPEN), ExposureNotice.expires_at > now


def _published_at(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return ExposureNotice.state == "published", ExposureNotice.expires_at > now


def _of_district(officer: Officer) -> list[ColumnElement[bool]]:
    return [] if officer.district is None else [Venue.district == officer.district]


def _with_venue() -> Select[ExposureNotice, Venue]:
    return select(ExposureNotice, Venue).join(Venue, Venue.id == ExposureNotice.venue_id)


def _find_venue(context: OfficerContext, name: str) -> Venue | None:
    """Return the venue of this name in the officer's district, locked; of several the open one, or the newest."""
    there = select(Venue).where(Venue.name == tidy_name(name))
    if context.me.district is not None:
        there = there.where(Venue.district == context.me.district)
    first = there.order_by(Venue.closed_at.is_not(None), Venue.id.desc()).limit(1)
    return context.session.scalar(first.with_for_update(key_share=True))


def _is_open(context: OfficerContext, venue: Venue, interval: tuple[datetime, datetime]) -> bool:
    """Return whether a notice of one of these hours is open; of a locked venue, so that nobody proposes it now."""
    begins_at, ends_at = interval
    there = select(ExposureNotice.id).filter_by(venue_id=venue.id)
    there = there.where(*_open_at(context.now))
    same = there.where(ExposureNotice.begins_at < ends_at, begins_at < ExposureNotice.ends_at)
    return context.session.scalar(same.limit(1)) is not None


def _read_interval(new: NewExposure, rules: VenueCodeRules, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the hours of a notice, None unless they are over, and of days of which a notice can find a visit."""
    try:
        midnight = datetime.combine(date.fromisoformat(new.day), time(), BEIJING)
        begins_at, ends_at = (midnight + timedelta(hours=hour) for hour in (new.begins, new.ends))
    except (ValueError, OverflowError):
        return None
    fits = 0 <= new.begins < new.ends <= 24 and now - timedelta(days=rules.exposure_days) <= begins_at
    return (begins_at, ends_at) if fits and ends_at <= now else None


def _lock(context: OfficerContext, id_: int) -> ExposureNotice:
    """Return an open notice of the officer's district, locked. Raises Problem `exposure-not-found`."""
    mine = select(ExposureNotice).join(Venue, Venue.id == ExposureNotice.venue_id)
    mine = mine.where(ExposureNotice.id == id_, *_open_at(context.now))
    locked = mine.where(*_of_district(context.me))
    locked = locked.with_for_update(of=ExposureNotice).execution_options(populate_existing=True)
    notice = context.session.scalar(locked)
    if notice is None:
        raise Problem("exposure-not-found")
    return notice


def _resolve(context: OfficerContext, notice: ExposureNotice, state: str) -> None:
    notice.state, notice.resolved_by, notice.resolved_at = state, context.me.id, context.now

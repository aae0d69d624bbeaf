"""Who decides: two administrators of the whole province announce the end, withdraw the announcement, and end it.

The end comes after its announced last day by two clocks, that of this machine and that of the database: one that has
jumped ahead destroys nothing.
"""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.core.clock import BEIJING
from app.core.errors import Problem
from app.installation import Installation
from app.runtime import Services
from app.staff.context import actor_of_signers
from app.staff.models import Officer, Role
from app.staff.second_administrator import require_two

NOTICE_DAYS: Final = 14  # at least, in which citizens export what is kept about them
NOTICE_LENGTH: Final = 200
MAX_CLOCK_DISTANCE: Final = timedelta(minutes=1)


def announce(services: Services, officers: Collection[Officer], last_day: date, notice: str | None) -> None:
    """Announce the last day of the service, in place of an earlier announcement. Raises Problem."""
    now = services.clock.now()
    if notice is not None and not (0 < len(notice) <= NOTICE_LENGTH and notice.isprintable()):
        raise Problem("end-notice-form")
    if last_day < now.astimezone(BEIJING).date() + timedelta(days=NOTICE_DAYS):
        raise Problem("end-too-soon")
    with services.begin() as session:
        installation, actor = _begin(session, officers)
        installation.ends_on, installation.end_notice, installation.end_announced_at = last_day, notice, now
        _append(session, actor, "end-announced", now, on=last_day.isoformat())


def withdraw(services: Services, officers: Collection[Officer]) -> None:
    """Withdraw the announcement: the service goes on. Raises Problem."""
    with services.begin() as session:
        installation, actor = _begin(session, officers)
        if installation.ends_on is None:
            raise Problem("end-not-announced")
        day = installation.ends_on.isoformat()
        installation.ends_on = installation.end_notice = installation.end_announced_at = None
        _append(session, actor, "end-withdrawn", services.clock.now(), on=day)


def end(services: Services, officers: Collection[Officer]) -> None:
    """End the service: from the commit on no process shows a color, and nobody can go back. Raises Problem."""
    with services.begin() as session:
        installation, actor = _begin(session, officers)
        require_due(services, session, installation)
        now = services.clock.now()
        _append(session, actor, "service-ended", now, on=str(installation.ends_on))
        installation.ended_at, installation.end_record = now, {"decided_by": str(actor)}


def require_due(services: Services, session: Session, installation: Installation) -> None:
    """Require that the announced last day is over. Raises Problem."""
    if installation.ends_on is None:
        raise Problem("end-not-announced")
    now, at_database = services.clock.now(), _database_now(services, session)
    if now > at_database + MAX_CLOCK_DISTANCE:
        raise Problem("clock-ahead")
    end = datetime.combine(installation.ends_on + timedelta(days=1), time(), BEIJING)
    if min(now, at_database) < end:
        raise Problem("end-not-due")


def _database_now(services: Services, session: Session) -> datetime:
    """Return the time of the database; that of a clock which is set ahead on purpose, outside production."""
    if services.settings.clock.file is not None:
        return services.clock.now()
    now: datetime = session.scalars(select(func.clock_timestamp())).one()
    return now


def _begin(session: Session, officers: Collection[Officer]) -> tuple[Installation, Actor]:
    """Return the installation, locked, and the two who decide. Raises Problem where they may not."""
    installation = session.scalars(select(Installation).with_for_update()).one()
    if installation.ended_at is not None:
        raise Problem("service-ended")
    two = [session.get_one(Officer, officer.id) for officer in officers]
    require_two(two, "end-two-persons")
    return installation, actor_of_signers(*two)


def _append(session: Session, actor: Actor, action: str, now: datetime, *, on: str) -> None:
    audit.append(session, actor, action, now, role=Role.ADMINISTRATOR.value, on=on)

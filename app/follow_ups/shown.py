"""What is shown of follow-ups: to their person what comes next, and to officers which codes were checked."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes import ledger
from app.follow_ups.models import FollowUp
from app.follow_ups.workflow import seen_by
from app.rules import RECIPIENTS
from app.staff.models import Officer
from app.stations.models import CheckAlert


class Shown(NamedTuple):
    """A follow-up as its person reads it: to whom, in which state, and by which institution."""

    recipient: str
    state: str
    receiver: str | None


class AlertHour(NamedTuple):
    """How many people of a district were checked first in an hour of a day, and the numbers of their follow-ups."""

    day: date
    hour: int
    district: str | None
    numbers: Sequence[str]


def list_of_holder(session: Session, serial: int) -> Sequence[Shown]:
    """List the open follow-ups of a code's holder; of one who is not confirmed, none."""
    code = ledger.get_code(session, serial)
    if code.claimed_at is None or code.is_withheld:
        return ()
    mine = session.scalars(select(FollowUp).where(FollowUp.serial == serial, FollowUp.ended_at.is_(None)))
    known = {one.recipient: one for one in mine}
    return [
        Shown(one.recipient, one.state, one.receiver)
        for recipient in RECIPIENTS
        if (one := known.get(recipient)) is not None
    ]


def list_own_alerts(session: Session, serial: int) -> Sequence[CheckAlert]:
    """List the alerts about a code's holder, newest first; of one who is not confirmed, none."""
    code = ledger.get_code(session, serial)
    if code.claimed_at is None or code.is_withheld:
        return ()
    return session.scalars(select(CheckAlert).filter_by(serial=serial).order_by(CheckAlert.day.desc())).all()


def list_alerts(session: Session, officer: Officer, most: int) -> Sequence[AlertHour]:
    """List the alerts of people whom the officer's district follows up, by hour, newest first.

    A person has one in a day. Where a transfer is on its way, the district that may accept it sees none yet.
    """
    rows = (
        select(CheckAlert.day, CheckAlert.hour, CheckAlert.serial, FollowUp)
        .join(FollowUp, FollowUp.serial == CheckAlert.serial)
        .where(FollowUp.ended_at.is_(None), seen_by(officer))
        .order_by(CheckAlert.day.desc(), CheckAlert.hour.desc(), FollowUp.id)
        .limit(most)
    )
    found: dict[tuple[date, int, str | None], dict[int, str]] = {}
    for day, hour, serial, one in session.execute(rows):
        if officer.district in (None, one.district):
            found.setdefault((day, hour, one.district), {}).setdefault(serial, one.number)
    return [AlertHour(*hour, list(numbers.values())) for hour, numbers in found.items()]

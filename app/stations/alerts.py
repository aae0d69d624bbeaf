"""Alerts: that a red or orange code was checked somewhere in the province on a day, first in which hour; never where.

A check only adds a member to a set in Redis, the same one for every check of a code in an hour, and the worker stores
what waits there: one row of a person and day, so that nothing is doubled, whatever is checked, lost or stored again.
Where Redis does not answer, the row is written at once. A check is answered in any case. Who has been erased, or is
followed up no more, leaves nothing; `app/follow_ups` says which officers see the rest.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

import structlog
from redis import RedisError
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.codes.models import Code
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.db import among
from app.core.metrics import CHECK_ALERTS
from app.core.redis_client import Command
from app.rules import Policy
from app.runtime import Services
from app.stations.models import CheckAlert

log = structlog.get_logger()

WAITING: Final = "jx:check-alerts"  # the set of those that are not stored yet
_KEPT_SECONDS: Final = 3 * 24 * 3600  # without a worker they end there
_BATCH: Final = 500


class Checked(NamedTuple):
    """Whose code was checked, on which Beijing day, and in which hour of it."""

    serial: int
    day: date
    hour: int


def note(services: Services, serial: int, state: int | None, at: datetime) -> None:
    """Note a check of a code; of any color but red and orange, nothing.

    Where nobody knows what it was, the color counts that it has when this is stored.
    """
    if state is not None and not is_noted(state):
        return
    try:
        services.cache.connections.execute_all(*commands(serial, at))
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)
        try:
            with services.sessions.begin() as session:
                store(services, session, [_checked(serial, at)])
        except SQLAlchemyError as failure:  # the check counts more than its alert
            log.warning("alert-not-kept", error=type(failure).__name__)


def is_noted(state: int) -> bool:
    """Return whether the check of a code in this state is noted."""
    return state >= State.ORANGE


def commands(serial: int, at: datetime) -> list[Command]:
    """Return the commands that note a check in Redis."""
    checked = _checked(serial, at)
    member = f"{checked.day} {checked.hour} {checked.serial}"
    return [("SADD", WAITING, member), ("EXPIRE", WAITING, _KEPT_SECONDS)]


def store_waiting(services: Services) -> None:
    """Store what waits in Redis."""
    redis = services.cache.connections
    while members := redis.execute("SRANDMEMBER", WAITING, _BATCH):
        with services.sessions.begin() as session:
            store(services, session, [checked for member in members if (checked := _read(member))])
        redis.execute("SREM", WAITING, *members)


def store(services: Services, session: Session, checks: Iterable[Checked]) -> None:
    """Store the first check of each person and day, of those who are followed up now.

    An erasure waits for this transaction, or this one for it: the code of an erased person is nobody's.
    """
    first = {(one.serial, one.day): one for one in sorted(checks, reverse=True)}  # the earliest last
    followed = _find_followed(services, session, {serial for serial, _ in first})
    rows = [one._asdict() for one in first.values() if one.serial in followed]
    if rows:
        added = insert(CheckAlert).on_conflict_do_nothing().returning(CheckAlert.serial)
        CHECK_ALERTS.inc(len(session.scalars(added, rows).all()))


def delete_of(session: Session, serial: int) -> None:
    """Delete the alerts of a person, whose code is locked."""
    session.execute(delete(CheckAlert).filter_by(serial=serial))


def delete_old(session: Session, policy: Policy, now: datetime, limit: int) -> int:
    """Delete the alerts that are past their days, at most about `limit`; return their number."""
    before = now.astimezone(BEIJING).date() - timedelta(days=policy.follow_ups_at(now).alerts_kept_days)
    days = select(CheckAlert.day).where(CheckAlert.day <= before).order_by(CheckAlert.day).limit(limit)
    gone = delete(CheckAlert).where(CheckAlert.day.in_(days)).returning(CheckAlert.serial)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def _find_followed(services: Services, session: Session, serials: Iterable[int]) -> set[int]:
    """Return whose code has a holder, and a rule in force after which a person is followed up."""
    rules = services.policy.follow_ups_at(services.clock.now())
    held = select(Code).where(among(Code.serial, set(serials)), Code.claimed_at.is_not(None)).order_by(Code.serial)
    locked = session.scalars(held.with_for_update(read=True, key_share=True).execution_options(populate_existing=True))
    return {code.serial for code in locked if rules.follows(code.rule)}


def _checked(serial: int, at: datetime) -> Checked:
    local = at.astimezone(BEIJING)
    return Checked(serial, local.date(), local.hour)


def _read(member: bytes) -> Checked | None:
    with suppress(ValueError):
        day, hour, serial = member.decode().split()
        return Checked(int(serial), date.fromisoformat(day), int(hour))
    log.warning("alert-not-kept", error="ValueError")  # written by another release
    return None

"""Ties: whose codes a holder may show, by which consent, and its end.

A tie is in force while nobody has ended it, its time is not over, and both codes are held by those who agreed to it:
another claim of either code, such as a registration, makes it void with no further step. Every request reads it anew.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from app import audit
from app.audit import CLOCK, Actor
from app.codes import ledger
from app.codes.evidence import new_id
from app.codes.models import Code
from app.core.clock import BEIJING
from app.core.errors import Problem
from app.families.models import FamilyTie

MOST_DEPENDANTS = 8  # of a holder
MOST_HOLDERS = 3  # of a dependant
CHILD_UNTIL, MINOR_UNTIL = 14, 18  # years


_AS_NOW = {"populate_existing": True}


class Consent(StrEnum):
    """How the consent was given: by the dependant in their account or at a window, or by a guardian of a child."""

    OWN_ACCOUNT = "own-account"
    WINDOW = "window"
    GUARDIAN = "guardian"


class Ender(StrEnum):
    """Who ended a tie; a registration is another claim of one of the two codes."""

    HOLDER = "holder"
    DEPENDANT = "dependant"
    CLOCK = "clock"
    REGISTRATION = "registration"


class NewTie(NamedTuple):
    """A consent that was just given."""

    holder: int
    dependant: int
    consent: Consent
    may_declare: bool
    ends_at: datetime | None = None


def in_force(now: datetime) -> Select[FamilyTie]:
    """Return the query for the ties that are in force, the oldest first."""
    holder, dependant = aliased(Code), aliased(Code)
    same_holder = and_(holder.serial == FamilyTie.holder, holder.claimed_at == FamilyTie.holder_claimed_at)
    same = and_(dependant.serial == FamilyTie.dependant, dependant.claimed_at == FamilyTie.dependant_claimed_at)
    ties = select(FamilyTie).join(holder, same_holder).join(dependant, same).where(FamilyTie.ended_at.is_(None))
    ties = ties.where(or_(FamilyTie.ends_at.is_(None), FamilyTie.ends_at > now))
    return ties.order_by(FamilyTie.since, FamilyTie.id)


def list_of_holder(session: Session, holder: int, now: datetime) -> Sequence[FamilyTie]:
    """Return the ties by which somebody may show the codes of others."""
    return session.scalars(in_force(now).where(FamilyTie.holder == holder)).all()


def list_of_dependant(session: Session, dependant: int, now: datetime) -> Sequence[FamilyTie]:
    """Return the ties by which others may show somebody's code."""
    return session.scalars(in_force(now).where(FamilyTie.dependant == dependant)).all()


def find(session: Session, tie_id: str, own: int, side: Ender, now: datetime) -> FamilyTie:
    """Return a tie in force of its holder, or of its dependant, as it is now.

    Raises Problem `tie-not-found`, also for that of others.
    """
    mine = FamilyTie.holder == own if side is Ender.HOLDER else FamilyTie.dependant == own
    tie = session.scalar(in_force(now).where(FamilyTie.id == tie_id, mine), execution_options=_AS_NOW)
    if tie is None:
        raise Problem("tie-not-found")
    return tie


def lock_both(session: Session, one: int, other: int) -> None:
    """Lock two codes, always in the same order, so that two who invite each other do not deadlock."""
    for serial in sorted({one, other}):
        ledger.lock_code(session, serial)


def check_room_of_holder(session: Session, holder: int, now: datetime) -> None:
    """Raise Problem `family-full` when a holder shows as many codes as one may."""
    if len(list_of_holder(session, holder, now)) >= MOST_DEPENDANTS:
        raise Problem("family-full")


def check_room_of_dependant(session: Session, dependant: int, now: datetime) -> None:
    """Raise Problem `holders-full` when as many as may already show a code; the dependant alone hears of it."""
    if len(list_of_dependant(session, dependant, now)) >= MOST_HOLDERS:
        raise Problem("holders-full")


def tie(session: Session, new: NewTie, actor: Actor, now: datetime) -> FamilyTie:
    """Add a tie; the caller has locked both codes and checked that there is room. Raises Problem `family-already`."""
    pair = (FamilyTie.holder == new.holder, FamilyTie.dependant == new.dependant)
    if session.scalar(in_force(now).where(*pair)) is not None:
        raise Problem("family-already")
    for void in session.scalars(select(FamilyTie).where(*pair, FamilyTie.ended_at.is_(None))):
        end(session, void, ender_of_void(void, now), now)
    session.flush()
    holder, dependant = ledger.get_code(session, new.holder), ledger.get_code(session, new.dependant)
    assert holder.claimed_at is not None and dependant.claimed_at is not None  # both have a holder who agrees
    row = FamilyTie(
        id=new_id(),
        holder=new.holder,
        dependant=new.dependant,
        holder_claimed_at=holder.claimed_at,
        dependant_claimed_at=dependant.claimed_at,
        consent=new.consent,
        may_declare=new.may_declare,
        since=now,
        ends_at=new.ends_at,
    )
    session.add(row)
    session.flush()
    consent = {"consent": new.consent.value, "may_declare": str(new.may_declare).lower()}
    audit.append(session, actor, "family-tied", now, serial=new.dependant, tie=row.id, holder=new.holder, **consent)
    return row


def end(session: Session, row: FamilyTie, by: Ender, now: datetime) -> None:
    """End a tie at once."""
    row.ended_at, row.ended_by = now, by
    actor = {
        Ender.HOLDER: family_actor(row.holder),
        Ender.DEPENDANT: Actor("citizen", str(row.dependant)),
    }.get(by, CLOCK)
    audit.append(session, actor, "family-ended", now, serial=row.dependant, tie=row.id, holder=row.holder)
    session.flush()


def list_over(session: Session, now: datetime, limit: int) -> Sequence[FamilyTie]:
    """Return ties that nobody has ended, and whose time is over."""
    over = select(FamilyTie).where(FamilyTie.ended_at.is_(None), FamilyTie.ends_at <= now)
    return session.scalars(over.order_by(FamilyTie.ends_at).limit(limit)).all()


def list_void(session: Session, now: datetime, limit: int) -> Sequence[FamilyTie]:
    """Return ties that nobody has ended, and that another claim of a code has made void."""
    valid = in_force(now).with_only_columns(FamilyTie.id).order_by(None)
    void = select(FamilyTie).where(FamilyTie.ended_at.is_(None), FamilyTie.id.not_in(valid))
    return session.scalars(void.limit(limit)).all()


def ender_of_void(row: FamilyTie, now: datetime) -> Ender:
    """Return what ended a tie that is not in force any more: the clock, or another claim."""
    return Ender.CLOCK if row.ends_at is not None and row.ends_at <= now else Ender.REGISTRATION


def family_actor(holder: int) -> Actor:
    """Return the holder of a tie as the actor of what they do to the record of a dependant."""
    return Actor("family", str(holder))


def birthday(born_on: date, years: int) -> datetime:
    """Return the first moment at which somebody is so many years old; who was born on 29 February, on 1 March."""
    year = born_on.year + years
    try:
        day = born_on.replace(year=year)
    except ValueError:
        day = date(year, 3, 1)
    return datetime.combine(day, time(), BEIJING)


def are_confirmed(session: Session, *serials: int) -> bool:
    """Return whether the platform has confirmed the holders of all these codes."""
    codes = [ledger.get_code(session, serial) for serial in serials]
    return all(code.claimed_at is not None and code.confirmed_at is not None for code in codes)

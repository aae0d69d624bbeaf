"""Health declarations: what a citizen states, and the consent under which it may be used."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.audit import Actor
from app.citizens.models import DeclarationRow
from app.codes import ledger
from app.codes.evidence import NewEvidence, new_id
from app.codes.models import Code
from app.core.clock import BEIJING
from app.core.db import among
from app.core.errors import bad_field
from app.rules import Declaration, Policy

CONSENT_VERSION = "2020-03"
_CONTACT_WINDOW = timedelta(days=60)


class Symptom(StrEnum):
    """The symptoms that the form asks for."""

    FEVER = "fever"
    COUGH = "cough"
    FATIGUE = "fatigue"
    SORE_THROAT = "sore-throat"
    BREATHLESSNESS = "breathlessness"
    DIARRHEA = "diarrhea"
    LOSS_OF_SMELL = "loss-of-smell"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a citizen states: symptoms, and the last day of contact with a confirmed or suspected case."""

    symptoms: tuple[Symptom, ...]
    contact_on: date | None


def declare(
    session: Session, policy: Policy, serial: int, statement: Statement, now: datetime, retry_at: datetime
) -> DeclarationRow:
    """Write a declaration down as evidence, waiting for the platform's answer.

    At `look_at` the clock asks the platform, in case the request that follows this one does not come to an end.
    """
    _check_contact(statement.contact_on, now)
    evidence_id = new_id()
    symptoms = tuple(sorted(set(statement.symptoms)))
    fact = Declaration(id=evidence_id, at=now, symptoms=symptoms, contact_on=statement.contact_on)
    ledger.record(
        session,
        policy,
        serial,
        [NewEvidence(fact, authority="本人申报", reference=f"declaration {CONSENT_VERSION}")],
        actor=Actor("citizen", str(serial)),
        now=now,
        on_screen=True,
    )
    ledger.schedule_retry(session, serial, retry_at)
    row = DeclarationRow(
        evidence_id=evidence_id,
        serial=serial,
        declared_at=now,
        symptoms=list(symptoms),
        contact_on=statement.contact_on,
        consent_version=CONSENT_VERSION,
    )
    session.add(row)
    session.flush()
    return row


def latest(session: Session, serial: int) -> DeclarationRow | None:
    """The newest declaration of who holds the code, apart from those that were nobody's."""
    return latest_of_many(session, [serial]).get(serial)


def latest_of_many(session: Session, serials: Collection[int]) -> dict[int, DeclarationRow]:
    """The newest declaration of each of these codes, as `latest` finds it for one; of those that have one."""
    rows = session.scalars(
        select(DeclarationRow)
        .ext(distinct_on(DeclarationRow.serial))
        .join(Code, Code.serial == DeclarationRow.serial)
        .where(among(DeclarationRow.serial, serials), DeclarationRow.outcome.in_(("waiting", "verified")))
        .where(or_(Code.claimed_at.is_(None), DeclarationRow.declared_at >= Code.claimed_at))
        .order_by(DeclarationRow.serial, DeclarationRow.declared_at.desc())
    )
    return {row.serial: row for row in rows}


def retract_unverified(
    session: Session, policy: Policy, serial: int, reason: str, *, actor: Actor, now: datetime
) -> None:
    """Take back every declaration that the platform has not verified: it was not the person who made them."""
    _retract(session, policy, serial, reason, DeclarationRow.outcome == "waiting", actor, now)


def retract_previous_holder(
    session: Session, policy: Policy, serial: int, reason: str, *, actor: Actor, now: datetime
) -> None:
    """Take back what an earlier holder of the code declared, but for what a verified one stated against themselves."""
    favorable = and_(DeclarationRow.contact_on.is_(None), func.cardinality(DeclarationRow.symptoms) == 0)
    verified = and_(DeclarationRow.outcome == "verified", favorable)
    _retract(session, policy, serial, reason, or_(DeclarationRow.outcome == "waiting", verified), actor, now)


def _retract(
    session: Session, policy: Policy, serial: int, reason: str, which: ColumnElement[bool], actor: Actor, now: datetime
) -> None:
    found = select(DeclarationRow).where(DeclarationRow.serial == serial, which).order_by(DeclarationRow.declared_at)
    for row in session.scalars(found).all():
        row.outcome = reason
        ledger.withdraw(session, policy, serial, row.evidence_id, reason=reason, actor=actor, now=now)


def _check_contact(contact_on: date | None, now: datetime) -> None:
    if contact_on is None:
        return
    today = now.astimezone(BEIJING).date()
    if contact_on > today:
        raise bad_field("/contact_on", "date-in-future")
    if contact_on < today - _CONTACT_WINDOW:
        raise bad_field("/contact_on", "date-too-old")

"""Health declarations: a citizen's statement, the consent to its use, and its retraction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.audit import PLATFORM, Actor
from app.citizens.models import DeclarationRow
from app.codes import ledger
from app.codes.evidence import IDENTITY_MISMATCH, OTHER_HOLDER, NewEvidence, new_id
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
    """The statement of a citizen: symptoms, and the last day of contact with a confirmed or suspected case."""

    symptoms: tuple[Symptom, ...]
    contact_on: date | None


def declare(session: Session, policy: Policy, serial: int, statement: Statement, now: datetime) -> DeclarationRow:
    """Record a declaration as evidence that waits for the platform's answer.

    The clock asks the platform at once; a caller that asks by itself puts this off (`ledger.schedule_retry`).
    Raises Problem with the field `/contact_on` for a day in the future or too long ago.
    """
    _check_contact(statement.contact_on, now)
    symptoms = tuple(sorted(set(statement.symptoms)))
    fact = Declaration(id=new_id(), at=now, symptoms=symptoms, contact_on=statement.contact_on)
    evidence = NewEvidence(fact, authority="本人申报", reference=f"declaration {CONSENT_VERSION}")
    actor = Actor("citizen", str(serial))
    ledger.record(ledger.ChangeContext(session, policy, actor, now), serial, [evidence], on_screen=True)
    ledger.schedule_retry(session, serial, now)
    row = DeclarationRow(
        evidence_id=fact.id,
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
    """Return the newest declaration of the current holder that is not retracted."""
    return latest_of_many(session, [serial]).get(serial)


def latest_of_many(session: Session, serials: Collection[int]) -> dict[int, DeclarationRow]:
    """Return the newest declaration by serial, as `latest` does for one; only of codes that have one."""
    rows = session.scalars(
        select(DeclarationRow)
        .ext(distinct_on(DeclarationRow.serial))
        .join(Code, Code.serial == DeclarationRow.serial)
        .where(among(DeclarationRow.serial, serials), DeclarationRow.outcome.in_(("waiting", "verified")))
        .where(or_(Code.claimed_at.is_(None), DeclarationRow.declared_at >= Code.claimed_at))
        .order_by(DeclarationRow.serial, DeclarationRow.declared_at.desc())
    )
    return {row.serial: row for row in rows}


def retract_unverified(session: Session, policy: Policy, serial: int, now: datetime) -> None:
    """Retract every unverified declaration: the platform says that it was not the citizen who made them."""
    evidence = _retract(session, serial, DeclarationRow.outcome == "waiting", IDENTITY_MISMATCH)
    if evidence:
        ledger.withdraw_some(ledger.ChangeContext(session, policy, PLATFORM, now), serial, evidence)


def retract_previous_holder(session: Session, policy: Policy, serial: int, now: datetime) -> None:
    """Retract what an earlier holder of the code declared, in the name of the new one who registers.

    A verified declaration of symptoms or contact stays: it may be true of the citizen, and lowers no risk.
    """
    favorable = and_(DeclarationRow.contact_on.is_(None), func.cardinality(DeclarationRow.symptoms) == 0)
    verified = and_(DeclarationRow.outcome == "verified", favorable)
    evidence = _retract(session, serial, or_(DeclarationRow.outcome == "waiting", verified), OTHER_HOLDER)
    if evidence:
        ledger.withdraw_some(
            ledger.ChangeContext(session, policy, Actor("citizen", str(serial)), now), serial, evidence
        )


def _retract(session: Session, serial: int, which: ColumnElement[bool], reason: str) -> dict[str, str]:
    """Set the outcome of declarations; return the ids of their evidence, each with the reason of its withdrawal."""
    declarations = select(DeclarationRow).where(DeclarationRow.serial == serial, which)
    rows = session.scalars(declarations.order_by(DeclarationRow.declared_at)).all()
    for row in rows:
        row.outcome = reason
    return {row.evidence_id: reason for row in rows}


def _check_contact(contact_on: date | None, now: datetime) -> None:
    if contact_on is None:
        return
    today = now.astimezone(BEIJING).date()
    if contact_on > today:
        raise bad_field("/contact_on", "date-in-future")
    if contact_on < today - _CONTACT_WINDOW:
        raise bad_field("/contact_on", "date-too-old")

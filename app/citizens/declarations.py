"""Health declarations: a citizen's statement, the consent to its use, and its retraction."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.audit import PLATFORM, Actor
from app.citizens.models import Account, DeclarationRow
from app.codes import ledger
from app.codes.claims import Assurance, assurance_of
from app.codes.evidence import IDENTITY_MISMATCH, OTHER_HOLDER, NewEvidence, new_id
from app.codes.models import Code
from app.core.clock import BEIJING
from app.core.db import among
from app.core.errors import FieldError, Problem
from app.rules import Declaration, Policy

CONSENT_VERSION = "2020-03"
CONTACT_WINDOW = timedelta(days=60)


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


class Source(NamedTuple):
    """Where a declaration is made: what its evidence refers to and names, and whether the holder sees what follows."""

    reference: str = f"declaration {CONSENT_VERSION}"
    on_screen: bool = True
    authority: str = "本人申报"


OWN_PHONE = Source()


def declare(
    context: ledger.ChangeContext, serial: int, statement: Statement, source: Source = OWN_PHONE
) -> DeclarationRow:
    """Record a declaration as evidence that waits for the platform's answer.

    The clock asks the platform at once; a caller that asks by itself puts this off (`ledger.schedule_retry`).
    The actor of the context is the citizen, or who records it for them. Raises Problem with the field `/contact_on` for
    a day in the future or too long ago.
    """
    session, now = context.session, context.now
    if wrong := find_errors(statement, now):
        raise Problem("invalid-request", fields=tuple(wrong))
    code = ledger.lock_code(session, serial)
    now = max(now, code.claimed_at or now)  # the claim was first, whatever the clock of another machine says
    symptoms = tuple(sorted(set(statement.symptoms)))
    fact = Declaration(id=new_id(), at=now, symptoms=symptoms, contact_on=statement.contact_on)
    evidence = NewEvidence(fact, source.authority, source.reference)
    ledger.record(context._replace(now=now), serial, [evidence], on_screen=source.on_screen)
    ledger.schedule_retry(session, serial, now)
    assurance = _assurance_of_holder(session, code)
    row = DeclarationRow(
        evidence_id=fact.id,
        serial=serial,
        declared_at=now,
        symptoms=list(symptoms),
        contact_on=statement.contact_on,
        consent_version=CONSENT_VERSION,
        assurance=assurance,
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


def list_own(session: Session, serial: int) -> Sequence[DeclarationRow]:
    """List what the current holder of a code has declared, newest first; also what was retracted."""
    code = ledger.get_code(session, serial)
    own = select(DeclarationRow).where(DeclarationRow.serial == serial)
    if code.claimed_at is not None:
        own = own.where(DeclarationRow.declared_at >= code.claimed_at)
    return session.scalars(own.order_by(DeclarationRow.declared_at.desc())).all()


def vouch(session: Session, serial: int) -> None:
    """Give what the holder has declared the assurance of their claim, which the platform has confirmed now."""
    code = ledger.get_code(session, serial)
    assurance = _assurance_of_holder(session, code)
    own = update(DeclarationRow).where(DeclarationRow.serial == serial, DeclarationRow.declared_at >= code.claimed_at)
    session.execute(own.where(DeclarationRow.assurance < assurance).values(assurance=assurance))


def retract_denied(session: Session, policy: Policy, declaration: DeclarationRow, now: datetime) -> None:
    """Retract what the platform says is not of the citizen: all that a holder declared whom it has never confirmed.

    Of a confirmed holder only what is to their advantage and rests on the platform: a number that has changed takes no
    symptom and no contact back.
    """
    serial, code = declaration.serial, ledger.get_code(session, declaration.serial)
    own = select(DeclarationRow).where(
        DeclarationRow.serial == serial,
        or_(DeclarationRow.outcome == "waiting", DeclarationRow.evidence_id == declaration.evidence_id),
    )
    if code.claimed_at is not None:
        own = own.where(DeclarationRow.declared_at >= code.claimed_at)
    rows = [row for row in session.scalars(own) if code.confirmed_at is None or _is_favorable(row)]
    _retract(ledger.ChangeContext(session, policy, PLATFORM, now), serial, rows, IDENTITY_MISMATCH)


class NewHolder(NamedTuple):
    """Who has just claimed a code; `was_holder`: the same WeChat user held it before."""

    serial: int
    assurance: Assurance
    was_holder: bool


def retract_previous_holder(session: Session, policy: Policy, new: NewHolder, now: datetime) -> list[str]:
    """Retract what an earlier holder of the code declared, in the name of the new one who registers.

    Symptoms and contacts stay where the platform had confirmed the earlier holder, or the same WeChat user registers
    anew. Returns the evidence of the contacts that stay although another holder stated them, with a weaker assurance.
    """
    earlier = select(DeclarationRow).filter_by(serial=new.serial).order_by(DeclarationRow.declared_at)
    rows = session.scalars(earlier.where(DeclarationRow.outcome.in_(("waiting", "verified")))).all()
    kept = [row for row in rows if not _is_favorable(row) and (new.was_holder or row.assurance > Assurance.NONE)]
    context = ledger.ChangeContext(session, policy, Actor("citizen", str(new.serial)), now)
    _retract(context, new.serial, [row for row in rows if row not in kept], OTHER_HOLDER)
    if new.was_holder:
        for row in kept:
            row.assurance = max(row.assurance, new.assurance)
    return [row.evidence_id for row in kept if row.contact_on is not None and row.assurance < new.assurance]


def _is_favorable(row: DeclarationRow) -> bool:
    return row.contact_on is None and not row.symptoms


def _assurance_of_holder(session: Session, code: Code) -> Assurance:
    account = session.get(Account, code.serial)
    return assurance_of(code, is_vouched=account is not None and account.is_vouched)


def _retract(context: ledger.ChangeContext, serial: int, rows: Sequence[DeclarationRow], reason: str) -> None:
    """Set the outcome of declarations, and withdraw their evidence for this reason."""
    for row in rows:
        row.outcome = reason
    if rows:
        ledger.withdraw_some(context, serial, {row.evidence_id: reason for row in rows})


def find_form_errors(contact: bool, contact_on: date | None, consent: bool) -> Iterator[FieldError]:
    """Yield what does not fit together in a form: the question of contact and its day, and the consent."""
    if contact and contact_on is None:
        yield FieldError("/contact_on", "contact-day-needed")
    if not contact and contact_on is not None:
        yield FieldError("/contact_on", "contact-day-not-needed")
    if not consent:
        yield FieldError("/consent", "consent-needed")


def find_errors(statement: Statement, now: datetime) -> list[FieldError]:
    """Return every bad field of a statement."""
    day, today = statement.contact_on, now.astimezone(BEIJING).date()
    if day is not None and day > today:
        return [FieldError("/contact_on", "date-in-future")]
    if day is not None and day < today - CONTACT_WINDOW:
        return [FieldError("/contact_on", "date-too-old")]
    return []

"""A check by identity document: its kind, number and name as a card reader read them give the color, and no more.

Unknown documents and wrong names are one outcome, found by the same work. Nobody is looked up beyond the ceiling of
the inspector, nor without a trace that the person can read.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.audit import Actor, failed_logins
from app.citizens.document_checks import ceilings, identities, trail
from app.citizens.documents import DocumentType, normalize
from app.codes import ledger
from app.codes.current_code import CurrentCode
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.errors import FieldError, Problem
from app.core.identity.names import fold_person_name, is_person_name
from app.core.texts import citizen_languages, text
from app.rules import Policy
from app.runtime import Services
from app.stations import alerts, checks, counts
from app.stations.checks import Check, Shift
from app.stations.counts import StationEvent

STOPPED = "document-checks-stopped"  # the action in the audit: an inspector came to their ceiling
ASK = "ask"  # the action where nobody is found: ask for the code
_EXPIRED_RULE = "UNVERIFIED-EXPIRED"
_CANCELED = ("57014", "55P03")  # PostgreSQL's codes of a statement that took too long


class Outcome(StrEnum):
    """The outcomes of a check by document that answer: a state, an ended declaration, or nobody."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    UNVERIFIED = "unverified"
    EXPIRED = "expired"
    NOT_FOUND = "not-found"


class Identity(NamedTuple):
    """A document with its normalized number, and a folded name."""

    document_type: DocumentType
    number: str
    name: str

    def fingerprint(self, services: Services) -> bytes:
        return identities.fingerprint_of(services.encryption, (self.document_type, self.number), self.name)


class DocumentResult(NamedTuple):
    """The outcome, and what is known of the code and what to do; None where nobody was found."""

    outcome: Outcome
    check: Check | None


def read_identity(kind: DocumentType, number: str, name: str, now: datetime) -> Identity:
    """Return what was read of a document, normalized. Raises Problem with every bad field."""
    errors, folded = [], fold_person_name(name)
    try:
        number = normalize(kind, number, now.astimezone(BEIJING).date())
    except Problem as problem:
        slugs = [field.slug for field in problem.fields] if number.strip() else ["number-needed"]
        errors += [FieldError("/number", slug) for slug in slugs]
    if not is_person_name(folded):
        errors.append(FieldError("/name", "name-form" if folded else "name-needed"))
    if errors:
        raise Problem("invalid-request", fields=tuple(errors))
    return Identity(kind, number, folded)


class Asked(NamedTuple):
    """Who asks, at which station."""

    by: Actor
    station_id: int


def check(services: Services, identity: Identity, asked: Asked) -> DocumentResult:
    """Check the code of the person with this document and name, and count the check. Raises Problem."""
    now = services.clock.now()
    result = read_check(services, identity, asked, now)
    if result.check is not None:
        event = StationEvent(asked.station_id, now, result.check.current_code.record.state, result.check.action)
        counts.increment(services.redis, event)
    return result


def read_check(services: Services, identity: Identity, asked: Asked, now: datetime) -> DocumentResult:
    """Return the check of the code of the person with this document and name, which is not counted yet.

    Raises Problem `document-checks-too-many`, `check-failed` or `time-out`.
    """
    _take(services, asked.by)
    try:
        serial = identities.find_serial(services, identity.fingerprint(services))
        if serial is None:
            return _NOT_FOUND
        trail.keep(services, serial, asked.station_id, now)
        current = services.current_code(serial)
    except (OperationalError, PoolTimeout) as error:
        raise _failure(error) from None
    result = make_result(services.policy, current)
    if result.check is not None:
        alerts.note(services, serial, current.record.state, now)
        ceilings.give_back(services.redis, services.settings.document_checks, _asker(asked.by))
    return result


def register_temperature(services: Services, identity: Identity, celsius: Decimal, shift: Shift) -> DocumentResult:
    """Record an on-site temperature of the person with this document and name, and return the check after it.

    Raises Problem as `check` does; nothing is recorded then.
    """
    now, fingerprint = services.clock.now(), identity.fingerprint(services)
    _take(services, shift.actor)
    try:
        serial = identities.find_serial(services, fingerprint)
        if serial is None:
            return _NOT_FOUND
        trail.keep(services, serial, shift.station.id, now)
        with services.begin() as session:
            _require_same(session, fingerprint, serial)
            decided = checks.measure(services, session, serial, celsius, shift)
    except _NotThere:
        return _NOT_FOUND
    except (OperationalError, PoolTimeout) as error:
        raise _failure(error) from None
    alerts.note(services, serial, decided.record.state, now)
    ceilings.give_back(services.redis, services.settings.document_checks, _asker(shift.actor))
    return DocumentResult(_outcome(services.policy, decided), checks.check_measured(services, decided, celsius))


class _NotThere(Exception):
    """Nobody has this identity any more, or who has it has never declared."""


def _require_same(session: Session, fingerprint: bytes, serial: int) -> None:
    """Lock the code. Raises _NotThere where it is not that of this identity, or has no color to give."""
    state = ledger.lock_code(session, serial).state
    if state == State.NOT_DECLARED or identities.find_stored(session, fingerprint) != serial:
        raise _NotThere


def make_result(policy: Policy, current: CurrentCode) -> DocumentResult:
    """Return the result for a code; somebody who never declared has none yet, and is not found."""
    if current.record.state == State.NOT_DECLARED:
        return _NOT_FOUND
    check, outcome = checks.make_check(policy, current), _outcome(policy, current)
    if outcome is Outcome.EXPIRED:
        again = {lang: text("stations", "declare-again", lang) for lang in citizen_languages()}
        words = {lang: f"{check.instruction[lang]}{again[lang]}" for lang in citizen_languages()}
        check = check._replace(instruction=words)
    return DocumentResult(outcome, check)


_NOT_FOUND = DocumentResult(Outcome.NOT_FOUND, None)


def _outcome(policy: Policy, current: CurrentCode) -> Outcome:
    record = current.record
    is_expired = record.rule == policy.rules.index(_EXPIRED_RULE) + 1
    return Outcome.EXPIRED if is_expired else Outcome(State(record.state).name.lower())


def _asker(by: Actor) -> str:
    return by.id if by.kind == "inspector" else str(by)


def _take(services: Services, by: Actor) -> None:
    """Count a look-up of whoever asks. Raises Problem `document-checks-too-many`, which auditors read of."""
    wait = ceilings.take(services.redis, services.settings.document_checks, _asker(by))
    if not wait:
        return
    with services.begin() as session:
        failed_logins.count(session, by, STOPPED, services.clock.now())
    raise Problem("document-checks-too-many", retry_after=wait)


def _failure(error: OperationalError | PoolTimeout) -> Problem:
    """Return the problem of a look-up that failed, or that took too long."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    is_late = isinstance(error, PoolTimeout) or state in _CANCELED
    return Problem("time-out" if is_late else "check-failed", retry_after=5)

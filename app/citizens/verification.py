"""Asking the national platform about a declaration, and what its answer means.

The platform is asked with no transaction open. Its answer becomes evidence; the ledger alone decides what follows.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from redis import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import outside
from app.audit import CLOCK, PLATFORM, Actor
from app.citizens import declarations
from app.citizens.models import Citizen, DeclarationRow
from app.codes import holding, ledger
from app.codes.evidence import IDENTITY_MISMATCH, Entry, finding_of, new_id
from app.db import among
from app.outside import Part
from app.platform.client import Answer, Finding, PlatformRefused, PlatformUnavailable
from app.rules import Contact, Diagnosis, Evidence, Policy, Quarantine, Verification, decide
from app.services import Services

log = structlog.get_logger()

AUTHORITY = "国家政务服务平台"
REFUSED_WAIT = timedelta(hours=1)  # a question that the platform refuses is an error of ours: it is asked seldom
_PAUSE = "jx:platform-pause"


class Question(NamedTuple):
    """A declaration about which the platform is to be asked, and the person's data as opened for that."""

    declaration: DeclarationRow
    document_type: str
    document_number: str
    name: str
    phone: str | None
    held_since: datetime | None


def look_again(services: Services, serial: int, *, actor: Actor = CLOCK, seen: bool = False) -> bool:
    """Settle what is due for a code: ask the platform where only its answer is missing, then decide anew.

    Returns False when the platform could not be asked; the last color stands, and the clock looks again later.
    """
    question = _question(services, serial)
    if question is not None:
        answer = _ask(services, question)
        if isinstance(answer, timedelta):
            _look_later(services, serial, answer)
            return False
        _record(services, serial, question, answer, actor, seen)
        return True
    with services.begin() as session:
        ledger.decide_again(session, services.policy, serial, actor=actor, now=services.clock.now())
        _stop_asking(session, serial)
    return True


def settle_many(session: Session, policy: Policy, serials: Sequence[int], now: datetime) -> list[int]:
    """Settle what is due for many codes where time alone decides, as `look_again` does for one.

    Returns the serials about whom the platform is to be asked first; they are left as they are.
    """
    ledger.lock_codes(session, serials)
    askable = _askable(session, serials)
    asked = _lacking_an_answer(session, policy, askable, now)
    settled = [serial for serial in serials if serial not in asked]
    ledger.decide_many(session, policy, settled, actor=CLOCK, now=now)
    ledger.look_when_due(session, [serial for serial in settled if serial not in askable])
    return sorted(asked)


def _askable(session: Session, serials: Sequence[int]) -> dict[int, DeclarationRow]:
    """Those about whom the platform can be asked, each with the latest declaration."""
    known = select(Citizen.serial).where(
        among(Citizen.serial, serials), Citizen.name_sealed.is_not(None), Citizen.document_sealed.is_not(None)
    )
    return declarations.latest_of_many(session, list(session.scalars(known)))


def _lacking_an_answer(
    session: Session, policy: Policy, askable: Mapping[int, DeclarationRow], now: datetime
) -> set[int]:
    """Those of them whose code lacks the platform's word, as `_question` finds it for one."""
    asked = {serial for serial, declaration in askable.items() if declaration.outcome == "waiting"}
    verified = askable.keys() - asked
    evidence = ledger.evidence_of_many(session, verified)
    return asked | {s for s in verified if "verification" in decide(evidence[s], policy, now).missing}


def _stop_asking(session: Session, serial: int) -> None:
    """Where there is nobody to ask about, time alone goes on, however much the platform's word is missing."""
    citizen = session.get(Citizen, serial)
    nameless = citizen is None or citizen.name_sealed is None or citizen.document_sealed is None
    if nameless or declarations.latest(session, serial) is None:
        ledger.look_again_at(session, serial, None)


def _question(services: Services, serial: int) -> Question | None:
    """What to ask: the latest declaration, if the code lacks the platform's word on it."""
    with services.sessions() as session:
        declaration = declarations.latest(session, serial)
        citizen = session.get(Citizen, serial)
        if declaration is None or citizen is None or citizen.name_sealed is None or citizen.document_sealed is None:
            return None
        evidence = ledger.evidence_of(session, serial)
        lacking = decide(evidence, services.policy, services.clock.now()).missing
        if declaration.outcome != "waiting" and "verification" not in lacking:
            return None
        open_ = services.vault.open
        return Question(
            declaration,
            citizen.document_type,
            open_("citizens.document", citizen.document_sealed),
            open_("citizens.name", citizen.name_sealed),
            open_("citizens.phone", citizen.phone_sealed) if citizen.phone_sealed else None,
            ledger.code_of(session, serial).held_since,
        )


def _ask(services: Services, question: Question) -> Answer | timedelta:
    """The platform's answer, or how long to wait before asking again. After a failure nobody asks for some seconds."""
    wait = timedelta(seconds=services.settings.platform.retry_seconds)
    if _paused(services):
        return wait
    declaration, now = question.declaration, services.clock.now()
    try:
        answer = services.platform.verify(
            reference=f"{declaration.evidence_id}:{int(now.timestamp())}",
            name=question.name,
            document_type=question.document_type,
            document_number=question.document_number,
            phone=question.phone,
            symptoms=declaration.symptoms,
            contact_on=declaration.contact_on,
            declared_at=declaration.declared_at,
        )
    except PlatformUnavailable as error:
        log.warning("platform-unavailable", reason=error.reason)
        outside.failed(services.redis, Part.PLATFORM, error.reason, now)
        _pause(services)
        return wait
    except PlatformRefused as error:  # about this question: others are asked on
        log.error("platform-refused", code=error.code)
        outside.answered(services.redis, Part.PLATFORM, now)
        return REFUSED_WAIT
    outside.answered(services.redis, Part.PLATFORM, now)
    return answer


def _record(services: Services, serial: int, question: Question, answer: Answer, actor: Actor, seen: bool) -> None:
    now = services.clock.now()
    with services.begin() as session:
        ledger.look_again_at(session, serial, None)
        declaration = session.get_one(DeclarationRow, question.declaration.evidence_id, populate_existing=True)
        held_since = ledger.code_of(session, serial).held_since
        if held_since != question.held_since or declaration.outcome not in ("waiting", "verified"):
            return  # asked about somebody who holds the code no more, or answered already
        if answer.result != "consistent":
            holding.deny(session, serial, now)
            declaration.outcome = "waiting"  # verified once, it is now nobody's like the others
            declarations.disown(session, services.policy, serial, IDENTITY_MISMATCH, actor=PLATFORM, now=now)
            return
        if question.phone is not None:  # name and number alone are no secret
            holding.confirm(session, serial, now)
        declaration.outcome = "verified"
        verification = Verification(id=new_id(), at=now, declaration=declaration.evidence_id)
        entries = [Entry(verification, AUTHORITY, answer.reference)]
        entries += [_entry(finding, now) for finding in answer.findings]
        ledger.record(session, services.policy, serial, entries, actor=PLATFORM, now=now, seen=seen)


def _entry(finding: Finding, now: datetime) -> Entry:
    """A finding as evidence; one that a later answer tells again is known by what it says, an extended one is new."""
    days = finding.exposed_on, finding.first_day, finding.last_day
    known_by = finding_of(finding.kind, finding.authority, finding.document, *days)
    return Entry(_fact(finding, min(finding.since, now)), finding.authority, finding.document, finding=known_by)


def _fact(finding: Finding, since: datetime) -> Evidence:
    if finding.kind == "contact" and finding.exposed_on:
        return Contact(id=new_id(), at=since, exposed_on=finding.exposed_on)
    if finding.kind == "quarantine" and finding.first_day and finding.last_day:
        return Quarantine(id=new_id(), at=since, first_day=finding.first_day, last_day=finding.last_day)
    return Diagnosis(id=new_id(), at=since, status="confirmed" if finding.kind == "confirmed" else "suspected")


def _look_later(services: Services, serial: int, wait: timedelta) -> None:
    with services.begin() as session:
        ledger.look_again_at(session, serial, services.clock.now() + wait)


def _paused(services: Services) -> bool:
    try:
        return bool(services.redis.exists(_PAUSE))
    except RedisError:
        return False


def _pause(services: Services) -> None:
    """Keep everybody from asking a platform that just failed: a crowd that waits for time-outs fails with it."""
    try:
        services.redis.set(_PAUSE, 1, ex=services.settings.platform.pause_seconds)
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)

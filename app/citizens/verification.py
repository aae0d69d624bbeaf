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

from app.audit import CLOCK, PLATFORM, Actor
from app.citizens import declarations
from app.citizens.models import Citizen, DeclarationRow
from app.codes import claims, ledger
from app.codes.evidence import NewEvidence, dedup_key_of, new_id
from app.core import upstream
from app.core.db import among
from app.core.metrics import CIRCUIT_OPENED
from app.core.upstream import Upstream
from app.platform.client import Finding, PlatformAnswer, PlatformRefused, PlatformUnavailable
from app.rules import Contact, Diagnosis, Evidence, Policy, Quarantine, Verification, decide
from app.runtime import Services

log = structlog.get_logger()

PLATFORM_AUTHORITY = "国家政务服务平台"
REFUSED_RETRY_AFTER = timedelta(hours=1)  # a question that the platform refuses is an error of ours: it is asked seldom
_CIRCUIT_KEY = "jx:platform-pause"


class VerificationRequest(NamedTuple):
    """A declaration about which the platform is to be asked, and the person's data as opened for that."""

    declaration: DeclarationRow
    document_type: str
    document_number: str
    name: str
    phone: str | None
    claimed_at: datetime | None


def reevaluate(services: Services, serial: int, *, actor: Actor = CLOCK, on_screen: bool = False) -> bool:
    """Settle what is due for a code: ask the platform where only its answer is missing, then decide anew.

    Returns False when the platform could not be asked; the last color stands, and the clock looks again later.
    """
    request = _make_request(services, serial)
    if request is not None:
        answer = _ask_platform(services, request)
        if isinstance(answer, timedelta):
            _schedule_retry(services, serial, answer)
            return False
        _apply_answer(services, request, answer, on_screen=on_screen)
        return True
    with services.begin() as session:
        ledger.reevaluate(session, services.policy, serial, actor=actor, now=services.clock.now())
        _clear_retry_if_unaskable(session, serial)
    return True


def reevaluate_due(session: Session, policy: Policy, serials: Sequence[int], now: datetime) -> list[int]:
    """Settle what is due for many codes where time alone decides, as `look_again` does for one.

    Returns the serials about whom the platform is to be asked first; they are left as they are.
    """
    ledger.lock_codes(session, serials)
    askable = _verifiable(session, serials)
    asked = _unverified(session, policy, askable, now)
    settled = [serial for serial in serials if serial not in asked]
    ledger.reevaluate_many(session, policy, settled, actor=CLOCK, now=now)
    ledger.clear_retries(session, [serial for serial in settled if serial not in askable])
    return sorted(asked)


def _verifiable(session: Session, serials: Sequence[int]) -> dict[int, DeclarationRow]:
    """Those about whom the platform can be asked, each with the latest declaration."""
    known = select(Citizen.serial).where(
        among(Citizen.serial, serials), Citizen.name_ciphertext.is_not(None), Citizen.document_ciphertext.is_not(None)
    )
    return declarations.latest_of_many(session, list(session.scalars(known)))


def _unverified(session: Session, policy: Policy, askable: Mapping[int, DeclarationRow], now: datetime) -> set[int]:
    """Those of them whose code lacks the platform's word, as `_question` finds it for one."""
    asked = {serial for serial, declaration in askable.items() if declaration.outcome == "waiting"}
    verified = askable.keys() - asked
    evidence = ledger.load_evidence_many(session, verified)
    return asked | {s for s in verified if "verification" in decide(evidence[s], policy, now).missing}


def _clear_retry_if_unaskable(session: Session, serial: int) -> None:
    """Where there is nobody to ask about, time alone goes on, however much the platform's word is missing."""
    citizen = session.get(Citizen, serial)
    nameless = citizen is None or citizen.name_ciphertext is None or citizen.document_ciphertext is None
    if nameless or declarations.latest(session, serial) is None:
        ledger.schedule_retry(session, serial, None)


def _make_request(services: Services, serial: int) -> VerificationRequest | None:
    """What to ask: the latest declaration, if the code lacks the platform's word on it."""
    with services.sessions() as session:
        declaration = declarations.latest(session, serial)
        citizen = session.get(Citizen, serial)
        if (
            declaration is None
            or citizen is None
            or citizen.name_ciphertext is None
            or citizen.document_ciphertext is None
        ):
            return None
        evidence = ledger.load_evidence(session, serial)
        lacking = decide(evidence, services.policy, services.clock.now()).missing
        if declaration.outcome != "waiting" and "verification" not in lacking:
            return None
        open_ = services.encryption.decrypt
        return VerificationRequest(
            declaration,
            citizen.document_type,
            open_("citizens.document", citizen.document_ciphertext),
            open_("citizens.name", citizen.name_ciphertext),
            open_("citizens.phone", citizen.phone_ciphertext) if citizen.phone_ciphertext else None,
            ledger.get_code(session, serial).claimed_at,
        )


def _ask_platform(services: Services, request: VerificationRequest) -> PlatformAnswer | timedelta:
    """The platform's answer, or how long to wait before asking again. After a failure nobody asks for some seconds."""
    wait = timedelta(seconds=services.settings.platform.retry_seconds)
    if _circuit_is_open(services):
        return wait
    declaration, now = request.declaration, services.clock.now()
    try:
        answer = services.platform.verify(
            reference=f"{declaration.evidence_id}:{int(now.timestamp())}",
            name=request.name,
            document_type=request.document_type,
            document_number=request.document_number,
            phone=request.phone,
            symptoms=declaration.symptoms,
            contact_on=declaration.contact_on,
            declared_at=declaration.declared_at,
        )
    except PlatformUnavailable as error:
        log.warning("platform-unavailable", reason=error.reason)
        upstream.record_failure(services.redis, Upstream.PLATFORM, error.reason, now)
        _open_circuit(services)
        return wait
    except PlatformRefused as error:  # about this question: others are asked on
        log.error("platform-refused", code=error.code)
        upstream.record_success(services.redis, Upstream.PLATFORM, now)
        return REFUSED_RETRY_AFTER
    upstream.record_success(services.redis, Upstream.PLATFORM, now)
    return answer


def _apply_answer(services: Services, request: VerificationRequest, answer: PlatformAnswer, *, on_screen: bool) -> None:
    """Record the platform's answer, unless the code has another holder or the declaration an outcome by now."""
    serial, now = request.declaration.serial, services.clock.now()
    with services.begin() as session:
        ledger.schedule_retry(session, serial, None)
        declaration = session.get_one(DeclarationRow, request.declaration.evidence_id, populate_existing=True)
        claimed_at = ledger.get_code(session, serial).claimed_at
        if claimed_at != request.claimed_at or declaration.outcome not in ("waiting", "verified"):
            return  # asked about somebody who holds the code no more, or answered already
        if answer.result != "consistent":
            claims.deny(session, serial, now)
            declaration.outcome = "waiting"  # verified once, it is now nobody's like the others
            declarations.retract_unverified(session, services.policy, serial, now)
            return
        if request.phone is not None:  # name and number alone are no secret
            claims.confirm(session, serial, now)
        declaration.outcome = "verified"
        verification = Verification(id=new_id(), at=now, declaration=declaration.evidence_id)
        entries = [NewEvidence(verification, PLATFORM_AUTHORITY, answer.reference)]
        entries += [_new_evidence(finding, now) for finding in answer.findings]
        ledger.record(session, services.policy, serial, entries, actor=PLATFORM, now=now, on_screen=on_screen)


def _new_evidence(finding: Finding, now: datetime) -> NewEvidence:
    """A finding as evidence; one that a later answer tells again is known by what it says, an extended one is new."""
    days = finding.exposed_on, finding.first_day, finding.last_day
    dedup_key = dedup_key_of(finding.kind, finding.authority, finding.document, *days)
    return NewEvidence(
        _fact(finding, min(finding.since, now)), finding.authority, finding.document, dedup_key=dedup_key
    )


def _fact(finding: Finding, since: datetime) -> Evidence:
    if finding.kind == "contact" and finding.exposed_on:
        return Contact(id=new_id(), at=since, exposed_on=finding.exposed_on)
    if finding.kind == "quarantine" and finding.first_day and finding.last_day:
        return Quarantine(id=new_id(), at=since, first_day=finding.first_day, last_day=finding.last_day)
    return Diagnosis(id=new_id(), at=since, status="confirmed" if finding.kind == "confirmed" else "suspected")


def _schedule_retry(services: Services, serial: int, wait: timedelta) -> None:
    with services.begin() as session:
        ledger.schedule_retry(session, serial, services.clock.now() + wait)


def _circuit_is_open(services: Services) -> bool:
    try:
        return bool(services.redis.exists(_CIRCUIT_KEY))
    except RedisError:
        return False


def _open_circuit(services: Services) -> None:
    """Keep everybody from asking a platform that just failed: a crowd that waits for time-outs fails with it."""
    CIRCUIT_OPENED.labels("platform").inc()
    try:
        services.redis.set(_CIRCUIT_KEY, 1, ex=services.settings.platform.circuit_open_seconds)
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)

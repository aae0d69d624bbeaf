"""Verification of declarations by the national platform, and re-evaluation of codes that are due.

The platform is asked outside of any transaction. Its answer becomes evidence; the ledger alone decides the result.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import CLOCK, PLATFORM, Actor
from app.citizens import declarations, platform_calls
from app.citizens.models import Account, Citizen, DeclarationRow
from app.codes import claims, ledger
from app.codes.evidence import IDENTITY_MISMATCH, NewEvidence, dedup_key_of, new_id
from app.core.db import among
from app.core.identity.names import fold_person_name
from app.core.identity.phones import fold_phone
from app.platform.messages import CONSISTENT, Finding, PlatformAnswer, PlatformQuestion
from app.rules import Contact, Diagnosis, Evidence, Policy, Quarantine, Verification, decide
from app.runtime import Services

PLATFORM_AUTHORITY = "国家政务服务平台"


class VerificationRequest(NamedTuple):
    """A declaration to verify, with the decrypted data of the citizen. `claimed_at` identifies the holder.

    `fingerprint` is that of the document.

    `is_vain`: without a phone, never confirmed with one, and no clerk had the document in hand. Name and document
    number are known to others too, so the answer would confirm nobody, and the claim is denied without a question.
    """

    declaration: DeclarationRow
    document_type: str
    document_number: str
    name: str
    phone: str | None
    claimed_at: datetime | None
    is_vain: bool
    fingerprint: bytes


def reevaluate(services: Services, serial: int, *, actor: Actor = CLOCK, on_screen: bool = False) -> bool:
    """Re-evaluate a code; if only the platform's answer is missing, ask the platform first.

    Returns False when the platform could not be asked, or found something of an unknown kind: the clock tries again
    later, and until then nothing says that there is nothing else. Raises Problem `identity-mismatch`, after all is
    recorded, where the platform denies the citizen who waits (`on_screen`) and the declaration is retracted.
    """
    request = make_request(services, serial)
    if request is not None and request.is_vain:
        _apply_answer(services, request, None, on_screen=on_screen)
        return True
    if request is not None:
        answer = platform_calls.ask(services, _question(request, services.clock.now()))
        if isinstance(answer, timedelta):
            _schedule_retry(services, serial, answer)
            return False
        retracted = _apply_answer(services, request, answer, on_screen=on_screen)
        if on_screen and retracted:
            raise platform_calls.identity_mismatch(answer)
        return not answer.unknown_findings
    with services.begin() as session:
        ledger.reevaluate(ledger.ChangeContext(session, services.policy, actor, services.clock.now()), serial)
        _clear_retry_if_unaskable(session, serial)
    return True


def reevaluate_due(session: Session, policy: Policy, serials: Sequence[int], now: datetime) -> list[int]:
    """Re-evaluate many codes as `reevaluate` does one, except those about which the platform must be asked first.

    Returns the serials of those, which are left unchanged.
    """
    ledger.lock_codes(session, serials)
    verifiable = _verifiable(session, serials)
    unverified = _unverified(session, policy, verifiable, now)
    due = [serial for serial in serials if serial not in unverified]
    ledger.reevaluate_many(ledger.ChangeContext(session, policy, CLOCK, now), due)
    ledger.clear_retries(session, [serial for serial in due if serial not in verifiable])
    return sorted(unverified)


def _verifiable(session: Session, serials: Sequence[int]) -> dict[int, DeclarationRow]:
    """Return the latest declarations by serial of those about whom the platform can be asked."""
    registered = select(Citizen.serial).where(
        among(Citizen.serial, serials), Citizen.name_ciphertext.is_not(None), Citizen.document_ciphertext.is_not(None)
    )
    return declarations.latest_of_many(session, list(session.scalars(registered)))


def _unverified(session: Session, policy: Policy, verifiable: Mapping[int, DeclarationRow], now: datetime) -> set[int]:
    """Return the serials whose code lacks the platform's answer, as `make_request` determines for one."""
    waiting = {serial for serial, declaration in verifiable.items() if declaration.outcome == "waiting"}
    verified = verifiable.keys() - waiting
    evidence = ledger.load_evidence_many(session, verified)
    return waiting | {serial for serial in verified if "verification" in decide(evidence[serial], policy, now).missing}


def _clear_retry_if_unaskable(session: Session, serial: int) -> None:
    """Clear the retry of a code about which the platform cannot be asked, whatever is missing: only time changes it."""
    citizen = session.get(Citizen, serial)
    unregistered = citizen is None or citizen.name_ciphertext is None or citizen.document_ciphertext is None
    if unregistered or declarations.latest(session, serial) is None:
        ledger.schedule_retry(session, serial, None)


def make_request(services: Services, serial: int) -> VerificationRequest | None:
    """Return the latest declaration as a request, or None when the code lacks no answer of the platform."""
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
        missing = decide(evidence, services.policy, services.clock.now()).missing
        if declaration.outcome != "waiting" and "verification" not in missing:
            return None
        decrypt, code = services.encryption.decrypt, ledger.get_code(session, serial)
        account = session.get(Account, serial)
        attested = account is not None and account.attested_at is not None
        return VerificationRequest(
            declaration,
            citizen.document_type,
            decrypt("citizens.document", citizen.document_ciphertext),
            decrypt("citizens.name", citizen.name_ciphertext),
            decrypt("citizens.phone", citizen.phone_ciphertext) if citizen.phone_ciphertext else None,
            code.claimed_at,
            citizen.phone_ciphertext is None and code.confirmed_at is None and not attested,
            citizen.document_fingerprint,
        )


def _question(request: VerificationRequest, now: datetime) -> PlatformQuestion:
    """Return the question about a declaration; its reference differs at every attempt.

    Name and phone are folded again: older rows have them as they were typed.
    """
    declaration = request.declaration
    return PlatformQuestion(
        reference=f"{declaration.evidence_id}:{int(now.timestamp())}",
        name=fold_person_name(request.name),
        document_type=request.document_type,
        document_number=request.document_number,
        phone=None if request.phone is None else fold_phone(request.phone),
        symptoms=declaration.symptoms,
        contact_on=declaration.contact_on,
        declared_at=declaration.declared_at,
    )


def _apply_answer(
    services: Services, request: VerificationRequest, answer: PlatformAnswer | None, *, on_screen: bool
) -> bool:
    """Record the platform's answer, unless the code has another holder or the declaration an outcome by now.

    None: the question would be vain. Returns whether the declaration was retracted.
    """
    serial, now = request.declaration.serial, services.clock.now()
    with services.begin() as session:
        ledger.schedule_retry(session, serial, None)
        declaration = session.get_one(DeclarationRow, (serial, request.declaration.evidence_id), populate_existing=True)
        claimed_at = ledger.get_code(session, serial).claimed_at
        if claimed_at != request.claimed_at or declaration.outcome not in ("waiting", "verified"):
            return False  # the code has another holder by now, or the declaration was answered already
        if answer is not None and session.get_one(Citizen, serial).document_fingerprint != request.fingerprint:
            ledger.schedule_retry(session, serial, now)
            return False  # the document was corrected meanwhile: the answer is about the former one
        if answer is None or answer.result != CONSISTENT:
            claims.deny(session, serial, now)
            declarations.retract_denied(session, services.policy, declaration, now)
            return declaration.outcome == IDENTITY_MISMATCH
        claims.confirm(session, serial, now)
        declarations.vouch(session, serial)
        evidence = _verification(declaration, answer, now)
        evidence += [_new_evidence(finding, now) for finding in answer.known_findings]
        if answer.unknown_findings:
            ledger.schedule_retry(session, serial, now + platform_calls.REFUSED_RETRY_AFTER)
        ledger.record(
            ledger.ChangeContext(session, services.policy, PLATFORM, now), serial, evidence, on_screen=on_screen
        )
    return False


def _verification(declaration: DeclarationRow, answer: PlatformAnswer, now: datetime) -> list[NewEvidence]:
    """Return that the declaration was verified, unless the platform found something of a kind that is not known here.

    Without it there is no green code: what was found may forbid one.
    """
    if answer.unknown_findings:
        return []
    declaration.outcome = "verified"
    verification = Verification(id=new_id(), at=now, declaration=declaration.evidence_id)
    return [NewEvidence(verification, PLATFORM_AUTHORITY, answer.reference)]


def _new_evidence(finding: Finding, now: datetime) -> NewEvidence:
    """Return a finding as evidence; the key is made of its content: a repeated one is known, an extended one new."""
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

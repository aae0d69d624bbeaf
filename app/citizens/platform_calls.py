"""Calls of the national platform: one question at a time, outside of any transaction, behind a circuit breaker."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from math import ceil
from typing import TypeVar

import structlog

from app.citizens.registration import Registration
from app.codes.evidence import new_id
from app.core import upstream
from app.core.errors import FieldError, Problem
from app.core.metrics import PARTNER_VALUES_SKIPPED
from app.core.upstream import Upstream
from app.platform.guardianship import GuardianshipQuestion, NamedPerson
from app.platform.messages import (
    CONSISTENT,
    RESULTS,
    PlatformAnswer,
    PlatformAnswerUnusable,
    PlatformQuestion,
    PlatformRefused,
    PlatformUnavailable,
    require_plausible,
)
from app.runtime import Services

log = structlog.get_logger()

# a refused question is an error on our side, and a word that we do not know needs a release: repeat it seldom
REFUSED_RETRY_AFTER = timedelta(hours=1)
_Answer = TypeVar("_Answer")


def ask(services: Services, question: PlatformQuestion) -> PlatformAnswer | timedelta:
    """Return the platform's answer, or the time to wait before asking again; a failure opens the circuit.

    An answer about one person that cannot be used keeps nobody else waiting.
    """
    answer = _ask(services, lambda: _plausible(services.platform.verify(question), services.clock.now()))
    if isinstance(answer, timedelta):
        return answer
    PARTNER_VALUES_SKIPPED.labels("platform-finding").inc(answer.unknown_findings)
    if answer.result not in RESULTS:  # concerns this person alone, too
        PARTNER_VALUES_SKIPPED.labels("platform-result").inc()
        return REFUSED_RETRY_AFTER
    return answer


def ask_guardianship(services: Services, guardian: NamedPerson, child: NamedPerson) -> date | None:
    """Return the child's day of birth where the platform vouches for the guardian, None where it does not.

    Raises Problem `guardianship-waits` while it cannot say.
    """
    question = GuardianshipQuestion(f"guardianship:{new_id()}", guardian, child)
    answer = _ask(services, lambda: services.platform.ask_guardianship(question))
    if isinstance(answer, timedelta):
        raise Problem("guardianship-waits", retry_after=ceil(answer.total_seconds()))
    return answer.child_born_on


def _plausible(answer: PlatformAnswer, now: datetime) -> PlatformAnswer:
    require_plausible(answer, now)
    return answer


def _ask(services: Services, call: Callable[[], _Answer]) -> _Answer | timedelta:
    """Return what the platform answers to a call, or the time to wait before asking again."""
    wait = timedelta(seconds=services.settings.platform.retry_seconds)
    if upstream.is_circuit_open(services.redis, Upstream.PLATFORM):
        return wait
    now = services.clock.now()
    try:
        answer = call()
    except PlatformUnavailable as error:
        log.warning("platform-unavailable", reason=error.reason)
        upstream.record_failure(services.redis, Upstream.PLATFORM, error.reason, now)
        if isinstance(error, PlatformAnswerUnusable):
            PARTNER_VALUES_SKIPPED.labels("platform-answer").inc()
        else:
            upstream.open_circuit(services.redis, Upstream.PLATFORM, services.settings.platform.circuit_open_seconds)
        return wait
    except PlatformRefused as error:  # concerns this question alone: the circuit stays closed
        log.error("platform-refused", code=error.code)
        upstream.record_success(services.redis, Upstream.PLATFORM, now)
        return REFUSED_RETRY_AFTER
    upstream.record_success(services.redis, Upstream.PLATFORM, now)
    return answer


def check_identity(services: Services, form: Registration, now: datetime) -> bool:
    """Return whether the platform confirms that name, document and phone of a valid form belong together.

    False while it cannot say. Raises Problem `identity-mismatch` when it denies it.
    """
    question = PlatformQuestion(
        reference=f"registration:{new_id()}:{int(now.timestamp())}",
        name=form.name,
        document_type=form.document_type,
        document_number=form.document_number,
        phone=form.phone,
    )
    answer = ask(services, question)
    if isinstance(answer, timedelta):
        return False
    if answer.result != CONSISTENT:
        raise identity_mismatch(answer, phone="/phone_code" if form.phone_by_wechat else "/phone")
    return True


def identity_mismatch(answer: PlatformAnswer, phone: str = "/phone") -> Problem:
    """Return the problem of somebody whom the platform does not know so, with the fields that it says differ."""
    errors = {
        "name": FieldError("/name", "name-differs"),
        "document": FieldError("/document/number", "document-differs"),
        "phone": FieldError(phone, "phone-differs"),
    }
    named = [errors[part] for part in dict.fromkeys(answer.mismatched) if part in errors]
    return Problem("identity-mismatch", fields=tuple(named))

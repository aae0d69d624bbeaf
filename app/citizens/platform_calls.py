"""Calls of the national platform: one question at a time, outside of any transaction, behind a circuit breaker."""

from datetime import datetime, timedelta

import structlog
from redis import RedisError

from app.citizens.registration import Registration
from app.codes.evidence import new_id
from app.core import upstream
from app.core.errors import FieldError, Problem
from app.core.metrics import CIRCUIT_OPENED, PARTNER_VALUES_SKIPPED
from app.core.upstream import Upstream
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
_CIRCUIT_KEY = "jx:platform-pause"


def ask(services: Services, question: PlatformQuestion) -> PlatformAnswer | timedelta:
    """Return the platform's answer, or the time to wait before asking again; a failure opens the circuit.

    An answer about one person that cannot be used keeps nobody else waiting.
    """
    wait = timedelta(seconds=services.settings.platform.retry_seconds)
    if _circuit_is_open(services):
        return wait
    now = services.clock.now()
    try:
        answer = services.platform.verify(question)
        require_plausible(answer, now)
    except PlatformUnavailable as error:
        log.warning("platform-unavailable", reason=error.reason)
        upstream.record_failure(services.redis, Upstream.PLATFORM, error.reason, now)
        if isinstance(error, PlatformAnswerUnusable):
            PARTNER_VALUES_SKIPPED.labels("platform-answer").inc()
        else:
            _open_circuit(services)
        return wait
    except PlatformRefused as error:  # concerns this question alone: the circuit stays closed
        log.error("platform-refused", code=error.code)
        upstream.record_success(services.redis, Upstream.PLATFORM, now)
        return REFUSED_RETRY_AFTER
    upstream.record_success(services.redis, Upstream.PLATFORM, now)
    PARTNER_VALUES_SKIPPED.labels("platform-finding").inc(answer.unknown_findings)
    if answer.result not in RESULTS:  # concerns this person alone, too
        PARTNER_VALUES_SKIPPED.labels("platform-result").inc()
        return REFUSED_RETRY_AFTER
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


def _circuit_is_open(services: Services) -> bool:
    try:
        return bool(services.redis.exists(_CIRCUIT_KEY))
    except RedisError:
        return False


def _open_circuit(services: Services) -> None:
    """Stop all calls to a platform that just failed, so that requests do not pile up waiting for timeouts."""
    CIRCUIT_OPENED.labels("platform").inc()
    try:
        services.redis.set(_CIRCUIT_KEY, 1, ex=services.settings.platform.circuit_open_seconds)
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)

"""Asking the issuer, or the national platform, about a code of another province, behind a circuit breaker.

A failure is a failed check and never a color: the state in the code is not shown in the place of the one asked for.
"""

from datetime import datetime
from typing import Final

import structlog
from redis import RedisError

from app.codes.evidence import new_id
from app.codes.states import State
from app.core.errors import Problem
from app.platform.messages import PlatformAnswerUnusable, PlatformRefused, PlatformUnavailable
from app.platform.recognition import StateClient, StateQuestion
from app.runtime import Services
from app.trust.statements import IssuerStatement

log = structlog.get_logger()

_TIMEOUT: Final = "timeout"


def ask_state(services: Services, statement: IssuerStatement, token: str) -> IssuerStatement:
    """Return the statement with the state of now, where its issuer is one that is asked. Raises Problem `foreign-…`."""
    issuer = statement.issuer
    client = services.recognition.get(issuer.id)
    if client is None:
        return statement
    if _is_open(services, issuer.id):
        raise Problem("foreign-check-failed", retry_after=client.way.circuit_open_seconds)
    question = StateQuestion(f"recognition:{new_id()}", issuer.id, issuer.region, token)
    state, checked_at = _ask(services, client, question)
    return statement._replace(state=state, issued_at=checked_at)


def _ask(services: Services, client: StateClient, question: StateQuestion) -> tuple[State, datetime]:
    try:
        answer = client.ask(question)
    except PlatformRefused:
        log.warning("issuer-unavailable", reason="refused")
    except PlatformUnavailable as error:
        log.warning("issuer-unavailable", reason=error.reason)
        if not isinstance(error, PlatformAnswerUnusable):  # which is about this code alone
            _open(services, question.issuer, client.way.circuit_open_seconds)
        if error.reason == _TIMEOUT:
            raise Problem("foreign-time-out") from None
    else:
        return State[answer.state], answer.checked_at
    raise Problem("foreign-check-failed")


def _is_open(services: Services, issuer: str) -> bool:
    try:
        return bool(services.redis.exists(_key(issuer)))
    except RedisError:
        return False


def _open(services: Services, issuer: str, seconds: int) -> None:
    """Ask nobody about this issuer for a while, so that nothing piles up waiting for time-outs."""
    try:
        services.redis.set(_key(issuer), 1, ex=seconds)
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)


def _key(issuer: str) -> str:
    return f"jx:issuer-pause:{issuer}"

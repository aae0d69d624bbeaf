"""Endpoints for who was bound to an account that was recovered at a service window: to read of it, and to object."""

from flask import Response
from pydantic import BaseModel, Field

from app.api.citizens.accounts import views
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.web import SESSION, current_session, get_services, json_response, limits
from app.web.own_record import begin_own
from app.web.problems import problem_responses
from app.windows import recoveries
from app.windows.recoveries import FormerHolder


class RecoveryOut(BaseModel):
    """A recovery by which the caller's WeChat user was unbound; nothing of who recovered."""

    at: str
    window: str = Field(description="The service window, by its name")
    until: str = Field(description="Until when an objection is possible")
    objected_at: str | None
    outcome: str | None = Field(description="`kept`, or `undone`: bound again; null before an auditor has decided")


class RecoveriesOut(BaseModel):
    recovery: RecoveryOut | None = Field(description="Null where none concerns the caller")


def _recovery_out(former: FormerHolder | None) -> RecoveryOut | None:
    if former is None:
        return None
    objected, state = former.binding.objected_at, former.recovery.state
    return RecoveryOut(
        at=rfc3339(former.recovery.at),
        window=former.window.name,
        until=rfc3339(former.until),
        objected_at=None if objected is None else rfc3339(objected),
        outcome=state if state in set(recoveries.RecoveryOutcome) else None,
    )


@views.get("/accounts/me/recovery", responses={200: RecoveriesOut}, security=SESSION)
def show_recovery() -> Response:
    """Return the newest recovery by which the caller's WeChat user was unbound from an account, of the last days."""
    return json_response(RecoveriesOut(recovery=find_recovery(_wechat_user())))


def find_recovery(wechat_user: int) -> RecoveryOut | None:
    """Return the newest recovery by which a WeChat user was unbound, of the last days; 0 is none."""
    if not wechat_user:
        return None
    with get_services().sessions() as database:
        return _recovery_out(recoveries.find_of_former(database, wechat_user, get_services().clock.now()))


@views.post(
    "/accounts/me/recovery/objection",
    responses={200: RecoveriesOut, **problem_responses(404, 409, 429)},
    security=SESSION,
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
def object_to_recovery() -> Response:
    """Object to the recovery of the account to which the caller was bound, within 24 hours.

    Nothing of the account changes until an auditor has decided; the color is not affected.
    """
    with begin_own() as database:
        former = recoveries.object_to(database, _wechat_user(), get_services().clock.now())
        told = _recovery_out(former)
    return json_response(RecoveriesOut(recovery=told))


def _wechat_user() -> int:
    """Return the caller's WeChat user. Raises Problem for a session by password alone, outside WeChat."""
    if not current_session().subject:
        raise Problem("wechat-session-needed")
    return current_session().subject

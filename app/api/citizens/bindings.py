"""Endpoints for bindings: the WeChat users whose log-ins open the caller's account, and the end of another's."""

from flask import Response
from pydantic import BaseModel, Field

from app.api.citizens.accounts import SessionOut, open_session, views
from app.citizens import bindings
from app.citizens.bindings import Binding
from app.core.clock import rfc3339
from app.web import SESSION, RequestBody, current_session, get_services, json_response, limits
from app.web.own_record import begin_own, own_code
from app.web.problems import problem_responses
from app.windows import recoveries


class BindingOut(BaseModel):
    """A WeChat user whose log-in opens the account; never who it is."""

    number: int
    bound_at: str
    this: bool = Field(description="The WeChat user who asks")
    registered: bool = Field(description="The one who registered the account, who stays bound")
    can_end: bool


class BindingsOut(BaseModel):
    bindings: list[BindingOut]


class BindingBody(RequestBody):
    number: int = Field(ge=1, le=2**31 - 1)


@views.get("/accounts/me/bindings", responses={200: BindingsOut}, security=SESSION)
def list_bindings() -> Response:
    """List the WeChat users whose log-ins open the caller's account, the newest binding first."""
    with get_services().sessions() as database:
        found = bindings.list_bindings(database, own_code(database).serial, current_session().subject)
    return json_response(BindingsOut(bindings=[binding_out(one) for one in found]))


def binding_out(one: Binding) -> BindingOut:
    """Return a binding in the shape of the API."""
    return BindingOut(
        number=one.number,
        bound_at=rfc3339(one.bound_at),
        this=one.is_own,
        registered=one.registered,
        can_end=one.can_end,
    )


@views.post(
    "/accounts/me/bindings/end", responses={200: SessionOut, **problem_responses(404, 409, 429)}, security=SESSION
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
def end_binding(body: BindingBody) -> Response:
    """Unbind another WeChat user from the caller's account; every session of the account ends but the new one.

    409 `binding-stays` for the caller's own binding, and for that of the WeChat user who registered the account.
    """
    caller = current_session()
    with begin_own() as database:
        now = get_services().clock.now()
        recoveries.require_unfrozen(database, caller.serial)
        bindings.end_binding(database, caller.serial, caller.subject, body.number, now)
        opened = open_session(database, caller.subject, caller.serial)
    return json_response(opened)

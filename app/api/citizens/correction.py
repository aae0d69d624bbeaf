"""The endpoint with which a citizen corrects their name, on the national platform's word."""

from flask import Response
from pydantic import Field

from app.api.citizens.accounts import AccountOut, account_out, views
from app.api.citizens.confirmation import ConfirmationBody, ask_for_confirmation, ask_for_identity, lock_confirmed
from app.citizens import accounts, correction
from app.core.errors import Problem
from app.core.identity.names import MAX_LENGTH
from app.web import SESSION, current_session, get_services, json_response, limits
from app.web.problems import problem_responses
from app.windows import recoveries


class NameBody(ConfirmationBody):
    name: str = Field(max_length=MAX_LENGTH, repr=False)


@views.put(
    "/accounts/me/name", responses={200: AccountOut, **problem_responses(401, 403, 409, 429, 503)}, security=SESSION
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
@limits.limit_own_password
@limits.limit_own_mismatches
def correct_name(body: NameBody) -> Response:
    """Correct one's name, confirmed by the password or by WeChat; the national platform has to know it so.

    422 `identity-mismatch` when it knows document or phone otherwise, 503 `name-not-confirmed` while it cannot say.
    """
    services, serial = get_services(), current_session().serial
    with services.sessions() as database:
        form = correction.make_form(database, services.encryption, serial, body.name, services.clock.now())
    confirmation = ask_for_confirmation(body)
    if not ask_for_identity(form):
        raise Problem("name-not-confirmed", retry_after=60)
    with services.begin() as database:
        lock_confirmed(database, confirmation)
        recoveries.require_unfrozen(database, serial)
        correction.correct_name(database, services.encryption, serial, form, services.clock.now())
        out = account_out(accounts.get_profile(database, services.encryption, serial))
    assert out is not None  # the form was made of it, and the code is locked
    return json_response(out)

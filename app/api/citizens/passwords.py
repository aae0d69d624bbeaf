"""Endpoints for user name and password: choose both once, and change the password."""

from flask import Response
from pydantic import Field

from app.api.citizens.accounts import SessionOut, open_session, views
from app.citizens import credentials
from app.core.passwords import MIN_LENGTH, find_password_errors
from app.web import SESSION, RequestBody, current_session, get_services, json_response, limits
from app.web.own_record import begin_own
from app.web.problems import problem_responses
from app.wechat import login
from app.windows import recoveries


class PasswordChangeBody(RequestBody):
    current: str = Field(min_length=1, max_length=128, repr=False)
    password: str = Field(max_length=128, repr=False)


class CredentialsBody(RequestBody):
    username: str = Field(max_length=32)
    password: str = Field(max_length=128, repr=False)


@views.put("/accounts/me/password", responses={200: SessionOut, **problem_responses(401, 409, 429)}, security=SESSION)
@limits.limit_own_password
def change_password(body: PasswordChangeBody) -> Response:
    """Change one's password. Every other device is logged out, and other WeChat users are unbound."""
    caller = current_session()
    wrong = find_password_errors(body.password, "", MIN_LENGTH)
    with get_services().sessions() as database:
        account = credentials.check_own_password(database, caller.serial, body.current, wrong=wrong)
    password_hash = credentials.hash_new_password(account, body.current, body.password)
    with begin_own() as database:
        recoveries.require_unfrozen(database, caller.serial)
        credentials.set_password(database, account, password_hash, get_services().clock.now())
        login.unbind_all(database, caller.serial, but=caller.subject)
        opened = open_session(database, caller.subject, caller.serial)
    return json_response(opened)


@views.put("/accounts/me/credentials", responses={200: SessionOut, **problem_responses(409, 429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
def choose_credentials(body: CredentialsBody) -> Response:
    """Choose user name and password, once, for an account that was registered without them."""
    caller = current_session()
    username, password_hash = credentials.prepare_credentials(body.username, body.password)
    with begin_own() as database:
        now = get_services().clock.now()
        recoveries.require_unfrozen(database, caller.serial)
        credentials.choose_credentials(database, caller.serial, username, password_hash, now)
        opened = open_session(database, caller.subject, caller.serial)
    return json_response(opened)

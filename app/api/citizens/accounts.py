"""Endpoints for a citizen's account: log-in with a password, log-out, and the account itself.

The other endpoints of an account, in `registration` and `passwords`, answer with a session too.
"""

from datetime import timedelta

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session as Database

from app.citizens import accounts, credentials
from app.citizens.accounts import Profile
from app.codes import ledger
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.core.session_tokens import SessionKind, UserSession
from app.web import (
    OPTIONAL_SESSION,
    SESSION,
    RequestBody,
    actor,
    current_session,
    get_services,
    json_response,
    limits,
    no_store,
)
from app.web.own_record import begin_own
from app.web.problems import problem_responses
from app.wechat import login
from app.windows import recoveries

views = APIBlueprint(
    "citizens",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Citizens", description="Accounts and health declarations")],
)


class AccountOut(BaseModel):
    """An account as its holder sees it; personal data is masked."""

    username: str = Field(description="Empty until the holder has chosen one")
    name: str
    document_type: str
    document_number: str
    phone: str | None = Field(description="Null once the holder has withdrawn it in WeChat")


class SessionOut(BaseModel):
    """A session; `account` is null for a WeChat user who has not registered."""

    session: str = Field(description="Send it as `Authorization: Bearer …`")
    expires_at: str
    account: AccountOut | None


def account_out(profile: Profile | None) -> AccountOut | None:
    """Return a profile in the shape of the API."""
    if profile is None:
        return None
    return AccountOut(
        username=profile.username,
        name=profile.name,
        document_type=profile.document_type,
        document_number=profile.document_number,
        phone=profile.phone,
    )


def open_session(database: Database, subject: int, serial: int) -> SessionOut:
    """Return a new session of a citizen and their WeChat user, with their account."""
    services, epoch = get_services(), ledger.get_code(database, serial).epoch
    ends = services.clock.now() + timedelta(hours=services.settings.sessions.citizen_hours)
    token = services.session_tokens.issue(UserSession(SessionKind.CITIZEN, subject, serial, epoch, ends))
    account = account_out(accounts.get_profile(database, services.encryption, serial))
    return SessionOut(session=token, expires_at=rfc3339(ends), account=account)


class PasswordBody(RequestBody):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128, repr=False)


def _is_own_phone(username: str) -> bool:
    """Return whether the caller's WeChat user, or their session, belongs to the account that they name."""
    caller = current_session()
    if not caller or caller.kind is not SessionKind.CITIZEN or not caller.serial:
        return False
    with get_services().sessions() as database:
        return credentials.is_username_of(database, caller.serial, username)


@views.post("/accounts/login", responses={200: SessionOut, **problem_responses(401, 429)}, security=OPTIONAL_SESSION)
@limits.limit_logins("citizen", _is_own_phone)
def log_in(body: PasswordBody) -> Response:
    """Log in with user name and password; with a WeChat session, this WeChat user is bound to the account."""
    caller = current_session()
    subject = caller.subject if caller and caller.kind is SessionKind.CITIZEN else 0
    try:
        with get_services().sessions() as database:
            account = accounts.log_in(database, body.username, body.password)
    except Problem:
        with get_services().begin() as database:
            accounts.count_failed_login(database, body.username, get_services().clock.now())
        raise
    serial = account.serial
    with get_services().begin() as database:
        accounts.relock(database, account)  # checking a password takes long, without a lock
        if subject and recoveries.is_frozen(database, serial):
            subject = 0  # nobody is bound to the account now
        if subject:
            login.bind(database, subject, serial, get_services().clock.now())
        opened = open_session(database, subject, serial)
    return json_response(opened)


@views.post("/accounts/logout", responses={204: None}, security=SESSION)
def log_out() -> Response:
    """End every session of the caller, on every device."""
    with begin_own() as database:
        if current_session().serial:
            ledger.end_sessions(database, current_session().serial, actor=actor(), now=get_services().clock.now())
        else:
            login.end_sessions(database, current_session().subject)
    return no_store(Response(), 204)


@views.get("/accounts/me", responses={200: AccountOut}, security=SESSION)
def me() -> Response:
    """Return the caller's account, masked."""
    with get_services().sessions() as database:
        account = account_out(accounts.get_profile(database, get_services().encryption, current_session().serial))
    if account is None:
        raise Problem("not-registered")
    return json_response(account)

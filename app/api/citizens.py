"""Endpoints for a citizen's account: registration, log-in with a password, log-out."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session as Database

from app.api import access
from app.api import declarations as declaration_views
from app.appeals.take_over import take_over
from app.citizens import accounts, declarations, platform_calls
from app.citizens.accounts import Profile, Registration
from app.citizens.declarations import NewHolder
from app.citizens.documents import DocumentType
from app.codes import ledger
from app.core.clock import rfc3339
from app.core.errors import FieldError, Problem, bad_field
from app.core.identity.names import MAX_LENGTH
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
from app.web.own_record import begin_own, check_session
from app.web.problems import problem_responses
from app.wechat import login
from app.wechat.client import WeChatRefused, WeChatUnavailable

log = structlog.get_logger()

views = APIBlueprint(
    "citizens",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Citizens", description="Accounts and health declarations")],
)
views.register_api(access.views)
views.register_api(declaration_views.views)

_BAD_PHONE_CODE: Final = (40029, 40163, 40003)  # unknown or expired, used, and of another user


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


class DocumentBody(RequestBody):
    type: DocumentType = Field(strict=False)
    number: str = Field(max_length=100, repr=False)


class AccountBody(RequestBody):
    """A registration. What is too short is reported by `accounts.validate`, together with all else that is wrong."""

    username: str | None = Field(
        default=None, max_length=32, description="With `password`, or neither: they can be chosen later"
    )
    password: str | None = Field(default=None, max_length=128, repr=False)
    name: str = Field(max_length=MAX_LENGTH, repr=False)
    document: DocumentBody
    phone: str | None = Field(default=None, max_length=100, repr=False)
    phone_code: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        repr=False,
        description="Instead of `phone`: the code that WeChat's getPhoneNumber button returned",
    )


class PasswordBody(RequestBody):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128, repr=False)


class PasswordChangeBody(RequestBody):
    current: str = Field(min_length=1, max_length=128, repr=False)
    password: str = Field(max_length=128, repr=False)


class CredentialsBody(RequestBody):
    username: str = Field(max_length=32)
    password: str = Field(max_length=128, repr=False)


@views.post("/accounts", responses={201: SessionOut, **problem_responses(409, 429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
@limits.limit_mismatches
def register(body: AccountBody) -> Response:
    """Register with name, document and phone; the account is bound to the calling WeChat user, who needs no password.

    The phone is given as `phone`, or by WeChat as `phone_code`: exactly one of the two. The national platform is asked
    whether name, document and phone belong together: an account that it confirms replaces one with a weaker assurance,
    and without an answer the account is not confirmed yet. 422 `identity-mismatch` when they do not, with the fields
    that differ where the platform names them.
    """
    form = _form(body)
    try:
        confirmed = platform_calls.check_identity(get_services(), form, get_services().clock.now())
    except Problem:
        limits.note_mismatch()
        with get_services().begin() as database:
            accounts.count_mismatch(database, get_services().encryption, form, get_services().clock.now())
        raise
    with get_services().begin() as database:
        now, encryption, policy = get_services().clock.now(), get_services().encryption, get_services().policy
        held = _check_free(database, now)
        serial = accounts.register(database, encryption, form, now, confirmed=confirmed)
        now = ledger.get_code(database, serial).claimed_at or now
        new = NewHolder(serial, form.assurance(confirmed=confirmed), was_holder=held == serial)
        doubtful = declarations.retract_previous_holder(database, policy, new, now)
        take_over(database, encryption, serial, doubtful, now)
        login.unbind_all(database, serial)
        login.bind(database, current_session().subject, serial, now)
        opened = open_session(current_session().subject, serial, ledger.get_code(database, serial).epoch)
        opened.account = account_out(accounts.get_profile(database, get_services().encryption, serial))
    return json_response(opened, 201)


def _check_free(database: Database, now: datetime) -> int | None:
    """Return the code that the caller's WeChat user holds. Raises Problem `already-registered` for a confirmed one."""
    if not current_session().subject:
        raise Problem("already-registered")
    held = login.check_can_register(database, current_session().subject, now)
    check_session(database)
    return held


def _form(body: AccountBody) -> Registration:
    """Return the valid form, with its phone. WeChat's code works once: it is exchanged after all own checks."""
    entered = Registration(
        username=body.username,
        password=body.password,
        name=body.name,
        document_type=body.document.type,
        document_number=body.document.number,
        phone=body.phone,
        wechat_user=current_session().subject,
    )
    form = accounts.validate(entered, get_services().clock.now(), _find_phone_errors(body))
    with get_services().begin() as database:
        _check_free(database, get_services().clock.now())
        accounts.check_username_free(database, form.username, form.wechat_user)
    if body.phone_code is None:
        return form
    return replace(form, phone=_phone(body.phone_code), phone_by_wechat=True)


def _find_phone_errors(body: AccountBody) -> list[FieldError]:
    if body.phone is None and body.phone_code is None:
        return [FieldError("/phone", "phone-needed")]
    return [FieldError("/phone_code", "phone-twice")] if None not in (body.phone, body.phone_code) else []


def _phone(code: str) -> str:
    """Exchange a code of getPhoneNumber, which the caller has got, for its number, with no transaction open."""
    with get_services().sessions() as database:
        openid = login.get_openid(database, get_services().encryption, current_session().subject)
    try:
        found = get_services().wechat.get_phone_number(code, openid)
    except WeChatRefused as refusal:
        if refusal.errcode in _BAD_PHONE_CODE:
            raise bad_field("/phone_code", "phone-code-refused") from None
        log.error("wechat-refused-phone-number", errcode=refusal.errcode)
        raise Problem("wechat-unavailable", retry_after=30) from None
    except WeChatUnavailable:
        raise Problem("wechat-unavailable", retry_after=5) from None
    return accounts.normalize_phone(found.country_code, found.number)


def _is_own_phone(username: str) -> bool:
    """Return whether the caller's WeChat user, or their session, belongs to the account that they name."""
    caller = current_session()
    if not caller or caller.kind is not SessionKind.CITIZEN or not caller.serial:
        return False
    with get_services().sessions() as database:
        return accounts.is_username_of(database, caller.serial, username)


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
        if subject:
            login.bind(database, subject, serial, get_services().clock.now())
        opened = open_session(subject, serial, ledger.get_code(database, serial).epoch)
        opened.account = account_out(accounts.get_profile(database, get_services().encryption, serial))
    return json_response(opened)


@views.put("/accounts/me/password", responses={200: SessionOut, **problem_responses(401, 429)}, security=SESSION)
@limits.limit_own_password
def change_password(body: PasswordChangeBody) -> Response:
    """Change one's password. Every other device is logged out, and other WeChat users are unbound."""
    caller = current_session()
    with get_services().sessions() as database:
        account = accounts.check_own_password(database, caller.serial, body.current)
    password_hash = accounts.hash_new_password(account, body.current, body.password)
    with begin_own() as database:
        accounts.set_password(database, account, password_hash, get_services().clock.now())
        login.unbind_all(database, caller.serial, but=caller.subject)
        opened = open_session(caller.subject, caller.serial, ledger.get_code(database, caller.serial).epoch)
        opened.account = account_out(accounts.get_profile(database, get_services().encryption, caller.serial))
    return json_response(opened)


@views.put("/accounts/me/credentials", responses={200: SessionOut, **problem_responses(409, 429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
def choose_credentials(body: CredentialsBody) -> Response:
    """Choose user name and password, once, for an account that was registered without them."""
    caller = current_session()
    username, password_hash = accounts.prepare_credentials(body.username, body.password)
    with begin_own() as database:
        now = get_services().clock.now()
        accounts.choose_credentials(database, caller.serial, username, password_hash, now)
        opened = open_session(caller.subject, caller.serial, ledger.get_code(database, caller.serial).epoch)
        opened.account = account_out(accounts.get_profile(database, get_services().encryption, caller.serial))
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


def open_session(subject: int, serial: int, epoch: int) -> SessionOut:
    """Return a new session of a citizen, without the account."""
    ends = get_services().clock.now() + timedelta(hours=get_services().settings.sessions.citizen_hours)
    token = get_services().session_tokens.issue(UserSession(SessionKind.CITIZEN, subject, serial, epoch, ends))
    return SessionOut(session=token, expires_at=rfc3339(ends), account=None)

"""The citizen's doors: registration, log-in with a password, and the health declaration."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Final

import structlog
from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy.orm import Session as Database

from app.api import access
from app.citizens import accounts, declarations
from app.citizens.accounts import Profile, Registration
from app.citizens.declarations import Statement, Symptom
from app.citizens.documents import DocumentType
from app.citizens.models import DeclarationRow
from app.citizens.verification import reevaluate
from app.codes import display, ledger
from app.codes.evidence import IDENTITY_MISMATCH
from app.codes.states import State
from app.core.clock import rfc3339
from app.core.errors import Problem, bad_field
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

_BAD_PHONE_CODE: Final = (40029, 40163)  # unknown or over, and used


def _written_date(value: object) -> object:
    """Only text may be a date: a number is a mistake, not a day since 1970."""
    if isinstance(value, str) and len(value) == 10:
        return date.fromisoformat(value)
    raise ValueError("date")


Day = Annotated[date, BeforeValidator(_written_date)]


class AccountOut(BaseModel):
    """An account as its holder sees it; personal data is masked."""

    username: str
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
    """A profile as the API gives it."""
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
    number: str = Field(min_length=4, max_length=40, repr=False)


class AccountBody(RequestBody):
    username: str = Field(min_length=4, max_length=32)
    password: str = Field(min_length=8, max_length=128, repr=False)
    name: str = Field(min_length=2, max_length=60, repr=False)
    document: DocumentBody
    phone: str | None = Field(default=None, min_length=6, max_length=20, repr=False)
    phone_code: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        repr=False,
        description="Instead of `phone`: what WeChat's getPhoneNumber button gave the mini-program",
    )


class PasswordBody(RequestBody):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128, repr=False)


@views.post("/accounts", responses={201: SessionOut, **problem_responses(409, 429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
def register(body: AccountBody) -> Response:
    """Register with name, document and phone; the account is bound to the WeChat user who asks.

    The phone is given as `phone`, or by WeChat as `phone_code`: exactly one of the two.
    """
    form = _form(body)
    with get_services().begin() as database:
        now = get_services().clock.now()
        _check_free(database, now)
        serial = accounts.register(database, get_services().encryption, form, now)
        declarations.retract_previous_holder(database, get_services().policy, serial, now)
        login.unbind_all(database, serial)
        login.bind(database, current_session().subject, serial, now)
        opened = _open_session(current_session().subject, serial, ledger.get_code(database, serial).epoch)
        opened.account = account_out(accounts.get_profile(database, get_services().encryption, serial))
    return json_response(opened, 201)


def _check_free(database: Database, now: datetime) -> None:
    """Raises Problem `already-registered` when the caller holds a code for good."""
    if not current_session().subject:
        raise Problem("already-registered")
    login.check_can_register(database, current_session().subject, now)


def _form(body: AccountBody) -> Registration:
    """What to register, with its phone. WeChat's code works once: it is spent when nothing else can be seen wrong."""
    if body.phone is None and body.phone_code is None:
        raise bad_field("/phone", "required")
    if body.phone is not None and body.phone_code is not None:
        raise bad_field("/phone_code", "phone-twice")
    entered = Registration(
        username=body.username,
        password=body.password,
        name=body.name,
        document_type=body.document.type,
        document_number=body.document.number,
        phone=body.phone,
    )
    form = accounts.validate(entered, get_services().clock.now())
    if body.phone_code is None:
        return form
    with get_services().sessions() as database:
        accounts.check_username_free(database, form.username)
    return replace(form, phone=_phone(body.phone_code))


def _phone(code: str) -> str:
    """The number behind a code of getPhoneNumber, with no transaction open."""
    try:
        found = get_services().wechat.get_phone_number(code)
    except WeChatRefused as refusal:
        if refusal.errcode in _BAD_PHONE_CODE:
            raise bad_field("/phone_code", "phone-code-refused") from None
        log.error("wechat-refused-phone-number", errcode=refusal.errcode)
        raise Problem("wechat-unavailable", retry_after=30) from None
    except WeChatUnavailable:
        raise Problem("wechat-unavailable", retry_after=5) from None
    return accounts.normalize_phone(found.country_code, found.number)


@views.post("/accounts/login", responses={200: SessionOut, **problem_responses(401, 429)}, security=OPTIONAL_SESSION)
@limits.limit_logins
def log_in(body: PasswordBody) -> Response:
    """Log in with user name and password; with a WeChat session, this WeChat user is bound to the account."""
    caller = current_session()
    subject = caller.subject if caller and caller.kind is SessionKind.CITIZEN else 0
    with get_services().sessions() as database:
        account = accounts.log_in(database, body.username, body.password)
    serial = account.serial
    with get_services().begin() as database:
        accounts.relock(database, account)  # checking a password takes its time
        if subject:
            login.bind(database, subject, serial, get_services().clock.now())
        opened = _open_session(subject, serial, ledger.get_code(database, serial).epoch)
        opened.account = account_out(accounts.get_profile(database, get_services().encryption, serial))
    return json_response(opened)


@views.post("/accounts/logout", responses={204: None}, security=SESSION)
def log_out() -> Response:
    """End every session of the caller, on every device."""
    with get_services().begin() as database:
        if current_session().serial:
            ledger.end_sessions(database, current_session().serial, actor=actor(), now=get_services().clock.now())
        else:
            login.end_sessions(database, current_session().subject)
    return no_store(Response(), 204)


@views.get("/accounts/me", responses={200: AccountOut}, security=SESSION)
def me() -> Response:
    """The caller's account, masked."""
    with get_services().sessions() as database:
        account = account_out(accounts.get_profile(database, get_services().encryption, current_session().serial))
    if account is None:
        raise Problem("not-registered")
    return json_response(account)


def _open_session(subject: int, serial: int, epoch: int) -> SessionOut:
    ends = get_services().clock.now() + timedelta(hours=get_services().settings.sessions.citizen_hours)
    token = get_services().session_tokens.issue(UserSession(SessionKind.CITIZEN, subject, serial, epoch, ends))
    return SessionOut(session=token, expires_at=rfc3339(ends), account=None)


class DeclarationBody(RequestBody):
    symptoms: list[Annotated[Symptom, Field(strict=False)]] = Field(max_length=len(Symptom))
    contact: bool = Field(description="Contact with a confirmed or suspected case")
    contact_on: Day | None = Field(default=None, description="The last day of that contact")
    consent: bool = Field(description="To the use of these data for epidemic prevention")


class DeclarationOut(BaseModel):
    """What became of a declaration: the code's state, and whether the platform has answered yet."""

    declaration: str
    declared_at: str
    state: str
    color: str | None
    waiting_for_platform: bool


@views.post(
    "/declarations", responses={201: DeclarationOut, 202: DeclarationOut, **problem_responses(429)}, security=SESSION
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.declaration), key_func=limits.per_session)
def declare(body: DeclarationBody) -> Response:
    """Declare one's health. 201 with the code's state; 202 while the national platform cannot be asked.

    422 `identity-mismatch` when the platform does not know the holder by this name and document.
    """
    if not body.consent:
        raise bad_field("/consent", "consent-needed")
    if body.contact and body.contact_on is None:
        raise bad_field("/contact_on", "contact-day-needed")
    if not body.contact and body.contact_on is not None:
        raise bad_field("/contact_on", "contact-day-not-needed")
    serial, now = current_session().serial, get_services().clock.now()
    # the clock asks, should this request break off before the platform has answered
    retry_at = now + timedelta(seconds=2 * get_services().settings.platform.timeout_seconds + 1)
    statement = Statement(tuple(body.symptoms), body.contact_on)
    with get_services().begin() as database:
        row = declarations.declare(database, get_services().policy, serial, statement, now)
        ledger.schedule_retry(database, serial, retry_at)
    answered = reevaluate(get_services(), serial, actor=actor(), on_screen=True)
    if answered and _outcome(row.evidence_id) == IDENTITY_MISMATCH:
        raise Problem("identity-mismatch")
    state = _state(serial)
    return json_response(
        DeclarationOut(
            declaration=row.evidence_id,
            declared_at=rfc3339(now),
            state=State(state).name,
            color=State(state).color,
            waiting_for_platform=not answered,
        ),
        201 if answered else 202,
    )


def _state(serial: int) -> State:
    """The code's state; what others know about the person is not for a holder whom nobody has confirmed."""
    with get_services().sessions() as database:
        return display.state_for_holder(database, serial)


def _outcome(declaration: str) -> str:
    """What the platform's answer has made of a declaration."""
    with get_services().sessions() as database:
        return database.get_one(DeclarationRow, declaration).outcome

"""The endpoint for registration: name, document and phone, confirmed by the national platform where it answers."""

from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog
from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session as Database

from app.api.citizens.accounts import SessionOut, open_session, views
from app.api.citizens.confirmation import ask_for_identity
from app.appeals.take_over import take_over
from app.citizens import credentials, declarations, registration
from app.citizens.declarations import NewHolder
from app.citizens.documents import DocumentType
from app.citizens.registration import Registration
from app.codes import ledger
from app.core.errors import FieldError, Problem, bad_field
from app.core.identity.names import MAX_LENGTH
from app.web import SESSION, RequestBody, current_session, get_services, json_response, limits
from app.web.own_record import check_session
from app.web.problems import problem_responses
from app.wechat import login
from app.wechat.client import WeChatRefused, WeChatUnavailable

log = structlog.get_logger()

_BAD_PHONE_CODE: Final = (40029, 40163, 40003)  # unknown or expired, used, and of another user


class DocumentBody(RequestBody):
    type: DocumentType = Field(strict=False)
    number: str = Field(max_length=100, repr=False)


class AccountBody(RequestBody):
    """A registration. What is too short is reported by `validate`, together with all else that is wrong."""

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
        confirmed = ask_for_identity(form)
    except Problem:
        with get_services().begin() as database:
            registration.count_mismatch(database, get_services().encryption, form, get_services().clock.now())
        raise
    with get_services().begin() as database:
        now, encryption, policy = get_services().clock.now(), get_services().encryption, get_services().policy
        held = _check_free(database, now)
        if held is not None:
            registration.require_same_person(database, encryption, held, form)
        serial = registration.register(database, encryption, form, now, confirmed=confirmed)
        now = ledger.get_code(database, serial).claimed_at or now
        new = NewHolder(serial, form.assurance(confirmed=confirmed), was_holder=held == serial)
        doubtful = declarations.retract_previous_holder(database, policy, new, now)
        take_over(database, encryption, serial, doubtful, now)
        login.unbind_all(database, serial)
        login.bind(database, current_session().subject, serial, now)
        opened = open_session(database, current_session().subject, serial)
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
    form = registration.validate(entered, get_services().clock.now(), _find_phone_errors(body))
    with get_services().begin() as database:
        _check_free(database, get_services().clock.now())
        credentials.check_username_free(database, form.username, form.wechat_user)
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
    return registration.normalize_phone(found.country_code, found.number)

"""Endpoints for a citizen's rights in their record: who accessed and changed it, and the deletion of the account.

Nothing is deleted for a session alone: the password, or a new log-in with WeChat, confirms who asks.
"""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session as Database

from app.api.codes.history import PageQuery
from app.citizens import access, accounts, credentials, wechat_calls
from app.citizens.access import Access, Whose
from app.citizens.document_checks.trail import SeenCheck
from app.citizens.models import Account
from app.core.clock import rfc3339
from app.core.errors import Problem, bad_field
from app.core.texts import reword, slugs, text
from app.privacy import erasure
from app.web import SESSION, RequestBody, current_session, get_services, json_response, language, limits
from app.web.own_record import check_session
from app.web.problems import problem_responses
from app.wechat import login
from app.wechat.models import WeChatUser

views = APIBlueprint(
    "access",
    __name__,
    abp_tags=[Tag(name="Citizens", description="Accounts and health declarations")],
)

_PAGE = 50
_CHECKS = 100


class AccessQuery(PageQuery):
    whose: Whose | None = Field(
        default=None, strict=False, description="`others`: what other persons did; `own`: all else. Without it, both"
    )


class WhoOut(BaseModel):
    role: str
    words: str
    authority: str | None = Field(description="The institution for which they acted, if any")
    district: str | None = Field(description="Of the station, where an inspector acted")


class WhatOut(BaseModel):
    action: str
    words: str
    part: str | None = Field(description="The part of the record that was accessed")
    times: int | None = Field(default=None, description="How often, where attempts of strangers are summed")


class WhyOut(BaseModel):
    reason: str | None = Field(description="The slug of a reason, or the id of a rule")
    words: str


class AccessOut(BaseModel):
    at: str
    who: WhoOut
    what: WhatOut
    why: WhyOut | None


class AccessesOut(BaseModel):
    entries: list[AccessOut]
    next: int | None
    document_checks: list[AccessOut] = Field(
        default=[],
        description="The last checks of the caller's document, newest first, on the first page, and not in `own`: "
        "which station, and when. No officer can read them, and they are deleted after some weeks",
    )


@views.get("/record/access", responses={200: AccessesOut}, security=SESSION)
def accesses(query: AccessQuery) -> Response:
    """List accesses to and changes of the caller's record, newest first: role and authority, action, reason, time."""
    encryption, serial = get_services().encryption, current_session().serial
    with get_services().sessions() as database:
        found = access.list_accesses(database, serial, _PAGE, query.before, query.whose)
        is_listed = query.before is None and query.whose is not Whose.OWN
        checks = access.list_document_checks(database, encryption, serial, _CHECKS) if is_listed else []
    return json_response(
        AccessesOut(
            entries=[_access_out(one) for one in found],
            next=found[-1].number if len(found) == _PAGE else None,
            document_checks=[_check_out(one) for one in checks],
        )
    )


def _check_out(one: SeenCheck) -> AccessOut:
    role = "inspector"
    who = WhoOut(role=role, words=_words("record-roles", role), authority=one.station, district=one.district)
    words = text("document-checks", "seen", language())
    return AccessOut(
        at=rfc3339(one.at), who=who, what=WhatOut(action="document-checked", words=words, part=None), why=None
    )


def _access_out(one: Access) -> AccessOut:
    event, part = one.event, one.event.detail.get("what")
    known = one.role if one.role in slugs("record-roles") else one.kind
    authority = one.authority and reword("authorities", one.authority, language())
    who = WhoOut(role=one.role, words=_words("record-roles", known), authority=authority, district=one.district)
    what = WhatOut(
        action=event.action,
        words=_words("actions", event.action),
        part=part and _words("record-parts", part),
        times=event.detail.get("number"),
    )
    return AccessOut(at=rfc3339(event.at), who=who, what=what, why=_why(one))


def _why(one: Access) -> WhyOut | None:
    """Return the reason given; for a decision its rule, for an officer's entry its document."""
    event = one.event
    if event.reason is not None:
        of_evidence = event.reason in slugs("withdrawn-for")  # in the words of an answer to an appeal
        section = "withdrawn-for" if of_evidence and event.action == "evidence-withdrawn" else "reasons"
        return WhyOut(reason=event.reason, words=_words(section, event.reason))
    if rule := event.detail.get("rule"):
        return WhyOut(reason=rule, words=get_services().policy.text(rule, language(), event.at).title)
    return WhyOut(reason=None, words=one.reference) if one.reference else None


def _words(section: str, slug: str) -> str:
    return text(section, slug if slug in slugs(section) else "other", language())


class ErasureBody(RequestBody):
    password: str | None = Field(default=None, min_length=1, max_length=128, repr=False)
    wechat_code: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        repr=False,
        description="Instead of the password: a new code of wx.login, by the WeChat user bound to the account",
    )


class ErasedOut(BaseModel):
    """The erasure is done; this answer is the only notice of it."""

    erased_at: str
    notice: str = Field(description="What was deleted and what stays, in the caller's language")


@views.post(
    "/accounts/me/erasure", responses={200: ErasedOut, **problem_responses(401, 403, 429, 503)}, security=SESSION
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
@limits.limit_own_password
def erase_account(body: ErasureBody) -> Response:
    """Delete one's account: everything that says who the person is. Evidence stays, and with it officers' orders."""
    if body.password is None and body.wechat_code is None:
        raise bad_field("/password", "required")
    if body.password is not None and body.wechat_code is not None:
        raise bad_field("/wechat_code", "confirmed-twice")
    services, caller = get_services(), current_session()
    account = None if body.password is None else _check_password(body.password)
    openid = None if body.wechat_code is None else wechat_calls.exchange_code(services, body.wechat_code).openid
    with services.begin() as database:
        now = services.clock.now()
        user = _lock_user(database, openid)
        check_session(database)
        if account is not None:
            accounts.relock(database, account)  # checking a password takes long, without a lock
        erasure.erase_account(database, caller.serial, user, now)
    return json_response(ErasedOut(erased_at=rfc3339(now), notice=text("erasure", "done", language())))


def _check_password(password: str) -> Account:
    with get_services().sessions() as database:
        return credentials.check_own_password(database, current_session().serial, password, "/password")


def _lock_user(database: Database, openid: str | None) -> WeChatUser | None:
    """Return the WeChat user who asks for the erasure: who confirms, or the one of the session.

    Raises Problem `wechat-user-of-another` when who confirms is not bound to the account.
    """
    serial, subject = current_session().serial, current_session().subject
    if openid is None:
        user = database.get(WeChatUser, subject, with_for_update=True) if subject else None
        return user if user is not None and user.serial == serial else None
    user = login.lock_user_by_openid(database, get_services().encryption, openid)
    if user is None or user.serial != serial:
        raise Problem("wechat-user-of-another")
    return user

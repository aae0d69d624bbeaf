"""Endpoints for a citizen's rights in their record: who accessed and changed it, and the deletion of the account."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.citizens.confirmation import ConfirmationBody, ask_for_confirmation, lock_confirmed
from app.api.codes.history import PageQuery
from app.citizens import access
from app.citizens.access import Access, Whose
from app.citizens.document_checks.trail import SeenCheck
from app.core.clock import rfc3339
from app.core.texts import reword, slugs, text
from app.privacy import erasure
from app.web import SESSION, current_session, get_services, json_response, language, limits
from app.web.problems import problem_responses
from app.windows import recoveries

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
            entries=[access_out(one) for one in found],
            next=found[-1].number if len(found) == _PAGE else None,
            document_checks=[check_seen_out(one) for one in checks],
        )
    )


def check_seen_out(one: SeenCheck) -> AccessOut:
    """Return a check by document in the shape of the API, in the caller's language."""
    role = "inspector"
    who = WhoOut(role=role, words=_words("record-roles", role), authority=one.station, district=one.district)
    words = text("document-checks", "seen", language())
    return AccessOut(
        at=rfc3339(one.at), who=who, what=WhatOut(action="document-checked", words=words, part=None), why=None
    )


def access_out(one: Access) -> AccessOut:
    """Return an access in the shape of the API, in the caller's language."""
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


class ErasedOut(BaseModel):
    """The erasure is done; this answer is the only notice of it."""

    erased_at: str
    notice: str = Field(description="What was deleted and what stays, in the caller's language")
    certificate: str = Field(description="A signed line to keep: by it the deletion is found in the audit chain")


@views.post(
    "/accounts/me/erasure", responses={200: ErasedOut, **problem_responses(401, 403, 409, 429, 503)}, security=SESSION
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
@limits.limit_own_password
def erase_account(body: ConfirmationBody) -> Response:
    """Delete one's account: everything that says who the person is. Evidence stays, and with it officers' orders."""
    services, serial = get_services(), current_session().serial
    confirmation = ask_for_confirmation(body)
    with services.begin() as database:
        now = services.clock.now()
        certificate = services.certificate_signer.sign(erasure.ERASED, now)
        user = lock_confirmed(database, confirmation)
        recoveries.require_over(database, serial, now)
        erasure.erase_account(database, serial, user, now, certificate.id)
    notice = text("erasure", "done", language())
    return json_response(ErasedOut(erased_at=rfc3339(now), notice=notice, certificate=str(certificate)))

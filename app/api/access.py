"""The endpoint that lists accesses to and changes of a citizen's record, in the citizen's language."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.history import PageQuery
from app.citizens import access
from app.citizens.access import Access, Whose
from app.core.clock import rfc3339
from app.core.texts import reword, slugs, text
from app.web import SESSION, current_session, get_services, json_response, language

views = APIBlueprint(
    "access",
    __name__,
    abp_tags=[Tag(name="Citizens", description="Accounts and health declarations")],
)

_PAGE = 50


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


@views.get("/record/access", responses={200: AccessesOut}, security=SESSION)
def accesses(query: AccessQuery) -> Response:
    """List accesses to and changes of the caller's record, newest first: role and authority, action, reason, time."""
    with get_services().sessions() as database:
        found = access.list_accesses(database, current_session().serial, _PAGE, query.before, query.whose)
    return json_response(
        AccessesOut(
            entries=[_access_out(one) for one in found],
            next=found[-1].event.id if len(found) == _PAGE else None,
        )
    )


def _access_out(one: Access) -> AccessOut:
    event, part = one.event, one.event.detail.get("what")
    known = one.role if one.role in slugs("record-roles") else one.kind
    authority = one.authority and reword("authorities", one.authority, language())
    who = WhoOut(role=one.role, words=_words("record-roles", known), authority=authority, district=one.district)
    what = WhatOut(
        action=event.action, words=_words("actions", event.action), part=part and _words("record-parts", part)
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

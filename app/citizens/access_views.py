"""The door through which a citizen sees who looked at their record and who changed it, in their own language."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.citizens import access
from app.citizens.access import Access
from app.clock import rfc3339
from app.codes.history_views import PageQuery
from app.texts import slugs, text
from app.web import SESSION, answer, language, services, session

views = APIBlueprint(
    "access",
    __name__,
    abp_tags=[Tag(name="Citizens", description="Accounts and health declarations")],
)

_PAGE = 50


class WhoOut(BaseModel):
    role: str
    words: str
    authority: str | None = Field(description="The institution for which they acted, where one stands behind it")
    district: str | None = Field(description="Of the station, where an inspector acted")


class WhatOut(BaseModel):
    action: str
    words: str
    part: str | None = Field(description="What of the record was looked at")


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
def accesses(query: PageQuery) -> Response:
    """Who looked at the caller's record and who changed it, newest first: role and authority, what, why and when."""
    with services().sessions() as database:
        found = access.to_record(database, session().serial, _PAGE, query.before)
    return answer(
        AccessesOut(
            entries=[_told(one) for one in found],
            next=found[-1].entry.id if len(found) == _PAGE else None,
        )
    )


def _told(one: Access) -> AccessOut:
    entry, part = one.entry, one.entry.detail.get("what")
    known = one.role if one.role in slugs("record-roles") else one.kind
    who = WhoOut(role=one.role, words=_words("record-roles", known), authority=one.authority, district=one.district)
    what = WhatOut(action=entry.action, words=_words("deeds", entry.action), part=part and _words("record-parts", part))
    return AccessOut(at=rfc3339(entry.at), who=who, what=what, why=_why(one))


def _why(one: Access) -> WhyOut | None:
    """The reason that was given; for a decision its rule, for what an officer entered the document behind it."""
    entry = one.entry
    if entry.reason is not None:
        of_evidence = entry.reason in slugs("withdrawn-for")  # as the answer to an appeal says it
        section = "withdrawn-for" if of_evidence and entry.action == "evidence-withdrawn" else "reasons"
        return WhyOut(reason=entry.reason, words=_words(section, entry.reason))
    if rule := entry.detail.get("rule"):
        return WhyOut(reason=rule, words=services().policy.text(rule, language(), entry.at).title)
    return WhyOut(reason=None, words=one.reference) if one.reference else None


def _words(section: str, slug: str) -> str:
    return text(section, slug if slug in slugs(section) else "other", language())

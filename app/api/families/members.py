"""Endpoints for the members of the caller's family: their codes on one page, declarations for them, and the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session as Database

from app.api.citizens.declarations import DeclarationBody, DeclarationOut, Declarer, answer_declaration, read_statement
from app.api.responses import code_response
from app.citizens import accounts
from app.citizens.declarations import CONSENT_VERSION, Source
from app.codes import display
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.core.texts import text
from app.families import shows, ties
from app.families.models import FamilyTie
from app.families.ties import MOST_DEPENDANTS, Ender
from app.privacy import erasure
from app.web import SESSION, RequestBody, current_session, get_services, json_response, language, limits, no_store
from app.web.own_record import check_session, own_code
from app.web.problems import problem_responses

views = APIBlueprint(
    "families",
    __name__,
    url_prefix="/api/v1/family",
    abp_tags=[Tag(name="Families", description="Codes of others, by their consent")],
)

AUTHORITY = "家人代为申报"


class TieBody(RequestBody):
    id: UUID = Field(strict=False, description="Of a member, or of a holder, as in their list")


class FamilyDeclarationBody(DeclarationBody):
    id: UUID = Field(strict=False, description="Of the member")


class MemberCodeOut(BaseModel):
    """The code of a member: as much as a station and its holder need, without evidence and authorities."""

    state: str
    color: str | None = Field(description="Null while the code is unverified")
    word: str
    title: str = Field(description="The reason that gives the color")
    advice: str
    until: str | None
    token: str = Field(description="The text of the QR code, a token of the member's own code")
    expires_in: int
    renew_in: int
    as_of: str
    stale: bool


class MemberOut(BaseModel):
    """Somebody whose code the caller may show; personal data is masked."""

    id: str
    name: str
    document_number: str
    consent: str = Field(description="own-account, window or guardian")
    may_declare: bool = Field(description="The caller may declare for them too")
    since: str
    ends_at: str | None = Field(description="When it ends by itself: at the age of 18")
    code: MemberCodeOut | None = Field(description="Null where there is none to show")
    without_code: str | None = Field(description="Why there is no code, in the caller's language")


class FamilyOut(BaseModel):
    members: list[MemberOut]
    most: int = Field(description="How many there can be")


@views.get("", responses={200: FamilyOut}, security=SESSION)
def list_members() -> Response:
    """List the members of the caller's family, each with their code and a token of their own; each is counted."""
    services, now = get_services(), get_services().clock.now()
    with services.begin() as database:
        members = ties.list_of_holder(database, own_code(database).serial, now)
        shown = [_member_out(database, tie, now) for tie in members]
        shows.count(database, [member.id for member in shown if member.code is not None], now)
    return json_response(FamilyOut(members=shown, most=MOST_DEPENDANTS))


def _code_out(serial: int, now: datetime) -> MemberCodeOut:
    services = get_services()
    shown = display.display_code(services, serial, services.current_code(serial))
    code = code_response(services, shown, language(), now)
    reason = code.reasons[0]
    kept = code.model_dump(exclude={"reasons", "missing"})
    return MemberCodeOut(**kept, title=reason.title, advice=reason.advice, until=reason.until)


def _member_out(database: Database, tie: FamilyTie, now: datetime) -> MemberOut:
    services, code, without = get_services(), None, None
    try:
        code = _code_out(tie.dependant, now)
    except Problem as problem:  # not declared, or denied by the platform
        without = text("problems", problem.slug, language())
    profile = accounts.get_profile(database, services.encryption, tie.dependant)
    return MemberOut(
        id=tie.id,
        name="" if profile is None else profile.name,
        document_number="" if profile is None else profile.document_number,
        consent=tie.consent,
        may_declare=tie.may_declare,
        since=rfc3339(tie.since),
        ends_at=None if tie.ends_at is None else rfc3339(tie.ends_at),
        code=code,
        without_code=without,
    )


@views.post("/members/end", responses={204: None, **problem_responses(404)}, security=SESSION)
def end_member(body: TieBody) -> Response:
    """Show a member's code no more. What a guardian has registered of a child whom nobody else shows is deleted."""
    return end_tie(body, Ender.HOLDER)


def end_tie(body: TieBody, side: Ender) -> Response:
    """End a tie of the caller, who is on this side of it."""
    services, own = get_services(), current_session().serial
    with services.begin() as database:
        now = services.clock.now()
        tie = ties.find(database, str(body.id), own, side, now)
        ties.lock_both(database, tie.holder, tie.dependant)
        check_session(database)
        erasure.end_tie(database, ties.find(database, tie.id, own, side, now), side, now)
    return no_store(Response(), 204)


@views.post(
    "/members/declarations",
    responses={201: DeclarationOut, 202: DeclarationOut, **problem_responses(404, 409, 429)},
    security=SESSION,
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.declaration), key_func=limits.per_session)
def declare_for(body: FamilyDeclarationBody) -> Response:
    """Declare for a member who has agreed to that too. 409 `may-not-declare` for one who has not."""
    services, holder = get_services(), current_session().serial

    def find(database: Database) -> FamilyTie:
        tie = ties.find(database, str(body.id), holder, Ender.HOLDER, services.clock.now())
        if not tie.may_declare:
            raise Problem("may-not-declare")
        return tie

    @contextmanager
    def begin() -> Iterator[Database]:
        with services.begin() as database:
            ties.lock_both(database, holder, find(database).dependant)
            check_session(database)
            find(database)
            yield database

    read_statement(body)  # what is wrong with the form is said first
    with services.sessions() as database:
        member = find(database).dependant
    source = Source(reference=f"declaration {CONSENT_VERSION} by family", authority=AUTHORITY)
    return answer_declaration(body, Declarer(member, ties.family_actor(holder), source, begin))

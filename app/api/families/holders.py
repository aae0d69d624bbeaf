"""Endpoints for those who show the caller's code: who they are, how often today, and the end of it."""

from flask import Response
from pydantic import BaseModel, Field

from app.api.families.members import TieBody, end_tie, views
from app.citizens import accounts
from app.core.clock import rfc3339
from app.families import shows, ties
from app.families.ties import MOST_HOLDERS, Ender
from app.web import SESSION, get_services, json_response
from app.web.own_record import own_code
from app.web.problems import problem_responses


class HolderOut(BaseModel):
    """Somebody who may show the caller's code, masked."""

    id: str
    name: str
    consent: str = Field(description="own-account, window or guardian")
    may_declare: bool
    since: str
    ends_at: str | None
    shown_today: int = Field(description="How often they were given the code today; earlier days: /record/access")


class HoldersOut(BaseModel):
    holders: list[HolderOut]
    most: int = Field(description="How many there can be")


@views.get("/holders", responses={200: HoldersOut}, security=SESSION)
def list_holders() -> Response:
    """List those who may show the caller's code, since when, and how often they did today."""
    services, now = get_services(), get_services().clock.now()
    with services.sessions() as database:
        found = ties.list_of_dependant(database, own_code(database).serial, now)
        today = shows.count_today(database, [tie.id for tie in found], now)
        holders = [
            HolderOut(
                id=tie.id,
                name=profile.name
                if (profile := accounts.get_profile(database, services.encryption, tie.holder))
                else "",
                consent=tie.consent,
                may_declare=tie.may_declare,
                since=rfc3339(tie.since),
                ends_at=None if tie.ends_at is None else rfc3339(tie.ends_at),
                shown_today=today.get(tie.id, 0),
            )
            for tie in found
        ]
    return json_response(HoldersOut(holders=holders, most=MOST_HOLDERS))


@views.post("/holders/end", responses={204: None, **problem_responses(404)}, security=SESSION)
def end_holder(body: TieBody) -> Response:
    """Have somebody show the caller's code no more, from their next request on."""
    return end_tie(body, Ender.DEPENDANT)

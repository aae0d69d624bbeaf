"""Endpoints with which the manager of a venue administers its inspectors, and cuts off a lost phone."""

from flask import Response
from pydantic import BaseModel, Field

from app.api.venues.applications import Id, Text, views
from app.api.venues.management import VenueBody, begin_managed
from app.venues import management
from app.web import SESSION, json_response, limits, no_store
from app.web.problems import problem_responses


class NewInspectorBody(VenueBody):
    entrance: Id
    username: Text


class InspectorBody(VenueBody):
    inspector: Id


class MoveBody(InspectorBody):
    entrance: Id


class SessionEndBody(InspectorBody):
    session: Id


class GivenPasswordOut(BaseModel):
    id: int
    password: str = Field(repr=False, description="Shown once: the inspector chooses another at the first log-in")


@views.post("/inspectors", responses={201: GivenPasswordOut, **problem_responses(404, 409, 429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.venue_inspectors), key_func=limits.per_code)
def add_inspector(body: NewInspectorBody) -> Response:
    """Add an inspector at an entrance."""
    with begin_managed(body.venue) as managed:
        inspector, password = management.add_inspector(managed, body.entrance, body.username)
        out = GivenPasswordOut(id=inspector.id, password=password)
    return json_response(out, 201)


@views.post("/inspectors/move", responses={204: None, **problem_responses(404, 409)}, security=SESSION)
def move_inspector(body: MoveBody) -> Response:
    """Move an inspector to another entrance, where they log in anew."""
    with begin_managed(body.venue) as managed:
        management.move_inspector(managed, body.inspector, body.entrance)
    return no_store(Response(), 204)


@views.post("/inspectors/disable", responses={204: None, **problem_responses(404, 409)}, security=SESSION)
def disable_inspector(body: InspectorBody) -> Response:
    """Close an inspector's account and end its sessions, at once."""
    with begin_managed(body.venue) as managed:
        management.disable_inspector(managed, body.inspector)
    return no_store(Response(), 204)


@views.post("/inspectors/enable", responses={204: None, **problem_responses(404, 409)}, security=SESSION)
def enable_inspector(body: InspectorBody) -> Response:
    """Open a closed account again."""
    with begin_managed(body.venue) as managed:
        management.enable_inspector(managed, body.inspector)
    return no_store(Response(), 204)


@views.post("/inspectors/password", responses={200: GivenPasswordOut, **problem_responses(404, 409)}, security=SESSION)
def reset_password(body: InspectorBody) -> Response:
    """Give an inspector another password; the old one and all sessions end."""
    with begin_managed(body.venue) as managed:
        out = GivenPasswordOut(id=body.inspector, password=management.reset_password(managed, body.inspector))
    return json_response(out)


@views.post("/inspectors/sessions/end", responses={204: None, **problem_responses(404, 409)}, security=SESSION)
def end_session(body: SessionEndBody) -> Response:
    """End the session on one phone of an inspector, at once; their other phones stay logged in."""
    with begin_managed(body.venue) as managed:
        management.end_session(managed, body.inspector, body.session)
    return no_store(Response(), 204)

"""Pages of the administrators who decide applications for venues, and see the venues of their district."""

from flask import Response
from pydantic import Field

from app.console.forms import parse_form
from app.console.pages import page, redirect_to, views
from app.console.paging import read_first, read_page
from app.core.errors import Problem
from app.staff.context import begin_officer
from app.venues import review
from app.venues.review import VenueRefusal
from app.visits import alarms
from app.web import RequestBody, current_officer, get_services

_SHOWN = ("venue-exists", "view-first", "invalid-request")


class RefusalForm(RequestBody):
    """The form of why an application is refused."""

    reason: str = Field(max_length=20)


@views.get("/venues")
def list_venues() -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        session, me = context.session, context.me
        waiting = read_first(lambda part: review.list_waiting(session, me, part))
        venues = read_page(lambda part: review.list_venues(session, me, part))
        raised = read_first(lambda part: alarms.list_open(session, me, part))
    return page("venues.html", waiting=waiting, venues=venues, alarms=raised)


@views.get("/venues/applications/<int:id_>")
def show_application(id_: int) -> Response:
    return _application_page(id_)


@views.post("/venues/applications/<int:id_>/approve")
def approve_application(id_: int) -> Response:
    """Make the venue, which the applicant manages from now on."""
    try:
        with begin_officer(get_services(), current_officer()) as context:
            review.approve(context, id_)
    except Problem as problem:
        if problem.slug not in _SHOWN:
            raise
        return _application_page(id_, problem)
    return redirect_to("console.list_venues", done="venue-approved")


@views.post("/venues/applications/<int:id_>/refuse")
def refuse_application(id_: int) -> Response:
    """Refuse an application for a reason."""
    try:
        filled = parse_form(RefusalForm)
        with begin_officer(get_services(), current_officer()) as context:
            review.refuse(context, id_, filled.reason)
    except Problem as problem:
        if problem.slug not in _SHOWN:
            raise
        return _application_page(id_, problem)
    return redirect_to("console.list_venues", done="venue-refused")


@views.get("/venues/<int:id_>")
def show_venue(id_: int) -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        venue = review.find_venue(context, id_)
        stations = review.list_stations(context, venue)
    return page("venue.html", venue=venue, stations=stations)


@views.post("/venues/<int:id_>/close")
def close_venue(id_: int) -> Response:
    """Close a venue and the accounts of its inspectors."""
    with begin_officer(get_services(), current_officer()) as context:
        review.close_venue(context, id_)
    return redirect_to("console.show_venue", id_=id_, done="venue-closed")


def _application_page(id_: int, problem: Problem | None = None) -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        view = review.view(context, id_)
    return page("venue-application.html", view=view, reasons=list(VenueRefusal), problem=problem)

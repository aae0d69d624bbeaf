"""Administration of inspectors: where they check, their passwords and their sessions.

They are added at the command line (`jixiang stations add-inspector`). A password is shown once, in the answer to the
form that made it.
"""

from collections.abc import Callable
from typing import Any

from flask import Response
from pydantic import Field

from app.console.forms import parse_form
from app.console.pages import page, redirect_to, views
from app.console.paging import read_choices, read_page
from app.core.errors import Problem
from app.staff import inspectors as staff_inspectors
from app.staff.context import OfficerContext, begin_officer
from app.web import RequestBody, current_officer, get_services


class StationForm(RequestBody):
    """The form of the station to which an inspector moves."""

    station: str = Field(max_length=60)


@views.get("/inspectors")
def list_inspectors() -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        everybody = read_page(lambda part: staff_inspectors.list_inspectors(context, part))
    return page("inspectors.html", everybody=everybody)


@views.get("/inspectors/<int:inspector_id>")
def show_inspector(inspector_id: int) -> Response:
    return _inspector_page(inspector_id)


@views.post("/inspectors/<int:inspector_id>")
def move_inspector(inspector_id: int) -> Response:
    """Move an inspector to another station."""
    try:
        filled = parse_form(StationForm)
        with begin_officer(get_services(), current_officer()) as context:
            staff_inspectors.move_inspector(context, inspector_id, filled.station)
    except Problem as problem:
        return _inspector_page(inspector_id, problem)
    return redirect_to("console.show_inspector", inspector_id=inspector_id, done="inspector-moved")


@views.post("/inspectors/<int:inspector_id>/disable")
def disable_inspector(inspector_id: int) -> Response:
    """Close an account at once."""
    return _do(staff_inspectors.disable_inspector, inspector_id, "disabled")


@views.post("/inspectors/<int:inspector_id>/enable")
def enable_inspector(inspector_id: int) -> Response:
    """Open a closed account again."""
    return _do(staff_inspectors.enable_inspector, inspector_id, "enabled")


@views.post("/inspectors/<int:inspector_id>/end-sessions")
def end_inspector_sessions(inspector_id: int) -> Response:
    """End an inspector's sessions at once."""
    return _do(staff_inspectors.end_sessions, inspector_id, "sessions-ended")


@views.post("/inspectors/<int:inspector_id>/reset-password")
def reset_inspector_password(inspector_id: int) -> Response:
    """Show a new password; the old one ends."""
    with begin_officer(get_services(), current_officer()) as context:
        password = staff_inspectors.reset_password(context, inspector_id)
        whose = staff_inspectors.find_inspector(context, inspector_id).inspector
    return page("inspector-password.html", whose=whose, password=password)


def _do(act: Callable[[OfficerContext, int], Any], inspector_id: int, done: str) -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        act(context, inspector_id)
    return redirect_to("console.show_inspector", inspector_id=inspector_id, done=done)


def _inspector_page(inspector_id: int, problem: Problem | None = None) -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        whose, station = staff_inspectors.find_inspector(context, inspector_id)
        stations = read_choices(lambda part: staff_inspectors.list_stations(context, part))
    return page("inspector.html", whose=whose, station=station, stations=stations, problem=problem)

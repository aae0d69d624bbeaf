"""Administration of service windows: where they are, and which clerks work there."""

from flask import Response
from pydantic import Field

from app.console.forms import parse_form
from app.console.pages import page, redirect_to, views
from app.core.errors import Problem
from app.core.province import districts as all_districts
from app.staff.context import begin_officer
from app.web import RequestBody, current_officer, get_services
from app.windows import administration
from app.windows.administration import NewWindow


class WindowForm(RequestBody):
    name: str = Field(max_length=200)
    place: str = Field(max_length=400)
    district: str = Field(max_length=40)


class ClerkForm(RequestBody):
    username: str = Field(max_length=64)


@views.get("/windows")
def list_windows() -> Response:
    return _windows_page()


@views.post("/windows")
def add_window() -> Response:
    """Add a service window."""
    filled = None
    try:
        filled = parse_form(WindowForm)
        with begin_officer(get_services(), current_officer()) as context:
            added = administration.add_window(context, NewWindow(filled.name, filled.place, filled.district))
            window_id = added.id
    except Problem as problem:
        return _windows_page(filled, problem)
    return redirect_to("console.show_window", id_=window_id, done="window-added")


@views.get("/windows/<int:id_>")
def show_window(id_: int) -> Response:
    return _window_page(id_)


@views.post("/windows/<int:id_>/clerks")
def assign_clerk(id_: int) -> Response:
    """Have a clerk work at this window."""
    filled = None
    try:
        filled = parse_form(ClerkForm)
        with begin_officer(get_services(), current_officer()) as context:
            administration.assign_clerk(context, id_, filled.username)
    except Problem as problem:
        if not problem.fields:
            raise
        return _window_page(id_, filled, problem)
    return redirect_to("console.show_window", id_=id_, done="clerk-assigned")


@views.post("/windows/<int:id_>/clerks/<int:officer_id>/release")
def release_clerk(id_: int, officer_id: int) -> Response:
    """Have a clerk no longer work at this window."""
    with begin_officer(get_services(), current_officer()) as context:
        administration.release_clerk(context, id_, officer_id)
    return redirect_to("console.show_window", id_=id_, done="clerk-released")


@views.post("/windows/<int:id_>/close")
def close_window(id_: int) -> Response:
    """Close a window."""
    with begin_officer(get_services(), current_officer()) as context:
        administration.close_window(context, id_)
    return redirect_to("console.show_window", id_=id_, done="window-closed")


def _windows_page(filled: WindowForm | None = None, problem: Problem | None = None) -> Response:
    own = current_officer().district
    with begin_officer(get_services(), current_officer()) as context:
        windows = administration.list_windows(context)
    return page(
        "windows.html", windows=windows, districts=[own] if own else all_districts(), filled=filled, problem=problem
    )


def _window_page(id_: int, filled: ClerkForm | None = None, problem: Problem | None = None) -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        window = administration.find_window(context, id_)
        clerks = administration.list_clerks(context, window)
    return page("window-admin.html", window=window, clerks=clerks, filled=filled, problem=problem)

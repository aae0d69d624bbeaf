"""The cases of the officer's district."""

from flask import Response

from app.console.pages import page, views
from app.entries import cases
from app.staff.models import Role
from app.web import current_officer, get_services


@views.get("/cases")
def list_cases() -> Response:
    """List the cases of the officer's district, with their contacts."""
    with get_services().sessions() as session:
        found = cases.list_with_contacts(session, current_officer(), 200)
    return page("cases.html", cases=found, recorder=Role.RECORDER in current_officer().roles)

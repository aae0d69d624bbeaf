"""Administration of officers: their accounts, roles, districts and sessions.

A password or a secret for an authenticator is shown once, in the answer to the form that made it, and stored nowhere in
the clear.
"""

import base64
import io
from typing import Any

from flask import Response
from pydantic import Field
from qrcode.image.svg import SvgPathImage
from qrcode.main import QRCode

from app.console.forms import parse_form
from app.console.pages import page, redirect_to, views
from app.core.errors import Problem
from app.core.province import districts as all_districts
from app.staff import credentials, totp
from app.staff import officers as staff_officers
from app.staff.context import begin_officer
from app.staff.models import Officer, Role
from app.staff.officers import NewOfficer
from app.web import RequestBody, current_officer, get_services


class AssignmentForm(RequestBody):
    """The form of roles and district; no district is the whole province."""

    roles: list[str] = Field(max_length=10)
    district: str = Field(max_length=40)


class OfficerForm(AssignmentForm):
    username: str = Field(max_length=64)
    name: str = Field(max_length=200)


@views.get("/officers")
def list_officers() -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        everybody = staff_officers.list_officers(context)
    return page("officers.html", everybody=everybody, now=get_services().clock.now())


@views.get("/officers/new")
def new_officer_page() -> Response:
    return _page_with_choices("officer-new.html", filled=None)


@views.post("/officers/new")
def add_officer() -> Response:
    """Add an officer, and show the secret of their authenticator; another administrator sets the first password."""
    filled = None
    try:
        filled = parse_form(OfficerForm)
        new = NewOfficer(filled.username, filled.name, filled.roles, filled.district or None)
        with begin_officer(get_services(), current_officer()) as context:
            added, secret = staff_officers.add_officer(context, new)
    except Problem as problem:
        return _page_with_choices("officer-new.html", filled=filled, problem=problem)
    return _secret_page(added, None, secret)


@views.get("/officers/<int:officer_id>")
def show_officer(officer_id: int) -> Response:
    return _officer_page(officer_id)


@views.post("/officers/<int:officer_id>")
def set_assignment(officer_id: int) -> Response:
    """Set the roles and the district of an officer."""
    try:
        filled = parse_form(AssignmentForm)
        with begin_officer(get_services(), current_officer()) as context:
            staff_officers.set_assignment(context, officer_id, filled.roles, filled.district or None)
    except Problem as problem:
        return _officer_page(officer_id, problem)
    return redirect_to("console.show_officer", officer_id=officer_id, done="assignment-changed")


@views.post("/officers/<int:officer_id>/disable")
def disable_officer(officer_id: int) -> Response:
    """Close an account at once."""
    with begin_officer(get_services(), current_officer()) as context:
        staff_officers.disable_officer(context, officer_id)
    return redirect_to("console.show_officer", officer_id=officer_id, done="disabled")


@views.post("/officers/<int:officer_id>/end-sessions")
def end_sessions(officer_id: int) -> Response:
    """End an officer's sessions at once."""
    with begin_officer(get_services(), current_officer()) as context:
        staff_officers.end_sessions(context, officer_id)
    return redirect_to("console.show_officer", officer_id=officer_id, done="sessions-ended")


@views.post("/officers/<int:officer_id>/reset-totp")
def reset_totp(officer_id: int) -> Response:
    """Show a new secret for an officer's authenticator; the old one ends."""
    with begin_officer(get_services(), current_officer()) as context:
        secret = credentials.reset_totp(context, officer_id)
        whose = staff_officers.find_officer(context, officer_id)
    return _secret_page(whose, None, secret)


@views.post("/officers/<int:officer_id>/reset-password")
def reset_password(officer_id: int) -> Response:
    """Show a new password, to be changed at the next log-in; the old one ends."""
    with begin_officer(get_services(), current_officer()) as context:
        password = credentials.reset_password(context, officer_id)
        whose = staff_officers.find_officer(context, officer_id)
    return _secret_page(whose, password, None)


def _officer_page(officer_id: int, problem: Problem | None = None) -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        whose = staff_officers.find_officer(context, officer_id)
    lacks_password = whose.lacks_password(get_services().clock.now())
    return _page_with_choices("officer.html", whose=whose, lacks_password=lacks_password, problem=problem)


def _page_with_choices(template: str, **values: Any) -> Response:
    """Return a page with the choice of roles and districts; an administrator of a district has no other to assign."""
    own = current_officer().district
    return page(template, roles=list(Role), districts=[own] if own else ["", *all_districts()], **values)


def _secret_page(whose: Officer, password: str | None, secret: str | None) -> Response:
    picture = _qr(totp.provisioning_uri(secret, whose.username)) if secret else None
    return page("officer-secret.html", whose=whose, password=password, secret=secret, picture=picture)


def _qr(text: str) -> str:
    """Return a QR code as the address of a picture that contains the picture itself."""
    code: QRCode[Any] = QRCode(border=4, image_factory=SvgPathImage)
    code.add_data(text)
    file = io.BytesIO()
    code.make_image().save(file)
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()

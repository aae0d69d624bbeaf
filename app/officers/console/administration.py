"""Administration of officers: who there is, what they may do and where, and the end of it.

A password or a secret for an authenticator is shown once, in the answer to the form that made it, and kept nowhere
in the clear.
"""

import base64
import io
from typing import Any

from flask import Response
from pydantic import Field
from qrcode.image.svg import SvgPathImage
from qrcode.main import QRCode

from app.errors import Problem
from app.officers import accounts, codes
from app.officers.console.frame import form, page, to, views
from app.officers.models import DISTRICTS, Officer, Role
from app.web import Body, officer, services


class Post(Body):
    """What an officer may do, and where: no district is the whole province."""

    roles: list[str] = Field(max_length=10)
    district: str = Field(max_length=40)


class NewOfficer(Post):
    username: str = Field(max_length=64)
    name: str = Field(max_length=200)


@views.get("/officers")
def officers() -> Response:
    with services().sessions() as session:
        everybody = accounts.listed(session, officer())
    return page("officers.html", everybody=everybody)


@views.get("/officers/new")
def new_officer_page() -> Response:
    return _filled_in("officer-new.html", filled=None)


@views.post("/officers/new")
def add_officer() -> Response:
    """Add an officer, and show what they need for their first log-in."""
    bag, filled, password = services(), None, accounts.new_password()
    try:
        filled = form(NewOfficer)
        with bag.begin() as session:
            added, secret = accounts.add(
                session,
                bag.vault,
                username=filled.username,
                name=filled.name,
                password=password,
                roles=filled.roles,
                district=filled.district or None,
                by=officer(),
                now=bag.clock.now(),
            )
    except Problem as problem:
        return _filled_in("officer-new.html", filled=filled, problem=problem)
    return _shown_once(added, password, secret)


@views.get("/officers/<int:officer_id>")
def one_officer(officer_id: int) -> Response:
    return _one(officer_id)


@views.post("/officers/<int:officer_id>")
def set_post(officer_id: int) -> Response:
    """Change what an officer may do, and where."""
    bag = services()
    try:
        filled = form(Post)
        with bag.begin() as session:
            accounts.set_post(
                session, officer_id, filled.roles, filled.district or None, by=officer(), now=bag.clock.now()
            )
    except Problem as problem:
        return _one(officer_id, problem)
    return to("console.one_officer", officer_id=officer_id, done="post-changed")


@views.post("/officers/<int:officer_id>/disable")
def disable(officer_id: int) -> Response:
    """Close an account at once."""
    bag = services()
    with bag.begin() as session:
        accounts.disable(session, officer_id, by=officer(), now=bag.clock.now())
    return to("console.one_officer", officer_id=officer_id, done="disabled")


@views.post("/officers/<int:officer_id>/end-sessions")
def end_sessions(officer_id: int) -> Response:
    """End an officer's sessions at once."""
    bag = services()
    with bag.begin() as session:
        accounts.end_sessions(session, officer_id, by=officer(), now=bag.clock.now())
    return to("console.one_officer", officer_id=officer_id, done="sessions-ended")


@views.post("/officers/<int:officer_id>/reset-totp")
def reset_totp(officer_id: int) -> Response:
    """Show a new secret for an officer's authenticator; the old one ends."""
    bag = services()
    with bag.begin() as session:
        secret = accounts.reset_totp(session, bag.vault, officer_id, by=officer(), now=bag.clock.now())
        whose = accounts.find(session, officer_id, officer())
    return _shown_once(whose, None, secret)


@views.post("/officers/<int:officer_id>/reset-password")
def reset_password(officer_id: int) -> Response:
    """Show a new password, to be changed at the next log-in; the old one ends."""
    bag = services()
    with bag.begin() as session:
        password = accounts.reset_password(session, officer_id, by=officer(), now=bag.clock.now())
        whose = accounts.find(session, officer_id, officer())
    return _shown_once(whose, password, None)


def _one(officer_id: int, problem: Problem | None = None) -> Response:
    with services().sessions() as session:
        whose = accounts.find(session, officer_id, officer())
    return _filled_in("officer.html", whose=whose, problem=problem)


def _filled_in(template: str, **values: Any) -> Response:
    """A page with the choice of roles and districts: who has a district has no other to give."""
    own = officer().district
    return page(template, roles=list(Role), districts=[own] if own else ["", *DISTRICTS], **values)


def _shown_once(whose: Officer, password: str | None, secret: str | None) -> Response:
    picture = _qr(codes.address(secret, whose.username)) if secret else None
    return page("officer-secret.html", whose=whose, password=password, secret=secret, picture=picture)


def _qr(text: str) -> str:
    """A QR code as an address that holds the picture itself."""
    code: QRCode[Any] = QRCode(border=4, image_factory=SvgPathImage)
    code.add_data(text)
    file = io.BytesIO()
    code.make_image().save(file)
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()

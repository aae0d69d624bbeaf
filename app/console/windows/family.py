"""What a clerk does for the family and the card of the person at the window."""

from datetime import date
from uuid import UUID

from flask import Response
from pydantic import Field

from app.console.forms import parse_form
from app.console.pages import redirect_to, send_download, views
from app.console.windows.clerk import DocumentForm, visit_page
from app.core.errors import Problem, bad_field
from app.web import RequestBody, current_officer, get_services
from app.windows import family, paper


class InvitationForm(RequestBody):
    invitation: UUID = Field(strict=False)
    may_declare: str = Field(default="", max_length=3)


class ChildForm(DocumentForm):
    """The document of the child; `born_on` where its number does not say it."""

    born_on: str = Field(default="", max_length=10)


@views.post("/window/visits/<int:id_>/paper")
def print_card(id_: int) -> Response:
    """Print the card of the person at the window; an earlier one is dead."""
    try:
        content = paper.print_card(get_services(), current_officer(), id_)
    except Problem as problem:
        return visit_page(id_, problem)
    return send_download(content, "jixiang-card.pdf")


@views.post("/window/visits/<int:id_>/paper/loss")
def report_card_lost(id_: int) -> Response:
    """End the card of the person at the window."""
    try:
        paper.report_lost(get_services(), current_officer(), id_)
    except Problem as problem:
        return visit_page(id_, problem)
    return redirect_to("console.show_visit", id_=id_, done="card-lost")


@views.post("/window/visits/<int:id_>/family/accept")
def accept_invitation(id_: int) -> Response:
    """Accept an invitation for the person at the window, who has said so."""
    try:
        filled = parse_form(InvitationForm)
        may_declare = filled.may_declare == "yes"
        family.accept(get_services(), current_officer(), id_, str(filled.invitation), may_declare=may_declare)
    except Problem as problem:
        return visit_page(id_, problem)
    return redirect_to("console.show_visit", id_=id_, done="family-accepted")


@views.post("/window/visits/<int:id_>/family/child")
def add_child(id_: int) -> Response:
    """Tie a registered child to the guardian at the window."""
    filled = None
    try:
        filled = parse_form(ChildForm)
        family.add_child(get_services(), current_officer(), id_, filled.document(), _day(filled.born_on))
    except Problem as problem:
        return visit_page(id_, problem, child=filled)
    return redirect_to("console.show_visit", id_=id_, done="child-added")


def _day(words: str) -> date | None:
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        raise bad_field("/born_on", "date-form") from None

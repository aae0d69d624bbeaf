"""The clerk's pages: who is at the window, and what is done for them. Nothing of a person is in an address."""

from datetime import date
from typing import Any

from flask import Response
from pydantic import Field

from app.citizens.declarations import Statement, Symptom, find_form_errors
from app.citizens.documents import DocumentType
from app.codes.states import State
from app.console.forms import parse_form
from app.console.pages import language, page, redirect_to, views
from app.core.clock import BEIJING
from app.core.errors import FieldError, Problem, bad_field
from app.core.texts import reword
from app.corrections.requests import CorrectionReason
from app.staff.context import begin_officer
from app.web import RequestBody, current_officer, get_services, limits
from app.windows import clerks, family, lookups, recoveries, registration, statements, visits
from app.windows.lookups import Document
from app.windows.visitor import show_visitor


class DocumentForm(RequestBody):
    """What the document says. `consent` and `phone` are for a registration alone."""

    type: str = Field(max_length=40)
    number: str = Field(max_length=100, repr=False)
    name: str = Field(max_length=200, repr=False)
    phone: str = Field(default="", max_length=100, repr=False)
    consent: str = Field(default="", max_length=3)

    def document(self) -> Document:
        """Return it with its kind. Raises Problem with the field `/type`."""
        if self.type not in set(DocumentType):
            raise bad_field("/type", "not-a-choice")
        return Document(DocumentType(self.type), self.number, self.name)


class StatementForm(RequestBody):
    """The questions of the declaration, as the person answers them."""

    symptoms: list[str] = Field(default=[], max_length=len(Symptom))
    contact: str = Field(default="", max_length=3)
    contact_on: str = Field(default="", max_length=10)
    consent: str = Field(default="", max_length=3)


class RecoveryForm(RequestBody):
    username: str = Field(default="", max_length=64)
    password: str = Field(max_length=128, repr=False)
    again: str = Field(max_length=128, repr=False)


@views.get("/window")
def window_page() -> Response:
    return _window_page()


@views.post("/window")
def look_up() -> Response:
    """Look up who is at the window."""
    filled = None
    try:
        filled = parse_form(DocumentForm)
        visit = lookups.look_up(get_services(), current_officer(), filled.document())
    except Problem as problem:
        return _window_page(filled, problem)
    return redirect_to("console.show_visit", id_=visit)


@views.post("/window/register")
def register_at_window() -> Response:
    """Register who is at the window."""
    filled = None
    try:
        filled = parse_form(DocumentForm)
        document = filled.document()
        if not filled.consent:
            raise bad_field("/consent", "consent-needed")
        visit = registration.register(get_services(), current_officer(), document, filled.phone)
    except Problem as problem:
        return _window_page(filled, problem)
    return redirect_to("console.show_visit", id_=visit, done="registered-at-window")


@views.get("/window/visits/<int:id_>")
def show_visit(id_: int) -> Response:
    return visit_page(id_)


@views.post("/window/visits/<int:id_>/declare")
def declare_at_window(id_: int) -> Response:
    """Record what the person at the window declares."""
    filled = None
    try:
        filled = parse_form(StatementForm)
        is_done = statements.declare(get_services(), current_officer(), id_, _statement(filled))
    except Problem as problem:
        return visit_page(id_, problem, statement=filled)
    return redirect_to("console.show_visit", id_=id_, done="declared-at-window" if is_done else "statement-waits")


@views.post("/window/visits/<int:id_>/unlock")
def unlock(id_: int) -> Response:
    """Let the person at the window log in at once after wrong log-ins."""
    with begin_officer(get_services(), current_officer()) as context:
        visit = visits.find_visit(context, id_)
        username = recoveries.find_username(context.session, visit.serial)
        visit.clerk.record_act("login-delay-ended", visit.serial)
    if username is not None:
        limits.end_login_delay(username)
    return redirect_to("console.show_visit", id_=id_, done="login-delay-ended")


@views.post("/window/visits/<int:id_>/recover")
def recover(id_: int) -> Response:
    """Recover the account of the person at the window, who enters the new password."""
    filled = None
    try:
        filled = parse_form(RecoveryForm)
        if filled.password != filled.again:
            raise bad_field("/again", "passwords-differ")
        recoveries.recover(get_services(), current_officer(), id_, filled.username, filled.password)
    except Problem as problem:
        return visit_page(id_, problem, username=filled.username if filled else "")
    return redirect_to("console.show_visit", id_=id_, done="account-recovered")


@views.post("/window/visits/<int:id_>/end")
def end_visit(id_: int) -> Response:
    """End a visit: the next person is looked up."""
    visits.end_visit(get_services(), current_officer(), id_)
    return redirect_to("console.window_page", done="visit-ended")


def _statement(filled: StatementForm) -> Statement:
    """Return what was declared. Raises Problem with every bad field."""
    day, wrong = None, []
    try:
        day = date.fromisoformat(filled.contact_on) if filled.contact_on else None
    except ValueError:
        wrong.append(FieldError("/contact_on", "date-form"))
    if filled.contact not in ("yes", "no"):
        wrong.append(FieldError("/contact", "required"))
    if not set(filled.symptoms) <= set(Symptom):
        wrong.append(FieldError("/symptoms", "not-a-choice"))
    if not wrong:
        wrong.extend(find_form_errors(filled.contact == "yes", day, bool(filled.consent)))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return Statement(tuple(Symptom(one) for one in filled.symptoms), day)


def _window_page(filled: DocumentForm | None = None, problem: Problem | None = None) -> Response:
    """Return the page of the look-up; registering is offered once nobody was found."""
    with begin_officer(get_services(), current_officer()) as context:
        clerk = clerks.require_clerk(context)
        window, held = clerk.window, clerks.find_hold(clerk)
    registering = problem is not None and problem.slug != "window-held" and filled is not None
    return page(
        "window.html", window=window, held=held, kinds=list(DocumentType), filled=filled, registering=registering,
        problem=problem,
    )  # fmt: skip


def visit_page(id_: int, problem: Problem | None = None, **filled: Any) -> Response:
    """Return the page of a visit; with a problem, and what was `filled` in."""
    visitor = show_visitor(get_services(), current_officer(), id_)
    state = State.NOT_DECLARED if visitor.decision is None else visitor.decision.state
    today = get_services().clock.now().astimezone(BEIJING).date()
    return page(
        "window-visit.html", id=id_, visitor=visitor, state=state.name, rule=_rule_text, symptoms=list(Symptom),
        paper_days=get_services().settings.paper.days,
        authority=lambda one: reword("authorities", one, language()), today=today, problem=problem,
        statement=filled.get("statement"), username=filled.get("username", ""), child=filled.get("child"),
        document=filled.get("document"), correction_reasons=list(CorrectionReason),
        kinds=list(DocumentType), invitations=family.list_invitations(get_services(), current_officer(), id_),
    )  # fmt: skip


def _rule_text(rule: str) -> Any:
    return get_services().policy.text(rule, language(), get_services().clock.now())

"""The endpoint for health declarations."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Annotated, NamedTuple

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy.orm import Session as Database

from app.audit import Actor
from app.citizens import declarations
from app.citizens.declarations import Source, Statement, Symptom
from app.citizens.models import DeclarationRow
from app.citizens.verification import reevaluate
from app.codes import display, ledger
from app.codes.evidence import IDENTITY_MISMATCH
from app.codes.states import State
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.families import notices
from app.web import SESSION, RequestBody, actor, current_session, get_services, json_response, limits
from app.web.own_record import begin_own, own_code
from app.web.problems import problem_responses

views = APIBlueprint(
    "declarations",
    __name__,
    abp_tags=[Tag(name="Citizens", description="Accounts and health declarations")],
)


def _written_date(value: object) -> object:
    """Accept only text as a date: a number is a mistake, not a day since 1970."""
    if isinstance(value, str) and len(value) == 10:
        return date.fromisoformat(value)
    raise ValueError("date")


Day = Annotated[date, BeforeValidator(_written_date)]


class DeclarationBody(RequestBody):
    symptoms: list[Annotated[Symptom, Field(strict=False)]] = Field(max_length=len(Symptom))
    contact: bool = Field(description="Contact with a confirmed or suspected case")
    contact_on: Day | None = Field(default=None, description="The last day of that contact")
    consent: bool = Field(description="To the use of these data for epidemic prevention")


class DeclarationOut(BaseModel):
    """The result of a declaration: the code's state, and whether the platform has answered yet."""

    declaration: str
    declared_at: str
    state: str
    color: str | None
    waiting_for_platform: bool


@views.post(
    "/declarations", responses={201: DeclarationOut, 202: DeclarationOut, **problem_responses(429)}, security=SESSION
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.declaration), key_func=limits.per_session)
def declare(body: DeclarationBody) -> Response:
    """Declare one's health. 201 with the code's state; 202 while the national platform cannot be asked.

    422 `identity-mismatch` when the platform does not know the holder by this name, document and phone.
    """
    return answer_declaration(body, Declarer(current_session().serial, actor(), declarations.OWN_PHONE, begin_own))


class Declarer(NamedTuple):
    """Whose declaration it is, who makes it, where, and how the transaction begins that records it."""

    serial: int
    actor: Actor
    source: Source
    begin: Callable[[], AbstractContextManager[Database]]


def read_statement(body: DeclarationBody) -> Statement:
    """Return what is stated. Raises Problem with every bad field."""
    statement = Statement(tuple(body.symptoms), body.contact_on)
    form_errors = declarations.find_form_errors(body.contact, body.contact_on, body.consent)
    if wrong := [*form_errors, *declarations.find_errors(statement, get_services().clock.now())]:
        raise Problem("invalid-request", fields=tuple(wrong))
    return statement


def answer_declaration(body: DeclarationBody, declarer: Declarer) -> Response:
    """Record a declaration, have the platform asked, and answer with the state of the code."""
    serial, now = declarer.serial, get_services().clock.now()
    statement = read_statement(body)
    # a job asks the platform at this time, in case this request ends before the platform has answered
    retry_at = now + timedelta(seconds=2 * get_services().settings.platform.timeout_seconds + 1)
    with declarer.begin() as database:
        context = ledger.ChangeContext(database, get_services().policy, declarer.actor, now)
        row = declarations.declare(context, serial, statement, declarer.source)
        ledger.schedule_retry(database, serial, retry_at)
    answered = reevaluate(get_services(), serial, actor=declarer.actor, on_screen=True)
    _announce(declarer)
    outcome, state = _outcome(serial, row.evidence_id)
    if answered and outcome == IDENTITY_MISMATCH:
        raise Problem("identity-mismatch")
    result = DeclarationOut(
        declaration=row.evidence_id,
        declared_at=rfc3339(now),
        state=state.name,
        color=state.color,
        waiting_for_platform=not answered,
    )
    return json_response(result, 201 if answered else 202)


def _announce(declarer: Declarer) -> None:
    """Have the others who show the code hear of its change, which who declares has on the screen."""
    holder = int(declarer.actor.id)
    with get_services().begin() as database:
        seen_by = None if holder == declarer.serial else holder
        notices.announce(database, declarer.serial, seen_by, get_services().clock.now())


def _outcome(serial: int, declaration: str) -> tuple[str, State]:
    """Return the outcome of a declaration after the platform's answer, and the state that the holder may see."""
    services = get_services()
    with services.sessions() as database:
        code = own_code(database) if serial == current_session().serial else ledger.get_code(database, serial)
        state = display.state_for_holder(database, services.policy, code, services.clock.now())
        return database.get_one(DeclarationRow, (serial, declaration)).outcome, state

"""The endpoint for health declarations."""

from datetime import date, timedelta
from typing import Annotated

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, BeforeValidator, Field

from app.citizens import declarations
from app.citizens.declarations import Statement, Symptom
from app.citizens.models import DeclarationRow
from app.citizens.verification import reevaluate
from app.codes import display, ledger
from app.codes.evidence import IDENTITY_MISMATCH
from app.codes.states import State
from app.core.clock import rfc3339
from app.core.errors import Problem
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
    serial, now = current_session().serial, get_services().clock.now()
    statement = Statement(tuple(body.symptoms), body.contact_on)
    form_errors = declarations.find_form_errors(body.contact, body.contact_on, body.consent)
    if wrong := [*form_errors, *declarations.find_errors(statement, now)]:
        raise Problem("invalid-request", fields=tuple(wrong))
    # a job asks the platform at this time, in case this request ends before the platform has answered
    retry_at = now + timedelta(seconds=2 * get_services().settings.platform.timeout_seconds + 1)
    with begin_own() as database:
        context = ledger.ChangeContext(database, get_services().policy, actor(), now)
        row = declarations.declare(context, serial, statement)
        ledger.schedule_retry(database, serial, retry_at)
    answered = reevaluate(get_services(), serial, actor=actor(), on_screen=True)
    outcome, state = _outcome(row.evidence_id)
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


def _outcome(declaration: str) -> tuple[str, State]:
    """Return the outcome of a declaration after the platform's answer, and the state that the holder may see."""
    services = get_services()
    with services.sessions() as database:
        state = display.state_for_holder(database, services.policy, own_code(database), services.clock.now())
        return database.get_one(DeclarationRow, declaration).outcome, state

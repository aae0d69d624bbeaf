"""The endpoint by which a guardian adds a child, for whom the national platform vouches."""

from datetime import date

from flask import Response
from pydantic import BaseModel, Field

from app.api.families.invitations import PersonBody
from app.api.families.members import views
from app.appeals.take_over import take_over
from app.citizens import platform_calls
from app.core.errors import FieldError, Problem
from app.families import children, people, ties
from app.families.children import Vouched
from app.families.people import Person
from app.platform.guardianship import NamedPerson
from app.web import SESSION, current_session, get_services, json_response, limits
from app.web.own_record import begin_own, own_code
from app.web.problems import problem_responses


class ChildBody(PersonBody):
    consent: bool = Field(description="The guardian's, to the use of the child's data for epidemic prevention")


class ChildOut(BaseModel):
    id: str = Field(description="Of the member, in /family")


@views.post("/children", responses={201: ChildOut, **problem_responses(403, 409, 429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.family_children), key_func=limits.per_code)
def add_child(body: ChildBody) -> Response:
    """Add a child under 14 whose guardian the caller is, as the national platform vouches; it ends at the age of 18.

    422 `not-guardian` where the platform does not vouch, for whatever reason; 503 while it cannot say. A child whom
    nobody has registered is registered so, and has a code; the guardian declares for them.
    """
    services = get_services()
    child = _validate(body)
    with services.sessions() as database:
        serial, now = own_code(database).serial, services.clock.now()
        if not ties.are_confirmed(database, serial):
            raise Problem("identity-unconfirmed")
        ties.check_room_of_holder(database, serial, now)
        guardian = people.read(database, services.encryption, serial)
    assert guardian is not None  # who is confirmed has a name
    born_on = platform_calls.ask_guardianship(services, _named(guardian), _named(child))
    if born_on is None or child.born_on not in (None, born_on):
        raise Problem("not-guardian")
    return _add(child, born_on)


def _validate(body: ChildBody) -> Person:
    now = get_services().clock.now()
    consent = () if body.consent else (FieldError("/consent", "consent-needed"),)
    try:
        child = people.validate(body.person(), now, child=True)
        children.check_age(child.born_on, now)
    except Problem as problem:
        raise Problem(problem.slug, fields=(*problem.fields, *consent)) from None
    if consent:
        raise Problem("invalid-request", fields=consent)
    return child


def _named(person: Person) -> NamedPerson:
    return NamedPerson(person.name, person.kind, person.number)


def _add(child: Person, born_on: date) -> Response:
    services, guardian = get_services(), current_session().serial
    with begin_own() as database:
        now = services.clock.now()
        vouched = Vouched(guardian, child, born_on)
        added = children.add(database, services.policy, services.encryption, vouched, now)
        take_over(database, services.encryption, added.tie.dependant, added.doubtful, now)
    return json_response(ChildOut(id=added.tie.id), 201)

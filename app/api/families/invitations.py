"""Endpoints for invitations: sending one, those that the caller may answer, and the answer."""

from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from app.api.citizens.registration import DocumentBody
from app.api.families.members import views
from app.core.clock import rfc3339
from app.core.identity.names import MAX_LENGTH
from app.families import invitations, people, ties
from app.families.invitations import Answer
from app.families.people import Person
from app.web import SESSION, RequestBody, current_session, get_services, json_response, limits, no_store
from app.web.own_record import begin_own, check_session, own_code
from app.web.problems import problem_responses


class InvitationBody(RequestBody):
    id: UUID = Field(strict=False)


class PersonBody(RequestBody):
    """Somebody else, by the name and the document that they have."""

    name: str = Field(max_length=MAX_LENGTH, repr=False)
    document: DocumentBody

    def person(self) -> Person:
        return Person(self.name, self.document.type, self.document.number)


class AcceptanceBody(InvitationBody):
    may_declare: bool = Field(description="The inviter may declare for the caller too (代为申报)")


class SentOut(BaseModel):
    """The answer to every invitation; whether there is such a person is not said."""

    expires_at: str


class InvitationOut(BaseModel):
    """An invitation: enough of who asks to be recognized by their family."""

    id: str
    name: str = Field(description="Of the inviter, masked")
    phone_ends: str = Field(description="The last four digits of their phone; empty where it was withdrawn")
    sent_at: str
    expires_at: str


class InvitationsOut(BaseModel):
    invitations: list[InvitationOut]


class AcceptedOut(BaseModel):
    id: str = Field(description="Of the holder, in /family/holders")


@views.post("/invitations", responses={202: SentOut, **problem_responses(409, 429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.family_invitations), key_func=limits.per_code)
def send(body: PersonBody) -> Response:
    """Ask to show the code of the person with this name and document, who answers in their own account.

    The answer is the same for a person whom we know, for one whom we do not, and for a wrong name.
    """
    services = get_services()
    person = people.validate(body.person(), services.clock.now())
    with begin_own() as database:
        holder, now = current_session().serial, services.clock.now()
        expires_at = invitations.send(database, services.encryption, holder, person, now)
    return json_response(SentOut(expires_at=rfc3339(expires_at)), 202)


@views.get("/invitations", responses={200: InvitationsOut}, security=SESSION)
def list_invitations() -> Response:
    """List the invitations that the caller may answer, the oldest first."""
    services = get_services()
    with services.sessions() as database:
        serial, now = own_code(database).serial, services.clock.now()
        found = invitations.list_invitations(database, services.encryption, serial, now)
    shown = [
        InvitationOut(
            id=one.id,
            name=one.name,
            phone_ends=one.phone_ends,
            sent_at=rfc3339(one.sent_at),
            expires_at=rfc3339(one.expires_at),
        )
        for one in found
    ]
    return json_response(InvitationsOut(invitations=shown))


@views.post(
    "/invitations/accept",
    responses={201: AcceptedOut, **problem_responses(404, 409)},
    security=SESSION,
)
def accept(body: AcceptanceBody) -> Response:
    """Let the inviter show the caller's code, and declare for the caller where that is allowed too.

    409 `holders-full` when three already show it, and `under-14` for a child, whom a guardian adds.
    """
    services, serial, id_ = get_services(), current_session().serial, str(body.id)
    with services.begin() as database:
        ties.lock_both(database, serial, invitations.find_holder(database, id_))
        check_session(database)
        answer = Answer(id_, body.may_declare)
        tie = invitations.accept(database, services.encryption, serial, answer, services.clock.now())
    return json_response(AcceptedOut(id=tie.id), 201)


@views.post("/invitations/decline", responses={204: None, **problem_responses(404)}, security=SESSION)
def decline(body: InvitationBody) -> Response:
    """Decline an invitation, of which the inviter does not hear. Declined twice, they are not shown for 30 days."""
    services = get_services()
    with begin_own() as database:
        serial, now = current_session().serial, services.clock.now()
        invitations.decline(database, services.encryption, serial, str(body.id), now)
    return no_store(Response(), 204)

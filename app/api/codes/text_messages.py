"""Endpoints for the citizen's switch for text messages: whether they want them, and whether any would arrive."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.citizens.documents import mask_phone
from app.notifications.sms import switch
from app.notifications.sms.switch import SmsChoice
from app.web import SESSION, RequestBody, current_session, get_services, json_response, limits
from app.web.own_record import begin_own, own_code
from app.web.problems import problem_responses

views = APIBlueprint(
    "text-messages",
    __name__,
    abp_tags=[Tag(name="Codes", description="The code, its reasons and its history")],
)


class TextMessagesOut(BaseModel):
    """The switch, and the number that it is about, masked."""

    offered: bool = Field(description="Whether this installation sends text messages")
    on: bool
    phone: str | None = Field(description="Masked; null without a phone")
    obstacle: str | None = Field(
        description="Why none would arrive: no-phone, unconfirmed-phone, foreign-phone, sms-stopped (somebody replied "
        "from this number), sms-undeliverable"
    )


class TextMessagesBody(RequestBody):
    on: bool


@views.get("/api/v1/accounts/me/text-messages", responses={200: TextMessagesOut}, security=SESSION)
def show_text_messages() -> Response:
    """Show whether the caller may be sent a text message when no message in WeChat reaches them."""
    services = get_services()
    with services.sessions() as database:
        choice = switch.read(services, database, own_code(database).serial, services.clock.now())
    return _answer(choice)


def _answer(choice: SmsChoice) -> Response:
    shown = TextMessagesOut(
        offered=choice.offered,
        on=choice.on,
        phone=mask_phone(choice.phone) if choice.phone else None,
        obstacle=choice.obstacle,
    )
    return json_response(shown)


@views.put(
    "/api/v1/accounts/me/text-messages", responses={200: TextMessagesOut, **problem_responses(429)}, security=SESSION
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.declaration), key_func=limits.per_session)
def switch_text_messages(body: TextMessagesBody) -> Response:
    """Switch the caller's text messages on or off; what is already on its way arrives."""
    services, serial = get_services(), current_session().serial
    with begin_own() as database:
        switch.choose(database, serial, body.on, services.clock.now())
        choice = switch.read(services, database, serial, services.clock.now())
    return _answer(choice)

"""The endpoint for the changes of the codes that the caller shows, by name."""

from flask import Response
from pydantic import BaseModel

from app.api.families.members import views
from app.citizens import accounts
from app.codes.states import State
from app.core.clock import rfc3339
from app.core.texts import text
from app.families import notices
from app.families.notices import FamilyChange
from app.web import SESSION, get_services, json_response, language
from app.web.own_record import own_code


class FamilyNoticeOut(BaseModel):
    """A change of a member's code; `member` is their id in /family, `name` is masked."""

    member: str
    name: str
    at: str
    previous: str
    state: str
    word: str
    title: str
    advice: str


class FamilyNoticesOut(BaseModel):
    notices: list[FamilyNoticeOut]


@views.get("/notices", responses={200: FamilyNoticesOut}, security=SESSION)
def list_notices() -> Response:
    """List the last changes of the codes that the caller shows, newest first, each since they may show it."""
    services = get_services()
    with services.sessions() as database:
        found = notices.inbox(database, own_code(database).serial, services.clock.now())
        names = {
            change.tie.dependant: profile.name
            for change in found
            if (profile := accounts.get_profile(database, services.encryption, change.tie.dependant)) is not None
        }
    shown = [_notice_out(change, names.get(change.tie.dependant, "")) for change in found]
    return json_response(FamilyNoticesOut(notices=shown))


def _notice_out(change: FamilyChange, name: str) -> FamilyNoticeOut:
    decision, state = change.decision, State(change.decision.state)
    words = get_services().policy.text(decision.rule, language(), decision.decided_at)
    return FamilyNoticeOut(
        member=change.tie.id,
        name=name,
        at=rfc3339(decision.decided_at),
        previous=State(decision.previous_state).name,
        state=state.name,
        word=text("states", state.name, language()),
        title=words.title,
        advice=words.advice,
    )

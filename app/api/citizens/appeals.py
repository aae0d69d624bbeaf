"""Endpoints for appeals (纠错): file one, and list one's own with their answers."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session as Database

from app.appeals import appeals, attachments
from app.appeals.answers import compose_answer as answer_of
from app.appeals.models import Appeal
from app.codes.models import DecisionRow
from app.codes.states import State
from app.core.clock import rfc3339
from app.web import SESSION, RequestBody, bodies, current_session, get_services, json_response, language, limits
from app.web.own_record import begin_own, own_code
from app.web.problems import problem_responses

views = APIBlueprint(
    "appeals",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Appeals", description="Objections to a decision, and their answers")],
)


class AppealBody(RequestBody):
    text: str = Field(min_length=1, description=f"At most {appeals.MAX_TEXT_LENGTH} characters", repr=False)
    attachments: list[str] = Field(
        default=[],
        repr=False,
        description=f"At most {attachments.MAX_ATTACHMENTS}: JPEG, PNG or PDF, each of 2 MB at most, as base64",
    )


class AppealOut(BaseModel):
    """An appeal, and its answer once it is resolved."""

    id: int = Field(description="The number of the appeal among the caller's own")
    filed_at: str
    decided_at: str = Field(description="When the disputed decision was made")
    decided_state: str
    text: str | None = Field(description="Null once it is erased, 90 days after the appeal was resolved")
    state: str = Field(description="`open`, `upheld`, `mended` (overturned) or `withdrawn`")  # words: ok
    due_at: str
    escalated: bool = Field(description="Overdue: officers of the whole province see it")
    settled_at: str | None
    answer: list[str] = Field(description="Sentences that quote the record; empty while it is open")


class AppealsOut(BaseModel):
    appeals: list[AppealOut]


@bodies.before_reading("/api/v1/appeals")
@limits.limiter.limit(limits.from_settings(lambda limit: limit.appeal), key_func=limits.per_session)
def require_right() -> None:
    """Require the right to appeal before megabytes are read and pictures are decoded."""
    with get_services().sessions() as database:
        appeals.require_right(database, own_code(database).serial, get_services().clock.now())


@views.post("/appeals", responses={201: AppealOut, **problem_responses(404, 409, 429)}, security=SESSION)
def file(body: AppealBody) -> Response:
    """Appeal against the decision in force about one's code; it is resolved within 24 hours.

    409 `appeal-open` while an earlier one is open, 409 `nothing-to-appeal` while the code is green, 429
    `appeals-too-many` after three in seven days.
    """
    limit = get_services().settings.limits
    pictures = attachments.PictureLimits(limit.picture_pixels, limit.picture_wait_seconds)
    attached = attachments.decode_attachments(body.attachments, pictures, appeals.find_text_errors(body.text))
    with begin_own() as database:
        now = get_services().clock.now()
        new = appeals.NewAppeal(current_session().serial, body.text, attached)
        appeal = appeals.file_appeal(database, get_services().encryption, new, now)
        number = len(appeals.list_own(database, current_session().serial))
        out = appeal_out(database, appeal, number)
    return json_response(out, 201)


@views.get("/appeals", responses={200: AppealsOut}, security=SESSION)
def own() -> Response:
    """List the caller's appeals, newest first, with their answers."""
    with get_services().sessions() as database:
        own = appeals.list_own(database, current_session().serial)
        mine = [appeal_out(database, appeal, len(own) - place) for place, appeal in enumerate(own)]
    return json_response(AppealsOut(appeals=mine))


_STATES = {"overturned": "mended"}  # the slug of /api/v1, which clients compare


def appeal_out(database: Database, appeal: Appeal, number: int) -> AppealOut:
    """Return an appeal in the shape of the API; `number` is its place among those of the citizen."""
    decision = database.get_one(DecisionRow, appeal.decision_id)
    return AppealOut(
        id=number,
        filed_at=rfc3339(appeal.filed_at),
        decided_at=rfc3339(decision.decided_at),
        decided_state=State(decision.state).name,
        text=appeals.decrypt_text(get_services().encryption, appeal),
        state=_STATES.get(appeal.state, appeal.state),
        due_at=rfc3339(appeal.due_at),
        escalated=appeal.escalated_at is not None,
        settled_at=None if appeal.resolved_at is None else rfc3339(appeal.resolved_at),
        answer=answer_of(database, get_services().policy, appeal, language()),
    )

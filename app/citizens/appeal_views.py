"""The citizen's doors to appeals (纠错): to file one, and to see what became of one's own."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session as Database

from app.clock import rfc3339
from app.codes.models import DecisionRow
from app.codes.states import State
from app.officers import appeals, attachments
from app.officers.appeal_answers import answer as answer_of
from app.officers.appeal_models import Appeal
from app.web import SESSION, Body, answer, language, limits, services, session
from app.web.problems import refused

views = APIBlueprint(
    "appeals",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Appeals", description="Objections to a decision, and their answers")],
)


class AppealBody(Body):
    text: str = Field(min_length=1, description=f"At most {appeals.LONGEST} characters", repr=False)
    attachments: list[str] = Field(
        default=[],
        repr=False,
        description=f"At most {attachments.MOST}: JPEG, PNG or PDF, each of 2 MB at most, as base64",
    )


class AppealOut(BaseModel):
    """An appeal, and its answer once it is settled."""

    id: int
    filed_at: str
    decided_at: str = Field(description="When the decision was made that the appeal is about")
    decided_state: str
    text: str | None = Field(description="Null once it is erased, 90 days after the appeal was settled")
    state: str = Field(description="open, upheld (the decision was right), mended or withdrawn")
    due_at: str
    escalated: bool = Field(description="Nobody has settled it in time: the whole province sees it")
    settled_at: str | None
    answer: list[str] = Field(description="Sentences that quote the record; none while it is open")


class AppealsOut(BaseModel):
    appeals: list[AppealOut]


@views.post("/appeals", responses={201: AppealOut, **refused(404, 409, 429)}, security=SESSION)
@limits.limiter.limit(limits.of(lambda limit: limit.appeal), key_func=limits.per_session)
def file(body: AppealBody) -> Response:
    """Appeal against the decision about one's code that is in force; it is settled within 24 hours.

    409 `appeal-open` while an earlier one is open, 429 `appeals-too-many` after three in seven days.
    """
    attached = attachments.read(body.attachments)
    with services().begin() as database:
        now = services().clock.now()
        appeal = appeals.file(database, services().vault, session().serial, body.text, attached, now)
        out = _out(database, appeal)
    return answer(out, 201)


@views.get("/appeals", responses={200: AppealsOut}, security=SESSION)
def own() -> Response:
    """The caller's appeals, newest first, with their answers."""
    with services().sessions() as database:
        mine = [_out(database, appeal) for appeal in appeals.own(database, session().serial)]
    return answer(AppealsOut(appeals=mine))


def _out(database: Database, appeal: Appeal) -> AppealOut:
    decision = database.get_one(DecisionRow, appeal.decision_id)
    return AppealOut(
        id=appeal.id,
        filed_at=rfc3339(appeal.filed_at),
        decided_at=rfc3339(decision.decided_at),
        decided_state=State(decision.state).name,
        text=appeals.text_of(services().vault, appeal),
        state=appeal.state,
        due_at=rfc3339(appeal.due_at),
        escalated=appeal.escalated_at is not None,
        settled_at=None if appeal.settled_at is None else rfc3339(appeal.settled_at),
        answer=answer_of(database, services().policy, appeal, language()),
    )

"""The interfaces for partners. An answer is in the envelope of the platform, with its code "200".

Whatever is refused is a problem as everywhere; its type is the code that says why, and each is counted.
"""

from collections.abc import Callable
from typing import Annotated, Final, Literal

from flask import Response
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, Field

from app.api.partners.caller import PATH, SIGNED, TAG, current_partner, measure, per_partner, rate
from app.api.stations.offline_checks import ScannedText
from app.codes.evidence import new_id
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.core.texts import problem_status, text
from app.partners import answers, counts
from app.partners.answers import CodeAnswer
from app.partners.models import Interface
from app.web import RequestBody, get_services, json_response, language, limits
from app.web.problems import problem_responses

views = APIBlueprint("partners", __name__, url_prefix=PATH, abp_tags=[TAG])
views.after_request(measure)

_DONE: Final = {"code": "200", "message": "success"}  # as the envelope of the platform says it
_OURS = 500  # a problem from this status on says nothing of the question
Reference = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$", description="Of the partner; it comes back")
]


class VerificationBody(RequestBody):
    """What `verification` asks; `issuer` is who is meant to have issued the code."""

    reference: Reference
    token: ScannedText
    issuer: str | None = Field(default=None, max_length=31)
    region: str | None = Field(default=None, max_length=6, description="Of the issuer; not read")


class QueryBody(RequestBody):
    """What `query` asks: the code on a screen, shown for this."""

    reference: Reference
    token: ScannedText


class CorrectionBody(QueryBody):
    """What `correction` files, in the words of who shows the code."""

    text: str = Field(max_length=1000, repr=False, description="Up to 500 characters, as in the mini-program")
    consent: Literal[True] = Field(description="The holder has agreed to these words")


class PartnerData(BaseModel):
    """The content of an answer."""

    question: str = Field(description="The reference of the question")


class VerificationData(PartnerData):
    """What a code says now."""

    reference: str = Field(description="Of this answer; kept nowhere")
    state: str = Field(description="UNVERIFIED, GREEN, YELLOW, ORANGE or RED, as of `checked_at`")
    word: str = Field(description="The state in the language of the caller")
    action: str = Field(description="What a station here does: pass, measure or stop")
    checked_at: str
    valid_until: str = Field(description="Ask again from then on")


class QueryData(VerificationData):
    """The same, and since when the state is so."""

    since: str


class PartnerCorrectionData(PartnerData):
    """That the appeal is filed."""

    due_at: str = Field(description="Until when an officer answers it, to its holder alone")


class _Answer(BaseModel):
    """The envelope."""

    code: str = Field(description="200: done")
    message: str


class VerificationOut(_Answer):
    data: VerificationData


class QueryOut(_Answer):
    data: QueryData


class PartnerCorrectionOut(_Answer):
    data: PartnerCorrectionData


_REFUSED = problem_responses(404, 409, 410, 429)
_limited = limits.limiter.limit(rate, key_func=per_partner)


@views.post("/verification", responses={200: VerificationOut, **_REFUSED}, security=SIGNED)
@_limited
def verify(body: VerificationBody) -> Response:
    """Verify a code that somebody shows to the partner (验码): its state now, and what a station does."""

    def ask() -> BaseModel:
        found = answers.verify(get_services(), body.token, body.issuer)
        return VerificationOut(**_DONE, data=VerificationData(**_of_code(body.reference, found)))

    return _answer(Interface.VERIFICATION, ask)


@views.post("/query", responses={200: QueryOut, **_REFUSED}, security=SIGNED)
@_limited
def query(body: QueryBody) -> Response:
    """Return the state of who shows the code on their screen (查询), and since when; never by a name or number."""

    def ask() -> BaseModel:
        found = answers.query(get_services(), body.token)
        data = QueryData(**_of_code(body.reference, found), since=rfc3339(found.since))
        return QueryOut(**_DONE, data=data)

    return _answer(Interface.QUERY, ask)


@views.post("/correction", responses={200: PartnerCorrectionOut, **_REFUSED}, security=SIGNED)
@_limited
def correct(body: CorrectionBody) -> Response:
    """File the appeal (纠错) of who shows the code on their screen; the answer goes to them alone."""

    def file() -> BaseModel:
        due_at = answers.correct(get_services(), current_partner().id, body.token, body.text)
        return PartnerCorrectionOut(
            **_DONE, data=PartnerCorrectionData(question=body.reference, due_at=rfc3339(due_at))
        )

    return _answer(Interface.CORRECTION, file)


@views.post("/health-declaration", responses=_REFUSED, security=SIGNED)
@_limited
def declare_health() -> Response:
    """Not offered (健康申报): a person declares in the mini-program, as who they are."""
    return _answer(Interface.HEALTH_DECLARATION, _not_offered)


@views.post("/trip-declaration", responses=_REFUSED, security=SIGNED)
@_limited
def declare_trip() -> Response:
    """Not offered (行程申报): no trips are kept."""
    return _answer(Interface.TRIP_DECLARATION, _not_offered)


@views.post("/code-call", responses=_REFUSED, security=SIGNED)
@_limited
def call_code() -> Response:
    """Not offered (亮码调用申请): a code is shown by its holder alone."""
    return _answer(Interface.CODE_CALL, _not_offered)


@views.post("/code-making", responses=_REFUSED, security=SIGNED)
@_limited
def make_code() -> Response:
    """Not offered (制码): a code is made for its holder alone."""
    return _answer(Interface.CODE_MAKING, _not_offered)


def _not_offered() -> BaseModel:
    raise Problem("partner-not-offered")


def _of_code(question: str, found: CodeAnswer) -> dict[str, str]:
    return {
        "question": question,
        "reference": str(new_id()),
        "state": found.state.name,
        "word": text("states", found.state.name, language()),
        "action": found.action,
        "checked_at": rfc3339(found.checked_at),
        "valid_until": rfc3339(found.valid_until),
    }


def _answer(interface: Interface, ask: Callable[[], BaseModel]) -> Response:
    """Answer, and count it; what is refused is counted by the slug of its problem."""
    services, partner = get_services(), current_partner().id
    try:
        answer = ask()
    except Problem as problem:
        if problem_status(problem.slug) < _OURS:
            counts.count(services, partner, interface, problem.slug)
        raise
    counts.count(services, partner, interface, counts.ANSWERED)
    return json_response(answer)

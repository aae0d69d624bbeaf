"""Endpoints for terminals that only speak the shape of their maker; each answers in that shape, and with less.

No name, no phone and no number goes back, whatever the shape has room for. What a terminal would open on is `00`, and
`00` is said of green alone.
"""

from typing import Final

from flask import Response
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, Field

from app.api.devices.caller import TAG, current_device
from app.api.devices.checks import DeviceCheckOut, check_out
from app.core.errors import Problem
from app.core.texts import text
from app.devices import checks, shapes
from app.devices.checks import DeviceCheck
from app.devices.registry import CODE_GUN, SIGNED_GATE
from app.web import RequestBody, get_services, json_response, language
from app.web.problems import problem_responses

views = APIBlueprint("device-shapes", __name__, url_prefix="/adapters", abp_tags=[TAG])

BASIC: Final[list[dict[str, list[str]]]] = [{"terminal": []}]
# as the firmware of several makers reads them; an orange code has no sign of its own, and must not open
GRADES: Final = {"GREEN": "00", "YELLOW": "01", "ORANGE": "10", "RED": "10"}
OPEN: Final = "pass"


class CodeGunBody(RequestBody):
    """What a code gun posts."""

    cardNoType: int = Field(ge=1, le=2, description="1: the number of an identity card; 2: the text of a code")  # noqa: N815
    idCardNo: str = Field(max_length=1024, repr=False)  # noqa: N815
    temperature: str = Field(max_length=8, description="0 without a sensor")
    deviceIndexCode: str = Field(max_length=64, description="Of the maker; not read")  # noqa: N815


class CodeGunOut(BaseModel):
    code: int = Field(description="0: let pass; 1: do not")
    msg: str
    status: str = Field(description="00 green, 01 yellow, 10 orange and red; empty for everything else")


class SignedGateBody(RequestBody):
    """What a gate posts. Its maker's example sends the secret, too: it is not read, and better left out."""

    secretKey: str | None = Field(default=None, max_length=100, repr=False)  # noqa: N815
    appId: str = Field(max_length=20)  # noqa: N815
    timestamp: str = Field(max_length=16)
    sign: str = Field(max_length=64)
    code_content: str | None = Field(default=None, max_length=1024, repr=False)
    certificate_id: str | None = Field(default=None, max_length=100, repr=False)
    certificate_type: str | None = Field(default=None, max_length=4)
    name: str | None = Field(default=None, max_length=200, repr=False)


class SignedGateData(BaseModel):
    risk_assessment_grade: str
    reason: str
    guide: str
    report_expired: bool
    qrcode_expired: bool


class SignedGateOut(BaseModel):
    errcode: int
    errmsg: str
    data: SignedGateData


@views.post(f"/{CODE_GUN}", responses={200: CodeGunOut, **problem_responses(409, 429, 504)}, security=BASIC)
def code_gun(body: CodeGunBody) -> Response:
    """Check what a code gun has read. A number without a name is not looked up: it is asked for the code."""
    done = _check(shapes.read_code_gun(body.model_dump()))
    if isinstance(done, str):
        return json_response(CodeGunOut(code=1, msg=_words(done), status=""))
    return json_response(CodeGunOut(code=0 if done.action == OPEN else 1, msg=done.instruction, status=_grade(done)))


@views.post(f"/{SIGNED_GATE}", responses={200: SignedGateOut, **problem_responses(409, 429, 504)})
def signed_gate(body: SignedGateBody) -> Response:
    """Check the code, or the document with its name, that a gate has read."""
    done = _check(shapes.read_signed_gate(get_services(), body.model_dump()))
    if isinstance(done, str):
        data = SignedGateData(
            risk_assessment_grade="", reason="", guide=_words(done), report_expired=False,
            qrcode_expired=done == "token-expired",
        )  # fmt: skip
        return json_response(SignedGateOut(errcode=0, errmsg="SUCCESS", data=data))
    data = SignedGateData(
        risk_assessment_grade=_grade(done),
        reason=done.word,
        guide=done.instruction,
        report_expired=done.outcome == "expired",
        qrcode_expired=False,
    )
    return json_response(SignedGateOut(errcode=0, errmsg="SUCCESS", data=data))


def _grade(done: DeviceCheckOut) -> str:
    """Return the grade; green opens by itself, so it is not said of a code that is not let pass."""
    return GRADES.get(done.state or "", "") if done.action == OPEN or done.state != "GREEN" else ""


def _check(asked: DeviceCheck | None) -> DeviceCheckOut | str:
    """Return the check; where there is none to make, or what was shown is no code, the slug of what to say."""
    if asked is None:
        return "ask"
    try:
        return check_out(checks.check(get_services(), current_device(), asked))
    except Problem as problem:
        if not problem.slug.startswith(("token-", "strip-", "paper-", "foreign-", "not-declared")):
            raise
        return problem.slug


def _words(slug: str) -> str:
    if slug == "ask":
        return text("document-checks", "ask", language())
    return text("problems", slug, language())

"""The code's doors: home, 查看吉祥码, the picture, and the published keys. What was before is in `history_views`."""

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.clock import rfc3339
from app.codes import history_views, menu, qr, showing
from app.codes.showing import Reason, Shown
from app.texts import text
from app.web import SESSION, answer, current_code, language, private, services, session
from app.web.problems import RESPONSES

views = APIBlueprint(
    "codes",
    __name__,
    abp_tags=[Tag(name="Codes", description="The code, its reasons and its history")],
    abp_responses=RESPONSES,
)
views.register_api(history_views.views)


def _picture(kind: str) -> dict[str, Any]:
    return {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}}


class HomeEntry(BaseModel):
    id: str
    title: str
    page: str
    call: str


class HomeColumn(BaseModel):
    id: str
    title: str
    entries: list[HomeEntry]


class HomeOut(BaseModel):
    title: str
    columns: list[HomeColumn]


@views.get("/api/v1/home", responses={200: HomeOut})
def home() -> Response:
    """The service hall's home page; the column 人人有码、码上行动 leads to the code."""
    zh = language() == "zh"
    columns = [
        HomeColumn(
            id=column.id,
            title=column.zh if zh else column.en,
            entries=[
                HomeEntry(id=entry.id, title=entry.zh if zh else entry.en, page=entry.page, call=entry.call)
                for entry in column.entries
            ],
        )
        for column in menu.HOME
    ]
    title = "吉林省网上办事大厅" if zh else "Jilin Provincial Online Government Service Hall"
    return answer(HomeOut(title=title, columns=columns))


class ReasonOut(BaseModel):
    rule: str
    title: str
    explanation: str
    advice: str
    since: str
    until: str | None
    authorities: list[str]


class MissingOut(BaseModel):
    id: str
    text: str


class CodeOut(BaseModel):
    """The code on the holder's screen."""

    state: str
    color: str | None = Field(description="Null while the code is unverified")
    word: str
    reasons: list[ReasonOut]
    missing: list[MissingOut]
    token: str = Field(description="The text of the QR code, which a phone draws by itself")
    expires_in: int = Field(description="Seconds until the token ends")
    renew_in: int = Field(description="Seconds after which to ask again")
    as_of: str
    stale: bool = Field(description="The last color known, because the database is out of reach")


@views.get("/api/v1/code", responses={200: CodeOut}, security=SESSION)
def code() -> Response:
    """查看吉祥码: state, color, reasons, and a fresh token."""
    shown = _shown()
    tokens = services().settings.tokens
    return answer(
        CodeOut(
            state=shown.state.name,
            color=shown.state.color,
            word=text("states", shown.state.name, language()),
            reasons=[_reason(reason) for reason in shown.reasons],
            missing=[MissingOut(id=id_, text=text("missing", id_, language())) for id_ in shown.missing],
            token=shown.token,
            expires_in=tokens.life_seconds,
            renew_in=tokens.life_seconds - tokens.renew_before_seconds,
            as_of=rfc3339(services().clock.now()),
            stale=shown.stale,
        )
    )


@views.get("/api/v1/code.svg", responses={200: _picture("image/svg+xml")}, security=SESSION)
def code_svg() -> Response:
    """The code as SVG, in its colored frame."""
    shown = _shown()
    return private(Response(qr.svg(shown.token, shown.state, language()), mimetype="image/svg+xml"))


@views.get("/api/v1/code.png", responses={200: _picture("image/png")}, security=SESSION)
def code_png() -> Response:
    """The code as PNG, in its colored frame."""
    shown = _shown()
    return private(Response(qr.png(shown.token, shown.state, language()), mimetype="image/png"))


def _shown() -> Shown:
    return showing.show(services(), session().serial, current_code())


def _reason(reason: Reason) -> ReasonOut:
    words = services().policy.text(reason.rule, language())
    return ReasonOut(
        rule=reason.rule,
        title=words.title,
        explanation=words.explanation,
        advice=words.advice,
        since=rfc3339(reason.since),
        until=None if reason.until is None else rfc3339(reason.until),
        authorities=list(reason.authorities),
    )


@views.get(
    "/.well-known/jixiang-keys", responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}}
)
def published_keys() -> Any:
    """The public keys with which anyone verifies a code without network (see docs/token.md)."""
    return services().tokens.key_set(services().clock.now()), 200, {"Cache-Control": "public, max-age=300"}

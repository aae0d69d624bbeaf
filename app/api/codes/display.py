"""Endpoints for the code: home, 查看吉祥码 and its picture; and the documents that everybody may check us by.

Past changes are in `history.py`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from flask import Response, g, request
from flask_openapi3 import APIBlueprint, Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError

from app.api.citizens.recovery import RecoveryOut, find_recovery
from app.api.codes.numbers import NumbersOut, numbers_out
from app.api.ending import EndingOut, ending_out
from app.api.responses import CodeOut, code_response
from app.audit import checkpoints
from app.codes import display, qr
from app.codes.display import DisplayedCode
from app.codes.paper import revocations
from app.codes.states import State
from app.codes.tokens import StripHolder, strips
from app.core.clock import rfc3339
from app.core.session_tokens import SessionKind
from app.core.texts import text
from app.follow_ups.shown import Shown, list_of_holder
from app.web import SESSION, current_code, current_session, get_services, json_response, language, limits, no_store
from app.web.problems import problem_responses
from app.wechat import menu

views = APIBlueprint(
    "codes",
    __name__,
    abp_tags=[Tag(name="Codes", description="The code, its reasons and its history")],
)


def _picture(kind: str) -> dict[str, Any]:
    return {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}}


class PictureQuery(BaseModel):
    """The size of the picture: pixels a module."""

    model_config = ConfigDict(extra="forbid")

    module: Literal["4", "12"] = Field(
        default="4", description="Pixels a module: 4, which every reader of files reads best, or 12 for large prints"
    )


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
    ending: EndingOut | None = Field(description="The announced end of the service")
    numbers: NumbersOut
    session_good: bool | None = Field(
        description="Whether the session that was sent is good; null where none was sent, or it is not known now"
    )
    recovery: RecoveryOut | None = Field(
        description="As from `/api/v1/accounts/me/recovery`, for a good session of WeChat that was sent"
    )


@views.get("/api/v1/home", responses={200: HomeOut})
def home() -> Response:
    """Return the service hall's home page; its column 人人有码、码上行动 leads to the code.

    A session may be sent with it: a phone asks so in one call whether it was unbound at a service window.
    """
    columns = [
        HomeColumn(
            id=column.id,
            title=column.title(language()),
            entries=[
                HomeEntry(id=entry.id, title=entry.title(language()), page=entry.page, call=entry.call)
                for entry in column.entries
            ],
        )
        for column in menu.home_menu()
    ]
    return json_response(
        HomeOut(
            title=text("home-menu", "title", language()),
            columns=columns,
            ending=ending_out(get_services().generation.service, language()),
            numbers=numbers_out(),
            **_about_session(),
        )
    )


def _about_session() -> dict[str, Any]:
    """Return what the home page says about a session that was sent; without the database it says nothing of one."""
    if not request.headers.get("Authorization"):
        return {"session_good": None, "recovery": None}
    if g.session is None or g.session.kind is not SessionKind.CITIZEN:
        return {"session_good": False, "recovery": None}
    try:
        return {"session_good": True, "recovery": find_recovery(g.session.subject)}
    except SQLAlchemyError:
        return {"session_good": None, "recovery": None}


@views.get("/api/v1/code", responses={200: CodeOut, **problem_responses(404)}, security=SESSION)
def code() -> Response:
    """Return the code (查看吉祥码): state, color, reasons, and a fresh token."""
    services, shown = get_services(), _displayed_code()
    follow_ups: Sequence[Shown] = ()
    if shown.state >= State.ORANGE and not shown.stale:
        with services.sessions() as database:
            follow_ups = list_of_holder(database, current_session().serial)
    return json_response(code_response(services, shown, language(), services.clock.now(), follow_ups))


@views.get("/api/v1/code.svg", responses={200: _picture("image/svg+xml"), **problem_responses(404)}, security=SESSION)
def code_svg() -> Response:
    """Return the code as SVG, in its colored frame."""
    shown = _displayed_code()
    return no_store(Response(qr.svg(shown.token, shown.state, language()), mimetype="image/svg+xml"))


@views.get("/api/v1/code.png", responses={200: _picture("image/png"), **problem_responses(404, 422)}, security=SESSION)
def code_png(query: PictureQuery) -> Response:
    """Return the code as PNG, in its colored frame."""
    shown = _displayed_code()
    picture = qr.png(shown.token, shown.state, language(), int(query.module))
    return no_store(Response(picture, mimetype="image/png"))


def _displayed_code() -> DisplayedCode:
    return display.display_code(get_services(), current_session().serial, current_code())


class StripQuery(BaseModel):
    """For how many hours."""

    model_config = ConfigDict(extra="forbid")

    hours: int = Field(default=12, ge=1, le=24, description="At most `tokens.strip_hours`, 12; more is cut to that")


class StripTokenOut(BaseModel):
    token: str = Field(description="The text of the QR code in its window")
    begins_at: str
    ends_at: str


class StripOut(BaseModel):
    """Codes for the coming hours. The phone shows one of them only while it has no network, with `as_of`."""

    state: str
    color: str | None
    word: str
    as_of: str
    strip: list[StripTokenOut]


@views.get("/api/v1/code/strip", responses={200: StripOut, **problem_responses(404, 429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.strips), key_func=limits.per_session)
def strip(query: StripQuery) -> Response:
    """Return codes for the coming hours without network, each for a window of minutes, with the color of now.

    With network the present color counts at a station; a log-out on any device ends them there.
    """
    services, now, shown = get_services(), get_services().clock.now(), _displayed_code()
    tokens = services.settings.tokens
    hours = timedelta(hours=min(query.hours, tokens.strip_hours))
    length = strips.StripLength(hours, timedelta(minutes=tokens.strip_minutes))
    holder = StripHolder(current_session().serial, current_code().record.epoch, shown.state)
    made = [
        StripTokenOut(token=one.token, begins_at=rfc3339(one.window.begins_at), ends_at=rfc3339(one.window.ends_at))
        for one in strips.make_strip(services.strip_tokens, holder, now, length)
    ]
    word = text("states", shown.state.name, language())
    return json_response(
        StripOut(state=shown.state.name, color=shown.state.color, word=word, as_of=rfc3339(now), strip=made)
    )


_OBJECT: ResponseDict = {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}
_PUBLIC = {"Cache-Control": "public, max-age=300"}


@views.get("/.well-known/jixiang-keys", responses=_OBJECT)
def published_keys() -> Any:
    """Return the public keys with which anyone verifies a code without network (see docs/reference/token.md)."""
    return get_services().tokens.key_set(get_services().clock.now()), 200, _PUBLIC


@views.get(
    "/.well-known/jixiang-revoked",
    responses={200: _picture("application/cose")},
    tags=[Tag(name="Paper", description="The card on paper")],
)
def published_revocations() -> Response:
    """Return the signed revocation list of cards on paper (see docs/reference/token.md); its version is the ETag.

    A card that it lists may have been reported lost: ask for the document. One that it does not list was not.
    """
    services = get_services()
    with services.begin() as database:
        if (version := revocations.find_version(database)) is None:  # before the worker has made the first
            revocations.refresh(database, services.paper_tokens, services.clock.now())
            version = revocations.find_version(database)
        known = request.if_none_match.contains(str(version))
        response = Response(b"" if known else revocations.get_content(database), mimetype="application/cose")
    response.headers["Cache-Control"] = "public, max-age=60"
    response.set_etag(str(version))
    response.status_code = 304 if known else 200
    return response


@views.get(
    "/.well-known/jixiang-audit", responses=_OBJECT, tags=[Tag(name="Audit", description="The chain of the audit log")]
)
def published_checkpoints() -> Any:
    """Return the signed checkpoints of the audit chain of the last 90 days, newest first (docs/decisions/0016).

    Whoever keeps them can prove a later change of the chain.
    """
    with get_services().sessions() as database:
        return checkpoints.published_checkpoints(database, get_services().clock.now()), 200, _PUBLIC

"""The code's doors: the home page, 查看吉祥码, the rendered code, its history, the inbox, and the published keys."""

from datetime import datetime
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from app.clock import rfc3339
from app.codes import menu, qr, showing
from app.codes.models import DecisionRow, EvidenceRow, Notice
from app.codes.showing import Reason, Shown
from app.codes.states import State
from app.texts import LANGUAGES, text
from app.web import SESSION, answer, current_code, language, private, services, session
from app.web.problems import RESPONSES

views = APIBlueprint(
    "codes",
    __name__,
    abp_tags=[Tag(name="Codes", description="The code, its reasons and its history")],
    abp_responses=RESPONSES,
)


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
    token: str = Field(description="The text of the QR code; it ends after a minute")
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


class PageQuery(BaseModel):
    """Where to go on in a list: `next` of the answer before."""

    model_config = ConfigDict(extra="forbid")

    before: int | None = Field(default=None, ge=1, le=2**62)


class EvidenceOut(BaseModel):
    id: str
    kind: str
    at: str
    authority: str
    reference: str
    facts: dict[str, Any]
    withdrawn_at: str | None
    withdrawn_for: str | None


class RuleOut(BaseModel):
    """A rule in both languages, so that a printed history can be read by anyone."""

    rule: str
    title: dict[str, str]
    explanation: dict[str, str]
    advice: dict[str, str]
    reference: str = Field(description="The document that the rule comes from")


class ChangeOut(BaseModel):
    decided_at: str
    previous: str
    state: str
    color: str | None
    rule: RuleOut
    rules: list[str] = Field(description="Every rule that applied, the most severe first")
    evidence: list[EvidenceOut]
    missing: list[str]
    since: str
    until: str | None
    policy_version: str


class HistoryOut(BaseModel):
    changes: list[ChangeOut]
    next: int | None


@views.get("/api/v1/code/history", responses={200: HistoryOut}, security=SESSION)
def history(query: PageQuery) -> Response:
    """Every decision about the caller's code: rule, evidence, authority and times, in Chinese and English."""
    with services().sessions() as database:
        changes = showing.history(database, session().serial, _PAGE, query.before)
    return answer(
        HistoryOut(
            changes=[_change(change.decision, change.evidence) for change in changes],
            next=changes[-1].decision.version if len(changes) == _PAGE else None,
        )
    )


_PAGE = 50


def _change(decision: DecisionRow, evidence: tuple[EvidenceRow, ...]) -> ChangeOut:
    return ChangeOut(
        decided_at=rfc3339(decision.decided_at),
        previous=State(decision.previous_state).name,
        state=State(decision.state).name,
        color=State(decision.state).color,
        rule=_rule(decision.rule, decision.decided_at),
        rules=[rule["rule"] for rule in decision.rules],
        evidence=[_evidence(row) for row in evidence],
        missing=decision.missing,
        since=rfc3339(decision.since),
        until=_time(decision.until),
        policy_version=decision.policy_version,
    )


def _rule(rule: str, at: datetime) -> RuleOut:
    """A rule in the words of that day, whatever it is called by now."""
    words = {tongue: services().policy.text(rule, tongue, at) for tongue in LANGUAGES}
    return RuleOut(
        rule=rule,
        title={tongue: words[tongue].title for tongue in LANGUAGES},
        explanation={tongue: words[tongue].explanation for tongue in LANGUAGES},
        advice={tongue: words[tongue].advice for tongue in LANGUAGES},
        reference=words["zh"].reference,
    )


def _evidence(row: EvidenceRow) -> EvidenceOut:
    return EvidenceOut(
        id=row.id,
        kind=row.kind,
        at=rfc3339(row.at),
        authority=row.authority,
        reference=row.reference,
        facts=row.facts,
        withdrawn_at=_time(row.withdrawn_at),
        withdrawn_for=row.withdrawn_for,
    )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


class NoticeOut(BaseModel):
    id: int
    at: str
    previous: str
    state: str
    word: str
    title: str
    advice: str
    wechat: str = Field(description="What became of the WeChat message")


class NoticesOut(BaseModel):
    notices: list[NoticeOut]
    next: int | None


@views.get("/api/v1/notices", responses={200: NoticesOut}, security=SESSION)
def notices(query: PageQuery) -> Response:
    """The inbox: every change of color, whether or not WeChat could tell it."""
    with services().sessions() as database:
        rows = showing.inbox(database, session().serial, _PAGE, query.before)
    return answer(
        NoticesOut(
            notices=[_notice(notice, decision) for notice, decision in rows],
            next=rows[-1][0].id if len(rows) == _PAGE else None,
        )
    )


def _notice(notice: Notice, decision: DecisionRow) -> NoticeOut:
    state = State(decision.state)
    words = services().policy.text(decision.rule, language(), decision.decided_at)
    return NoticeOut(
        id=notice.id,
        at=rfc3339(notice.created_at),
        previous=State(decision.previous_state).name,
        state=state.name,
        word=text("states", state.name, language()),
        title=words.title,
        advice=words.advice,
        wechat=notice.delivery,
    )


@views.get(
    "/.well-known/jixiang-keys", responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}}
)
def published_keys() -> Any:
    """The public keys with which anyone verifies a code without network (see docs/token.md)."""
    return services().tokens.key_set(services().clock.now()), 200, {"Cache-Control": "public, max-age=300"}

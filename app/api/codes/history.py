"""Endpoints for the history of a code, with the reason of each change, and for the inbox of notices.

They only read the ledger, page by page; each change is described in the texts that were in force on its day.
"""

from datetime import datetime
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from app.codes import display
from app.codes.display import Page
from app.codes.models import DecisionRow, EvidenceRow, Notice
from app.codes.states import State
from app.core.clock import rfc3339
from app.core.texts import citizen_languages, reword, text
from app.notifications.models import AccountMessage
from app.web import SESSION, current_session, get_services, json_response, language

views = APIBlueprint(
    "history",
    __name__,
    abp_tags=[Tag(name="Codes", description="The code, its reasons and its history")],
)


class PageQuery(BaseModel):
    """The position in a list: `next` of the previous page."""

    model_config = ConfigDict(extra="forbid")

    before: int | None = Field(default=None, ge=1, le=2**62)


class VersionQuery(PageQuery):
    before: int | None = Field(default=None, ge=1, le=2**31 - 1)  # the range of a version in the database


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
    """A rule in every language, so that a printed history can be read by anyone."""

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
def history(query: VersionQuery) -> Response:
    """List every decision about the caller's code: rule, evidence, authority and times, in every language."""
    services, page = get_services(), Page(_PAGE, query.before)
    with services.sessions() as database:
        changes = display.history(database, services.policy, current_session().serial, services.clock.now(), page)
    return json_response(
        HistoryOut(
            changes=[change_out(change.decision, change.evidence) for change in changes],
            next=changes[-1].decision.version if len(changes) == _PAGE else None,
        )
    )


_PAGE = 50


def change_out(decision: DecisionRow, evidence: tuple[EvidenceRow, ...]) -> ChangeOut:
    """Return a decision in the shape of the API."""
    return ChangeOut(
        decided_at=rfc3339(decision.decided_at),
        previous=State(decision.previous_state).name,
        state=State(decision.state).name,
        color=State(decision.state).color,
        rule=_rule(decision.rule, decision.decided_at),
        rules=[rule["rule"] for rule in decision.applied_rules],
        evidence=[evidence_out(row) for row in evidence],
        missing=decision.missing,
        since=rfc3339(decision.since),
        until=_time(decision.until),
        policy_version=decision.policy_version,
    )


def _rule(rule: str, at: datetime) -> RuleOut:
    """Return a rule in the texts of that day, whatever the current ones."""
    words = {lang: get_services().policy.text(rule, lang, at) for lang in citizen_languages()}
    return RuleOut(
        rule=rule,
        title={lang: words[lang].title for lang in citizen_languages()},
        explanation={lang: words[lang].explanation for lang in citizen_languages()},
        advice={lang: words[lang].advice for lang in citizen_languages()},
        reference=words["zh"].reference,
    )


def evidence_out(row: EvidenceRow) -> EvidenceOut:
    """Return evidence in the shape of the API, its authority in the caller's language."""
    return EvidenceOut(
        id=row.id,
        kind=row.kind,
        at=rfc3339(row.at),
        authority=reword("authorities", row.authority, language()),
        reference=row.reference,
        facts=row.complete_facts,
        withdrawn_at=_time(row.withdrawn_at),
        withdrawn_for=row.withdrawn_for,
    )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


class NoticeOut(BaseModel):
    id: int = Field(description="The number of the change among those of this code")
    at: str
    previous: str
    state: str
    word: str
    title: str
    advice: str
    wechat: str = Field(description="The delivery state of the message, by whichever channel")
    channel: str | None = Field(description="How it went, or was last tried: subscription, official, sms; null before")


class MessageOut(BaseModel):
    """A message about the account, as it was sent, or was to be."""

    about: str = Field(description="recovery, correction, appeal, venue or family")
    at: str
    wechat: str = Field(description="The delivery state of the message, by whichever channel")
    channel: str | None = Field(description="How it went, or was last tried: subscription, official, sms; null before")


class NoticesOut(BaseModel):
    notices: list[NoticeOut]
    next: int | None


@views.get("/api/v1/notices", responses={200: NoticesOut}, security=SESSION)
def notices(query: PageQuery) -> Response:
    """List every change of color (the inbox), whether or not WeChat delivered a message."""
    services, page = get_services(), Page(_PAGE, query.before)
    with services.sessions() as database:
        rows = display.inbox(database, services.policy, current_session().serial, services.clock.now(), page)
    return json_response(
        NoticesOut(
            notices=[notice_out(notice, decision) for notice, decision in rows],
            next=rows[-1][1].version if len(rows) == _PAGE else None,
        )
    )


def message_out(row: AccountMessage) -> MessageOut:
    """Return a message about an account in the shape of the API."""
    return MessageOut(about=row.kind, at=rfc3339(row.created_at), wechat=row.delivery, channel=row.channel)


def notice_out(notice: Notice, decision: DecisionRow) -> NoticeOut:
    """Return a notice in the shape of the API, in the caller's language."""
    state = State(decision.state)
    words = get_services().policy.text(decision.rule, language(), decision.decided_at)
    return NoticeOut(
        id=decision.version,
        at=rfc3339(notice.created_at),
        previous=State(decision.previous_state).name,
        state=state.name,
        word=text("states", state.name, language()),
        title=words.title,
        advice=words.advice,
        wechat=notice.delivery,
        channel=notice.channel,
    )

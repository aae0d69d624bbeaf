"""The responses to showing and to checking a code: one shape each, used by the views and by the fast path."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from app.citizens.document_checks.checks import ASK, DocumentResult, Outcome
from app.codes.display import CodeReason, DisplayedCode
from app.codes.states import State
from app.core.clock import rfc3339
from app.core.texts import reword, text
from app.follow_ups.shown import Shown
from app.rules import Policy
from app.runtime import Services
from app.stations.checks import Check
from app.stations.foreign import ForeignCheck


class ReasonOut(BaseModel):
    rule: str
    title: str
    explanation: str
    advice: str = Field(description="What to do, at the reason that gives the color; empty at the others")
    since: str
    until: str | None
    authorities: list[str]


class MissingOut(BaseModel):
    id: str
    text: str


class FollowUpOut(BaseModel):
    recipient: str = Field(description="hospital or community")
    state: str = Field(description="open, handed-over, received, done, admitted or transferring")
    title: str
    text: str = Field(description="What comes next, in plain words")


class CodeOut(BaseModel):
    """The code on the holder's screen."""

    state: str
    color: str | None = Field(description="Null while the code is unverified")
    word: str
    reasons: list[ReasonOut]
    missing: list[MissingOut]
    token: str = Field(description="The text of the QR code, which the phone draws")
    expires_in: int = Field(description="Seconds until the token ends")
    renew_in: int = Field(description="Seconds after which to ask again")
    as_of: str
    stale: bool = Field(description="The last color known, because the database is out of reach")
    follow_ups: list[FollowUpOut] = Field(
        default=[], description="Of a red or orange code: who takes care of its holder, and what comes next"
    )


def code_response(
    services: Services, shown: DisplayedCode, language: str, now: datetime, follow_ups: Sequence[Shown] = ()
) -> CodeOut:
    """Return the response for a code shown at `now`."""
    tokens = services.settings.tokens
    return CodeOut(
        state=shown.state.name,
        color=shown.state.color,
        word=text("states", shown.state.name, language),
        reasons=_reasons(services.policy, shown.reasons, language, now),
        missing=[MissingOut(id=id_, text=text("missing", id_, language)) for id_ in shown.missing],
        token=shown.token,
        expires_in=tokens.lifetime_seconds,
        renew_in=tokens.lifetime_seconds - tokens.renew_before_seconds,
        as_of=rfc3339(now),
        stale=shown.stale,
        follow_ups=[follow_up_out(one, language) for one in follow_ups],
    )


def follow_up_out(one: Shown, language: str) -> FollowUpOut:
    """Return a follow-up in the shape of the API."""
    words = text("follow-up-steps", f"{one.recipient}-{one.state}", language).format(receiver=one.receiver or "")
    title = text("follow-up-recipients", one.recipient, language)
    return FollowUpOut(recipient=one.recipient, state=one.state, title=title, text=words)


def _reasons(policy: Policy, reasons: Sequence[CodeReason], language: str, now: datetime) -> list[ReasonOut]:
    """Return the reasons, with the advice of the first, which gives the color: that of a milder one contradicts it."""
    shown = [_reason(policy, reason, language, now) for reason in reasons]
    for beside in shown[1:]:
        beside.advice = ""
    return shown


def _reason(policy: Policy, reason: CodeReason, language: str, now: datetime) -> ReasonOut:
    words = policy.text(reason.rule, language, now)
    return ReasonOut(
        rule=reason.rule,
        title=words.title,
        explanation=words.explanation,
        advice=words.advice,
        since=rfc3339(reason.since),
        until=None if reason.until is None else rfc3339(reason.until),
        authorities=[reword("authorities", authority, language) for authority in reason.authorities],
    )


class IssuerOut(BaseModel):
    """Who issued a code of another province, and what they state in it: their word, and nothing known here."""

    id: str
    region: str = Field(description="The code of the region, six digits")
    name: str
    statement: str = Field(description="The statement in one line, to be shown as it is")
    issued_at: str = Field(description="As of when the state is stated")
    ends_at: str


class CheckOut(BaseModel):
    """The data that a station gets about a code, and does not store."""

    state: str
    color: str | None
    word: str
    action: str = Field(description="pass, measure or stop")
    instruction: str
    as_of: str
    stale: bool
    issuer: IssuerOut | None = Field(
        default=None, description="Of a code of another province: state and color are the statement of this issuer"
    )


def foreign_check_response(check: ForeignCheck, language: str, now: datetime) -> CheckOut:
    """Return the response for a code of another province, checked at `now`."""
    statement = check.statement
    issuer = IssuerOut(
        id=statement.issuer.id,
        region=statement.issuer.region,
        name=check.issuer_name(language),
        statement=check.sentence(language),
        issued_at=rfc3339(statement.issued_at),
        ends_at=rfc3339(statement.ends_at),
    )
    return CheckOut(
        state=statement.state.name,
        color=statement.state.color,
        word=check.word(language),
        action=check.action,
        instruction=check.instruction(language),
        as_of=rfc3339(now),
        stale=False,
        issuer=issuer,
    )


def check_response(check: Check, language: str, now: datetime) -> CheckOut:
    """Return the response for a code checked at `now`."""
    state = State(check.current_code.record.state)
    return CheckOut(
        state=state.name,
        color=state.color,
        word=text("states", state.name, language),
        action=check.action,
        instruction=check.instruction[language],
        as_of=rfc3339(now),
        stale=check.current_code.stale,
    )


class DocumentCheckOut(BaseModel):
    """The data that a station gets about the person of a document, and does not store.

    What fails has no answer of this form: 503 `check-failed`, and 504 `time-out`.
    """

    outcome: Outcome = Field(
        description="The state; `expired`: the last declaration has ended; `not-found`: nobody has this document and "
        "this name together, whichever of the two is wrong, or who has them never declared"
    )
    state: str | None = Field(description="Null where nobody was found")
    color: str | None
    word: str
    action: str = Field(description="pass, measure, stop, or ask: for the code, or to go to the service window")
    instruction: str
    as_of: str
    stale: bool


def document_check_response(result: DocumentResult, language: str, now: datetime) -> DocumentCheckOut:
    """Return the response for a person checked by their document at `now`."""
    as_of = rfc3339(now)
    if result.check is None:
        word, instruction = (text("document-checks", slug, language) for slug in ("not-found", "ask"))
        return DocumentCheckOut(
            outcome=result.outcome, state=None, color=None, word=word, action=ASK, instruction=instruction,
            as_of=as_of, stale=False,
        )  # fmt: skip
    current = result.check.current_code
    state, is_expired = State(current.record.state), result.outcome is Outcome.EXPIRED
    return DocumentCheckOut(
        outcome=result.outcome,
        state=state.name,
        color=state.color,
        word=text("document-checks", "expired", language) if is_expired else text("states", state.name, language),
        action=result.check.action,
        instruction=result.check.instruction[language],
        as_of=as_of,
        stale=current.stale,
    )

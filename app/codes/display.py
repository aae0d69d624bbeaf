"""The code as its holder sees it: state, reasons, missing evidence and a fresh token; history and inbox.

A plain green code is displayed from the cache alone; every other state reads its decision, so that the reason, its
authority and the next step are complete. A holder who is not confirmed sees what `unconfirmed` decides.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from app.codes import unconfirmed
from app.codes.cache.records import CacheRecord
from app.codes.current_code import CurrentCode
from app.codes.evidence import IDENTITY_MISMATCH
from app.codes.models import Code, DecisionRow, EvidenceRow, Notice
from app.codes.states import State
from app.codes.tokens import CodeTokens
from app.core.clock import Clock
from app.core.errors import Problem
from app.rules import Policy

PLATFORM_AUTHORITY = "国家政务服务平台"
_T = TypeVar("_T")


class DisplayServices(Protocol):
    """The services that displaying a code needs; `app.runtime.Services` has them."""

    @property
    def clock(self) -> Clock: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def sessions(self) -> sessionmaker[Session]: ...
    @property
    def tokens(self) -> CodeTokens: ...


class CodeReason(NamedTuple):
    """A reason for the color of a code: the rule, its authorities, and from when to when it applies."""

    rule: str
    since: datetime
    until: datetime | None
    authorities: tuple[str, ...]


class DisplayedCode(NamedTuple):
    """A code on a citizen's screen. `stale`: this is the last known color, which may no longer be the current one."""

    state: State
    reasons: tuple[CodeReason, ...]
    missing: tuple[str, ...]
    token: str
    stale: bool


def display_code(services: DisplayServices, serial: int, current: CurrentCode) -> DisplayedCode:
    """Return the code with a fresh token; to a holder who is not confirmed, what follows from their own evidence alone.

    Raises Problem `not-declared` before the first declaration, `identity-mismatch` after the platform has denied the
    holder.
    """
    record, now = current.record, services.clock.now()
    if record.state == State.GREEN:  # verified, so its holder is confirmed
        token = services.tokens.mint(serial, record.state, now)
        return green_from_cache(services.policy, record, token)._replace(stale=current.stale)
    try:
        shown = decide_for_holder(services, serial, now)
    except (OperationalError, PoolTimeout):
        if record.state in (State.NOT_DECLARED, State.EMPTY):
            raise Problem("not-declared") from None
        brief = CodeReason(services.policy.rules[record.rule - 1], record.since, record.until, ())
        token = services.tokens.mint(serial, record.state, now)
        return DisplayedCode(record.state, (brief,), (), token, stale=True)
    token = services.tokens.mint(serial, shown.state, now)
    return DisplayedCode(shown.state, shown.reasons, shown.missing, token, current.stale and not shown.is_own)


def green_from_cache(policy: Policy, record: CacheRecord, token: str) -> DisplayedCode:
    """Return a green code, from its cache record alone."""
    reason = CodeReason(policy.rules[record.rule - 1], record.since, record.until, (PLATFORM_AUTHORITY,))
    return DisplayedCode(record.state, (reason,), (), token, stale=False)


class ShownDecision(NamedTuple):
    """What a decision says to the holder. `is_own`: it follows from their own evidence alone, and is made now."""

    state: State
    reasons: tuple[CodeReason, ...]
    missing: tuple[str, ...]
    is_own: bool


def decide_for_holder(services: DisplayServices, serial: int, now: datetime) -> ShownDecision:
    """Return every rule that applies for the holder, with its authorities, and what is missing, without a token.

    Raises Problem as `display_code` does.
    """
    with services.sessions() as session:
        code = session.get_one(Code, serial)
        decision = current_decision(session, services.policy, code, now)
        if decision is None or decision.state == State.NOT_DECLARED:
            raise Problem("not-declared" if code.denied_at is None else "identity-mismatch")
        applied = decision.applied_rules or [{"rule": decision.rule, "evidence": []}]
        rows = _evidence(session, serial, {id_ for rule in applied for id_ in rule["evidence"]})
        reasons = tuple(
            CodeReason(
                rule["rule"],
                _minute(decision.since) if rule["rule"] == decision.rule else _earliest(rule, rows, decision),
                decision.until if rule["rule"] == decision.rule else None,
                tuple(sorted({rows[id_].authority for id_ in rule["evidence"]})),
            )
            for rule in applied
        )
        return ShownDecision(State(decision.state), reasons, _missing(session, code, decision), code.is_withheld)


def state_for_holder(session: Session, policy: Policy, code: Code, now: datetime) -> State:
    """Return the state of a code that its holder may see."""
    decision = current_decision(session, policy, code, now)
    return State.NOT_DECLARED if decision is None else State(decision.state)


def current_decision(session: Session, policy: Policy, code: Code, now: datetime) -> DecisionRow | None:
    """Return the decision that the holder of a code may see, None before the first."""
    if code.is_withheld:
        own = unconfirmed.decide_own(session, policy, code, now)
        return own[-1].row if own else None
    return None if code.decision_id is None else session.get_one(DecisionRow, code.decision_id)


def _missing(session: Session, code: Code, decision: DecisionRow) -> tuple[str, ...]:
    """Return what is missing; `identity` and not `declaration` after a declaration with a mismatched identity."""
    if "declaration" not in decision.missing:
        return tuple(decision.missing)
    declared = select(EvidenceRow).filter_by(serial=code.serial, kind="declaration")
    if code.is_withheld:
        declared = declared.where(EvidenceRow.at >= code.claimed_at)
    last = session.scalars(declared.order_by(EvidenceRow.at.desc(), EvidenceRow.id).limit(1)).first()
    mismatch = last is not None and last.withdrawn_for == IDENTITY_MISMATCH
    return tuple("identity" if mismatch and id_ == "declaration" else id_ for id_ in decision.missing)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _earliest(rule: dict[str, list[str]], rows: dict[str, EvidenceRow], decision: DecisionRow) -> datetime:
    return _minute(min((rows[id_].at for id_ in rule["evidence"]), default=decision.since))


def _evidence(session: Session, serial: int, ids: set[str]) -> dict[str, EvidenceRow]:
    rows = select(EvidenceRow).where(EvidenceRow.serial == serial, EvidenceRow.id.in_(ids))
    return {row.id: row for row in session.scalars(rows)}


def own_evidence(session: Session, serial: int, history: "Sequence[HistoryItem]") -> list[EvidenceRow]:
    """Return all evidence about a code that its holder may see, newest first; `history` is the whole one."""
    if session.get_one(Code, serial).is_withheld:
        rows = list({row.id: row for item in history for row in item.evidence}.values())
    else:
        rows = list(session.scalars(select(EvidenceRow).filter_by(serial=serial)))
    return sorted(rows, key=lambda row: (row.at, row.kind, row.id), reverse=True)


class Page(NamedTuple):
    """A part of a list: at most `size` items, those numbered below `before`, the number of the last one seen."""

    size: int
    before: int | None = None

    def cut(self, items: Sequence[_T], number: Callable[[_T], int]) -> list[_T]:
        """Return this part of a whole list, whose oldest item is the first."""
        return [item for item in reversed(items) if self.before is None or number(item) < self.before][: self.size]


class HistoryItem(NamedTuple):
    """One decision in the history of a code, with its evidence."""

    decision: DecisionRow
    evidence: tuple[EvidenceRow, ...]


def history(session: Session, policy: Policy, serial: int, now: datetime, page: Page) -> list[HistoryItem]:
    """Return the decisions about a code that its holder may see, newest first; numbered by their version."""
    code = session.get_one(Code, serial)
    if code.is_withheld:
        own = unconfirmed.decide_own(session, policy, code, now)
        return page.cut([HistoryItem(one.row, one.evidence) for one in own], lambda item: item.decision.version)
    wanted = select(DecisionRow).filter_by(serial=serial).order_by(DecisionRow.version.desc()).limit(page.size)
    if page.before is not None:
        wanted = wanted.where(DecisionRow.version < page.before)
    decisions = session.scalars(wanted).all()
    rows = _evidence(session, serial, {id_ for decision in decisions for id_ in decision.evidence})
    return [
        HistoryItem(decision, tuple(sorted((rows[id_] for id_ in decision.evidence), key=lambda row: row.at)))
        for decision in decisions
    ]


def inbox(
    session: Session, policy: Policy, serial: int, now: datetime, page: Page
) -> Sequence[tuple[Notice, DecisionRow]]:
    """Return the notices of a code that its holder may see, newest first, each with its decision, whose version is the
    number of the notice: an id counts the notices of everybody."""
    code = session.get_one(Code, serial)
    if code.is_withheld:
        own = unconfirmed.make_notices(unconfirmed.decide_own(session, policy, code, now))
        return page.cut(own, lambda pair: pair[1].version)
    wanted = (
        select(Notice, DecisionRow)
        .join(DecisionRow, Notice.decision_id == DecisionRow.id)
        .where(Notice.serial == serial)
        .order_by(DecisionRow.version.desc())
        .limit(page.size)
    )
    if page.before is not None:
        wanted = wanted.where(DecisionRow.version < page.before)
    return [(notice, decision) for notice, decision in session.execute(wanted)]

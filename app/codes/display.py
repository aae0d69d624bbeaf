"""The code as its holder sees it: state, reasons, missing evidence and a fresh token; history and inbox.

A plain green code is displayed from the cache alone; every other state reads its decision, so that the reason, its
authority and the next step are complete.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from app.codes.cache.records import CacheRecord
from app.codes.claims import OWN_EVIDENCE_KINDS
from app.codes.current_code import CurrentCode
from app.codes.evidence import IDENTITY_MISMATCH
from app.codes.models import Code, DecisionRow, EvidenceRow, Notice
from app.codes.states import State
from app.codes.tokens import CodeTokens
from app.core.clock import Clock
from app.core.errors import Problem
from app.rules import Policy

PLATFORM_AUTHORITY = "国家政务服务平台"


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
    """Return the code with a fresh token.

    Raises Problem `not-declared` before the first declaration, `identity-mismatch` after the platform has denied the
    holder, `identity-unconfirmed` when others have recorded evidence and the holder is not confirmed yet.
    """
    record = current.record
    if record.state in (State.NOT_DECLARED, State.EMPTY):
        raise Problem("identity-mismatch" if _denied(services, serial) else "not-declared")
    token = services.tokens.mint(serial, record.state, services.clock.now())
    if record.state == State.GREEN:
        return green_from_cache(services.policy, record, token)._replace(stale=current.stale)
    brief = CodeReason(services.policy.rules[record.rule - 1], record.since, record.until, ())
    try:
        reasons, missing = _details(services, serial)
    except (OperationalError, PoolTimeout):
        return DisplayedCode(record.state, (brief,), (), token, stale=True)
    return DisplayedCode(record.state, reasons, missing, token, current.stale)


def green_from_cache(policy: Policy, record: CacheRecord, token: str) -> DisplayedCode:
    """Return a green code, from its cache record alone."""
    reason = CodeReason(policy.rules[record.rule - 1], record.since, record.until, (PLATFORM_AUTHORITY,))
    return DisplayedCode(record.state, (reason,), (), token, stale=False)


def _details(services: DisplayServices, serial: int) -> tuple[tuple[CodeReason, ...], tuple[str, ...]]:
    """Return every rule that applied, with its authorities, and what is missing."""
    with services.sessions() as session:
        code = session.get_one(Code, serial)
        decision = session.get_one(DecisionRow, code.decision_id)
        applied = decision.rules or [{"rule": decision.rule, "evidence": []}]
        rows = _evidence(session, {id_ for rule in applied for id_ in rule["evidence"]})
        if not _may_be_shown(code, decision, rows.values()):
            raise Problem("identity-unconfirmed" if _has_declared(session, code) else "not-declared")
        reasons = tuple(
            CodeReason(
                rule["rule"],
                _minute(decision.since) if rule["rule"] == decision.rule else _earliest(rule, rows, decision),
                decision.until if rule["rule"] == decision.rule else None,
                tuple(sorted({rows[id_].authority for id_ in rule["evidence"]})),
            )
            for rule in applied
        )
        return reasons, _missing(session, serial, decision)


def state_for_holder(session: Session, serial: int) -> State:
    """Return the state that the holder may see: UNVERIFIED if the real one rests on evidence withheld from them."""
    code = session.get_one(Code, serial)
    if code.decision_id is None:
        return State(code.state)
    decision = session.get_one(DecisionRow, code.decision_id)
    evidence = _evidence(session, set(decision.evidence)).values()
    return State(code.state) if _may_be_shown(code, decision, evidence) else State.UNVERIFIED


def _denied(services: DisplayServices, serial: int) -> bool:
    with suppress(OperationalError), services.sessions() as session:
        return session.get_one(Code, serial).denied_at is not None
    return False


def _may_be_shown(code: Code, decision: DecisionRow, evidence: Iterable[EvidenceRow]) -> bool:
    """Return whether the holder may see a decision: an unconfirmed one, only if it rests on their own evidence."""
    if code.confirmed_at is not None:
        return True
    if code.claimed_at is None or decision.decided_at < code.claimed_at or decision.previous_state >= State.ORANGE:
        return False
    rows = list(evidence)
    # by the moment of the fact, not of its record: a station may submit later what it measured on an earlier holder
    return bool(rows) and all(row.kind in OWN_EVIDENCE_KINDS and row.at >= code.claimed_at for row in rows)


def _has_declared(session: Session, code: Code) -> bool:
    """Return whether the current holder has declared; before that, they must not learn that anything is withheld."""
    own = select(EvidenceRow.id).where(
        EvidenceRow.serial == code.serial,
        EvidenceRow.kind == "declaration",
        EvidenceRow.withdrawn_at.is_(None),
        EvidenceRow.recorded_at >= code.claimed_at,
    )
    return session.scalar(own.limit(1)) is not None


def _missing(session: Session, serial: int, decision: DecisionRow) -> tuple[str, ...]:
    """Return what is missing; `identity` and not `declaration` after a declaration with a mismatched identity."""
    if "declaration" not in decision.missing:
        return tuple(decision.missing)
    last = session.scalars(
        select(EvidenceRow).filter_by(serial=serial, kind="declaration").order_by(EvidenceRow.at.desc()).limit(1)
    ).first()
    mismatch = last is not None and last.withdrawn_for == IDENTITY_MISMATCH
    return tuple("identity" if mismatch and id_ == "declaration" else id_ for id_ in decision.missing)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _earliest(rule: dict[str, list[str]], rows: dict[str, EvidenceRow], decision: DecisionRow) -> datetime:
    return _minute(min((rows[id_].at for id_ in rule["evidence"]), default=decision.since))


def _evidence(session: Session, ids: set[str]) -> dict[str, EvidenceRow]:
    return {row.id: row for row in session.scalars(select(EvidenceRow).where(EvidenceRow.id.in_(ids)))}


class HistoryItem(NamedTuple):
    """One decision in the history of a code, with its evidence."""

    decision: DecisionRow
    evidence: tuple[EvidenceRow, ...]


def history(session: Session, serial: int, limit: int, before: int | None = None) -> list[HistoryItem]:
    """Return the decisions about a code, newest first; `before` is the version of the last one seen."""
    wanted = select(DecisionRow).filter_by(serial=serial).order_by(DecisionRow.version.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(DecisionRow.version < before)
    decisions = session.scalars(wanted).all()
    rows = _evidence(session, {id_ for decision in decisions for id_ in decision.evidence})
    changes = [
        HistoryItem(decision, tuple(sorted((rows[id_] for id_ in decision.evidence), key=lambda row: row.at)))
        for decision in decisions
    ]
    code = session.get_one(Code, serial)
    return [change for change in changes if _may_be_shown(code, change.decision, change.evidence)]


def inbox(session: Session, serial: int, limit: int, before: int | None = None) -> Sequence[tuple[Notice, DecisionRow]]:
    """Return the notices of a code with their decisions, newest first; `before` is the id of the last one seen."""
    wanted = (
        select(Notice, DecisionRow)
        .join(DecisionRow, Notice.decision_id == DecisionRow.id)
        .where(Notice.serial == serial)
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(Notice.id < before)
    notices = [(notice, decision) for notice, decision in session.execute(wanted)]
    rows = _evidence(session, {id_ for _, decision in notices for id_ in decision.evidence})
    code = session.get_one(Code, serial)
    return [pair for pair in notices if _may_be_shown(code, pair[1], [rows[id_] for id_ in pair[1].evidence])]

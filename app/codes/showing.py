"""What a citizen sees of their code: state, reasons, what is missing, and a fresh token.

A plain green code is told from the cache alone; every other state reads its decision, so that the reason, the
authority behind it and the way out are there in full.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.codes.evidence import IDENTITY_MISMATCH
from app.codes.models import Code, DecisionRow, EvidenceRow, Notice
from app.codes.reading import Current
from app.codes.states import State
from app.errors import Problem

if TYPE_CHECKING:
    from app.services import Services

PLATFORM = "国家政务服务平台"


class Reason(NamedTuple):
    """Why a code has its color: the rule, who stands behind it, since when and until when."""

    rule: str
    since: datetime
    until: datetime | None
    authorities: tuple[str, ...]


class Shown(NamedTuple):
    """A code on a citizen's screen. `stale` says that this is the last color known, not surely the present one."""

    state: State
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    token: str
    stale: bool


def show(services: "Services", serial: int, current: Current) -> Shown:
    """The code with a fresh token. Raises Problem `not-declared` before the first declaration."""
    record = current.record
    if record.state in (State.NOT_DECLARED, State.EMPTY):
        raise Problem("not-declared")
    token = services.tokens.mint(serial, record.state, services.clock.now())
    brief = Reason(
        services.policy.rules[record.rule - 1],
        record.since,
        record.until,
        (PLATFORM,) if record.state == State.GREEN else (),
    )
    if record.state == State.GREEN or current.stale:
        return Shown(record.state, (brief,), (), token, current.stale)
    try:
        reasons, missing = _details(services, serial)
    except OperationalError:
        return Shown(record.state, (brief,), (), token, stale=True)
    return Shown(record.state, reasons, missing, token, stale=False)


def _details(services: "Services", serial: int) -> tuple[tuple[Reason, ...], tuple[str, ...]]:
    """Every rule that applied, with the authorities behind it, and what is missing."""
    with services.sessions() as session:
        code = session.get_one(Code, serial)
        decision = session.get_one(DecisionRow, code.decision_id)
        applied = decision.rules or [{"rule": decision.rule, "evidence": []}]
        rows = _evidence(session, {id_ for rule in applied for id_ in rule["evidence"]})
        reasons = tuple(
            Reason(
                rule["rule"],
                _minute(decision.since) if rule["rule"] == decision.rule else _earliest(rule, rows, decision),
                decision.until if rule["rule"] == decision.rule else None,
                tuple(sorted({rows[id_].authority for id_ in rule["evidence"]})),
            )
            for rule in applied
        )
        return reasons, _missing(session, serial, decision)


def _missing(session: Session, serial: int, decision: DecisionRow) -> tuple[str, ...]:
    """What is missing; not just "a declaration" where the last one was somebody's whom the platform does not know."""
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


class Change(NamedTuple):
    """One decision in the history of a code, with the evidence that it rested on."""

    decision: DecisionRow
    evidence: tuple[EvidenceRow, ...]


def history(session: Session, serial: int, most: int, before: int | None = None) -> list[Change]:
    """The decisions about a code, newest first; `before` is the version from which to go on."""
    wanted = select(DecisionRow).filter_by(serial=serial).order_by(DecisionRow.version.desc()).limit(most)
    if before is not None:
        wanted = wanted.where(DecisionRow.version < before)
    decisions = session.scalars(wanted).all()
    rows = _evidence(session, {id_ for decision in decisions for id_ in decision.evidence})
    return [
        Change(decision, tuple(sorted((rows[id_] for id_ in decision.evidence), key=lambda row: row.at)))
        for decision in decisions
    ]


def inbox(session: Session, serial: int, most: int, before: int | None = None) -> Sequence[tuple[Notice, DecisionRow]]:
    """The notices of a code with their decisions, newest first; `before` is the notice from which to go on."""
    wanted = (
        select(Notice, DecisionRow)
        .join(DecisionRow, Notice.decision_id == DecisionRow.id)
        .where(Notice.serial == serial)
        .order_by(Notice.id.desc())
        .limit(most)
    )
    if before is not None:
        wanted = wanted.where(Notice.id < before)
    return [(notice, decision) for notice, decision in session.execute(wanted)]

"""What a holder sees whom the national platform has not confirmed: what follows from their own evidence alone.

Their history is decided anew, by the same rules, from what they have declared and what was measured on them since they
claimed the code, as if there were nothing else. So status, texts and number of whatever they are shown are the same for
a person whom officers know as for one of whom nobody knows anything. Only reads.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes.evidence import latest_moment, rule_name, rules_to_column, to_fact
from app.codes.models import Code, DecisionRow, EvidenceRow, Notice
from app.codes.states import State
from app.rules import Decision, Policy, decide

_DECIDED_ANEW = 100  # pieces of evidence, the newest ones, at which a history is decided anew
_FIRST_DECLARATION = (State.NOT_DECLARED, State.UNVERIFIED)  # a change without news for the holder


class OwnDecision(NamedTuple):
    """A decision that follows from the holder's own evidence. Its row is in no table; `version` counts from 1."""

    row: DecisionRow
    evidence: tuple[EvidenceRow, ...]
    on_screen: bool


def load_own_evidence(session: Session, code: Code) -> Sequence[EvidenceRow]:
    """Load what the holder has declared and what was measured on them since they claimed the code, oldest first."""
    own = select(EvidenceRow).where(
        EvidenceRow.serial == code.serial,
        # by the moment of the fact, not of its record: a station may submit later what it measured on an earlier holder
        EvidenceRow.at >= code.claimed_at,
        EvidenceRow.kind.in_(("temperature", "declaration")),
    )
    return session.scalars(own.order_by(EvidenceRow.at, EvidenceRow.id)).all()


def decide_own(session: Session, policy: Policy, code: Code, now: datetime) -> list[OwnDecision]:
    """Decide the history of an unconfirmed holder until `now`, oldest first; empty before their first evidence."""
    rows = load_own_evidence(session, code)
    by_id = {row.id: row for row in rows}
    declared = {row.at for row in rows if row.kind == "declaration"}
    facts = [to_fact(row) for row in rows]
    own: list[OwnDecision] = []
    moment, end = (facts[-_DECIDED_ANEW:][0].at if facts else None), latest_moment(facts, now)
    while moment is not None and moment <= end:
        decision = decide(facts, policy, moment)
        row = _to_row(code, decision, moment, own)
        if row is not None:
            evidence = tuple(sorted((by_id[id_] for id_ in decision.evidence), key=lambda one: one.at))
            own.append(OwnDecision(row, evidence, moment in declared))
        moment = decision.due_at
    return own


def make_notices(own: Sequence[OwnDecision]) -> list[tuple[Notice, DecisionRow]]:
    """Make the inbox of an unconfirmed holder, oldest first. Nothing of it goes to WeChat."""
    return [
        (
            Notice(
                serial=one.row.serial,
                created_at=one.row.decided_at,
                delivery="seen" if one.on_screen else "withheld",
            ),
            one.row,
        )
        for one in own
        if one.row.state != one.row.previous_state and (one.row.previous_state, one.row.state) != _FIRST_DECLARATION
    ]


def _to_row(code: Code, decision: Decision, at: datetime, own: Sequence[OwnDecision]) -> DecisionRow | None:
    """Return a decision in the form of a row, or None when it is the same as the one before."""
    state = State.NOT_DECLARED if decision.rule == "NOT-DECLARED" else State.of(decision.color)
    before = own[-1].row if own else None
    row = DecisionRow(
        serial=code.serial,
        version=len(own) + 1,
        previous_state=State.NOT_DECLARED if before is None else before.state,
        state=state,
        rule=decision.rule,
        rules=rules_to_column(decision),
        evidence=list(decision.evidence),
        missing=list(decision.missing),
        policy_version=decision.policy_version,
        since=decision.since,
        until=decision.until,
        decided_at=at,
    )
    return row if before is None or _content(row) != _content(before) else None


def _content(row: DecisionRow) -> tuple[object, ...]:
    return row.state, row.rule, row.evidence, row.missing, row.until, [rule_name(rule) for rule in row.rules]

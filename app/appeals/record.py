"""The record that an appeal is about: the decision with exactly its evidence, and what followed since.

The officer who resolves an appeal sees this and what the citizen says, nothing else: no name and no other evidence.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.appeals.models import Appeal
from app.codes.models import Code, DecisionRow, EvidenceRow
from app.codes.states import State
from app.core.db import among
from app.entries.models import MADE_EVIDENCE, Case, Entry, EntrySubject


class EvidenceLine(NamedTuple):
    """A piece of evidence as it was recorded, with the rules that rest on it.

    `place` and `case` are those of the entry that made it.
    """

    id: str
    kind: str
    at: datetime
    facts: dict[str, Any]
    authority: str
    reference: str
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdrawn_for: str | None
    rules: tuple[str, ...]
    place: str | None
    case: str | None

    @property
    def document(self) -> str:
        """Return the reference of its document; empty where it has none: a declaration, a temperature."""
        return "" if self.kind in ("declaration", "temperature") else self.reference

    @property
    def can_withdraw(self) -> bool:
        """Return whether an appeal can withdraw it: it is not withdrawn, and lowers no risk."""
        return self.withdrawn_at is None and not lowers_risk(self.kind, self.facts)


class LaterDecision(NamedTuple):
    """A decision that followed the one that the appeal is about."""

    decided_at: datetime
    state: State
    rule: str


class AppealRecord(NamedTuple):
    """A decision with its evidence, that of its rule first.

    `later` are the decisions since, `new` is the evidence that only the current decision has.
    """

    decided_at: datetime
    state: State
    rule: str
    since: datetime
    until: datetime | None
    policy_version: str
    evidence: tuple[EvidenceLine, ...]
    later: tuple[LaterDecision, ...]
    new: tuple[EvidenceLine, ...]


def lowers_risk(kind: str, facts: Mapping[str, Any]) -> bool:
    """Return whether such evidence ends a restriction or an infection."""
    return kind == "release" or (kind == "diagnosis" and facts["status"] in ("ruled_out", "recovered"))


def load_record(session: Session, appeal: Appeal) -> AppealRecord:
    """Load the record that an appeal is about."""
    decision = session.get_one(DecisionRow, appeal.decision_id)
    after = select(DecisionRow).where(DecisionRow.serial == appeal.serial, DecisionRow.version > decision.version)
    later = session.scalars(after.order_by(DecisionRow.version)).all()
    current = session.get_one(DecisionRow, session.get_one(Code, appeal.serial).decision_id)
    return AppealRecord(
        decided_at=decision.decided_at,
        state=State(decision.state),
        rule=decision.rule,
        since=decision.since,
        until=decision.until,
        policy_version=decision.policy_version,
        evidence=tuple(
            sorted(load_lines(session, decision, decision.evidence), key=lambda line: decision.rule not in line.rules)
        ),
        later=tuple(LaterDecision(row.decided_at, State(row.state), row.rule) for row in later),
        new=load_lines(session, current, set(current.evidence) - set(decision.evidence)),
    )


def load_lines(session: Session, decision: DecisionRow, ids: Collection[str]) -> tuple[EvidenceLine, ...]:
    """Load the evidence with these ids, in order of time, with the rules of the decision that rest on each."""
    rows = session.execute(
        select(EvidenceRow, Entry.place, Case.number)
        .outerjoin(EntrySubject, MADE_EVIDENCE)
        .outerjoin(Entry, Entry.id == EntrySubject.entry_id)
        .outerjoin(Case, Case.id == Entry.case_id)
        .where(EvidenceRow.serial == decision.serial, among(EvidenceRow.id, ids))
        .order_by(EvidenceRow.at, EvidenceRow.id)
    )
    return tuple(_make_line(row, decision, place, case) for row, place, case in rows)


def _make_line(row: EvidenceRow, decision: DecisionRow, place: str | None, case: str | None) -> EvidenceLine:
    return EvidenceLine(
        id=row.id,
        kind=row.kind,
        at=row.at,
        facts=row.complete_facts,
        authority=row.authority,
        reference=row.reference,
        recorded_at=row.recorded_at,
        withdrawn_at=row.withdrawn_at,
        withdrawn_for=row.withdrawn_for,
        rules=tuple(rule["rule"] for rule in decision.applied_rules if row.id in rule["evidence"]),
        place=place,
        case=case,
    )

"""Reading of what a batch change needs: the codes, locked, all their evidence, and the last decisions that may stand.

Rows are read as PostgreSQL has them: what the columns of tables do to each value would cost more than the statement.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.codes.evidence import to_fact
from app.core.errors import Problem
from app.rules import Evidence


class LockedCode(NamedTuple):
    """The row of a code that is locked until the transaction ends."""

    serial: int
    state: int
    version: int
    decision_id: int | None
    rule: str | None
    since: datetime | None
    due_at: datetime | None
    retry_at: datetime | None
    epoch: int
    opened_at: datetime
    claimed_at: datetime | None
    confirmed_at: datetime | None
    denied_at: datetime | None


class EvidenceColumns(NamedTuple):
    """What a row of evidence says to the rules, `facts` as the text of their JSON."""

    serial: int
    dedup_key: str | None
    id: str
    kind: str
    at: datetime
    facts: str
    refers_to: str | None
    withdrawn_at: datetime | None


class KnownEvidence(NamedTuple):
    """All evidence of codes by serial, withdrawn facts included, and the deduplication keys with their serials."""

    facts: dict[int, list[Evidence]]
    keys: set[tuple[int, str | None]]


def lock_codes(session: Session, serials: Collection[int]) -> list[LockedCode]:
    """Return codes in the order of their serials, locked until the transaction ends.

    Raises Problem when one of them does not exist.
    """
    session.flush()  # a statement of our own does not see what is not written
    codes = [LockedCode(*row) for row in session.execute(_LOCK, {"serials": list(serials)}).all()]
    if len(codes) != len(serials):
        raise Problem("code-not-found")
    return codes


def load_evidence(session: Session, serials: Collection[int]) -> KnownEvidence:
    """Return the evidence of codes as the database has it now."""
    known = KnownEvidence(defaultdict(list), set())
    session.flush()
    for row in map(EvidenceColumns._make, session.execute(_EVIDENCE, {"serials": list(serials)}).all()):
        known.facts[row.serial].append(to_fact(row))
        known.keys.add((row.serial, row.dedup_key))
    return known


def load_decisions(session: Session, ids: Collection[int]) -> dict[int, Any]:
    """Return decisions by id."""
    return {row.id: row for row in session.execute(_DECISIONS, {"ids": list(ids)})} if ids else {}


_LOCK = text(
    f"select {', '.join(LockedCode._fields)} from codes "  # noqa: S608 - our own names
    "where serial = any(:serials) order by serial for update"
)
_EVIDENCE = text("""
    select serial, dedup_key, id::text, kind, at, facts::text, refers_to::text, withdrawn_at
    from evidence where serial = any(:serials)
""")
_DECISIONS = text("""
    select id, state, rule, rules, evidence::text[] as evidence, missing, until, policy_version
    from decisions where id = any(:ids)
""")

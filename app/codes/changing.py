"""Writing what follows for codes, any number of them in one go: the one place where a code changes color.

One code is a batch of one. The codes are locked in the order of their serials, so that two batches with the same
people wait for each other and not in a circle; then all their evidence is read, each is weighed, and what follows is
written table by table: evidence, decisions, codes, audit, notices, jobs, in the caller's one transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.codes.evidence import Entry, to_fact, to_values
from app.codes.models import Code, DecisionRow, EvidenceRow, Notice
from app.codes.states import State
from app.codes.weighing import Weighed, weigh
from app.db import among, insert_rows, json_of
from app.errors import Problem
from app.queue import defer_notices, defer_refresh
from app.rules import Evidence, Policy

CHANGED = "serials of codes that this transaction changed"  # key of session.info, read by the edge after the commit

_CODE = (
    Code.serial, Code.state, Code.version, Code.decision_id, Code.rule, Code.since, Code.due_at, Code.retry_at,
    Code.held_since, Code.confirmed_at,
)  # fmt: skip
_EVIDENCE = (
    cast(EvidenceRow.id, Text).label("id"), EvidenceRow.serial, EvidenceRow.kind, EvidenceRow.at, EvidenceRow.facts,
    EvidenceRow.finding, EvidenceRow.withdrawn_at,
)  # fmt: skip
_LAST = (
    DecisionRow.id, DecisionRow.state, DecisionRow.rule, DecisionRow.rules,
    cast(DecisionRow.evidence, ARRAY(Text)).label("evidence"), DecisionRow.missing,
    DecisionRow.until, DecisionRow.policy_version,
)  # fmt: skip


def change(
    session: Session,
    policy: Policy,
    entries: Mapping[int, Sequence[Entry]],
    *,
    actor: Actor,
    now: datetime,
    seen: bool = False,
    looked: bool = False,
    bulk: bool = False,
) -> tuple[int, list[dict[str, Any]]]:
    """Write entries down by serial and decide each code anew; how many entries were new, and the new decisions.

    `seen`: the holder looks at the screen. `looked`: this is the look that the codes were due for. `bulk`: the jobs
    travel many in one. Raises Problem when one of the codes does not exist.
    """
    codes = lock(session, entries)
    evidence, findings = _evidence(session, entries)
    new = _write_evidence(session, entries, findings, actor, now)
    for serial, entry in new:
        evidence[serial].append(entry.fact)
    last = _last_decisions(session, codes)
    weighed = [
        (code, weigh(code, last.get(code.decision_id), evidence[code.serial], policy, now, seen=seen)) for code in codes
    ]
    decisions = _write_decisions(session, weighed, actor)
    _write_codes(session, weighed, {row["serial"]: row["id"] for row in decisions}, looked=looked)
    _write_notices(session, weighed, decisions, bulk=bulk)
    mark_changed(session, [code.serial for code, follows in weighed if _steps(code, follows)], bulk=bulk)
    _read_anew(session, entries)
    return len(new), decisions


def lock(session: Session, serials: Collection[int]) -> list[Any]:
    """The rows of codes, in the order of their serials, locked until the transaction ends."""
    rows = select(*_CODE).where(among(Code.serial, serials)).order_by(Code.serial).with_for_update()
    codes = list(session.execute(rows))
    if len(codes) != len(serials):
        raise Problem("code-not-found")
    return codes


def evidence_of(session: Session, serials: Collection[int]) -> dict[int, list[Evidence]]:
    """All evidence of codes as facts for the rules, withdrawn ones included, as the database has it now."""
    return _evidence(session, serials)[0]


def mark_changed(session: Session, serials: Sequence[int], *, bulk: bool) -> None:
    """See to it that the cache hears of codes after the commit, and by a job if that fails."""
    changed = session.info.setdefault(CHANGED, set())
    defer_refresh(session, [serial for serial in serials if serial not in changed], bulk=bulk)
    changed.update(serials)


def _evidence(
    session: Session, serials: Collection[int]
) -> tuple[dict[int, list[Evidence]], set[tuple[int, str | None]]]:
    """The facts by serial, and the findings that are known."""
    facts: dict[int, list[Evidence]] = defaultdict(list)
    findings = set()
    for row in session.execute(select(*_EVIDENCE).where(among(EvidenceRow.serial, serials))):
        facts[row.serial].append(to_fact(row))
        findings.add((row.serial, row.finding))
    return facts, findings


def _last_decisions(session: Session, codes: Sequence[Any]) -> dict[int, Any]:
    """The decisions on which the codes stand. Read once the codes are locked: a join would see older ones."""
    ids = [code.decision_id for code in codes if code.decision_id is not None]
    return {row.id: row for row in session.execute(select(*_LAST).where(among(DecisionRow.id, ids)))} if ids else {}


def _write_evidence(
    session: Session,
    entries: Mapping[int, Sequence[Entry]],
    known: set[tuple[int, str | None]],
    actor: Actor,
    now: datetime,
) -> list[tuple[int, Entry]]:
    """Write new entries down; a finding that is known already is left as it is."""
    new = []
    for serial, some in entries.items():
        for entry in some:
            if entry.finding is None or (serial, entry.finding) not in known:
                known.add((serial, entry.finding))
                new.append((serial, entry))
    insert_rows(session, EvidenceRow, [to_values(entry, serial, actor, now) for serial, entry in new])
    deeds = [(serial, {"evidence": entry.fact.id}) for serial, entry in new]
    audit.enter_many(session, actor, "evidence-recorded", [(now, *deed) for deed in deeds])
    return new


def _write_decisions(session: Session, weighed: Sequence[tuple[Any, Weighed]], actor: Actor) -> list[dict[str, Any]]:
    rows = [_decision(code, follows, str(actor)) for code, follows in weighed if follows.decision is not None]
    ids = {row.serial: row.id for row in insert_rows(session, DecisionRow, rows, returning=("serial", "id"))}
    rows = [{"id": ids[row["serial"]], **row} for row in rows]
    audit.enter_many(session, actor, "decided", [(row["decided_at"], row["serial"], _told(row)) for row in rows])
    return rows


def _told(decision: Mapping[str, Any]) -> dict[str, Any]:
    return {"decision": decision["id"], "rule": decision["rule"], "state": State(decision["state"]).name}


def _decision(code: Any, follows: Weighed, actor: str) -> dict[str, Any]:
    decision = follows.decision
    assert decision is not None
    return {
        "serial": code.serial,
        "version": code.version + _steps(code, follows),
        "previous_state": State(code.state),
        "state": follows.state,
        "rule": decision.rule,
        "rules": [{"rule": rule.rule, "color": rule.color, "evidence": list(rule.evidence)} for rule in decision.rules],
        "evidence": list(decision.evidence),
        "missing": list(decision.missing),
        "policy_version": decision.policy_version,
        "since": decision.since,
        "until": decision.until,
        "decided_at": follows.at,
        "actor": actor,
    }


def _steps(code: Any, follows: Weighed) -> int:
    """By how much the version of a code grows: by one for another due time, and by one for a decision."""
    return int(code.due_at != follows.due_at) + int(follows.decision is not None)


def _write_codes(
    session: Session, weighed: Sequence[tuple[Any, Weighed]], decisions: Mapping[int, int], *, looked: bool
) -> None:
    rows = []
    for code, follows in weighed:
        retry_at = None if looked else code.retry_at
        if follows.asks_platform:
            retry_at = follows.at  # the clock asks the platform at once
        if retry_at != code.retry_at or _steps(code, follows):
            rows.append(_code(code, follows, retry_at, decisions.get(code.serial, code.decision_id)))
    if rows:
        session.execute(_UPDATE, {"rows": json_of(rows)})


def _code(code: Any, follows: Weighed, retry_at: datetime | None, decision_id: int | None) -> dict[str, Any]:
    decision = follows.decision
    return {
        "serial": code.serial,
        "state": follows.state,
        "version": code.version + _steps(code, follows),
        "decision_id": decision_id,
        "rule": code.rule if decision is None else decision.rule,
        "since": code.since if decision is None else decision.since,
        "due_at": follows.due_at,
        "retry_at": retry_at,
    }


def _read_anew(session: Session, serials: Collection[int]) -> None:
    """What the session holds of these codes and their evidence was read before the lock."""
    for held in list(session.identity_map.values()):
        if isinstance(held, Code | EvidenceRow) and held.serial in serials:
            session.refresh(held)


_WRITTEN = ("state", "version", "decision_id", "rule", "since", "due_at", "retry_at")
_UPDATE = text(  # the names are ours, the values are a parameter
    f"update codes set {', '.join(f'{name} = new.{name}' for name in _WRITTEN)} "  # noqa: S608
    "from json_populate_recordset(null::codes, cast(:rows as json)) new where codes.serial = new.serial"
)


def _write_notices(
    session: Session,
    weighed: Sequence[tuple[Any, Weighed]],
    decisions: Sequence[Mapping[str, Any]],
    *,
    bulk: bool,
) -> None:
    """Tell the holders: in the inbox at once, through WeChat by a job unless they look at it or may not know it."""
    deliveries = {code.serial: follows.delivery for code, follows in weighed if follows.delivery is not None}
    notices = [
        {
            "serial": row["serial"],
            "decision_id": row["id"],
            "created_at": row["decided_at"],
            "delivery": deliveries[row["serial"]],
        }
        for row in decisions
        if row["serial"] in deliveries
    ]
    insert_rows(session, Notice, notices)
    defer_notices(session, [row["serial"] for row in notices if row["delivery"] == "waiting"], bulk=bulk)

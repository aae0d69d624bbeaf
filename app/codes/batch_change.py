"""Change of any number of codes at once: the only SQL that changes a color, for the functions of `ledger` alone.

One code is a batch of one. The codes are locked in the order of their serials, so that batches with the same codes do
not deadlock; then all their evidence is read, each code is evaluated, and the results are written table by table in the
caller's transaction: evidence, decisions, codes, audit, notices, jobs.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit import Actor
from app.codes.cache.writing import CHANGED_VERSIONS
from app.codes.evaluation import Evaluation, compare, decide_latest, needs_last
from app.codes.evidence import NewEvidence, in_order, rules_to_column, to_fact, to_row
from app.codes.models import Code, DecisionRow, EvidenceRow, Notice
from app.codes.row_digests.events import WrittenRows, append_events
from app.codes.states import State
from app.core.db import draw_ids, insert_rows, to_array
from app.core.errors import Problem
from app.core.queue import defer_notices, defer_refresh
from app.rules import Evidence, Policy


class ChangeContext(NamedTuple):
    """One change: its transaction, the policy that evaluates, who changes, and when."""

    session: Session
    policy: Policy
    actor: Actor
    now: datetime


def change_codes(
    context: ChangeContext,
    new_evidence: Mapping[int, Sequence[NewEvidence]],
    *,
    on_screen: bool = False,
    clear_retry: bool = False,
    bulk: bool = False,
) -> tuple[int, list[dict[str, Any]]]:
    """Record evidence by serial and re-evaluate each code; return the number of new evidence and the new decisions.

    `on_screen`: the holder is viewing the code. `clear_retry`: this is the re-evaluation that was due. `bulk`: put many
    codes into one job. Raises Problem when one of the codes does not exist.
    """
    session, _, actor, now = context
    codes = lock_codes(session, new_evidence)
    evidence, known_keys = _load_evidence(session, new_evidence)
    ordered = {serial: in_order(items, evidence[serial], now) for serial, items in new_evidence.items()}
    new = _write_evidence(context, ordered, known_keys, evidence)
    evaluations = _evaluate(context, codes, evidence)
    if on_screen:  # no message is needed
        evaluations = [(code, _seen(evaluation)) for code, evaluation in evaluations]
    decisions = _write_decisions(session, evaluations, actor)
    decision_ids = {row["serial"]: row["id"] for row in decisions}
    written = _write_codes(session, evaluations, decision_ids, clear_retry=clear_retry)
    append_events(session, actor, now, WrittenRows(new, decisions, written))
    _write_notices(session, evaluations, decisions, bulk=bulk)
    changed = {code.serial: code.version for code, evaluation in evaluations if _version_increment(code, evaluation)}
    mark_changed(session, changed, bulk=bulk)
    _refresh_session(session, new_evidence)
    return len(new), decisions


def _seen(evaluation: Evaluation) -> Evaluation:
    return evaluation._replace(delivery="seen") if evaluation.delivery == "waiting" else evaluation


def lock_codes(session: Session, serials: Collection[int]) -> list[Any]:
    """Return the rows of codes in the order of their serials, locked until the transaction ends."""
    session.flush()  # a statement of our own does not see what is not written
    codes = list(session.execute(_LOCK, {"serials": list(serials)}))
    if len(codes) != len(serials):
        raise Problem("code-not-found")
    return codes


def load_evidence(session: Session, serials: Collection[int]) -> dict[int, list[Evidence]]:
    """Return all evidence of codes, withdrawn facts included, as the database has it now."""
    return _load_evidence(session, serials)[0]


def mark_changed(session: Session, versions: Mapping[int, int], *, bulk: bool) -> None:
    """Have the cache updated around the commit, and by a job if that fails; `versions` are those before the change."""
    changed = session.info.setdefault(CHANGED_VERSIONS, {})
    defer_refresh(session, [serial for serial in versions if serial not in changed], bulk=bulk)
    changed.update({serial: version for serial, version in versions.items() if serial not in changed})


def _load_evidence(
    session: Session, serials: Collection[int]
) -> tuple[dict[int, list[Evidence]], set[tuple[int, str | None]]]:
    """Return the facts by serial, and the deduplication keys that are known."""
    facts: dict[int, list[Evidence]] = defaultdict(list)
    known_keys = set()
    session.flush()
    for row in session.execute(_EVIDENCE, {"serials": list(serials)}):
        facts[row.serial].append(to_fact(row))
        known_keys.add((row.serial, row.dedup_key))
    return facts, known_keys


def _evaluate(
    context: ChangeContext, codes: Sequence[Any], evidence: Mapping[int, Sequence[Evidence]]
) -> list[tuple[Any, Evaluation]]:
    """Evaluate codes, and read their last decisions where they may stand: a join with the lock would see old ones."""
    session, policy, _, now = context
    decided = [(code, decide_latest(evidence[code.serial], policy, now)) for code in codes]
    ids = [code.decision_id for code, one in decided if needs_last(code, one)]
    last = {row.id: row for row in session.execute(_LAST_DECISIONS, {"ids": ids})} if ids else {}
    return [(code, compare(code, last.get(code.decision_id), evidence[code.serial], one)) for code, one in decided]


def _write_evidence(
    context: ChangeContext,
    new_evidence: Mapping[int, Sequence[NewEvidence]],
    known: set[tuple[int, str | None]],
    facts: Mapping[int, list[Evidence]],
) -> list[dict[str, Any]]:
    """Write new evidence, except what is known by its deduplication key; add its facts, and return its rows."""
    session, _, actor, now = context
    rows = []
    for serial, items in new_evidence.items():
        for item in items:
            if item.dedup_key is None or (serial, item.dedup_key) not in known:
                known.add((serial, item.dedup_key))
                facts[serial].append(item.fact)
                rows.append(to_row(item, serial, actor, now))
    insert_rows(session, EvidenceRow, rows)
    return rows


def _write_decisions(
    session: Session, evaluations: Sequence[tuple[Any, Evaluation]], actor: Actor
) -> list[dict[str, Any]]:
    decided = [(code, evaluation) for code, evaluation in evaluations if evaluation.decision is not None]
    ids = draw_ids(session, DecisionRow.id, len(decided)) if decided else []
    rows = [
        {"id": id_, **_decision_row(code, evaluation, str(actor))}
        for id_, (code, evaluation) in zip(ids, decided, strict=True)
    ]
    insert_rows(session, DecisionRow, rows)
    return rows


def _decision_row(code: Any, evaluation: Evaluation, actor: str) -> dict[str, Any]:
    decision = evaluation.decision
    assert decision is not None
    return {
        "serial": code.serial,
        "version": code.version + _version_increment(code, evaluation),
        "previous_state": State(code.state),
        "state": evaluation.state,
        "rule": decision.rule,
        "rules": rules_to_column(decision),
        "evidence": list(decision.evidence),
        "missing": list(decision.missing),
        "policy_version": decision.policy_version,
        "since": decision.since,
        "until": decision.until,
        "decided_at": evaluation.at,
        "actor": actor,
    }


def _version_increment(code: Any, evaluation: Evaluation) -> int:
    """Return the increase of a code's version: one for another due time, and one for a decision."""
    return int(code.due_at != evaluation.due_at) + int(evaluation.decision is not None)


def _write_codes(
    session: Session, evaluations: Sequence[tuple[Any, Evaluation]], decisions: Mapping[int, int], *, clear_retry: bool
) -> list[dict[str, Any]]:
    """Write what has changed of codes; return the codes with another version, with their columns."""
    rows, changed = [], []
    for code, evaluation in evaluations:
        retry_at = None if clear_retry else code.retry_at
        if evaluation.needs_platform:
            retry_at = evaluation.at  # the worker asks the platform at once
        is_changed = _version_increment(code, evaluation) > 0
        if retry_at != code.retry_at or is_changed:
            rows.append(_code_row(code, evaluation, retry_at, decisions.get(code.serial, code.decision_id)))
        if is_changed:
            changed.append(code._asdict() | rows[-1])
    if rows:
        session.execute(_UPDATE, {name: to_array(row[name] for row in rows) for name in _WRITTEN})
    return changed


def _code_row(code: Any, evaluation: Evaluation, retry_at: datetime | None, decision_id: int | None) -> dict[str, Any]:
    decision = evaluation.decision
    return {
        "serial": code.serial,
        "state": evaluation.state,
        "version": code.version + _version_increment(code, evaluation),
        "decision_id": decision_id,
        "rule": code.rule if decision is None else decision.rule,
        "since": code.since if decision is None else decision.since,
        "due_at": evaluation.due_at,
        "retry_at": retry_at,
    }


def _refresh_session(session: Session, serials: Collection[int]) -> None:
    """Refresh the session's objects of these codes and their evidence, which were read before the lock."""
    for loaded in list(session.identity_map.values()):
        if isinstance(loaded, Code | EvidenceRow) and loaded.serial in serials:
            session.refresh(loaded)


# Read as PostgreSQL has them: what the columns of the tables do to each value would cost more than the statement.
_LOCK = text("""
    select serial, state, version, decision_id, rule, since, due_at, retry_at, epoch, opened_at,
        claimed_at, confirmed_at, denied_at
    from codes where serial = any(:serials) order by serial for update
""")
_EVIDENCE = text("""
    select id::text as id, serial, kind, at, facts, refers_to::text as refers_to, dedup_key, withdrawn_at
    from evidence where serial = any(:serials)
""")
_LAST_DECISIONS = text("""
    select id, state, rule, rules, evidence::text[] as evidence, missing, until, policy_version
    from decisions where id = any(:ids)
""")
_WRITTEN = {
    "serial": "bigint", "state": "smallint", "version": "int", "decision_id": "bigint", "rule": "text",
    "since": "timestamptz", "due_at": "timestamptz", "retry_at": "timestamptz",
}  # fmt: skip
_UPDATE = text(  # the names are constants, the values are parameters
    f"update codes set {', '.join(f'{name} = new.{name}' for name in _WRITTEN if name != 'serial')} "  # noqa: S608
    f"from unnest({', '.join(f'cast(:{name} as {type_}[])' for name, type_ in _WRITTEN.items())}) "
    f"as new ({', '.join(_WRITTEN)}) where codes.serial = new.serial"
)


def _write_notices(
    session: Session,
    evaluations: Sequence[tuple[Any, Evaluation]],
    decisions: Sequence[Mapping[str, Any]],
    *,
    bulk: bool,
) -> None:
    """Write the notices for the inbox, and put their delivery by WeChat into jobs where they are waiting."""
    deliveries = {code.serial: evaluation.delivery for code, evaluation in evaluations if evaluation.delivery}
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

"""Change of any number of codes at once: the only SQL that changes a color, for the functions of `ledger` alone.

One code is a batch of one. The codes are locked in the order of their serials, so that batches with the same codes do
not deadlock; then all their evidence is read, each code is evaluated, and the results are written table by table in the
caller's transaction: evidence, decisions, codes, audit, notices, jobs. `batch/` reads and writes the rows.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit import Actor
from app.codes.batch.reading import KnownEvidence, LockedCode, load_decisions, load_evidence, lock_codes
from app.codes.batch.writing import Evaluated, Row, version_increment, write_decisions, write_notices
from app.codes.cache.writing import CHANGED_VERSIONS
from app.codes.evaluation import Evaluation, compare, decide_latest, needs_last
from app.codes.evidence import NewEvidence, in_order, to_row
from app.codes.models import Code, EvidenceRow
from app.codes.row_digests.events import WrittenRows, append_events
from app.core.db import insert_rows, to_array
from app.core.queue import defer_refresh
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
) -> tuple[int, list[Row]]:
    """Record evidence by serial and re-evaluate each code; return the number of new evidence and the new decisions.

    `on_screen`: the holder is viewing the code. `clear_retry`: this is the re-evaluation that was due. `bulk`: put many
    codes into one job. Raises Problem when one of the codes does not exist.
    """
    session, _, actor, now = context
    codes = lock_codes(session, new_evidence)
    known = load_evidence(session, new_evidence)
    new = _write_evidence(context, new_evidence, known)
    evaluations = _evaluate(context, codes, known.facts)
    if on_screen:  # no message is needed
        evaluations = [(code, _seen(evaluation)) for code, evaluation in evaluations]
    decisions = write_decisions(session, evaluations, actor)
    decision_ids = {row["serial"]: row["id"] for row in decisions}
    written = _write_codes(session, evaluations, decision_ids, clear_retry=clear_retry)
    append_events(session, actor, now, WrittenRows(new, decisions, written))
    write_notices(session, evaluations, decisions, bulk=bulk)
    changed = {code.serial: code.version for code, evaluation in evaluations if version_increment(code, evaluation)}
    mark_changed(session, changed, bulk=bulk)
    _refresh_session(session, new_evidence)
    return len(new), decisions


def _seen(evaluation: Evaluation) -> Evaluation:
    return evaluation._replace(delivery="seen") if evaluation.delivery == "waiting" else evaluation


def mark_changed(session: Session, versions: Mapping[int, int], *, bulk: bool) -> None:
    """Have the cache updated around the commit, and by a job if that fails; `versions` are those before the change."""
    changed = session.info.setdefault(CHANGED_VERSIONS, {})
    new = {serial: version for serial, version in versions.items() if serial not in changed}
    defer_refresh(session, list(new), bulk=bulk)
    changed.update(new)


def _write_evidence(
    context: ChangeContext, new_evidence: Mapping[int, Sequence[NewEvidence]], known: KnownEvidence
) -> list[Row]:
    """Write new evidence, except what is known by its deduplication key; add it to what is known, return its rows."""
    session, _, actor, now = context
    by, rows = str(actor), []
    for serial, items in new_evidence.items():
        for item in in_order(items, known.facts[serial], now):
            if item.dedup_key is None or (serial, item.dedup_key) not in known.keys:
                known.keys.add((serial, item.dedup_key))
                known.facts[serial].append(item.fact)
                rows.append(to_row(item, serial, by, now))
    insert_rows(session, EvidenceRow, rows)
    return rows


def _evaluate(
    context: ChangeContext, codes: Sequence[LockedCode], evidence: Mapping[int, Sequence[Evidence]]
) -> list[tuple[LockedCode, Evaluation]]:
    """Evaluate codes, and read their last decisions where they may stand: a join with the lock would see old ones."""
    session, policy, _, now = context
    decided = [(code, decide_latest(evidence[code.serial], policy, now)) for code in codes]
    last = load_decisions(
        session, [code.decision_id for code, one in decided if code.decision_id is not None and needs_last(code, one)]
    )
    return [(code, compare(code, last.get(code.decision_id or 0), evidence[code.serial], one)) for code, one in decided]


def _write_codes(
    session: Session, evaluations: Evaluated, decisions: Mapping[int, int], *, clear_retry: bool
) -> list[Row]:
    """Write what has changed of codes, `decisions` by serial; return those with another version, as they are now."""
    written, changed = [], []
    for code, evaluation in evaluations:
        retry_at = None if clear_retry else code.retry_at
        if evaluation.needs_platform:
            retry_at = evaluation.at  # the worker asks the platform at once
        increment = version_increment(code, evaluation)
        if increment or retry_at != code.retry_at:
            row = _code_row(code, evaluation, retry_at, decisions.get(code.serial, code.decision_id))
            written.append(row)
            if increment:
                changed.append(row)
    if written:
        session.execute(_UPDATE, {name: to_array([row[name] for row in written]) for name in _WRITTEN})
    return changed


def _code_row(code: LockedCode, evaluation: Evaluation, retry_at: datetime | None, decision_id: int | None) -> Row:
    row = code._asdict()
    row["version"] += version_increment(code, evaluation)
    row["retry_at"], row["due_at"], row["decision_id"] = retry_at, evaluation.due_at, decision_id
    row["state"] = evaluation.state
    if evaluation.decision is not None:
        row["rule"], row["since"] = evaluation.decision.rule, evaluation.decision.since
    return row


_WRITTEN = {
    "serial": "bigint", "state": "smallint", "version": "int", "decision_id": "bigint", "rule": "text",
    "since": "timestamptz", "due_at": "timestamptz", "retry_at": "timestamptz",
}  # fmt: skip
_UPDATE = text(  # the names are constants, the values are parameters
    f"update codes set {', '.join(f'{name} = new.{name}' for name in _WRITTEN if name != 'serial')} "  # noqa: S608
    f"from unnest({', '.join(f'cast(:{name} as {type_}[])' for name, type_ in _WRITTEN.items())}) "
    f"as new ({', '.join(_WRITTEN)}) where codes.serial = new.serial"
)


def _refresh_session(session: Session, serials: Collection[int]) -> None:
    """Refresh the session's objects of these codes and their evidence, which were read before the lock."""
    for loaded in list(session.identity_map.values()):
        if isinstance(loaded, Code | EvidenceRow) and loaded.serial in serials:
            session.refresh(loaded)

"""Simulate a policy: evaluate every code by it and by the policy in force, and write nothing.

Reads one snapshot of the database in read-only transactions and evaluates as the ledger does (`evaluation`): the result
shows the difference of the two policies alone, at one moment and on the evidence recorded by then. See decisions/0014.
"""

import gc
import json
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from multiprocessing import get_context
from typing import Any, NamedTuple

from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, func, select, text

from app.codes.evaluation import Evaluation, evaluate
from app.codes.evidence import to_fact
from app.codes.models import Code
from app.codes.simulation_result import SimulatedState, SimulationResult
from app.codes.states import State
from app.core.db import make_engine
from app.core.errors import StartError
from app.rules import Evidence, Policy

_BLOCK = 4_096  # serials that are read and evaluated in one go


class _Simulation(NamedTuple):
    """The policies to compare, and the moment at which."""

    in_force: Policy
    proposed: Policy
    at: datetime


class SimulationProgress(NamedTuple):
    """The progress of a simulation: blocks done, blocks in all, and the result so far."""

    done: int
    total: int
    result: SimulationResult


def simulate(
    url: str, in_force: Policy, proposed: Policy, at: datetime, processes: int = 1
) -> Iterator[SimulationProgress]:
    """Evaluate every code in the database by both policies at `at`, in so many processes; yields after each block.

    Raises StartError when a process is ended from outside, or when the proposed version is not the one in force and
    has made decisions already.
    """
    engine, result, simulation = make_engine(url, 1), SimulationResult(), _Simulation(in_force, proposed, at)
    try:
        with snapshot_transaction(engine) as connection:
            blocks = _blocks(connection)
            results = (_simulate_block(connection, block, simulation) for block in blocks)
            if processes > 1:
                results = _in_parallel(_process_pool(url, connection, processes, simulation), blocks)
            for done, of_block in enumerate(results, 1):
                result.add(of_block)
                yield SimulationProgress(done, len(blocks), result)
    finally:
        engine.dispose()


def _blocks(connection: Connection) -> list[range]:
    """Return the blocks of serials in which there are codes: serials that a restore skipped are in none."""
    blocks: list[range] = []
    while True:
        start = blocks[-1].stop if blocks else 0
        first = connection.scalar(select(func.min(Code.serial)).where(Code.serial >= start))
        if first is None:
            return blocks
        begin = first // _BLOCK * _BLOCK
        blocks.append(range(begin, begin + _BLOCK))


def _process_pool(url: str, connection: Connection, processes: int, simulation: _Simulation) -> ProcessPoolExecutor:
    """Return processes that read the same snapshot as the connection, as long as its transaction lasts."""
    snapshot = connection.scalar(text("select pg_export_snapshot()"))
    spawn = get_context("spawn")  # a fork would share the connection
    return ProcessPoolExecutor(processes, spawn, _start_process, (url, snapshot, simulation))


def _in_parallel(pool: ProcessPoolExecutor, blocks: Sequence[range]) -> Generator[SimulationResult]:
    try:
        with pool:
            yield from pool.map(_simulate_block_in_process, blocks)
    except BrokenProcessPool:
        raise StartError(
            "A process of the dry run was ended, as when memory runs out; give fewer --processes."
        ) from None


@contextmanager
def snapshot_transaction(engine: Engine, snapshot: str | None = None) -> Iterator[Connection]:
    """Open a read-only transaction on one snapshot: its own, or one that another transaction exported."""
    with engine.connect() as connection, connection.begin():
        connection.execute(text("set transaction isolation level repeatable read, read only"))
        set_json_loads(lru_cache(maxsize=1_024)(json.loads), connection.connection.driver_connection)
        if snapshot is not None:
            connection.exec_driver_sql(f"set transaction snapshot '{snapshot}'")  # takes no parameter
        yield connection


# --- one process ----------------------------------------------------------------------------------------------------

_process_state: dict[str, Any] = {}  # of one process, until it ends


def _start_process(url: str, snapshot: str, simulation: _Simulation) -> None:
    gc.disable()  # facts and rows do not refer to each other: there are no cycles to collect
    _process_state.update(transaction=snapshot_transaction(make_engine(url, 1), snapshot), simulation=simulation)


def _simulate_block_in_process(block: range) -> SimulationResult:
    if "connection" not in _process_state:  # not in _start_process, whose errors the pool does not report
        _process_state["connection"] = _process_state["transaction"].__enter__()
    return _simulate_block(_process_state["connection"], block, _process_state["simulation"])


def _simulate_block(connection: Connection, block: range, simulation: _Simulation) -> SimulationResult:
    """Return the result for the serials of one block; codes that cannot change are counted by the database."""
    in_force, proposed, at = simulation
    same = f"coalesce({_UP_TO_DATE} and not ({_affected(in_force, proposed)}), false)"
    among = {"first": block.start, "end": block.stop, "version": in_force.version, "at": at}
    result = SimulationResult()
    for state, rule, people in connection.execute(text(_COUNTS.format(same)), among):
        result.people += people
        result.outcomes[State(state), rule, State(state), rule] += people
    changed_codes = connection.execute(text(_CODES.format(same)), among).all()
    facts: dict[int, list[Evidence]] = defaultdict(list)
    for row in connection.execute(_EVIDENCE, {"serials": [code.serial for code in changed_codes]}):
        facts[row.serial].append(to_fact(row))
    decided = [code.decision_id for code in changed_codes if code.decision_id is not None]
    last = {row.id: row for row in connection.execute(_LAST, {"ids": decided})}
    if proposed.version != in_force.version and any(row.policy_version == proposed.version for row in last.values()):
        raise StartError(
            f"Decisions were made by version {proposed.version} before it was replaced, and what it said then "
            "explains them: give the file a version of its own."
        )
    for code in changed_codes:
        _count(result, code, last.get(code.decision_id), facts.get(code.serial, ()), simulation)
    return result


def _count(
    result: SimulationResult, code: Any, last: Any, evidence: Sequence[Evidence], simulation: _Simulation
) -> None:
    """Evaluate one code by both policies, unless its last decision is that of the policy in force, and count it."""
    in_force, proposed, at = simulation
    if code.up_to_date:
        before = SimulatedState(State(last.state), last.rule, last.until, "verification" in last.missing)
    else:
        before = _simulated_state(code, last, evaluate(code, last, evidence, in_force, at))
    evaluation = evaluate(code, last, evidence, proposed, at)
    result.count(State(code.state), before, _simulated_state(code, last, evaluation), evaluation.delivery)


def _simulated_state(code: Any, last: Any | None, evaluation: Evaluation) -> SimulatedState:
    if evaluation.decision is not None:
        return SimulatedState(
            evaluation.state, evaluation.decision.rule, evaluation.decision.until, evaluation.needs_platform
        )
    until = None if last is None else last.until
    return SimulatedState(evaluation.state, code.rule or "NOT-DECLARED", until, evaluation.needs_platform)


def _affected(in_force: Policy, proposed: Policy) -> str:
    """Return the condition on a code that some of its evidence depends on a parameter in which the policies differ."""
    moments = [begin for policy in (in_force, proposed) for begin, _ in policy.parameters]
    dependent = [
        f"({evidence})"
        for name, evidence in _EVIDENCE_BY_PARAMETER.items()
        if any(getattr(in_force.at(moment), name) != getattr(proposed.at(moment), name) for moment in moments)
    ]
    evidence = "select from evidence e where e.serial = c.serial and e.serial >= :first and e.serial < :end"
    return f"exists ({evidence} and ({' or '.join(dependent)}))" if dependent else "false"


# The evidence that depends on each parameter, as a condition on its row. A code without any gets the same decision from
# two policies that differ in this parameter alone, and is not evaluated; a test checks this on random codes.
_EVIDENCE_BY_PARAMETER = {
    "fever_celsius": "kind = 'temperature'",
    "quarantine_days": "kind = 'contact' or facts ->> 'contact_on' is not null",
    "declaration_days": "kind = 'declaration'",
    "verification_days": "kind = 'verification'",
    "release_declaration_days": "kind in ('contact', 'quarantine', 'diagnosis') or facts ->> 'contact_on' is not null",
    "recovery_days": "kind = 'diagnosis'",
}
# The last decision was made by the policy in force, and nothing has been due since.
_UP_TO_DATE = "d.policy_version = :version and (c.due_at is null or c.due_at > :at)"
_AMONG = "from codes c left join decisions d on d.id = c.decision_id where c.serial >= :first and c.serial < :end"
_COUNTS = f"select c.state, c.rule, count(*) {_AMONG} and {{}} group by c.state, c.rule"
_CODES = (
    "select c.serial, c.state, c.rule, c.decision_id, c.due_at, c.claimed_at, c.confirmed_at, "
    f"{_UP_TO_DATE} as up_to_date {_AMONG} and not {{}}"
)
_LAST = text(  # without the other rules that applied: they decide whether a decision is new, not its content
    "select id, state, rule, '{}'::text[] as rules, evidence::text[], missing, until, policy_version "
    "from decisions where id = any(:ids)"
)
_EVIDENCE = text(
    "select serial, id::text, kind, at, facts::text, refers_to::text, withdrawn_at "
    "from evidence where serial = any(:serials)"
)

"""What a policy would change if it were in force: everybody weighed by both policies, and nothing written.

Reads one snapshot of the database, in transactions that cannot write, and weighs as the ledger does (`weighing.py`):
only the difference of the two policies shows, at one moment and on the evidence that is there. See decisions/0014.
"""

import gc
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from multiprocessing import get_context
from typing import Any, NamedTuple

from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, func, select, text

from app.codes.evaluation import Evaluation, evaluate
from app.codes.evidence import to_fact
from app.codes.models import Code
from app.codes.states import State
from app.core.db import make_engine
from app.core.errors import StartError
from app.rules import Evidence, Policy

_BLOCK = 4_096  # serials that are read and weighed in one go


class SimulatedState(NamedTuple):
    """What a person has by one policy; `until` is when that ends by the clock, `asks` that the platform is asked."""

    state: State
    rule: str
    until: datetime | None
    needs_platform: bool


@dataclass
class SimulationResult:
    """What a policy would change, added up over people.

    `outcomes` counts people by state and rule, before and after; before is by the policy in force, at the same moment.
    `due` people change state by that one too. `ends` counts those whose rule stays and ends earlier or later. `asked`:
    about whom the platform must be asked in addition. `notices` tell of a change that the policy brings, and as many
    as `withheld` besides are kept from holders who are not confirmed.
    """

    people: int = 0
    due: int = 0
    asked: int = 0
    notices: int = 0
    withheld: int = 0
    outcomes: Counter[tuple[State, str, State, str]] = field(default_factory=Counter)
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def states(self) -> Counter[tuple[State, State]]:
        """People by state before and after."""
        states: Counter[tuple[State, State]] = Counter()
        for (before, _, after, _), people in self.outcomes.items():
            states[before, after] += people
        return states

    @property
    def rules(self) -> Counter[tuple[str, str]]:
        """People by rule before and after."""
        rules: Counter[tuple[str, str]] = Counter()
        for (_, before, _, after), people in self.outcomes.items():
            rules[before, after] += people
        return rules

    @property
    def changed(self) -> int:
        """People whose state the policy changes."""
        return sum(people for (before, after), people in self.states.items() if before != after)

    def add(self, other: "SimulationResult") -> None:
        self.people += other.people
        self.due += other.due
        self.asked += other.asked
        self.notices += other.notices
        self.withheld += other.withheld
        self.outcomes.update(other.outcomes)
        self.ends.update(other.ends)


class SimulationProgress(NamedTuple):
    """How far a rehearsal has come: blocks done and to do, and what they add up to."""

    done: int
    total: int
    result: SimulationResult


def simulate(
    url: str, in_force: Policy, proposed: Policy, at: datetime, processes: int = 1
) -> Iterator[SimulationProgress]:
    """Weigh everybody in the database by both policies as of `at`, in so many processes; yields after each block.

    Raises StartError when one of the processes is ended from outside, or when the proposed version, which is not the
    one in force, has made decisions already.
    """
    engine, result = make_engine(url, 1), SimulationResult()
    try:
        with _snapshot_transaction(engine) as connection:
            largest = connection.scalar(select(func.max(Code.serial))) or 0
            blocks = [range(first, first + _BLOCK) for first in range(0, largest + 1, _BLOCK)]
            if processes == 1:
                tallies: Iterator[SimulationResult] = (
                    _simulate_block(connection, block, in_force, proposed, at) for block in blocks
                )
            else:
                tallies = _in_parallel(url, connection, blocks, processes, in_force, proposed, at)
            for done, some in enumerate(tallies, 1):
                result.add(some)
                yield SimulationProgress(done, len(blocks), result)
    finally:
        engine.dispose()


def _in_parallel(
    url: str, connection: Connection, blocks: Sequence[range], processes: int, *what: Any
) -> Iterator[SimulationResult]:
    """The tallies of blocks, made by processes of their own that see what the connection sees."""
    snapshot = connection.scalar(text("select pg_export_snapshot()"))
    spawn = get_context("spawn")  # a fork would share the connection
    try:
        with ProcessPoolExecutor(processes, spawn, _start_process, (url, snapshot, *what)) as pool:
            yield from pool.map(_simulate_block_in_process, blocks)
    except BrokenProcessPool:
        raise StartError("A process of the dry run was ended; is there memory enough for so many?") from None


@contextmanager
def _snapshot_transaction(engine: Engine, snapshot: str | None = None) -> Iterator[Connection]:
    """A transaction that cannot write and always sees the same: its first sight, or a snapshot exported by another."""
    with engine.connect() as connection, connection.begin():
        connection.execute(text("set transaction isolation level repeatable read, read only"))
        set_json_loads(lru_cache(maxsize=1_024)(json.loads), connection.connection.driver_connection)
        if snapshot is not None:
            connection.exec_driver_sql(f"set transaction snapshot '{snapshot}'")  # takes no parameter
        yield connection


# --- one process ----------------------------------------------------------------------------------------------------

_process_state: dict[str, Any] = {}  # what a process of its own holds until it ends


def _start_process(url: str, snapshot: str, *what: Any) -> None:
    gc.disable()  # facts and rows know nothing of each other: there are no circles to look for
    _process_state.update(frozen=_snapshot_transaction(make_engine(url, 1), snapshot), what=what)


def _simulate_block_in_process(block: range) -> SimulationResult:
    if "connection" not in _process_state:  # not in _begin, whose errors nobody is told
        _process_state["connection"] = _process_state["frozen"].__enter__()
    return _simulate_block(_process_state["connection"], block, *_process_state["what"])


def _simulate_block(
    connection: Connection, block: range, in_force: Policy, proposed: Policy, at: datetime
) -> SimulationResult:
    """What the policies say about the serials of one block."""
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
        _count_person(result, code, last.get(code.decision_id), facts.get(code.serial, ()), in_force, proposed, at)
    return result


def _affected(in_force: Policy, proposed: Policy) -> str:
    """As a condition on a code: there is evidence judged by a number in which the policies differ, at any time."""
    moments = [begin for policy in (in_force, proposed) for begin, _ in policy.parameters]
    judged = [
        f"({evidence})"
        for number, evidence in _EVIDENCE_BY_PARAMETER.items()
        if any(getattr(in_force.at(moment), number) != getattr(proposed.at(moment), number) for moment in moments)
    ]
    evidence = "select from evidence e where e.serial = c.serial and e.serial >= :first and e.serial < :end"
    return f"exists ({evidence} and ({' or '.join(judged)}))" if judged else "false"


# Which evidence is judged by which number, as a condition on its row. Whoever has none of it is told the same by two
# policies that differ in this number alone, and need not be weighed; a test holds the rules to it, on people at random.
_EVIDENCE_BY_PARAMETER = {
    "fever_celsius": "kind = 'temperature'",
    "quarantine_days": "kind = 'contact' or facts ->> 'contact_on' is not null",
    "declaration_days": "kind = 'declaration'",
    "verification_days": "kind = 'verification'",
    "release_declaration_days": "kind in ('contact', 'quarantine', 'diagnosis') or facts ->> 'contact_on' is not null",
    "recovery_days": "kind = 'diagnosis'",
}
# The last decision was made by the policy in force, and no moment has come since that could change it.
_UP_TO_DATE = "d.policy_version = :version and (c.due_at is null or c.due_at > :at)"
_AMONG = "from codes c left join decisions d on d.id = c.decision_id where c.serial >= :first and c.serial < :end"
_COUNTS = f"select c.state, c.rule, count(*) {_AMONG} and {{}} group by c.state, c.rule"
_CODES = (
    f"select c.serial, c.state, c.rule, c.decision_id, c.due_at, c.claimed_at, c.confirmed_at, {_UP_TO_DATE} as settled "
    f"{_AMONG} and not {{}}"
)
_LAST = text(  # without the rules that applied besides: they tell whether a decision is new, and not what it says
    "select id, state, rule, '{}'::text[] as rules, evidence::text[], missing, until, policy_version "
    "from decisions where id = any(:ids)"
)
_EVIDENCE = text("select serial, id::text, kind, at, facts, withdrawn_at from evidence where serial = any(:serials)")


# --- one person -----------------------------------------------------------------------------------------------------


def _count_person(
    result: SimulationResult,
    code: Any,
    last: Any,
    evidence: Sequence[Evidence],
    in_force: Policy,
    proposed: Policy,
    at: datetime,
) -> None:
    if code.settled:
        before = SimulatedState(State(last.state), last.rule, last.until, "verification" in last.missing)
    else:
        before = _simulated_state(code, last, evaluate(code, last, evidence, in_force, at, on_screen=False))
    evaluation = evaluate(code, last, evidence, proposed, at, on_screen=False)
    after = _simulated_state(code, last, evaluation)
    result.people += 1
    result.due += before.state != code.state
    result.asked += after.needs_platform and not before.needs_platform
    result.outcomes[before.state, before.rule, after.state, after.rule] += 1
    if before.rule == after.rule and before.until != after.until:
        result.ends[after.rule, _direction(before.until, after.until)] += 1
    if before.state != after.state:
        result.notices += evaluation.delivery == "waiting"
        result.withheld += evaluation.delivery == "withheld"


def _simulated_state(code: Any, last: Any | None, evaluation: Evaluation) -> SimulatedState:
    if evaluation.decision is not None:
        return SimulatedState(
            evaluation.state, evaluation.decision.rule, evaluation.decision.until, evaluation.needs_platform
        )
    until = None if last is None else last.until
    return SimulatedState(evaluation.state, code.rule or "NOT-DECLARED", until, evaluation.needs_platform)


def _direction(before: datetime | None, after: datetime | None) -> str:
    return "earlier" if before is None or (after is not None and after < before) else "later"

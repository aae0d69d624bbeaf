"""One case, as often as it is wanted: people gather, something breaks, they act, it heals, and all is compared."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import psutil
import psycopg
import requests
from redis import RedisError

from app.core.errors import StartError
from faults.acting import Actors
from faults.calling import wait_until
from faults.journal import Journal, badness
from faults.results import Result
from faults.system import System
from faults.truth import STUCK_SECONDS, compare
from faults.watch import Watch, Watched

_DONE_SINCE = "select 1 from procrastinate_events where type = 'succeeded' and at > to_timestamp(%s) limit 1"
_GATHER_SECONDS = 30
_NEWCOMERS = 3
_REFUSED_SECONDS = 1.2  # until the next attempt: nobody has the same temperature twice, and there are not many
_BREAKDOWNS = (
    psycopg.Error,
    RedisError,
    requests.RequestException,
    psutil.Error,
    subprocess.SubprocessError,
    OSError,
    RuntimeError,
    StartError,
)


class Stuck(Exception):
    """Something has not ended that has to, by a fault; the text says what."""


class LeftOut(Exception):
    """The fault cannot be caused on this machine; the text says why."""


@contextmanager
def as_it_is(system: System) -> Iterator[None]:
    """The system without anything special for a case."""
    yield


class Case(NamedTuple):
    """A fault, present while the block of `cause` lasts; `act_seconds` is how long it lasts at least.

    `setting` is how the system runs for all of the rounds, `heals` says that it is well again. A fault that is harmless
    keeps nobody from a change; one that goes back takes away what was acknowledged while it was there.
    """

    name: str
    cause: Callable[[System, int], AbstractContextManager[None]]
    limit_seconds: float = 600
    act_seconds: float = 1.0
    is_harmless: bool = False
    goes_back: bool = False
    own_system: bool = False  # the fault leaves something behind
    may_end: str = ""  # the program that may end by itself, for its supervisor starts it again
    stuck_seconds: float = STUCK_SECONDS
    setting: Callable[[System], AbstractContextManager[None]] = as_it_is
    heals: Callable[[System], bool] = System.ready


def run(system: System, case: Case, times: int) -> Result:
    """Cause the fault so many times, or as often as the limit of the case allows, and compare in the end."""
    journal = Journal()
    actors = Actors(system, journal)
    seconds: list[float] = []
    end = time.monotonic() + case.limit_seconds
    with case.setting(system):
        try:
            actors.begin()
            while len(seconds) < times and time.monotonic() < end:
                seconds.append(_round(system, case, actors, journal, len(seconds)))
            compare(system, journal, case.stuck_seconds)
        except _BREAKDOWNS as error:
            journal.found("stuck", f"the case breaks down in round {len(seconds) + 1}: {type(error).__name__}: {error}")
    return Result(case.name, times, seconds, journal.changes, journal.answers, dict(journal.findings))


def _round(system: System, case: Case, actors: Actors, journal: Journal, number: int) -> float:
    people = _gather(actors)
    watch = Watch(system.hosts, people, actors.inspector, journal)
    if case.goes_back:
        _measure_before(system, actors, people)
    with watch.looking():
        try:
            _break(system, case, actors, watch, number)
        except Stuck as stuck:
            journal.found("stuck", f"round {number + 1}: {stuck}")
        healed = time.monotonic()
        recovery = Recovery(system, actors, watch, case)
        if not wait_until(recovery.has_come, STUCK_SECONDS):
            journal.found("stuck", f"round {number + 1}: {recovery.missing} {recovery.seen or ''}")
        seconds = time.monotonic() - healed
        for name in system.start_again():
            if name != case.may_end:
                journal.found("stuck", f"round {number + 1}: {name} has ended by itself")
    for host in system.hosts:
        watch.look(host)
    if case.goes_back:
        actors.settle(_NEWCOMERS)
    return seconds


def _break(system: System, case: Case, actors: Actors, watch: Watch, number: int) -> None:
    """Cause the fault once, with people who act. Raises Stuck."""
    mark = actors.journal.mark()
    with case.cause(system, number):
        began = time.monotonic()
        refused = actors.act(watch.people, number)
        time.sleep(max(0.0, began + case.act_seconds - time.monotonic()))
        refused += [f"a look at {host}" for host in system.hosts if not watch.look(host)]
        if case.goes_back:
            actors.get_well(watch.people)
            actors.journal.go_back(mark)
    if case.is_harmless and refused:
        raise Stuck(f"refused during the fault: {', '.join(refused)}")


def _gather(actors: Actors) -> Watched:
    """The people of a round; the one before may have left something to do. Raises RuntimeError."""
    end = time.monotonic() + _GATHER_SECONDS
    while True:
        try:
            return actors.gather()
        except RuntimeError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def _measure_before(system: System, actors: Actors, people: Watched) -> None:
    """Have a fever that is older than the fault. Sessions of before the last one may have ended only now."""

    def measured() -> bool:
        if actors.measure_a_fever(people.changing, system.hosts[0]):
            return True
        time.sleep(_REFUSED_SECONDS)
        actors.come_back(people)
        return False

    if not wait_until(measured, _GATHER_SECONDS):
        raise RuntimeError("no fever is registered before the fault")


class Recovery:
    """Whether the system has done everything again, once each; `missing` is what it has not done yet."""

    def __init__(self, system: System, actors: Actors, watch: Watch, case: Case) -> None:
        self._system, self._actors, self._watch = system, actors, watch
        self._since, self._goes_back = time.time(), case.goes_back
        self.seen: list[tuple[int, object]] = []
        steps = {
            "not ready": lambda: case.heals(system),
            "nothing is shown or checked": self._is_shown,
            "no change is taken": self._is_changed,
            "no job is done": self._is_working,
        }
        before = {"nobody is let in again": self._is_let_in, "the color of then is not shown": self._is_of_then}
        self._steps = {**before, **steps} if case.goes_back else steps

    @property
    def missing(self) -> str:
        return next(iter(self._steps), "")

    def has_come(self) -> bool:
        """Ask for what is missing, in order, until something is still missing."""
        while self._steps:
            if not self._steps[self.missing]():
                return False
            del self._steps[self.missing]
        return True

    def _is_let_in(self) -> bool:
        return self._actors.come_back(self._watch.people)

    def _is_let_in_again(self) -> bool:
        """Log in once more: a host that has not noticed the restore yet lets people in until it does. Never true."""
        if self._goes_back:
            time.sleep(_REFUSED_SECONDS)
            self._is_let_in()
        return False

    def _is_of_then(self) -> bool:
        """A fever, which a normal temperature had followed that nobody knows any more."""
        citizen = self._watch.people.changing
        shown = [citizen.show(host) for host in self._system.hosts]
        if not all(reply.is_good and badness(reply.body["state"]) > 0 for reply in shown):
            self.seen = [(reply.status, reply.body.get("state")) for reply in shown]
            return self._is_let_in_again()
        self._actors.journal.decided(citizen, "YELLOW")
        return True

    def _is_shown(self) -> bool:
        return all(self._watch.look(host) for host in self._system.hosts)

    def _is_changed(self) -> bool:
        if self._actors.measure_a_fever(self._watch.people.changing, self._system.hosts[0]):
            return True
        time.sleep(_REFUSED_SECONDS)
        return self._is_let_in_again()

    def _is_working(self) -> bool:
        try:
            return bool(self._system.ask(_DONE_SINCE, self._since))
        except psycopg.Error:
            return False

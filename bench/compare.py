"""This checkout against another commit, both running side by side: `make bench BASE=<commit>`.

Each has an environment and databases of its own. The runs of the two alternate, and what counts is the median of the
ratios of neighbors: whatever else this machine does changes both. CPU is that of the web processes alone, and of a mass
change (`mass_compare`) all but that of Valkey.
"""

import argparse
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from bench import figures, mass_compare
from bench.figures import Figure
from bench.load import BARE, CHECKS, SHOWS
from bench.load_environment import Contender, Run, result, start_wrk
from bench.overload import CONNECTIONS as CROWD
from bench.overload import RATED

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("comparison.json")
CONNECTIONS = (16, 64, 256)
KINDS = {CHECKS: "checks", SHOWS: "shows"}


class Measured(NamedTuple):
    """A run, and microseconds of CPU in the web processes for each answer with 200."""

    run: Run
    cpu_us: float


class Side:
    """One checkout, whose servers run."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        described = json.loads(self._line()).items()
        self._asked = {
            name: Contender(name, "", one["path"], Path(one["asked"]), self.write) for name, one in described
        }
        self._address = {name: one["address"] for name, one in described}
        self._workers = {name: psutil.Process(one["master"]).children() for name, one in described}

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("One of the two does not start; its reasons are above.")
        return line

    def write(self) -> None:
        """Have the requests written anew."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._line()

    def ask(self, name: str, connections: int, seconds: float, rate: float | None = None) -> Measured:
        """Run once: as fast as answers come, or at a rate."""
        before = self._cpu(name)
        wrk = start_wrk(self._address[name], self._asked[name], connections, seconds, rate)
        run = result(wrk, may_refuse=True)
        return Measured(run, (self._cpu(name) - before) / (seconds * run.rate) * 1e6)

    def _cpu(self, name: str) -> float:
        used: float = sum(sum(worker.cpu_times()[:2]) for worker in self._workers[name])
        return used

    def memory(self) -> float:
        """Return the proportional memory of a web process, in MiB."""
        used: float = median(worker.memory_full_info().pss for worker in self._workers[CHECKS])
        return used / 2**20


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Yield a checkout of a commit with an environment of its own."""
    with TemporaryDirectory(prefix="jixiang-base-") as directory:
        place = Path(directory) / "base"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(place), commit], cwd=ROOT, check=True)
        try:
            subprocess.run([str(place / "tools" / "set-up"), "requirements-dev.lock"], check=True)
            yield place
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(place)], cwd=ROOT, check=True)


@contextmanager
def started(place: Path) -> Iterator[Side]:
    """Start the servers of a checkout."""
    command = [str(place / ".venv" / "bin" / "python"), str(Path(__file__).with_name("side.py"))]
    process = subprocess.Popen(command, cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Side(process)
    finally:
        process.communicate(timeout=60)


# --- measuring ----------------------------------------------------------------------------------------------------


class Compared(NamedTuple):
    """A figure of both, with the median of the ratios of neighboring runs, of this one to the other."""

    name: str
    unit: str
    this: float
    base: float
    ratio: float
    other: str = "of the other commit"


Runs = list[tuple[Measured, Measured]]  # of this checkout, and of the other one


class Length(NamedTuple):
    """The extent of the measurements."""

    rounds: int
    seconds: float
    citizens: int
    mass_rounds: int


class Pair(NamedTuple):
    """Both checkouts, asked in turn, every second time the other one first."""

    this: Side
    base: Side
    length: Length

    def runs(self, name: str, connections: int, rates: tuple[float, float] | None = None) -> Runs:
        """Ask both for the same, as fast as they answer or at a rate of each."""
        return self.runs_of((name, name), connections, rates)

    def runs_of(self, names: tuple[str, str], connections: int, rates: tuple[float, float] | None = None) -> Runs:
        """Ask each for something of its own."""
        found, sides = [], (self.this, self.base)
        for turn in range(self.length.rounds):
            measured = {}
            for side in (0, 1) if turn % 2 else (1, 0):
                sides[side].write()
                rate = None if rates is None else rates[side]
                measured[side] = sides[side].ask(names[side], connections, self.length.seconds, rate)
            found.append((measured[0], measured[1]))
        return found


WHOLE, QUICK = Length(7, 3, mass_compare.CITIZENS, 5), Length(2, 2, 2_000, 1)


def compare(pair: Pair) -> list[Compared]:
    """Measure rate and CPU at each number of connections, then p99 at half load, overload and memory."""
    found: list[Compared] = []
    best: dict[str, tuple[float, float]] = {}
    for kind, words in KINDS.items():
        rates = []
        for number in CONNECTIONS:
            runs = pair.runs(kind, number)
            rate = _compared(f"{words}, {number} connections", "/s", [(a.run.rate, b.run.rate) for a, b in runs])
            rates.append(rate)
            found += [rate, _compared(f"{rate.name}: CPU", "µs", [(a.cpu_us, b.cpu_us) for a, b in runs])]
        best[kind] = max(rate.this for rate in rates), max(rate.base for rate in rates)
        found.append(_compared(f"{words}, best against best", "/s", [best[kind]]))
    for kind, words in KINDS.items():
        runs = pair.runs(kind, 128, (best[kind][0] / 2, best[kind][1] / 2))
        found.append(_compared(f"{words}, p99 at half load", "ms", [(a.run.p99_ms, b.run.p99_ms) for a, b in runs]))
    rated = (RATED * best[CHECKS][0], RATED * best[CHECKS][1])
    runs = pair.runs(CHECKS, CROWD, (3 * rated[0], 3 * rated[1]))
    served = [(a.run.rate / rated[0], b.run.rate / rated[1]) for a, b in runs]
    found.append(_compared("checks served at 3 × the rated load, of the rated", "×", served))
    found.append(_compared("memory of a web process", "MiB", [(pair.this.memory(), pair.base.memory())]))
    bare = Pair(pair.this, pair.this, pair.length).runs_of((CHECKS, BARE), 64)
    beside = [(a.run.rate, b.run.rate) for a, b in bare]
    against = _compared("checks against bare Flask with one redis.get, 64 connections", "/s", beside)
    found.append(against._replace(other="of bare Flask"))
    return found


def compare_mass(place: Path, length: Length) -> list[Compared]:
    """Measure the mass change of this checkout, and of the one in another place."""
    pairs = mass_compare.compare(place, length.citizens, length.mass_rounds)
    units = {name: "/s" if name.startswith("rate") else "µs" for name in mass_compare.FIGURES}
    return [
        _compared(words, units[name], [(this[name], base[name]) for base, this in pairs])
        for name, words in mass_compare.FIGURES.items()
    ]


def _compared(name: str, unit: str, values: list[tuple[float, float]]) -> Compared:
    this, base = zip(*values, strict=True)
    return Compared(name, unit, median(this), median(base), median(a / b for a, b in values))


def _figures(found: list[Compared]) -> Iterator[Figure]:
    """Give each figure, and its ratio to that of the other commit, with the target."""
    for one in found:
        yield Figure(one.name, one.this, one.unit, *_TARGETS.get(one.name, _NONE))
        yield Figure(f"    {one.other}", one.base, one.unit)
        yield Figure("    ratio", one.ratio, "×", *_RATIOS.get(one.name, _NONE))


_AT_LEAST, _AT_MOST = True, False  # whether higher is better
_Target = tuple[float | None, bool]
_NONE: _Target = (None, _AT_LEAST)
_TARGETS: dict[str, _Target] = {
    "memory of a web process": (100, _AT_MOST),
    "checks served at 3 × the rated load, of the rated": (1, _AT_LEAST),
    **{f"checks, {number} connections: CPU": (40, _AT_MOST) for number in CONNECTIONS},
    **{f"shows, {number} connections: CPU": (70, _AT_MOST) for number in CONNECTIONS},
}
_RATIOS: dict[str, _Target] = {
    **{f"{words}, {number} connections": (2.5, _AT_LEAST) for words in KINDS.values() for number in (64, 256)},
    **{f"{words}, best against best": (2.2, _AT_LEAST) for words in KINDS.values()},
    **{f"{words}, p99 at half load": (0.5, _AT_MOST) for words in KINDS.values()},
    mass_compare.FIGURES["rate"]: (2, _AT_LEAST),
    "checks against bare Flask with one redis.get, 64 connections": (3, _AT_LEAST),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("base", help="the other commit")
    parser.add_argument("--built", type=Path, help="a checkout of it that has its environment already")
    parser.add_argument("--quick", action="store_true", help="short runs, to see that all works; writes no file")
    given = parser.parse_args()
    with ExitStack() as stack:
        place = (given.built or stack.enter_context(checkout(given.base))).resolve()
        length = QUICK if given.quick else WHOLE
        compared = compare_mass(place, length)
        with started(ROOT) as this, started(place) as base:
            compared += compare(Pair(this, base, length))
        found = list(_figures(compared))
    figures.show(f"Against {given.base}", found)
    if not given.quick:
        figures.save(RESULTS, found, base=given.base)


if __name__ == "__main__":
    main()

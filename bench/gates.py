"""A hundred gates, ten checks a second together, cut off again and again: what is lost, doubled, and how long it takes.

Each gate is the box of packages/station-bridge, with a store of its own, in a lane of a station. People show a code
made for this check, so that each check counts as one. A gate that is cut off sends nothing, or sends and hears no
answer; it verifies without network and submits when there is one. At the end every gate delivers what waits, and the
counts of the stations, as the roll-up has them, are compared with what was let in.
"""

import argparse
import itertools
import json
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import requests

from app.audit import Actor
from app.core.settings import load_settings
from app.devices.registry import NewDevice, add_device
from app.runtime import Services, make_services
from app.staff.context import OPERATOR, begin_as
from app.stations import rollup
from app.stations.accounts import NewInspector, add_inspector
from faults.people import Citizen
from faults.system import System, running
from station_bridge.bridge import Bridge
from station_bridge.published import Published
from station_bridge.server import Server, Timeouts, Unreachable
from station_bridge.signing import Signer
from station_bridge.store import Store

RESULTS: Final = Path(__file__).with_name("gates.json")
WHOLE_SECONDS: Final = 600
MOST_P99_MS: Final = 300.0
_STATIONS, _LANES = 25, 4
_PEOPLE: Final = 50
_RATE: Final = 10  # checks a second, of all gates together
_CUT_SHARE: Final = 0.1  # of the time
_CUT_SECONDS: Final = 8.0
_DELIVER_SECONDS: Final = 3.0


@dataclass
class Figures:
    """What came of a run. `let_in`: decided by the box as a code of ours, and so to be counted."""

    seconds: int
    gates: int = _STATIONS * _LANES
    sent: int = 0
    answered: int = 0  # with network
    offline: int = 0
    refused: int = 0
    let_in: int = 0
    counted: int = 0
    lost: int = 0
    doubled: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0

    @property
    def is_good(self) -> bool:
        return self.sent > 0 and self.lost == self.doubled == self.refused == 0 and self.counted == self.let_in


class CutServer(Server):
    """An installation that cannot be reached now and then: nothing arrives, or the answer does not."""

    def __init__(self, url: str, signer: Signer, seed: int) -> None:
        super().__init__(url, signer, timeouts=Timeouts(2, 5))
        self._chance = random.Random(seed)
        self._began = time.monotonic()
        self.is_whole = False  # from the end of the run on

    def _send(self, ask: Callable[[requests.Session], requests.Response]) -> requests.Response:
        is_cut = not self.is_whole and self._is_cut()
        if is_cut and self._chance.random() < 0.5:
            raise Unreachable("nothing arrives")
        response = super()._send(ask)
        if is_cut:
            raise Unreachable("the answer is lost")
        return response

    def _is_cut(self) -> bool:
        """Whether this is one of the stretches without network, which each gate has at times of its own."""
        stretch = int((time.monotonic() - self._began) / _CUT_SECONDS)
        return random.Random(hash((id(self), stretch))).random() < _CUT_SHARE


@dataclass
class Gate:
    """A box in its lane."""

    station: int
    server: CutServer
    bridge: Bridge
    store: Store
    lock: threading.Lock = field(default_factory=threading.Lock)


class Run:
    """One run against a system."""

    def __init__(self, system: System, services: Services, directory: Path, seconds: int) -> None:
        self._system, self._services = system, services
        self.figures = Figures(seconds)
        self._lock = threading.Lock()
        self._times: list[float] = []
        self._let_in: Counter[int] = Counter()
        self._gates = list(_make_gates(system, services, directory))
        self._people = [_make_citizen(system) for _ in range(_PEOPLE)]
        self._person_locks = [threading.Lock() for _ in self._people]

    def close(self) -> None:
        for gate in self._gates:
            gate.store.close()

    def go(self) -> Figures:
        """Let people pass, deliver meanwhile, and compare in the end."""
        stop = threading.Event()
        delivering = threading.Thread(target=self._deliver_until, args=(stop,), daemon=True)
        delivering.start()
        begin = time.monotonic()
        with ThreadPoolExecutor(max_workers=64) as pool:
            for number in range(self.figures.seconds * _RATE):
                time.sleep(max(0.0, begin + number / _RATE - time.monotonic()))
                pool.submit(self._pass, number)
        stop.set()
        delivering.join()
        for gate in self._gates:
            gate.server.is_whole = True
            gate.bridge.deliver()
        return self._compare()

    def _pass(self, number: int) -> None:
        """Have somebody show a code to the next gate."""
        gate, person = self._gates[number % len(self._gates)], number % len(self._people)
        with self._person_locks[person]:
            if not self._people[person].show(self._system.hosts[0]).is_good:
                return  # who has no code does not come to a gate
            token = self._people[person].token
        with gate.lock:
            begin = time.monotonic()
            decision = gate.bridge.scan(token)
            took = time.monotonic() - begin
        with self._lock:
            self._note(gate, decision, took)

    def _note(self, gate: Gate, decision: object, took: float) -> None:
        figures, state = self.figures, getattr(decision, "state", None)
        figures.sent += 1
        if state is None:
            figures.refused += 1
            return
        figures.let_in += 1
        self._let_in[gate.station] += 1
        if getattr(decision, "online", False):
            figures.answered += 1
            self._times.append(took)
        else:
            figures.offline += 1

    def _deliver_until(self, stop: threading.Event) -> None:
        while not stop.wait(_DELIVER_SECONDS):
            for gate in self._gates:
                with suppress(Unreachable):
                    gate.bridge.deliver()

    def _compare(self) -> Figures:
        """Compare what each station has counted with what its gates have let in."""
        figures = self.figures
        for station in {gate.station for gate in self._gates}:
            day = rollup.day_counts(self._services, station, self._services.clock.now())
            counted, expected = sum(day.values()), self._let_in[station]
            figures.counted += counted
            figures.lost += max(0, expected - counted)
            figures.doubled += max(0, counted - expected)
        if len(self._times) > 1:
            cuts = statistics.quantiles(self._times, n=100)
            figures.p50_ms, figures.p99_ms = round(cuts[49] * 1000, 1), round(cuts[98] * 1000, 1)
        return figures


def _make_gates(system: System, services: Services, directory: Path) -> Iterator[Gate]:
    for number, lane in itertools.product(range(_STATIONS), range(_LANES)):
        name = f"示例闸机站{number + 1}"
        if lane == 0:
            with services.begin() as session:
                new = NewInspector(name, "长春市", f"gates-{number + 1}", "a-long-Password-1")
                station = add_inspector(session, new, actor=Actor("operator"), now=services.clock.now()).station_id
        with begin_as(services, OPERATOR) as context:
            added = add_device(context, NewDevice(name, str(lane + 1), "gate"))
            device, secret = added.device.id, added.secret
        files = directory / str(device)
        files.mkdir()
        server = CutServer(system.hosts[device % 2], Signer.of_text(device, secret), seed=device)
        published = Published(files)
        published.fetch(Server(system.hosts[0], Signer.of_text(device, secret)))
        store = Store(files / "checks.sqlite")
        yield Gate(station, server, Bridge(server, store, published), store)


def _make_citizen(system: System) -> Citizen:
    """Somebody who has registered and declared."""
    host = system.hosts[0]
    citizen = Citizen(system.place.wechat)
    for act in (citizen.log_in, citizen.register, citizen.declare):
        act(host)
    return citizen


def run(seconds: int) -> Figures:
    """Start a system with a hundred gates, run them, and stop all of it."""
    with running() as system, tempfile.TemporaryDirectory(prefix="jixiang-gates-") as directory:
        services = make_services(load_settings())
        try:
            with closing(Run(system, services, Path(directory), seconds)) as one:
                return one.go()
        finally:
            services.close()


def show(figures: Figures) -> None:
    for name, value in asdict(figures).items():
        print(f"{name.replace('_', ' '):10} {value}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.gates", description=__doc__)
    parser.add_argument("--seconds", type=int, default=WHOLE_SECONDS, help="for a look: 20")
    given = parser.parse_args()
    figures = run(given.seconds)
    show(figures)
    is_whole = given.seconds >= WHOLE_SECONDS
    if is_whole:
        RESULTS.write_text(json.dumps(asdict(figures), indent=2) + "\n", encoding="utf-8")
    raise SystemExit(not figures.is_good or (is_whole and figures.p99_ms > MOST_P99_MS))


if __name__ == "__main__":
    main()

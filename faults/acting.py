"""What people do while something is broken; what the system acknowledges is noted in the journal."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import requests

from faults.journal import Journal, badness
from faults.people import Citizen, Inspector, Officers
from faults.system import System
from faults.watch import Watched


class Actors:
    """The people of a case, who act at both hosts."""

    def __init__(self, system: System, journal: Journal) -> None:
        self._system, self.journal = system, journal
        self.inspector = Inspector()
        self._registered = 0
        self._officers = Officers(system.hosts[0])

    def begin(self) -> None:
        """Open the station. Raises RuntimeError when it cannot be."""
        if not self.inspector.log_in(self._system.hosts[0]):
            raise RuntimeError("the inspector cannot log in")

    # --- before the fault

    def gather(self) -> Watched:
        """Three people more: one green, one who never declares, one who will log out. Raises RuntimeError."""
        with ThreadPoolExecutor(3) as pool:
            changing, silent, leaving = pool.map(lambda _: self._newcomer(), range(3))
        state = changing.declare(self._system.hosts[0]).body.get("state")
        if not self._system.sends_everywhere:  # or their notice would never go on to the other channels
            changing.tap()
        shown = [changing.show(host).body.get("state") for host in self._system.hosts]
        if state != "GREEN" or set(shown) != {"GREEN"}:
            raise RuntimeError(f"nobody becomes green before the fault: declared {state}, shown {shown}")
        return Watched(changing, silent, leaving)

    def _newcomer(self) -> Citizen:
        citizen = self.registered(self._system.hosts[0])
        if citizen is None:
            raise RuntimeError("nobody can register before the fault")
        return citizen

    # --- at any time

    def registered(self, host: str) -> Citizen | None:
        """Somebody new with an account; None when the host does not acknowledge it."""
        citizen = Citizen(self._system.place.wechat)
        if not citizen.log_in(host).is_good or not citizen.register(host).is_good:
            return None
        if self._system.sends_everywhere:
            self._follow(citizen)
        self.journal.accounts.append(citizen)
        return citizen

    def _follow(self, citizen: Citizen) -> None:
        """Every other person follows the official account: who does not is left to text messages."""
        self._registered += 1
        if self._registered % 2:
            with suppress(requests.RequestException):
                citizen.follow()

    def declare(self, citizen: Citizen, host: str) -> bool:
        """Declare oneself well; return whether it was acknowledged."""
        reply = citizen.declare(host)
        if not reply.is_good:
            return False
        self.journal.changed()
        self.journal.declarations.append(reply.body["declaration"])
        if badness(reply.body["state"]) < self.journal.at_least(citizen):
            self.journal.found("wrong", f"{reply.body['state']} answered at {host} to a declaration")
        return True

    def measure(self, citizen: Citizen, host: str, celsius: float, state: str) -> bool:
        """Register a temperature that leads to this state; return whether it was acknowledged.

        A better state may be shown before that, and although the acknowledgment is lost.
        """
        if badness(state) < self.journal.at_least(citizen):
            self.journal.decided(citizen, state)
        reply = self.inspector.measure(host, citizen.token, celsius)
        if not reply.is_good:
            return False
        self.journal.changed()
        self.journal.temperatures.append((citizen, celsius))
        self.journal.decided(citizen, state)
        if badness(reply.body["state"]) < badness(state):
            self.journal.found("wrong", f"{reply.body['state']} answered at {host} to a temperature of {celsius}")
        return True

    def measure_a_fever(self, citizen: Citizen, host: str) -> bool:
        """Register a fever as nobody else has of them; return whether it was acknowledged."""
        return self.measure(citizen, host, next(citizen.fevers) / 10, "YELLOW")

    def log_out(self, citizen: Citizen, host: str) -> bool:
        """End the sessions of somebody; return whether it was acknowledged."""
        done = citizen.log_out(host).is_good
        if done:
            self.journal.changed()
            self.journal.ended.append((citizen, citizen.session))
        return done

    def come_back(self, people: Watched) -> bool:
        """Log in anew, after a restore has ended every session; return whether all were let in."""
        a, b = self._system.hosts
        return self.inspector.log_in(a) and all(one.log_in(b).is_good for one in (people.changing, people.silent))

    def settle(self, number: int) -> None:
        """So many newcomers register and declare, after a restore that has taken others away."""
        for _ in range(number):
            newcomer = self.registered(self._system.hosts[0])
            if newcomer:
                self.declare(newcomer, self._system.hosts[1])

    def tap(self, host: str) -> None:
        """Accept a notice on a phone without an account: one callback."""
        with suppress(requests.RequestException):
            phone = Citizen(self._system.place.wechat)
            if phone.log_in(host).is_good:
                phone.tap()
                self.journal.taps.append(phone)

    def record_a_case(self, citizen: Citizen) -> None:
        """Two officers record that somebody is a case: red."""
        reference = f"示例 {citizen.username}"
        saved, in_effect = self._officers.record(citizen.document, reference)
        if saved:
            self.journal.changed()
            self.journal.entries.append((reference, in_effect))
        if in_effect:
            self.journal.decided(citizen, "RED")

    def get_well(self, people: Watched) -> None:
        """Register a normal temperature: the code is green again."""
        self.measure(people.changing, self._system.hosts[1], 36.5, "GREEN")

    def act(self, people: Watched, number: int) -> list[str]:
        """Everything that people do while something is broken; return what was not acknowledged.

        The first temperature is registered at the second host, whose clock may be ahead.
        """
        a, b = self._system.hosts
        newcomer = self.registered(a)
        done = {
            "a normal temperature": self.measure(people.changing, b, 36.4, "GREEN"),
            "a fever": self.measure_a_fever(people.changing, a) or self.measure_a_fever(people.changing, b),
            "a log-out": self.log_out(people.leaving, b if number % 2 else a),
            "a declaration with a fever": self.declare(people.changing, b),
            "a registration": newcomer is not None,
            "a declaration": newcomer is None or self.declare(newcomer, b),
        }
        self.tap(b)
        if number % 5 == 4:
            self.record_a_case(people.changing)
        return [act for act, is_done in done.items() if not is_done]

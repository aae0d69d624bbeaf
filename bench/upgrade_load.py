"""What goes on while bench/upgrade.py upgrades: citizens, an inspector and two officers, who ask through nginx."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from rich.console import Console
from rich.table import Table

from faults.calling import Reply
from faults.people import Citizen, Inspector, Officers

_ROUNDS: Final = 8  # of shows and checks, of one citizen
_CASES: Final = 9  # of a step: an officer who records more than 60 in an hour is held by an alarm
Answer = tuple[str, str, str]  # the step, what was asked, and what came


class Tally:
    """What came of each request, by the step during which it was sent. `ok`, or what was wrong."""

    def __init__(self) -> None:
        self._counts: Counter[Answer] = Counter()
        self._lock = threading.Lock()

    def add(self, step: str, asked: str, came: str) -> None:
        with self._lock:
            self._counts[step, asked, came] += 1

    def good(self, asked: str) -> int:
        return sum(number for (_, what, came), number in self._counts.items() if (what, came) == (asked, "ok"))

    def failures(self) -> dict[Answer, int]:
        return {answer: number for answer, number in self._counts.items() if answer[2] != "ok"}

    def by_step(self) -> dict[str, dict[str, int]]:
        """Return the number of requests of each step, and of each kind of failure."""
        steps: dict[str, dict[str, int]] = {}
        for (step, asked, came), number in self._counts.items():
            counts = steps.setdefault(step, {"requests": 0})
            counts["requests"] += number
            if came != "ok":
                counts[f"{asked}: {came}"] = number
        return steps

    def show(self) -> None:
        table = Table(title="Answers by step")
        for column in ("", "requests", "not as they should be"):
            table.add_column(column)
        for step, counts in self.by_step().items():
            wrong = [f"{number} {name}" for name, number in counts.items() if name != "requests"]
            table.add_row(step, f"{counts['requests']:,}", "\n".join(wrong) or "none")
        Console(width=120).print(table)


class Load:
    """Callers who never pause. Each leads one citizen after the other through a day."""

    def __init__(self, web: str, wechat: str, callers: int, step: str) -> None:
        self.step, self.tally = step, Tally()
        self._web, self._wechat = web, wechat
        self._over, self._inspector = threading.Event(), Inspector()
        self._officers, self._at_the_console = Officers(web), threading.Lock()
        self._cases: Counter[str] = Counter()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(callers)]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Call for the length of the block; everybody comes to the end of what they do."""
        self._do("inspector logs in", lambda: self._inspector.log_in(self._web))
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()

    def _call(self) -> None:
        while not self._over.is_set():
            self._lead(Citizen(self._wechat))

    def _lead(self, citizen: Citizen) -> None:
        """One citizen's day: from the log-in to a green code that is checked, and for some to a red one."""
        web, inspector = self._web, self._inspector
        for asked in ("log in", "register", "declare"):
            act = getattr(citizen, asked.replace(" ", "_"))
            self._do(asked, partial(act, web))
        citizen.tap()
        for _ in range(_ROUNDS):
            if self._over.is_set():
                return
            self._do("show", lambda: _says(citizen.show(web), "green"))
            self._do("check", lambda: _says(inspector.check(web, citizen.token), "green"))
            self._do("profile", lambda: citizen.me(web))
        self._do("measure", lambda: inspector.measure(web, citizen.token, 36.6))
        self._do("declare", lambda: citizen.declare(web))
        if self._is_next_case() and self._do("record a case", lambda: self._record(citizen)):
            self._do("show red", lambda: _says(citizen.show(web), "red"))
            self._do("check red", lambda: _says(inspector.check(web, citizen.token), "red"))
        self._do("log in", lambda: citizen.log_in(web))
        self._do("log out", lambda: citizen.log_out(web))

    def _is_next_case(self) -> bool:
        """Whether another case is recorded during this step."""
        with self._at_the_console:
            self._cases[self.step] += 1
            return self._cases[self.step] <= _CASES

    def _record(self, citizen: Citizen) -> bool:
        with self._at_the_console:
            return self._officers.record(citizen.document, f"示疾控 {citizen.handle}")[1]

    def _do(self, asked: str, act: Callable[[], Reply | bool | str]) -> bool:
        """Count what comes of a request, by the step at which it began."""
        step, reply = self.step, act()
        if isinstance(reply, Reply):
            reply = reply.is_good or f"{reply.status} {reply.body.get('code', '')}".strip()
        came = "ok" if reply is True else reply or "refused"
        self.tally.add(step, asked, came)
        return came == "ok"


def _says(reply: Reply, state: str) -> Reply | str:
    """The answer where it is none, or says what it should; else what it says."""
    found = str(reply.body.get("state", reply.body.get("color", ""))).lower()
    return reply if not reply.is_good or found == state else f"says {found}"

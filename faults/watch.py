"""Looking on while something is broken: each host is asked again and again, and no answer may be better than it is."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from faults.calling import Reply, call
from faults.journal import Journal, badness
from faults.people import Citizen, Inspector

_PAUSE_SECONDS = 0.25


class Watched(NamedTuple):
    """The people of a round: one whose code changes, one who never declares, one who logs out."""

    changing: Citizen
    silent: Citizen
    leaving: Citizen


class Watch:
    """Asks the hosts about the people of a round."""

    def __init__(self, hosts: tuple[str, ...], people: Watched, inspector: Inspector, journal: Journal) -> None:
        self._hosts, self.people, self._inspector, self._journal = hosts, people, inspector, journal
        self._ended = threading.Event()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look on from each host as long as the block lasts."""
        threads = [threading.Thread(target=self._look_on, args=(host,)) for host in self._hosts]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _look_on(self, host: str) -> None:
        while not self._ended.wait(_PAUSE_SECONDS):
            self.look(host)

    def look(self, host: str) -> bool:
        """Ask one host once; return whether it answered, and nobody was turned away by a failure."""
        replies = [*self._look_at_the_code(host), self._look_at_the_account(host), self._look_at_the_silent(host)]
        self._look_at_the_ended(host)
        return all(0 < reply.status < 500 for reply in replies)

    def _look_at_the_code(self, host: str) -> list[Reply]:
        citizen, journal = self.people.changing, self._journal
        before = journal.at_least(citizen)
        shown = citizen.show(host)
        self._compare(f"shown by {host}", shown, before)
        before = journal.at_least(citizen)
        checked = self._inspector.check(host, citizen.token)
        self._compare(f"checked at {host}", checked, before)
        return [shown, checked]

    def _compare(self, where: str, reply: Reply, at_least: int) -> None:
        if not reply.is_good:
            return
        self._journal.answered()
        state, action = reply.body["state"], reply.body.get("action")
        if badness(state) < at_least or (action == "pass" and at_least > 0):
            stale = ", stale" if reply.body["stale"] else ""
            self._journal.found("wrong", f"{state} {where}{stale}, better than what was acknowledged")

    def _look_at_the_account(self, host: str) -> Reply:
        reply = self.people.changing.me(host)
        if reply.is_good:
            self._journal.answered()
            if reply.body["username"] != self.people.changing.username:
                self._journal.found("wrong", f"a session opened another account at {host}")
        return reply

    def _look_at_the_silent(self, host: str) -> Reply:
        reply = self.people.silent.show(host)
        if reply.status:
            self._journal.answered()
        if reply.is_good and badness(reply.body["state"]) == 0:
            self._journal.found("wrong", f"GREEN at {host} for who declared nothing")
        return reply

    def _look_at_the_ended(self, host: str) -> None:
        for citizen, session in [(who, session) for who, session in self._journal.ended if who is self.people.leaving]:
            if call("GET", f"{host}/api/v1/accounts/me", session=session).is_good:
                self._journal.found("wrong", f"a session that {citizen.username} has ended is taken at {host}")

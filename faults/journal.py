"""What the system has acknowledged, which it must keep, and what it may answer since then.

Kept by whoever acts, and read by whoever looks on at the same time.
"""

import threading
from collections import defaultdict
from typing import Any, Final

from faults.people import Citizen

# how bad a state is; what shows no color lets nobody pass
_BADNESS: Final = {"GREEN": 0, "YELLOW": 1, "ORANGE": 2, "RED": 3}
_NO_COLOR: Final = 9


def badness(state: str) -> int:
    return _BADNESS.get(state, _NO_COLOR)


class Journal:
    """The acknowledged acts of a case, and what was found wrong meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decided: dict[str, int] = {}
        self.accounts: list[Citizen] = []
        self.declarations: list[str] = []
        self.temperatures: list[tuple[Citizen, float]] = []
        self.entries: list[tuple[str, bool]] = []  # reference, and whether it was said to be in effect
        self.ended: list[tuple[Citizen, str]] = []  # sessions
        self.taps: list[Citizen] = []  # phones on which a notice was accepted once
        self.former: list[tuple[Citizen, str]] = []  # sessions of accounts that a restore has taken away
        self.findings: dict[str, list[str]] = defaultdict(list)  # by column of the table
        self.answers = self.changes = 0

    def decided(self, citizen: Citizen, state: str) -> None:
        """Note that a change was acknowledged which leads to this state, or to a worse one."""
        with self._lock:
            self._decided[citizen.username] = badness(state)

    def at_least(self, citizen: Citizen) -> int:
        """How bad the code of somebody is, by the last change that was acknowledged before now."""
        with self._lock:
            return self._decided.get(citizen.username, 0)

    def mark(self) -> list[int]:
        """Return how much was acknowledged until now."""
        return [len(acts) for acts in self._acts()]

    def go_back(self, mark: list[int]) -> None:
        """Forget what was acknowledged since the mark: a restore takes it away, and nobody can keep it."""
        self.former += [(citizen, citizen.session) for citizen in self.accounts[mark[0] :]]
        for acts, length in zip(self._acts(), mark, strict=True):
            del acts[length:]
        with self._lock:
            self._decided.clear()

    def _acts(self) -> list[list[Any]]:
        return [self.accounts, self.declarations, self.temperatures, self.entries, self.ended, self.taps]

    def answered(self) -> None:
        with self._lock:
            self.answers += 1

    def changed(self) -> None:
        with self._lock:
            self.changes += 1

    def found(self, column: str, words: str) -> None:
        """Note one thing that must not be."""
        with self._lock:
            self.findings[column].append(words)

"""Importing a list of officers: thousands of entries by the same way that one takes.

The list is checked whole before anything is written. Then it goes in pieces, each a transaction of its own with the
cache written after it. Each fact is known by what it says (`finding_of`), so that a list that broke off, or is read
again, adds what is not there yet and nothing twice.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from multiprocessing import get_context
from typing import Any

from sqlalchemy.orm import Session

from app.audit import Actor
from app.citizens.accounts import Document, find_or_add_many
from app.clock import BEIJING
from app.codes import ledger
from app.codes.evidence import Entry, finding_of
from app.codes.states import State
from app.config import Settings
from app.errors import Problem, StartError
from app.officers import lists, looking
from app.officers.evidence import EntryKind, Stated, fact_of, restrictions_of
from app.officers.lists import Line, WrongList
from app.officers.models import Officer
from app.officers.small_numbers import FEWEST
from app.services import Services, make_services

PIECE = 2000  # people in one transaction: about a second, for which their codes are locked
LONG = 10_000  # people for whom it is worth to start processes

People = Mapping[int | Document, Sequence[Stated]]


@dataclass
class Tally:
    """How far an import has come, and what it has done.

    `known` counts lines whose fact had been told before; `changes` the codes by their state before and after.
    """

    lines: int = 0
    people: int = 0
    new_people: int = 0
    recorded: int = 0
    changes: Counter[tuple[State, State]] = field(default_factory=Counter)

    def add(self, piece: "Tally") -> None:
        """Count a piece in."""
        self.lines += piece.lines
        self.people += piece.people
        self.new_people += piece.new_people
        self.recorded += piece.recorded
        self.changes += piece.changes

    @property
    def known(self) -> int:
        return self.lines - self.recorded


def read(services: Services, content: bytes, given: Mapping[str, str], officer: Officer | None = None) -> list[Line]:
    """The lines of a list that is in order from end to end. Raises WrongList with every mistake.

    That the officer brings it is entered before anything about its people is told.
    """
    lines = lists.read(content, given, services.clock.now().astimezone(BEIJING).date())
    if officer is not None:
        looking.at_list(services, officer, lines)
    with services.sessions() as session:
        try:
            lists.check_people(session, services.vault, lines)
        except WrongList as wrong:
            if officer is not None and len(lines) >= FEWEST:
                looking.at_lines(services, officer, lines, {mistake.line for mistake in wrong.mistakes})
            raise
    return lines


def write(services: Services, lines: Sequence[Line], *, actor: Actor, dry_run: bool = False) -> Iterator[Tally]:
    """Record the lines piece by piece; yields after each. A dry run does all of it and takes it back.

    A long list goes in as many processes as there are processors. Raises Problem for what has changed since the list
    was read, and StartError when one of the processes is ended from outside; what was yielded before stays.
    """
    people: dict[int | Document, list[Stated]] = {}
    for line in lines:
        people.setdefault(line.person, []).append(line.stated)
    everybody, tally, now = list(people.items()), Tally(), services.clock.now()
    pieces = [dict(everybody[start : start + PIECE]) for start in range(0, len(everybody), PIECE)]
    if len(everybody) < LONG:
        tallies: Iterator[Tally] = (_record(services, piece, actor, now, dry_run) for piece in pieces)
    else:
        tallies = _at_once(services, pieces, actor, now, dry_run)
    for piece in tallies:
        tally.add(piece)
        yield tally


# --- processes ----------------------------------------------------------------------------------------------------

_mine: dict[str, Services] = {}  # what a process of its own holds until it ends


def _at_once(services: Services, pieces: Sequence[People], *what: Any) -> Iterator[Tally]:
    spawn = get_context("spawn")  # a fork would share the connections
    try:
        with ProcessPoolExecutor(os.cpu_count(), spawn, _begin, (services.settings,)) as pool:
            yield from pool.map(_record_alone, pieces, *map(repeat, what))
    except BrokenProcessPool:
        raise StartError(
            "A process of the import was ended. What it had told is recorded: import the list again."
        ) from None


def _begin(settings: Settings) -> None:
    _mine["services"] = make_services(settings)


def _record_alone(people: People, *what: Any) -> Tally:
    return _record(_mine["services"], people, *what)


# --- a piece ------------------------------------------------------------------------------------------------------


@contextmanager
def _transaction(services: Services, dry_run: bool) -> Iterator[Session]:
    if not dry_run:
        with services.begin() as session:
            yield session
        return
    with services.sessions() as session:
        yield session
        session.rollback()


def _record(services: Services, people: People, actor: Actor, now: datetime, dry_run: bool) -> Tally:
    documents = [person for person in people if not isinstance(person, int)]
    with _transaction(services, dry_run) as session:
        serials, added = find_or_add_many(session, services.vault, documents, now)
        stated = {person if isinstance(person, int) else serials[person]: some for person, some in people.items()}
        entries = _entries(session, stated, now)
        changed = ledger.record_many(session, services.policy, entries, actor=actor, now=now)
    changes = Counter(change for change in changed.states.values() if change[0] != change[1])
    return Tally(sum(map(len, people.values())), len(people), added, changed.entries, changes)


def _entries(session: Session, stated: Mapping[int, Sequence[Stated]], now: datetime) -> dict[int, list[Entry]]:
    releasing = [serial for serial, some in stated.items() if any(one.kind is EntryKind.RELEASE for one in some)]
    restrictions = restrictions_of(session, releasing) if releasing else {}
    return {serial: [_entry(serial, one, restrictions, now) for one in some] for serial, some in stated.items()}


def _entry(serial: int, stated: Stated, restrictions: Mapping[tuple[int, str], str], now: datetime) -> Entry:
    releases = None
    if stated.kind is EntryKind.RELEASE:
        releases = restrictions.get((serial, stated.reference))
        if releases is None:  # there when the list was checked, and taken back since
            raise Problem("evidence-not-found")
    said = stated.kind, stated.authority, stated.reference, stated.exposed_on, stated.first_day, stated.last_day
    finding = finding_of(*said, *([releases] if releases else []))
    return Entry(fact_of(stated, releases, now), stated.authority, stated.reference, finding)

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
from app.codes import ledger
from app.codes.evidence import NewEvidence, dedup_key_of
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.errors import Problem, StartError
from app.core.settings import Settings
from app.core.suppression import SUPPRESSION_THRESHOLD
from app.entries import lists, preview
from app.entries.content import EntryContent, EntryKind, fact_of
from app.entries.effects import find_restrictions
from app.entries.lists import InvalidList, ListLine
from app.runtime import Services, make_services
from app.staff.models import Officer

BATCH_SIZE = 2000  # people in one transaction: about a second, for which their codes are locked
PARALLEL_THRESHOLD = 10_000  # people for whom it is worth to start processes

ContentByPerson = Mapping[int | Document, Sequence[EntryContent]]


@dataclass
class ImportProgress:
    """How far an import has come, and what it has done.

    `known` counts lines whose fact had been told before; `changes` the codes by their state before and after.
    """

    lines: int = 0
    people: int = 0
    new_people: int = 0
    recorded: int = 0
    changes: Counter[tuple[State, State]] = field(default_factory=Counter)

    def add(self, piece: "ImportProgress") -> None:
        """Count a piece in."""
        self.lines += piece.lines
        self.people += piece.people
        self.new_people += piece.new_people
        self.recorded += piece.recorded
        self.changes += piece.changes

    @property
    def known(self) -> int:
        return self.lines - self.recorded


def read_list(
    services: Services, content: bytes, defaults: Mapping[str, str], officer: Officer | None = None
) -> list[ListLine]:
    """The lines of a list that is in order from end to end. Raises WrongList with every mistake.

    That the officer brings it is entered before anything about its people is told.
    """
    lines = lists.parse_list(content, defaults, services.clock.now().astimezone(BEIJING).date())
    if officer is not None:
        preview.record_list_access(services, officer, lines)
    with services.sessions() as session:
        try:
            lists.validate_people(session, services.encryption, lines)
        except InvalidList as wrong:
            if officer is not None and len(lines) >= SUPPRESSION_THRESHOLD:
                preview.record_line_access(services, officer, lines, {mistake.line for mistake in wrong.mistakes})
            raise
    return lines


def import_lines(
    services: Services, lines: Sequence[ListLine], *, actor: Actor, dry_run: bool = False
) -> Iterator[ImportProgress]:
    """Record the lines piece by piece; yields after each. A dry run does all of it and takes it back.

    A long list goes in as many processes as there are processors. Raises Problem for what has changed since the list
    was read, and StartError when one of the processes is ended from outside; what was yielded before stays.
    """
    people: dict[int | Document, list[EntryContent]] = {}
    for line in lines:
        people.setdefault(line.person, []).append(line.content)
    everybody, progress, now = list(people.items()), ImportProgress(), services.clock.now()
    pieces = [dict(everybody[start : start + BATCH_SIZE]) for start in range(0, len(everybody), BATCH_SIZE)]
    if len(everybody) < PARALLEL_THRESHOLD:
        batches: Iterator[ImportProgress] = (_record_batch(services, piece, actor, now, dry_run) for piece in pieces)
    else:
        batches = _import_in_parallel(services, pieces, actor, now, dry_run)
    for piece in batches:
        progress.add(piece)
        yield progress


# --- processes ----------------------------------------------------------------------------------------------------

_process: dict[str, Services] = {}  # what a process of its own holds until it ends


def _import_in_parallel(services: Services, pieces: Sequence[ContentByPerson], *what: Any) -> Iterator[ImportProgress]:
    spawn = get_context("spawn")  # a fork would share the connections
    try:
        with ProcessPoolExecutor(os.cpu_count(), spawn, _start_process, (services.settings,)) as pool:
            yield from pool.map(_record_in_process, pieces, *map(repeat, what))
    except BrokenProcessPool:
        raise StartError(
            "A process of the import was ended. What it had told is recorded: import the list again."
        ) from None


def _start_process(settings: Settings) -> None:
    _process["services"] = make_services(settings)


def _record_in_process(people: ContentByPerson, *what: Any) -> ImportProgress:
    return _record_batch(_process["services"], people, *what)


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


def _record_batch(
    services: Services, people: ContentByPerson, actor: Actor, now: datetime, dry_run: bool
) -> ImportProgress:
    documents = [person for person in people if not isinstance(person, int)]
    with _transaction(services, dry_run) as session:
        serials, added = find_or_add_many(session, services.encryption, documents, now)
        stated = {person if isinstance(person, int) else serials[person]: some for person, some in people.items()}
        entries = _make_evidence(session, stated, now)
        changed = ledger.record_many(session, services.policy, entries, actor=actor, now=now)
    changes = Counter(change for change in changed.states.values() if change[0] != change[1])
    return ImportProgress(sum(map(len, people.values())), len(people), added, changed.entries, changes)


def _make_evidence(
    session: Session, content_by_serial: Mapping[int, Sequence[EntryContent]], now: datetime
) -> dict[int, list[NewEvidence]]:
    releasing = [
        serial for serial, some in content_by_serial.items() if any(one.kind is EntryKind.RELEASE for one in some)
    ]
    restrictions = find_restrictions(session, releasing) if releasing else {}
    return {
        serial: [_make_one(serial, one, restrictions, now) for one in some]
        for serial, some in content_by_serial.items()
    }


def _make_one(
    serial: int, content: EntryContent, restrictions: Mapping[tuple[int, str], str], now: datetime
) -> NewEvidence:
    releases = None
    if content.kind is EntryKind.RELEASE:
        releases = restrictions.get((serial, content.reference))
        if releases is None:  # there when the list was checked, and taken back since
            raise Problem("evidence-not-found")
    said = content.kind, content.authority, content.reference, content.exposed_on, content.first_day, content.last_day
    finding = dedup_key_of(*said, *([releases] if releases else []))
    return NewEvidence(fact_of(content, releases, now), content.authority, content.reference, finding)

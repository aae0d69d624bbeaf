"""The import of a list: thousands of entries, recorded as evidence.

The whole list is validated before anything is written. Then it is recorded in batches, each a transaction of its own,
after which the cache is written. Each fact is identified by its content (`dedup_key_of`), so that a list that was
interrupted, or is imported again, adds what is missing and nothing twice.
"""

import gc
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from multiprocessing import get_context
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.audit import Actor
from app.citizens.lookup import Document, find_or_add_many
from app.codes import ledger
from app.codes.evidence import NewEvidence
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.errors import Problem, StartError
from app.core.settings import Settings
from app.core.suppression import AtLeast, Cell, suppress_parts
from app.entries import preview
from app.entries.content import EntryContent, EntryKind, fact_of, finding_key
from app.entries.effects import find_restrictions
from app.entries.lists.lines import LineRules, ListLine, parse_list
from app.entries.lists.people import validate_people
from app.entries.lists.tables import Layout, read_table
from app.runtime import Services, make_services
from app.staff.models import Officer

BATCH_SIZE = 2000  # people in one transaction: about a second, for which their codes are locked
PARALLEL_THRESHOLD = 10_000  # people from whom on it pays to start processes

ContentByPerson = Mapping[int | Document, Sequence[EntryContent]]


@dataclass
class ImportProgress:
    """The progress of an import, and what it has done.

    `known` is the number of lines whose fact was recorded before; `changes` are codes by their state before and after.
    `unchanged` are the people whose color a dry run leaves as it is.
    """

    lines: int = 0
    people: int = 0
    new_people: int = 0
    recorded: int = 0
    changes: Counter[tuple[State, State]] = field(default_factory=Counter)
    unchanged: set[int | Document] = field(default_factory=set, repr=False)

    def add(self, batch: "ImportProgress") -> None:
        """Add the progress of a batch."""
        self.lines += batch.lines
        self.people += batch.people
        self.new_people += batch.new_people
        self.recorded += batch.recorded
        self.changes += batch.changes
        self.unchanged |= batch.unchanged

    @property
    def known(self) -> int:
        return self.lines - self.recorded


class ImportNumbers(NamedTuple):
    """The numbers of an import as its officers see them: without small ones, of a dry run as of one that wrote."""

    lines: int
    people: int
    new_people: Cell | AtLeast
    recorded: Cell | AtLeast
    known: Cell | AtLeast
    changes: Sequence[tuple[tuple[State, State], Cell | AtLeast]]
    dry_run: bool


def numbers_of(progress: ImportProgress, *, dry_run: bool) -> ImportNumbers:
    """Return the numbers of an import, the small ones suppressed: those of a list of one are a person."""
    lines, people = progress.lines, progress.people
    new, _ = suppress_parts([progress.new_people, people - progress.new_people])
    recorded, known = suppress_parts([progress.recorded, progress.known])
    changes = preview.suppress_changes(progress.changes, people)
    return ImportNumbers(lines, people, new, recorded, known, changes, dry_run)


class BroughtList(NamedTuple):
    """A valid list: its lines, and how its file was read."""

    lines: list[ListLine]
    layout: Layout


def read_list(
    services: Services, content: bytes, defaults: Mapping[str, str], officer: Officer | None = None
) -> BroughtList:
    """Read a list, and validate all of it. Raises InvalidList with every error.

    The officer's access is recorded before anything about its people is shown.
    """
    table, now = read_table(content), services.clock.now()
    lines = parse_list(table, defaults, LineRules(now.astimezone(BEIJING).date(), services.policy.entry_days_at(now)))
    if officer is not None:
        preview.record_list_access(services, officer, lines)
    with services.sessions() as session:
        validate_people(session, services.encryption, lines)
    return BroughtList(lines, table.layout)


def import_lines(
    services: Services, lines: Sequence[ListLine], *, actor: Actor, dry_run: bool = False
) -> Iterator[ImportProgress]:
    """Record the lines in batches; yields the progress after each. A dry run rolls each batch back.

    A long list runs in as many processes as there are processors. Raises Problem for what has changed since the list
    was read, and StartError when a process was killed; what was yielded before stays recorded.
    """
    people: dict[int | Document, list[EntryContent]] = {}
    for line in lines:
        people.setdefault(line.person, []).append(line.content)
    everybody, progress, now = list(people.items()), ImportProgress(), services.clock.now()
    parts = [dict(everybody[start : start + BATCH_SIZE]) for start in range(0, len(everybody), BATCH_SIZE)]
    if len(everybody) < PARALLEL_THRESHOLD:
        batches: Iterator[ImportProgress] = (_record_batch(services, part, actor, now, dry_run) for part in parts)
    else:
        batches = _import_in_parallel(services, parts, actor, now, dry_run)
    for batch in batches:
        progress.add(batch)
        yield progress


# --- processes ----------------------------------------------------------------------------------------------------

_process: dict[str, Services] = {}  # of a worker process, until it ends


def _import_in_parallel(services: Services, parts: Sequence[ContentByPerson], *what: Any) -> Iterator[ImportProgress]:
    context = get_context("forkserver")  # imports once for all; a fork of this process would share its connections
    context.set_forkserver_preload([__name__])
    try:
        with ProcessPoolExecutor(os.cpu_count(), context, _start_process, (services.settings,)) as pool:
            yield from pool.map(_record_in_process, parts, *map(repeat, what))
    except BrokenProcessPool:
        raise StartError(
            "A process of the import was killed. What was reported is recorded: import the list again."
        ) from None


def _start_process(settings: Settings) -> None:
    _process["services"] = make_services(settings)
    gc.disable()  # rows and facts do not refer to each other: there are no cycles to collect


def _record_in_process(people: ContentByPerson, *what: Any) -> ImportProgress:
    return _record_batch(_process["services"], people, *what)


# --- a batch ------------------------------------------------------------------------------------------------------


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
        content: dict[int, list[EntryContent]] = defaultdict(list)  # a list may name one person by two documents
        for person, some in people.items():
            content[person if isinstance(person, int) else serials[person]].extend(some)
        entries = _make_evidence(session, content, now)
        changed = ledger.record_many(ledger.ChangeContext(session, services.policy, actor, now), entries)
    states = {serial: change for serial, change in changed.states.items() if change[0] != change[1]}
    unchanged = set()
    if dry_run:
        unchanged = {one for one in people if (one if isinstance(one, int) else serials[one]) not in states}
    numbers = sum(map(len, people.values())), len(people), added, changed.entries
    return ImportProgress(*numbers, Counter(states.values()), unchanged)


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
        if releases is None:  # there when the list was validated, and withdrawn since
            raise Problem("evidence-not-found")
    key = finding_key(content, releases)
    return NewEvidence(fact_of(content, releases, now), content.authority, content.reference, key)

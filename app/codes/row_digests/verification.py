"""Verification of rows: each row of evidence, decisions and codes against its digest in the last audit event.

Only reads. The chain vouches for the events, and the key for the digests: a row that was changed,
deleted or inserted is found, also by events that somebody added for it.
"""

from collections.abc import Iterator, Sequence
from heapq import heappush, heappushpop
from itertools import count
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from app.codes.row_digests.digests import RowDigests
from app.codes.row_digests.reading import LOWEST, EventDigest, Range, RowKey, read_range
from app.codes.states import State

BATCH: Final = 500  # serials
MOST_DOUBTFUL: Final = 10_000  # rows that are kept until the end; there can be as many as people
# a code that nothing was done to has no event, so only its serial and the moment of its creation differ
_UNTOUCHED: Final = [State.NOT_DECLARED, 1, 1, *[None] * 4, *[None] * 3]


class RowDiscrepancy(NamedTuple):
    """A row that is not what the events say, by table and id; `serial` is in the range that was verified.

    `kind`: row-changed, row-missing, row-inserted, row-undigested or row-repeated. `event` is the last about it.
    """

    kind: str
    words: str
    table: str
    id: str
    event: int | None
    serial: int


class RowProgress(NamedTuple):
    """The progress of a verification: the last serial, the highest one, and the rows and discrepancies since the last.

    `uncovered` rows are from before digests, or their digests were made with keys that were lost.
    """

    last: int
    total: int
    rows: int
    uncovered: int
    discrepancies: list[RowDiscrepancy]


def verify_rows(
    sessions: sessionmaker[Session], digests: RowDigests, after: int = LOWEST, ranges: int | None = None
) -> Iterator[RowProgress]:
    """Verify the rows of codes after a serial, of all or of a number of ranges; yields after each range."""
    with sessions() as session:
        known = session.execute(_KNOWN).one()
    verifier = _RowVerifier(digests, known.covered, known.adopted)
    highest = known.highest or 0
    for _ in count() if ranges is None else range(ranges):
        with sessions() as session:
            found = read_range(session, after, BATCH)
        if found is None:
            highest = after
            break
        after = found.last
        yield verifier.verify(found, max(highest, after))
    yield verifier.finish(after, max(highest, after))


class _RowVerifier:
    """Compares rows with their digests.

    `covered`: events after this one have digests. `adopted`: the last event by which other keys were adopted.
    """

    def __init__(self, digests: RowDigests, covered: int | None, adopted: int | None) -> None:
        self._digests = digests
        self._covered, self._adopted = covered, adopted or 0
        self._oldest: int | None = None  # event whose digest our key has made
        self._doubtful: list[tuple[int, RowDiscrepancy]] = []  # a heap of the newest
        self._lost = 0  # older ones

    def verify(self, found: Range, total: int) -> RowProgress:
        """Verify the rows of a range."""
        rows = uncovered = 0
        discrepancies: list[RowDiscrepancy] = []
        for key in sorted(found.rows.keys() | found.digests.keys()):
            history = found.digests.get(key, [])
            kind = self._fault(key, found, history)
            if kind is None:
                rows += 1
            elif kind == "uncovered":
                uncovered += 1
            else:
                self._add(_discrepancy(kind, key, history, found.last), discrepancies)
        return RowProgress(found.last, total, rows, uncovered, discrepancies)

    def finish(self, last: int, total: int) -> RowProgress:
        """Decide about rows that may have been digested with keys of before: none that is newer than one of ours."""
        true = [one for event, one in sorted(self._doubtful) if self._oldest is not None and event > self._oldest]
        return RowProgress(last, total, 0, self._lost + len(self._doubtful) - len(true), true)

    def _add(self, one: RowDiscrepancy, discrepancies: list[RowDiscrepancy]) -> None:
        if one.kind != "row-changed" or one.event is None or one.event > self._adopted:
            discrepancies.append(one)
        elif len(self._doubtful) < MOST_DOUBTFUL:
            heappush(self._doubtful, (one.event, one))
        else:
            heappushpop(self._doubtful, (one.event, one))
            self._lost += 1

    def _fault(self, key: RowKey, found: Range, history: Sequence[EventDigest]) -> str | None:
        """Return the kind of a discrepancy, `uncovered`, or None for a row that is as it was recorded."""
        values = found.rows.get(key)
        if not history:
            return None if values is not None and key[0] == "codes" and _is_untouched(values) else "row-inserted"
        if key not in found.rows:
            return "row-missing"
        last = history[-1]
        if last.digest is None:
            return "uncovered" if self._covered is None or last.event < self._covered else "row-undigested"
        if values is None or self._digests.of_values(key[0], values, last.at) != last.digest:
            return "row-changed"
        self._oldest = last.event if self._oldest is None else min(self._oldest, last.event)
        return "row-repeated" if _is_repeated(history) else None


def _is_untouched(values: Sequence[Any]) -> bool:
    return [*values[1:8], *values[9:]] == _UNTOUCHED


def _is_repeated(history: Sequence[EventDigest]) -> bool:
    """Return whether the last digest was there before another one: an event is repeated for a row that was put back."""
    digests = [one.digest for one in history]
    return len(set(digests[digests.index(digests[-1]) :])) > 1


def _discrepancy(kind: str, key: RowKey, history: Sequence[EventDigest], serial: int) -> RowDiscrepancy:
    event = history[-1].event if history else None
    return RowDiscrepancy(kind, _WORDS[kind].format(*key, event), *key, event, serial)


_WORDS: Final = {
    "row-changed": "{} {}: it is not what event {} says: it was changed",
    "row-missing": "{} {}: event {} names it, and it is not there: it was deleted",
    "row-inserted": "{} {}: no event names it: it was inserted",
    "row-undigested": "{} {}: event {} has no digest: the event was added, or an older version wrote it",
    "row-repeated": "{} {}: event {} repeats an older one: the row was put back to what it was",
}
# the second run has seen a whole night of this version: older processes, which write no digests, have been replaced
_KNOWN: Final = text(
    "select (select max(serial) from codes) as highest,"
    " (select id from audit where action = 'rows-verified' and action not in ('decided', 'evidence-recorded')"
    "  order by id offset 1 limit 1) as covered,"
    " (select max(id) from audit where action = 'keys-adopted' and action not in ('decided', 'evidence-recorded'))"
    " as adopted"
)

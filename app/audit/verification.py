"""Verification of the chain: each event against the previous one, each checkpoint against the chain.

Only reads. An event is compared with the *stored* hash before it, so that a changed one is reported alone and not with
all that follow. Checkpoints expose somebody who changes an event and rewrites the rest of the chain: their signatures
need a key that is not in the database.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import starmap
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from app.audit import checkpoints as stored
from app.audit.chain import EVENT_TEXT, GENESIS, ChainEnd, Discrepancy, link_hash
from app.audit.checkpoints import Checkpoint, CheckpointSigner
from app.audit.generations import explain

BATCH = 50_000
MAX_UNSEALED_AGE = timedelta(minutes=10)  # an older unsealed event was removed from the chain, or no sealer runs
LOOKBACK = 64  # links that are searched for the one that an event really follows
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1  # possible places


class VerificationProgress(NamedTuple):
    """The progress of a verification: links done, links in all, and the discrepancies since the last report."""

    done: int
    total: int
    discrepancies: list[Discrepancy]


class VerifiedRange(NamedTuple):
    """A verified range: its end, whether the chain ends there, and its discrepancies."""

    end: ChainEnd
    complete: bool
    discrepancies: list[Discrepancy]


class _Link(NamedTuple):
    place: int
    entry: int
    hash: bytes


def verify_chain(
    sessions: sessionmaker[Session],
    keys: CheckpointSigner,
    now: datetime,
    *,
    external: Iterable[Checkpoint] = (),
    since: date | None = None,
) -> Iterator[VerificationProgress]:
    """Verify the chain and its checkpoints, external ones included; yields after each batch.

    With `since` it starts at the last valid checkpoint before that day; the chain before it is not read.
    """
    with sessions() as session:
        known = stored.sort_by_day([*stored.stored_checkpoints(session), *external])
        total = session.scalar(_TOTAL) or 0
    invalid = _invalid_checkpoints(known, keys)
    valid = [checkpoint for checkpoint in known if checkpoint not in invalid]
    start = _start(valid, since)
    walk = _ChainWalk(start, [checkpoint for checkpoint in valid if checkpoint.entries >= start.entries])
    yield VerificationProgress(start.entries, total, [*starmap(_signature_discrepancy, invalid.items())])
    for rows in _batches(sessions, start.entries or _LOWEST):
        discrepancies = walk.along(rows)
        yield VerificationProgress(walk.last.place, max(total, walk.last.place), discrepancies)
    discrepancies = [*explain(sessions, walk.end()), *_unsealed(sessions, now)]
    yield VerificationProgress(walk.last.place, max(total, walk.last.place), discrepancies)


def verify_range(
    sessions: sessionmaker[Session], keys: CheckpointSigner, now: datetime, start: ChainEnd, limit: int
) -> VerifiedRange:
    """Verify `limit` links after `start`, whose hash is trusted, and the checkpoints among them.

    The signatures of all checkpoints, and old unsealed events, are checked in any case.
    """
    stop = start.entries + limit
    with sessions() as session:
        known = stored.sort_by_day(stored.stored_checkpoints(session))
        complete = stop >= (session.scalar(_TOTAL) or 0)
    invalid = _invalid_checkpoints(known, keys)
    ahead = [checkpoint for checkpoint in known if checkpoint not in invalid and checkpoint.entries > start.entries]
    walk = _ChainWalk(start, ahead if complete else [checkpoint for checkpoint in ahead if checkpoint.entries <= stop])
    discrepancies = [*starmap(_signature_discrepancy, invalid.items())]
    for rows in _batches(sessions, start.entries or _LOWEST, stop):
        discrepancies += walk.along(rows)
    end = ChainEnd(walk.last.place, walk.last.hash)
    return VerifiedRange(end, complete, [*discrepancies, *walk.end(), *_unsealed(sessions, now)])


def _invalid_checkpoints(checkpoints: Iterable[Checkpoint], keys: CheckpointSigner) -> dict[Checkpoint, str]:
    return {checkpoint: slug for checkpoint in checkpoints if (slug := keys.signature_fault(checkpoint))}


def _batches(sessions: sessionmaker[Session], after: int, last: int = _HIGHEST) -> Iterator[Sequence[Any]]:
    """Yield the events with places after this one, by place, whatever places exist, up to about `last`.

    If none is left up to `last`, some after it follow, so that a gap is reported and no run stops in front of it for
    ever.
    """
    while after < last:
        with sessions() as session:
            first = session.scalar(_NEXT, {"after": after})
            if first is None:
                return
            after = max(first, min(first + BATCH - 1, last))
            rows = session.execute(_LINKS, {"first": first, "last": after}).all()
        yield rows


def _start(valid: Iterable[Checkpoint], since: date | None) -> ChainEnd:
    earlier = [checkpoint for checkpoint in valid if since is not None and checkpoint.day < since]
    return ChainEnd(earlier[-1].entries, earlier[-1].hash) if earlier else ChainEnd(0, GENESIS)


class _ChainWalk:
    """A walk along the chain, one event after the other."""

    def __init__(self, start: ChainEnd, checkpoints: Iterable[Checkpoint]) -> None:
        self.last = _Link(start.entries, 0, start.hash)
        self._near = deque([self.last], LOOKBACK)
        self._checkpoints = list(checkpoints)
        self._by_hash: dict[bytes, list[Checkpoint]] = {}
        for checkpoint in self._checkpoints:
            self._by_hash.setdefault(checkpoint.hash, []).append(checkpoint)
        self._met: set[Checkpoint] = set()
        self._shifted: dict[Checkpoint, int] = {}
        if start.hash in self._by_hash:
            self._meet(self.last)

    def along(self, rows: Sequence[Any]) -> list[Discrepancy]:
        """Verify the next events; return their discrepancies."""
        discrepancies: list[Discrepancy] = []
        last = self.last
        for place, entry, hash_, spelled in rows:  # millions of rows: a right one takes the shortest way
            here = _Link(place, entry, hash_)
            if place != last.place + 1 or hash_ != link_hash(last.hash, spelled):
                self.last = last
                discrepancies += self._compare(here, spelled)
            if hash_ in self._by_hash:
                self._meet(here)
            self._near.append(here)
            last = here
        self.last = last
        return discrepancies

    def _compare(self, here: _Link, spelled: str) -> Iterator[Discrepancy]:
        before = self.last
        if here.place > before.place + 1:
            yield _removed(before, here)
        elif here.hash != link_hash(before.hash, spelled):
            yield from self._changed_or_moved(here, spelled)
        else:
            yield _discrepancy("misplaced", here, "has a place that is not the next one")

    def _meet(self, here: _Link) -> None:
        for checkpoint in self._by_hash[here.hash]:
            if checkpoint.entries == here.place:
                self._met.add(checkpoint)
            else:
                self._shifted[checkpoint] = here.place

    def end(self) -> Iterator[Discrepancy]:
        """Yield the discrepancies of the checkpoints that the chain does not contain."""
        for checkpoint in self._checkpoints:
            if checkpoint not in self._met:
                yield _checkpoint_discrepancy(checkpoint, self._shifted.get(checkpoint), self.last.place)

    def _changed_or_moved(self, here: _Link, spelled: str) -> Iterator[Discrepancy]:
        """Yield `misplaced` for an event that follows an earlier one than the last, `changed` if it follows none."""
        near = list(self._near)
        for index in range(len(near) - 2, -1, -1):
            if here.hash == link_hash(near[index].hash, spelled):
                yield _misplaced(near[index], near[index + 1 :], here)
                return
        words = f"does not follow from event {self.last.entry}: one of them was changed, or events between were removed"
        yield _discrepancy("changed", here, words)


def _discrepancy(kind: str, here: _Link, words: str) -> Discrepancy:
    return Discrepancy(kind, f"place {here.place}, event {here.entry}: {words}", here.place, here.entry)


def _misplaced(after: _Link, between: Sequence[_Link], here: _Link) -> Discrepancy:
    if len(between) == 1:
        words = f"does not belong there, because event {here.entry} follows from event {after.entry}: inserted or moved"
        return _discrepancy("misplaced", between[0], words)
    words = f"follows from event {after.entry} at place {after.place}: it was moved, or all between were inserted"
    return _discrepancy("misplaced", here, words)


def _removed(before: _Link, here: _Link) -> Discrepancy:
    first, last = max(before.place, 0) + 1, here.place - 1
    missing = f"place {first} is" if first == last else f"places {first} to {last} are"
    between = f"between events {before.entry} and {here.entry}" if before.entry else f"before event {here.entry}"
    return Discrepancy("removed", f"{missing} missing, {between}: removed", first)


def _unsealed(sessions: sessionmaker[Session], now: datetime) -> list[Discrepancy]:
    """Return the events that should have been sealed for some time."""
    with sessions() as session:
        ids = session.scalars(_UNSEALED, {"before": now - MAX_UNSEALED_AGE}).all()
    words = "has no place in the chain: it was removed from it, or no worker seals"
    return [Discrepancy("unsealed", f"event {id_}: {words}", None, id_) for id_ in ids]


def _signature_discrepancy(checkpoint: Checkpoint, slug: str) -> Discrepancy:
    why = {"unknown-key": "is signed by an unknown key", "forged": "has a wrong signature"}[slug]
    return Discrepancy(slug, f"checkpoint of {checkpoint.day}: {why}", checkpoint.entries, None, checkpoint.day)


def _checkpoint_discrepancy(checkpoint: Checkpoint, found_at: int | None, length: int) -> Discrepancy:
    if found_at is not None:
        moved = checkpoint.entries - found_at
        change = f"{moved} events were removed" if moved > 0 else f"{-moved} events were inserted"
        kind, words = "shifted", f"its hash is at place {found_at} and not at {checkpoint.entries}: {change} before"
    elif length < checkpoint.entries:
        kind, words = "cut-off", f"the chain ends at place {length}, and had {checkpoint.entries} events then"
    else:
        kind, words = "rewritten", f"place {checkpoint.entries} has another hash: the chain before it was rewritten"
    return Discrepancy(kind, f"checkpoint of {checkpoint.day}: {words}", checkpoint.entries, None, checkpoint.day)


_NEXT = text("select min(place) from audit where place > :after")
_TOTAL = text("select max(place) from audit")
_LINKS = text(
    f"select place, id, hash, {EVENT_TEXT} as spelled from audit where place between :first and :last "  # noqa: S608 - a constant
    "order by place, id"
)
_UNSEALED = text("select id from audit where place is null and at < :before order by id limit 1000")

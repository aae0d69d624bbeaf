"""Verifying the chain: every entry against the one before it, every head against the chain; what does not fit is named.

Reads only. An entry is held against the hash that *stands* before it, so that one that was tampered with is told by
itself and not with all that follow. Whoever changes an entry and writes the whole rest anew is found by the heads:
their signatures need a key that is not in the database.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from app.audit import checkpoints as heads_of
from app.audit.chain import EVENT_TEXT, GENESIS, ChainEnd, link_hash
from app.audit.checkpoints import Checkpoint, CheckpointSigner

BATCH = 50_000
MAX_UNSEALED_AGE = timedelta(minutes=10)  # an entry that waits longer than this was left out, or nobody seals
LOOKBACK = 64  # links looked back for the one that an entry really follows
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1  # of all places that there can be


class Discrepancy(NamedTuple):
    """Something that does not fit, with the place, the id of the entry and the day that it concerns, if any.

    `kind`: changed, misplaced, removed, unsealed, unknown-key, forged, cut-off, rewritten or shifted.
    """

    kind: str
    words: str
    place: int | None = None
    entry: int | None = None
    day: date | None = None


class VerificationProgress(NamedTuple):
    """How far a verification has come: links done and to do, and what was found since the last time."""

    done: int
    total: int
    discrepancies: list[Discrepancy]


class VerifiedRange(NamedTuple):
    """A part of the chain that was verified: its end, whether the chain ends there, and what was found in it."""

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
    """Check the chain and its heads, those kept elsewhere with them; yields after each batch.

    With `since` it begins at the last head before that day whose signature is right: what was before is not read.
    """
    with sessions() as session:
        known = heads_of.sort_by_day([*heads_of.stored_checkpoints(session), *external])
        total = session.scalar(_TOTAL) or 0
    wrong = _invalid_checkpoints(known, keys)
    trusted = [checkpoint for checkpoint in known if checkpoint not in wrong]
    start = _start(trusted, since)
    walk = _ChainWalk(start, [checkpoint for checkpoint in trusted if checkpoint.entries >= start.entries])
    yield VerificationProgress(
        start.entries, total, [_signature_discrepancy(checkpoint, slug) for checkpoint, slug in wrong.items()]
    )
    for rows in _batches(sessions, start.entries or _LOWEST):
        discrepancies = walk.along(rows)
        yield VerificationProgress(walk.last.place, max(total, walk.last.place), discrepancies)
    with sessions() as session:
        late = session.execute(_LATE, {"before": now - MAX_UNSEALED_AGE}).all()
    yield VerificationProgress(walk.last.place, max(total, walk.last.place), [*walk.end(), *map(_unsealed, late)])


def verify_range(
    sessions: sessionmaker[Session], keys: CheckpointSigner, now: datetime, start: ChainEnd, limit: int
) -> VerifiedRange:
    """Check so many links after `start`, whose hash is taken for right, and the heads that lie among them.

    Signatures of heads, and entries that wait for their place too long, are looked at in any case.
    """
    stop = start.entries + limit
    with sessions() as session:
        known = heads_of.sort_by_day(heads_of.stored_checkpoints(session))
        complete = stop >= (session.scalar(_TOTAL) or 0)
        late = session.execute(_LATE, {"before": now - MAX_UNSEALED_AGE}).all()
    wrong = _invalid_checkpoints(known, keys)
    ahead = [checkpoint for checkpoint in known if checkpoint not in wrong and checkpoint.entries > start.entries]
    walk = _ChainWalk(start, ahead if complete else [checkpoint for checkpoint in ahead if checkpoint.entries <= stop])
    discrepancies = [_signature_discrepancy(checkpoint, slug) for checkpoint, slug in wrong.items()]
    for rows in _batches(sessions, start.entries or _LOWEST, stop):
        discrepancies += walk.along(rows)
    end = ChainEnd(walk.last.place, walk.last.hash)
    return VerifiedRange(end, complete, [*discrepancies, *walk.end(), *map(_unsealed, late)])


def _invalid_checkpoints(checkpoints: Iterable[Checkpoint], keys: CheckpointSigner) -> dict[Checkpoint, str]:
    return {checkpoint: slug for checkpoint in checkpoints if (slug := keys.signature_fault(checkpoint))}


def _batches(sessions: sessionmaker[Session], after: int, last: int = _HIGHEST) -> Iterator[Sequence[Any]]:
    """All entries with a place above this one, by place, whatever places they have, up to about the last one.

    Where none is left before `last`, some behind it come too: a gap is told, and nobody waits before it for ever.
    """
    while after < last:
        with sessions() as session:
            first = session.scalar(_NEXT, {"after": after})
            if first is None:
                return
            after = max(first, min(first + BATCH - 1, last))
            rows = session.execute(_LINKS, {"first": first, "last": after}).all()
        yield rows


def _start(trusted: Iterable[Checkpoint], since: date | None) -> ChainEnd:
    earlier = [checkpoint for checkpoint in trusted if since is not None and checkpoint.day < since]
    return ChainEnd(earlier[-1].entries, earlier[-1].hash) if earlier else ChainEnd(0, GENESIS)


class _ChainWalk:
    """Goes along the chain, one entry after the other."""

    def __init__(self, start: ChainEnd, checkpoints: Iterable[Checkpoint]) -> None:
        self.last = _Link(start.entries, 0, start.hash)
        self._near = deque([self.last], LOOKBACK)
        self._heads = list(checkpoints)
        self._by_hash: dict[bytes, list[Checkpoint]] = {}
        for checkpoint in self._heads:
            self._by_hash.setdefault(checkpoint.hash, []).append(checkpoint)
        self._met: set[Checkpoint] = set()
        self._shifted: dict[Checkpoint, int] = {}
        if start.hash in self._by_hash:
            self._meet(self.last)

    def along(self, rows: Sequence[Any]) -> list[Discrepancy]:
        """What is wrong with the next entries."""
        discrepancies: list[Discrepancy] = []
        last = self.last
        for place, entry, hash_, spelled in rows:  # millions of them: what fits takes the shortest way
            here = _Link(place, entry, hash_)
            if place != last.place + 1 or hash_ != link_hash(last.hash, spelled):
                self.last = last
                discrepancies += self._wrong(here, spelled)
            if hash_ in self._by_hash:
                self._meet(here)
            self._near.append(here)
            last = here
        self.last = last
        return discrepancies

    def _wrong(self, here: _Link, spelled: str) -> Iterator[Discrepancy]:
        before = self.last
        if here.place > before.place + 1:
            yield _removed(before, here)
        elif here.hash != link_hash(before.hash, spelled):
            yield from self._misfit(here, spelled)
        else:
            yield _discrepancy("misplaced", here, "stands at a place that is not the next one")

    def _meet(self, here: _Link) -> None:
        for checkpoint in self._by_hash[here.hash]:
            if checkpoint.entries == here.place:
                self._met.add(checkpoint)
            else:
                self._shifted[checkpoint] = here.place

    def end(self) -> Iterator[Discrepancy]:
        """What is wrong with the chain as a whole: the heads that it does not go through."""
        for checkpoint in self._heads:
            if checkpoint not in self._met:
                yield _checkpoint_discrepancy(checkpoint, self._shifted.get(checkpoint), self.last.place)

    def _misfit(self, here: _Link, spelled: str) -> Iterator[Discrepancy]:
        """Tell an entry that follows an earlier one than the last, and is out of place, from one that follows none."""
        near = list(self._near)
        for index in range(len(near) - 2, -1, -1):
            if here.hash == link_hash(near[index].hash, spelled):
                yield _misplaced(near[index], near[index + 1 :], here)
                return
        words = f"does not follow from entry {self.last.entry}: one of them was changed, or what stood between removed"
        yield _discrepancy("changed", here, words)


def _discrepancy(kind: str, here: _Link, words: str) -> Discrepancy:
    return Discrepancy(kind, f"place {here.place}, entry {here.entry}: {words}", here.place, here.entry)


def _misplaced(after: _Link, between: Sequence[_Link], here: _Link) -> Discrepancy:
    if len(between) == 1:
        words = f"does not belong there, for entry {here.entry} follows from entry {after.entry}: inserted or moved"
        return _discrepancy("misplaced", between[0], words)
    words = f"follows from entry {after.entry} at place {after.place}: it was moved, or all between were inserted"
    return _discrepancy("misplaced", here, words)


def _removed(before: _Link, here: _Link) -> Discrepancy:
    first, last = max(before.place, 0) + 1, here.place - 1
    gone = f"place {first} is" if first == last else f"places {first} to {last} are"
    between = f"between entries {before.entry} and {here.entry}" if before.entry else f"before entry {here.entry}"
    return Discrepancy("removed", f"{gone} missing, {between}: removed", first)


def _unsealed(row: Any) -> Discrepancy:
    words = f"entry {row.id}: has no place in the chain; it was taken out, or nobody seals"
    return Discrepancy("unsealed", words, None, row.id)


def _signature_discrepancy(checkpoint: Checkpoint, slug: str) -> Discrepancy:
    why = {"unknown-key": "is signed by a key that is not ours", "forged": "has a signature that does not fit"}[slug]
    return Discrepancy(slug, f"head of {checkpoint.day}: {why}", checkpoint.entries, None, checkpoint.day)


def _checkpoint_discrepancy(checkpoint: Checkpoint, found_at: int | None, length: int) -> Discrepancy:
    if found_at is not None:
        moved = checkpoint.entries - found_at
        what = f"{moved} entries were removed" if moved > 0 else f"{-moved} entries were inserted"
        kind, words = "shifted", f"its hash stands at place {found_at} and not at {checkpoint.entries}: {what} before"
    elif length < checkpoint.entries:
        kind, words = "cut-off", f"the chain ends at place {length}, and had {checkpoint.entries} entries then"
    else:
        kind, words = "rewritten", f"place {checkpoint.entries} has another hash: what was before was written anew"
    return Discrepancy(kind, f"head of {checkpoint.day}: {words}", checkpoint.entries, None, checkpoint.day)


_NEXT = text("select min(place) from audit where place > :after")
_TOTAL = text("select max(place) from audit")
_LINKS = text(
    f"select place, id, hash, {EVENT_TEXT} as spelled from audit where place between :first and :last "  # noqa: S608 - our own text
    "order by place, id"
)
_LATE = text("select id from audit where place is null and at < :before order by id limit 1000")

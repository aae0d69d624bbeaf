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

from app.chain import heads as heads_of
from app.chain.heads import Head, HeadKeys
from app.chain.links import SPELLED, START, End, link

BATCH = 50_000
PATIENCE = timedelta(minutes=10)  # an entry that waits longer than this was left out, or nobody seals
NEAR = 64  # links looked back for the one that an entry really follows
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1  # of all places that there can be


class Finding(NamedTuple):
    """Something that does not fit, with the place, the id of the entry and the day that it concerns, if any.

    `kind`: changed, misplaced, removed, unsealed, unknown-key, forged, cut-off, rewritten or shifted.
    """

    kind: str
    words: str
    place: int | None = None
    entry: int | None = None
    day: date | None = None


class Progress(NamedTuple):
    """How far a verification has come: links done and to do, and what was found since the last time."""

    done: int
    total: int
    findings: list[Finding]


class Part(NamedTuple):
    """A part of the chain that was verified: its end, whether the chain ends there, and what was found in it."""

    end: End
    complete: bool
    findings: list[Finding]


class _Link(NamedTuple):
    place: int
    entry: int
    hash: bytes


def verify(
    sessions: sessionmaker[Session],
    keys: HeadKeys,
    now: datetime,
    *,
    elsewhere: Iterable[Head] = (),
    since: date | None = None,
) -> Iterator[Progress]:
    """Check the chain and its heads, those kept elsewhere with them; yields after each batch.

    With `since` it begins at the last head before that day whose signature is right: what was before is not read.
    """
    with sessions() as session:
        known = heads_of.by_day([*heads_of.kept(session), *elsewhere])
        total = session.scalar(_TOTAL) or 0
    wrong = _wrong_heads(known, keys)
    trusted = [head for head in known if head not in wrong]
    start = _start(trusted, since)
    walk = _Walk(start, [head for head in trusted if head.entries >= start.entries])
    yield Progress(start.entries, total, [_signature(head, slug) for head, slug in wrong.items()])
    for rows in _batches(sessions, start.entries or _LOWEST):
        findings = walk.along(rows)
        yield Progress(walk.last.place, max(total, walk.last.place), findings)
    with sessions() as session:
        late = session.execute(_LATE, {"before": now - PATIENCE}).all()
    yield Progress(walk.last.place, max(total, walk.last.place), [*walk.end(), *map(_unsealed, late)])


def verify_part(sessions: sessionmaker[Session], keys: HeadKeys, now: datetime, start: End, most: int) -> Part:
    """Check so many links after `start`, whose hash is taken for right, and the heads that lie among them.

    Signatures of heads, and entries that wait for their place too long, are looked at in any case.
    """
    stop = start.entries + most
    with sessions() as session:
        known = heads_of.by_day(heads_of.kept(session))
        complete = stop >= (session.scalar(_TOTAL) or 0)
        late = session.execute(_LATE, {"before": now - PATIENCE}).all()
    wrong = _wrong_heads(known, keys)
    ahead = [head for head in known if head not in wrong and head.entries > start.entries]
    walk = _Walk(start, ahead if complete else [head for head in ahead if head.entries <= stop])
    findings = [_signature(head, slug) for head, slug in wrong.items()]
    for rows in _batches(sessions, start.entries or _LOWEST, stop):
        findings += walk.along(rows)
    end = End(walk.last.place, walk.last.hash)
    return Part(end, complete, [*findings, *walk.end(), *map(_unsealed, late)])


def _wrong_heads(heads: Iterable[Head], keys: HeadKeys) -> dict[Head, str]:
    return {head: slug for head in heads if (slug := keys.wrong_with(head))}


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


def _start(trusted: Iterable[Head], since: date | None) -> End:
    earlier = [head for head in trusted if since is not None and head.day < since]
    return End(earlier[-1].entries, earlier[-1].hash) if earlier else End(0, START)


class _Walk:
    """Goes along the chain, one entry after the other."""

    def __init__(self, start: End, heads: Iterable[Head]) -> None:
        self.last = _Link(start.entries, 0, start.hash)
        self._near = deque([self.last], NEAR)
        self._heads = list(heads)
        self._by_hash: dict[bytes, list[Head]] = {}
        for head in self._heads:
            self._by_hash.setdefault(head.hash, []).append(head)
        self._met: set[Head] = set()
        self._shifted: dict[Head, int] = {}
        if start.hash in self._by_hash:
            self._meet(self.last)

    def along(self, rows: Sequence[Any]) -> list[Finding]:
        """What is wrong with the next entries."""
        findings: list[Finding] = []
        last = self.last
        for place, entry, hash_, spelled in rows:  # millions of them: what fits takes the shortest way
            here = _Link(place, entry, hash_)
            if place != last.place + 1 or hash_ != link(last.hash, spelled):
                self.last = last
                findings += self._wrong(here, spelled)
            if hash_ in self._by_hash:
                self._meet(here)
            self._near.append(here)
            last = here
        self.last = last
        return findings

    def _wrong(self, here: _Link, spelled: str) -> Iterator[Finding]:
        before = self.last
        if here.place > before.place + 1:
            yield _removed(before, here)
        elif here.hash != link(before.hash, spelled):
            yield from self._misfit(here, spelled)
        else:
            yield _finding("misplaced", here, "stands at a place that is not the next one")

    def _meet(self, here: _Link) -> None:
        for head in self._by_hash[here.hash]:
            if head.entries == here.place:
                self._met.add(head)
            else:
                self._shifted[head] = here.place

    def end(self) -> Iterator[Finding]:
        """What is wrong with the chain as a whole: the heads that it does not go through."""
        for head in self._heads:
            if head not in self._met:
                yield _head_finding(head, self._shifted.get(head), self.last.place)

    def _misfit(self, here: _Link, spelled: str) -> Iterator[Finding]:
        """Tell an entry that follows an earlier one than the last, and is out of place, from one that follows none."""
        near = list(self._near)
        for index in range(len(near) - 2, -1, -1):
            if here.hash == link(near[index].hash, spelled):
                yield _misplaced(near[index], near[index + 1 :], here)
                return
        words = f"does not follow from entry {self.last.entry}: one of them was changed, or what stood between removed"
        yield _finding("changed", here, words)


def _finding(kind: str, here: _Link, words: str) -> Finding:
    return Finding(kind, f"place {here.place}, entry {here.entry}: {words}", here.place, here.entry)


def _misplaced(after: _Link, between: Sequence[_Link], here: _Link) -> Finding:
    if len(between) == 1:
        words = f"does not belong there, for entry {here.entry} follows from entry {after.entry}: inserted or moved"
        return _finding("misplaced", between[0], words)
    words = f"follows from entry {after.entry} at place {after.place}: it was moved, or all between were inserted"
    return _finding("misplaced", here, words)


def _removed(before: _Link, here: _Link) -> Finding:
    first, last = max(before.place, 0) + 1, here.place - 1
    gone = f"place {first} is" if first == last else f"places {first} to {last} are"
    between = f"between entries {before.entry} and {here.entry}" if before.entry else f"before entry {here.entry}"
    return Finding("removed", f"{gone} missing, {between}: removed", first)


def _unsealed(row: Any) -> Finding:
    words = f"entry {row.id}: has no place in the chain; it was taken out, or nobody seals"
    return Finding("unsealed", words, None, row.id)


def _signature(head: Head, slug: str) -> Finding:
    why = {"unknown-key": "is signed by a key that is not ours", "forged": "has a signature that does not fit"}[slug]
    return Finding(slug, f"head of {head.day}: {why}", head.entries, None, head.day)


def _head_finding(head: Head, found_at: int | None, length: int) -> Finding:
    if found_at is not None:
        moved = head.entries - found_at
        what = f"{moved} entries were removed" if moved > 0 else f"{-moved} entries were inserted"
        kind, words = "shifted", f"its hash stands at place {found_at} and not at {head.entries}: {what} before"
    elif length < head.entries:
        kind, words = "cut-off", f"the chain ends at place {length}, and had {head.entries} entries then"
    else:
        kind, words = "rewritten", f"place {head.entries} has another hash: what was before was written anew"
    return Finding(kind, f"head of {head.day}: {words}", head.entries, None, head.day)


_NEXT = text("select min(place) from audit where place > :after")
_TOTAL = text("select max(place) from audit")
_LINKS = text(
    f"select place, id, hash, {SPELLED} as spelled from audit where place between :first and :last "  # noqa: S608 - our own text
    "order by place, id"
)
_LATE = text("select id from audit where place is null and at < :before order by id limit 1000")

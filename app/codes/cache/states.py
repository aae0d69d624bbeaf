"""What the database remembers of each part of the cache: of one part in `installation`, else in `cache_parts`."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from app.codes.cache.parts import CachePart, CacheParts
from app.core.db import among
from app.installation import CachePartState, CacheState, Installation

_UNKNOWN_SECONDS = 60  # for which somebody of another generation may have leased it
_KNOWN = """
    select part.id, part.redis_run_id, part.cache_generation, cast(
        case when part.generation = installation.generation
        then greatest(0, coalesce(extract(epoch from part.leased_until - clock_timestamp()), 0))
        else :unknown end as float)
    from {table} part, installation where part.id = any(:ids)
"""
_SQL: Mapping[type[CacheState], TextClause] = {
    Installation: text(_KNOWN.format(table="installation")),
    CachePartState: text(_KNOWN.format(table="cache_parts")),
}


class KnownPart(NamedTuple):
    """The run of Redis that a part is in, its generation, and for how many seconds somebody may hold its lease."""

    run_id: str | None
    generation: str
    leased_seconds: float


class Server(NamedTuple):
    """The run of the server that a part is on, and the millisecond of its clock at which a lease of now ends."""

    run_id: str
    ends: int


class Seen(NamedTuple):
    """What is in Redis about a part."""

    generation: str
    beat: int


class Renewal(NamedTuple):
    """A part that may be leased: what the database remembers, what is in Redis, and its server."""

    state: CacheState
    seen: Seen
    server: Server

    def is_same(self, installed: int) -> bool:
        """Return whether it is in the run of Redis that it was in, and neither side has gone back in time."""
        state, seen, server = self
        same_cache = state.redis_run_id == server.run_id and seen.generation == str(state.cache_generation)
        return same_cache and seen.beat in (state.beat, state.beat + 1) and state.generation == installed


def model_of(parts: CacheParts) -> type[CacheState]:
    """Return the table with the states of these parts."""
    return Installation if len(parts) == 1 else CachePartState


def id_of(parts: CacheParts, part: CachePart) -> int:
    """Return the id of the state of a part."""
    return 1 if len(parts) == 1 else part.number


def load_states(session: Session, parts: CacheParts, wanted: Iterable[CachePart]) -> dict[CachePart, CacheState]:
    """Return the states of parts, to be changed under the lock of renewals; a new one where there is none."""
    ids = {id_of(parts, part): part for part in wanted}
    model = model_of(parts)
    found = {state.id: state for state in session.scalars(select(model).where(among(model.id, ids)))}
    for id_ in ids.keys() - found.keys():
        found[id_] = CachePartState(id=id_, generation=0, cache_generation=0, beat=0)
        session.add(found[id_])
    return {ids[id_]: state for id_, state in found.items()}


def find_known(session: Session, parts: CacheParts, wanted: Collection[CachePart]) -> Mapping[int, KnownPart]:
    """Return what is known of parts, by their numbers."""
    ids = {id_of(parts, part): part for part in wanted}
    rows = session.execute(_SQL[model_of(parts)], {"ids": list(ids), "unknown": _UNKNOWN_SECONDS})
    return {ids[id_].number: KnownPart(run_id, str(generation), seconds) for id_, run_id, generation, seconds in rows}

"""Sealing: append committed audit events to the chain, in the order in which they are found.

Writing an event never waits for the chain. One sealer works at a time; a second one does nothing. An event whose
transaction commits late gets a later place than events with higher ids and is never left out, because unsealed events
are found by their empty place and not by id. A sealer that dies leaves the chain as it was before its batch.
"""

from itertools import accumulate

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit import checkpoints
from app.audit.chain import EVENT_TEXT, GENESIS, ChainEnd, link_hash
from app.audit.checkpoints import ChainServices

BATCH = 20_000


def seal_all(services: ChainServices) -> int:
    """Seal all unsealed events batch by batch, and sign yesterday's checkpoint if missing; return the number sealed.

    Does nothing while another sealer works.
    """
    sealed = last = 0
    while True:
        with services.sessions.begin() as session:
            if not session.scalar(_SEALER_LOCK):
                return sealed
            first = session.scalar(_NEXT, {"after": last})
            if first is None:
                checkpoints.sign_yesterday(
                    session, services.checkpoint_signer, chain_end(session), services.clock.now()
                )
                return sealed
            last = first + BATCH - 1
            sealed += _seal(session, first, last)


def chain_end(session: Session) -> ChainEnd:
    """Return the end of the chain."""
    row = session.execute(_END).one_or_none()
    return ChainEnd(0, GENESIS) if row is None else ChainEnd(row.place, bytes(row.hash))


def _seal(session: Session, first: int, last: int) -> int:
    """Seal the unsealed events in a range of ids, and return their number.

    A range, and not the first so many, so that no statement reads more rows than it seals.
    """
    ids = {"first": first, "last": last}
    waiting = session.execute(_WAITING, ids).all()
    end = chain_end(session)
    hashes = list(accumulate((row.spelled for row in waiting), link_hash, initial=end.hash))[1:]
    links = {"ids": [row.id for row in waiting], "hashes": b"".join(hashes), "end": end.entries}
    session.execute(_SEAL, ids | links)
    return len(waiting)


# released at the end of the transaction, when its writes have become visible
_SEALER_LOCK = text("select pg_try_advisory_xact_lock(20200316)")
_END = text("select place, hash from audit where place is not null order by place desc limit 1")
_NEXT = text("select min(id) from audit where place is null and id > :after")
_WAITING = text(
    f"select id, {EVENT_TEXT} as spelled from audit where place is null and id between :first and :last order by id"  # noqa: S608 - a constant
)
# the hashes travel as one value, 32 bytes each
_SEAL = text("""
    update audit set place = :end + new.number,
        hash = substring(cast(:hashes as bytea) from cast(new.number * 32 - 31 as int) for 32)
    from unnest(cast(:ids as bigint[])) with ordinality as new(id, number)
    where audit.id = new.id and audit.place is null and audit.id between :first and :last
""")

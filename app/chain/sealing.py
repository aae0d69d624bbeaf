"""Sealing: giving entries that are committed their place in the chain, in the order in which they are found.

Whoever writes an entry waits for nobody. One sealer works at a time; another one that comes meanwhile does nothing. An
entry whose transaction commits late gets a later place than entries with higher ids, and is never left behind: what
waits is known by its empty place, not by its number. A sealer that dies leaves the chain as it was before its batch.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.chain import heads
from app.chain.links import SPELLED, START, End, link
from app.services import Services

BATCH = 20_000


def seal_all(services: Services) -> int:
    """Seal all that waits, batch by batch, and then sign yesterday's head where it is missing; how many were sealed.

    While another sealer works nothing is done.
    """
    done, last = 0, 0
    while True:
        with services.begin() as session:
            if not session.scalar(_ALONE):
                return done
            sealed = _seal(session, last)
            done += len(sealed)
            if len(sealed) < BATCH:
                heads.sign_yesterday(session, services.head_keys, end_of(session), services.clock.now())
                return done
        last = sealed[-1].id


def end_of(session: Session) -> End:
    """How far the chain goes."""
    row = session.execute(_END).one_or_none()
    return End(0, START) if row is None else End(row.place, bytes(row.hash))


def _seal(session: Session, after: int) -> Sequence[Row[Any]]:
    """Seal a batch of what waits behind this id, and return it.

    A run goes on behind what it has sealed: from the start it would pass by that again, for old rows stay in the index
    until the database tidies up.
    """
    waiting = session.execute(_WAITING, {"after": after, "most": BATCH}).all()
    if waiting:
        end = end_of(session)
        hashes = list(accumulate((row.spelled for row in waiting), link, initial=end.hash))[1:]
        ids = [row.id for row in waiting]
        session.execute(_SEAL, {"ids": ids, "hashes": b"".join(hashes), "last": end.entries})
    return waiting


# held until the transaction ends, and let go after what it wrote can be seen
_ALONE = text("select pg_try_advisory_xact_lock(20200316)")
_END = text("select place, hash from audit where place is not null order by place desc limit 1")
_WAITING = text(
    f"select id, {SPELLED} as spelled from audit where place is null and id > :after order by id limit :most"  # noqa: S608 - our own text
)
# the hashes travel as one value, 32 bytes each
_SEAL = text("""
    update audit set place = :last + new.number,
        hash = substring(cast(:hashes as bytea) from cast(new.number * 32 - 31 as int) for 32)
    from unnest(cast(:ids as bigint[])) with ordinality as new(id, number)
    where audit.id = new.id and audit.place is null
""")

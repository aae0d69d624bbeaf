"""Generations of the installation in the chain: where a restore has cut it, as the event `generation-began` says.

An explanation and no excuse: whoever can write to the database can append such an event, so the operators have to
know of the restore as well.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

if TYPE_CHECKING:
    from app.audit.verification import Discrepancy

_BEGUN = text("""
    select id, at, cast(detail ->> 'sealed' as bigint) as sealed from audit
    where action = 'generation-began' and action not in ('decided', 'evidence-recorded') order by id
""")


def explain(sessions: sessionmaker[Session], discrepancies: "Iterable[Discrepancy]") -> "Iterator[Discrepancy]":
    """Yield discrepancies of checkpoints; those that a restore may have caused name it."""
    found = list(discrepancies)
    with sessions() as session:
        begun = session.execute(_BEGUN).all() if found else []
    for one in found:
        cuts = [row for row in begun if one.place is not None and row.sealed < one.place]
        if not cuts:
            yield one
            continue
        cut = cuts[0]
        words = f"{one.words}; the database was put back to place {cut.sealed} on {cut.at:%Y-%m-%d} (event {cut.id})"
        yield one._replace(words=words)

"""Generations of the installation in the chain: where a restore has cut it, as the event `generation-began` says.

An explanation and no excuse: whoever can write to the database can append such an event, so the operators have to
know of the restore as well.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from app.audit.chain import Discrepancy
from app.core.clock import BEIJING

_BEGUN = text(
    "select id, at, cast(detail ->> 'sealed' as bigint) as sealed from audit "
    "where action = 'generation-began' and action not in ('decided', 'evidence-recorded') order by id"
)


def explain(sessions: sessionmaker[Session], discrepancies: Iterable[Discrepancy]) -> Iterator[Discrepancy]:
    """Yield discrepancies of checkpoints with the restore that may have caused them, or that there was none."""
    found = list(discrepancies)
    with sessions() as session:
        begun = session.execute(_BEGUN).all() if found else []
    for one in found:
        cuts = [row for row in begun if _may_have_cut(row, one)]
        why = "no restore since then explains this"
        if cuts:
            why = f"the database was put back to place {cuts[0].sealed} on {cuts[0].at:%Y-%m-%d} (event {cuts[0].id})"
        yield one._replace(words=f"{one.words}; {why}")


def _may_have_cut(begun: Any, one: Discrepancy) -> bool:
    """Return whether a restore came after the day of a checkpoint, and went back to before its place."""
    if one.place is None or one.day is None:
        return False
    later = begun.at.astimezone(BEIJING).date() > one.day
    return bool(later and begun.sealed < one.place)

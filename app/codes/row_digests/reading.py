"""Reading of rows and of what audit events say of them, for the codes of a range of serials.

All of a range is read in one statement, which sees a change that commits meanwhile whole or not at all. The database
spells columns as JSON; digests are computed here, as hashes of the chain are.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, text
from sqlalchemy.orm import Session

from app.codes.models import Code, DecisionRow, EvidenceRow
from app.codes.row_digests.digests import COLUMNS
from app.core.db import Base, UtcDateTime

LOWEST: Final = -(2**63)  # possible serial
RowKey = tuple[str, str]  # the table and the id of a row

_EVIDENCE_ACTIONS: Final = ("evidence-recorded", "evidence-withdrawn")
_ACTIONS: Final = (*_EVIDENCE_ACTIONS, "decided", "registered", "sessions-ended", "erased")  # also before digests


class EventDigest(NamedTuple):
    """The digest of a row in an event, for the moment of the event; None in an event of before digests."""

    event: int
    at: str
    digest: str | None


class Range(NamedTuple):
    """The rows of the codes in a range of serials, and the digests of each row, in the order of events.

    The values of a row are those of COLUMNS, or None where they cannot be read: the program wrote no such row.
    """

    last: int
    rows: dict[RowKey, list[Any] | None]
    digests: dict[RowKey, list[EventDigest]]


def read_range(session: Session, after: int, length: int) -> Range | None:
    """Read the range of this length that begins with the first serial after another one; None when there is none."""
    first = session.scalar(_NEXT, {"after": after})
    if first is None:
        return None
    last = first + length - 1
    rows: dict[RowKey, list[Any] | None] = {}
    digests: dict[RowKey, list[EventDigest]] = defaultdict(list)
    for table, id_, content in session.execute(_RANGE, {"first": first, "last": last, "actions": list(_ACTIONS)}):
        if table == "audit":
            for key, one in _read_event(json.loads(content)):
                digests[key].append(one)
        else:
            rows[table, id_] = _read_values(content)
    for history in digests.values():
        history.sort()
    return Range(last, rows, digests)


def _read_event(event: list[Any]) -> Iterator[tuple[RowKey, EventDigest]]:
    """Yield the digest of evidence or a decision in an event, and that of the code."""
    id_, serial, at, action, evidence, decision, digest, code = event
    if action in _EVIDENCE_ACTIONS:
        yield ("evidence", str(evidence)), EventDigest(id_, at, digest)
    elif action == "decided":
        yield ("decisions", str(decision)), EventDigest(id_, at, digest)
    if code is not None or digest is None:
        yield ("codes", str(serial)), EventDigest(id_, at, code)


def _read_values(content: str) -> list[Any] | None:
    try:
        values: list[Any] = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return values


def _spell(table: type[Base]) -> str:
    """Return the SQL that reads a table as its name, the id of each row, and the values of its COLUMNS."""
    assert isinstance(table.__table__, Table)
    name, columns = table.__tablename__, table.__table__.columns
    values = [_micros(one) if isinstance(columns[one].type, UtcDateTime) else one for one in COLUMNS[name]]
    key = COLUMNS[name][0]
    spelled = f"select '{name}', {key}::text, json_build_array({', '.join(values)})::text from {name}"  # noqa: S608 - our own names
    return f"{spelled} where serial between :first and :last"


def _micros(column: str) -> str:
    return f"round((extract(epoch from {column}) * 1000000)::numeric)::text"


_DETAILS: Final = ", ".join(f"detail -> '{name}'" for name in ("evidence", "decision", "digest", "code"))
_EVENTS: Final = (
    f"select 'audit', id::text, json_build_array(id, serial, {_micros('at')}, action, {_DETAILS})::text from audit "  # noqa: S608 - our own names
    "where serial between :first and :last and (action = any(:actions) or detail -> 'code' is not null)"
)
_RANGE: Final = text(" union all ".join([_EVENTS, *map(_spell, (EvidenceRow, DecisionRow, Code))]))
_NEXT: Final = text("""
    select least(
        (select min(serial) from codes where serial > :after), (select min(serial) from evidence where serial > :after),
        (select min(serial) from decisions where serial > :after), (select min(serial) from audit where serial > :after)
    )
""")

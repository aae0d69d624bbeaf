"""Monitoring of rows: each night those of a range of codes are verified, and the result is appended to the audit.

As with the chain, a run continues where the last one ended, and a discrepancy is reported until a run verifies its code
again and finds it right. `jixiang audit verify` verifies all rows at once.
"""

from collections.abc import Iterator
from typing import Any, Protocol

from sqlalchemy.orm import Session, sessionmaker

from app import audit
from app.audit.monitoring import MAX_REPORTED, ROWS_VERIFIED, RowRun, last_row_run
from app.codes.row_digests.digests import RowDigests
from app.codes.row_digests.reading import LOWEST
from app.codes.row_digests.verification import BATCH, RowDiscrepancy, verify_rows
from app.core.clock import Clock

MAX_RANGES = 1_000_000 // BATCH  # in one night: a million codes


class RowServices(Protocol):
    """The services that verifying rows needs; `app.runtime.Services` has them."""

    @property
    def clock(self) -> Clock: ...
    @property
    def sessions(self) -> sessionmaker[Session]: ...
    @property
    def row_digests(self) -> RowDigests: ...


def verify_next(services: RowServices, ranges: int = MAX_RANGES) -> RowRun:
    """Verify the rows of the next codes, and append the result to the audit."""
    now = services.clock.now()
    with services.sessions() as session:
        previous = last_row_run(session)
    start = LOWEST if previous is None or previous.complete else previous.last
    rows = uncovered = 0
    last, highest = start, start
    new: list[RowDiscrepancy] = []
    for progress in verify_rows(services.sessions, services.row_digests, start, ranges):
        last, highest = progress.last, progress.total
        rows, uncovered = rows + progress.rows, uncovered + progress.uncovered
        new += progress.discrepancies
    complete = last >= highest
    found = [*_carried_over(previous, start, last, complete=complete), *map(_to_json, new)]
    run = RowRun(now, max(start + 1, 1), max(last, 0), complete, rows, uncovered, len(found), found[:MAX_REPORTED])
    with services.sessions.begin() as session:
        detail = {name: value for name, value in run._asdict().items() if name != "at"}
        audit.append(session, audit.CLOCK, ROWS_VERIFIED, now, **detail)
    return run


def _carried_over(previous: RowRun | None, start: int, last: int, *, complete: bool) -> Iterator[dict[str, Any]]:
    """Yield the discrepancies of earlier runs about codes outside the range of this one."""
    for one in previous.found if previous else ():
        if one["serial"] <= start or (one["serial"] > last and not complete):
            yield one


def _to_json(one: RowDiscrepancy) -> dict[str, Any]:
    return {"kind": one.kind, "table": one.table, "id": one.id, "event": one.event, "serial": one.serial}

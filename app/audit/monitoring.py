"""Monitoring of the chain: each night a range of it is verified, and the result is appended to the audit itself.

A run continues where the last one ended, and starts again from the beginning after the end. A discrepancy is reported
until a run verifies its place again and finds it right. `jixiang audit verify` verifies the whole chain at once. The
rows that events describe are verified by `app.codes.row_digests`, whose runs are read here.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import audit
from app.audit import AuditEvent, verification
from app.audit.chain import GENESIS, ChainEnd, Discrepancy
from app.audit.checkpoints import ChainServices
from app.audit.verification import MAX_UNSEALED_AGE, VerifiedRange

MAX_LINKS = 10_000_000  # in one night
MAX_REPORTED = 20  # discrepancies in the event of a run; it has the number of all
LATE_AFTER = timedelta(days=2)  # without a run for so long, the monitoring has stopped
MAX_COUNTED = 100_000  # unsealed events
ROWS_VERIFIED = "rows-verified"  # the action of the event of a RowRun
_CHECKED_EVERY_RUN = ("forged", "unknown-key", "unsealed")  # in whatever range


class VerificationRun(NamedTuple):
    """A run: its first and last place, whether the chain ended there, and the known discrepancies.

    `number` counts them, those of earlier runs included; `found` has the first MAX_REPORTED.
    """

    at: datetime
    first: int
    last: int
    complete: bool
    number: int
    found: list[dict[str, Any]]


class RowRun(NamedTuple):
    """A run over the rows that events describe, of the codes with the serials `first` to `last`.

    `uncovered` of the verified `rows` have no digest of ours; the rest is as in a VerificationRun.
    """

    at: datetime
    first: int
    last: int
    complete: bool
    rows: int
    uncovered: int
    number: int
    found: list[dict[str, Any]]


class ChainStatus(NamedTuple):
    """The status of the chain: its length, the number of unsealed events, the last runs, and the fault, if any.

    `newest` is the moment of the last sealed event, `oldest` that of the first unsealed one. `fault` is `broken`,
    `rows`, `unsealed` or `late`. At most MAX_COUNTED unsealed events are counted.
    """

    sealed: int
    newest: datetime | None
    waiting: int
    oldest: datetime | None
    round: VerificationRun | None
    rows: RowRun | None
    fault: str | None


def verify_next(services: ChainServices, limit: int = MAX_LINKS) -> VerificationRun:
    """Verify the next range of the chain, at most `limit` links, and append the result to the audit."""
    now = services.clock.now()
    with services.sessions() as session:
        previous = _last_event(session)
    start = _start(previous)
    verified = verification.verify_range(services.sessions, services.checkpoint_signer, now, start, limit)
    found = [*_carried_over(previous, start, verified), *map(_to_json, verified.discrepancies)]
    end = verified.end
    run = VerificationRun(now, start.entries + 1, end.entries, verified.complete, len(found), found[:MAX_REPORTED])
    with services.sessions.begin() as session:
        audit.append(
            session, audit.CLOCK, "chain-verified", now,
            first=run.first, last=run.last, hash=end.hash.hex(), complete=run.complete, number=run.number,
            found=run.found,
        )  # fmt: skip
    return run


def last_run(session: Session) -> VerificationRun | None:
    """Return the last run, or None before the first."""
    event = _last_event(session)
    if event is None:
        return None
    detail = event.detail
    return VerificationRun(
        event.at, detail["first"], detail["last"], detail["complete"], detail["number"], detail["found"]
    )


def last_row_run(session: Session) -> RowRun | None:
    """Return the last run over the rows, or None before the first."""
    event = _last_event(session, ROWS_VERIFIED)
    return None if event is None else RowRun(event.at, **event.detail)


def chain_status(session: Session, now: datetime) -> ChainStatus:
    """Return the status of the chain now."""
    end = session.execute(_END).one_or_none()
    unsealed = session.execute(_UNSEALED, {"most": MAX_COUNTED}).one()
    run, rows = last_run(session), last_row_run(session)
    sealed, newest = (0, None) if end is None else (end.place, end.at)
    fault = "rows" if rows is not None and rows.number else _fault(session, run, unsealed.oldest, now)
    if run is not None and run.number:
        fault = "broken"
    return ChainStatus(sealed, newest, unsealed.number, unsealed.oldest, run, rows, fault)


def _fault(session: Session, run: VerificationRun | None, oldest: datetime | None, now: datetime) -> str | None:
    if oldest is not None and oldest < now - MAX_UNSEALED_AGE:
        return "unsealed"
    since = session.scalar(_FIRST) if run is None else run.at
    return "late" if since is not None and since < now - LATE_AFTER else None


def _last_event(session: Session, action: str = "chain-verified") -> AuditEvent | None:
    run = select(AuditEvent).where(AuditEvent.action == action, audit.RARE)
    return session.scalars(run.order_by(AuditEvent.id.desc()).limit(1)).first()


def _start(previous: AuditEvent | None) -> ChainEnd:
    if previous is None or previous.detail["complete"]:
        return ChainEnd(0, GENESIS)
    return ChainEnd(previous.detail["last"], bytes.fromhex(previous.detail["hash"]))


def _carried_over(previous: AuditEvent | None, start: ChainEnd, verified: VerifiedRange) -> Iterable[dict[str, Any]]:
    """Yield the discrepancies of earlier runs that are outside the range of this one."""
    for discrepancy in previous.detail["found"] if previous else ():
        place = discrepancy["place"]
        behind = place is not None and place <= start.entries
        ahead = place is not None and place > verified.end.entries and not verified.complete
        if discrepancy["kind"] not in _CHECKED_EVERY_RUN and (behind or ahead):
            yield discrepancy


def _to_json(discrepancy: Discrepancy) -> dict[str, Any]:
    day = discrepancy.day and discrepancy.day.isoformat()
    return {"kind": discrepancy.kind, "place": discrepancy.place, "entry": discrepancy.entry, "day": day}


_END = text("select place, at from audit where place is not null order by place desc limit 1")
_FIRST = text("select at from audit where place = 1")
_UNSEALED = text("""
    select count(*) as number, min(at) as oldest
    from (select at from audit where place is null order by id limit :most) as waiting
""")

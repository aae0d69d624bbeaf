"""The rounds of the chain: each night a part of it is verified, and what was found is entered in the audit itself.

A round goes on where the one before ended, and begins anew once that came to the end. What does not fit is told until
a round that comes by there finds it right. The whole chain at once is for `jixiang audit verify`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import audit
from app.audit import AuditEvent, verification
from app.audit.chain import GENESIS, ChainEnd
from app.audit.checkpoints import ChainServices
from app.audit.verification import MAX_UNSEALED_AGE, Discrepancy

MAX_LINKS = 10_000_000  # links in one night
MAX_REPORTED = 20  # findings that are entered, of many
LATE_AFTER = timedelta(days=2)  # without a round for so long, none is made
MAX_COUNTED = 100_000  # that are counted
_CHECKED_EVERY_RUN = ("forged", "unknown-key", "unsealed")  # looked for by every round, wherever it goes


class VerificationRun(NamedTuple):
    """A round: the places between which it went, whether the chain ended there, and what is known not to fit.

    `number` says how many things these are, those of earlier rounds among them; `found` tells the first.
    """

    at: datetime
    first: int
    last: int
    complete: bool
    number: int
    found: list[dict[str, Any]]


class ChainStatus(NamedTuple):
    """How the chain stands: how long it is, what waits for its place, the last round, and what is wrong, if anything.

    `newest` is when the last sealed entry was written, `oldest` when the first that waits was. `fault` is `broken`,
    `unsealed` or `late`. More than MOST_WAITING are not counted.
    """

    sealed: int
    newest: datetime | None
    waiting: int
    oldest: datetime | None
    round: VerificationRun | None
    fault: str | None


def verify_next(services: ChainServices, limit: int = MAX_LINKS) -> VerificationRun:
    """Verify the next part of the chain, so many links at most, and enter what was found."""
    now = services.clock.now()
    with services.sessions() as session:
        before = _last_event(session)
    start = _start(before)
    part = verification.verify_range(services.sessions, services.checkpoint_signer, now, start, limit)
    left = _carried_over(before, start, part)
    found = [*left, *map(_to_json, part.discrepancies)]
    run = VerificationRun(now, start.entries + 1, part.end.entries, part.complete, len(found), found[:MAX_REPORTED])
    with services.sessions.begin() as session:
        audit.append(
            session, audit.CLOCK, "chain-verified", now,
            first=run.first, last=run.last, hash=part.end.hash.hex(), complete=run.complete, number=run.number,
            found=run.found,
        )  # fmt: skip
    return run


def last_run(session: Session) -> VerificationRun | None:
    """The round that was made last, or None before the first."""
    entry = _last_event(session)
    if entry is None:
        return None
    told = entry.detail
    return VerificationRun(entry.at, told["first"], told["last"], told["complete"], told["number"], told["found"])


def chain_status(session: Session, now: datetime) -> ChainStatus:
    """How the chain stands now."""
    end = session.execute(_END).one_or_none()
    waits = session.execute(_WAITING, {"most": MAX_COUNTED}).one()
    run = last_run(session)
    sealed, newest = (0, None) if end is None else (end.place, end.at)
    return ChainStatus(sealed, newest, waits.number, waits.oldest, run, _fault(session, run, waits.oldest, now))


def _fault(session: Session, run: VerificationRun | None, oldest: datetime | None, now: datetime) -> str | None:
    if run is not None and run.number:
        return "broken"
    if oldest is not None and oldest < now - MAX_UNSEALED_AGE:
        return "unsealed"
    since = session.scalar(_FIRST) if run is None else run.at
    return "late" if since is not None and since < now - LATE_AFTER else None


def _last_event(session: Session) -> AuditEvent | None:
    run = select(AuditEvent).where(AuditEvent.action == "chain-verified", audit.RARE)
    return session.scalars(run.order_by(AuditEvent.id.desc()).limit(1)).first()


def _start(before: AuditEvent | None) -> ChainEnd:
    if before is None or before.detail["complete"]:
        return ChainEnd(0, GENESIS)
    return ChainEnd(before.detail["last"], bytes.fromhex(before.detail["hash"]))


def _carried_over(
    before: AuditEvent | None, start: ChainEnd, part: verification.VerifiedRange
) -> Iterable[dict[str, Any]]:
    """What was found before and lies where this round did not come by."""
    for one in before.detail["found"] if before else ():
        behind = one["place"] is not None and one["place"] <= start.entries
        ahead = one["place"] is not None and one["place"] > part.end.entries and not part.complete
        if one["kind"] not in _CHECKED_EVERY_RUN and (behind or ahead):
            yield one


def _to_json(discrepancy: Discrepancy) -> dict[str, Any]:
    day = discrepancy.day and discrepancy.day.isoformat()
    return {"kind": discrepancy.kind, "place": discrepancy.place, "entry": discrepancy.entry, "day": day}


_END = text("select place, at from audit where place is not null order by place desc limit 1")
_FIRST = text("select at from audit where place = 1")
_WAITING = text("""
    select count(*) as number, min(at) as oldest
    from (select at from audit where place is null order by id limit :most) as waiting
""")

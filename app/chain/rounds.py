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
from app.audit import AuditEntry
from app.chain import verifying
from app.chain.links import START, End
from app.chain.verifying import PATIENCE, Finding
from app.services import Services

MOST = 10_000_000  # links in one night
TOLD = 20  # findings that are entered, of many
LATE = timedelta(days=2)  # without a round for so long, none is made
MOST_WAITING = 100_000  # that are counted
_EACH_TIME = ("forged", "unknown-key", "unsealed")  # looked for by every round, wherever it goes


class Round(NamedTuple):
    """A round: the places between which it went, whether the chain ended there, and what is known not to fit.

    `number` says how many things these are, those of earlier rounds among them; `found` tells the first.
    """

    at: datetime
    first: int
    last: int
    complete: bool
    number: int
    found: list[dict[str, Any]]


class Standing(NamedTuple):
    """How the chain stands: how long it is, what waits for its place, the last round, and what is wrong, if anything.

    `newest` is when the last sealed entry was written, `oldest` when the first that waits was. `fault` is `broken`,
    `unsealed` or `late`. More than MOST_WAITING are not counted.
    """

    sealed: int
    newest: datetime | None
    waiting: int
    oldest: datetime | None
    round: Round | None
    fault: str | None


def go(services: Services, most: int = MOST) -> Round:
    """Verify the next part of the chain, so many links at most, and enter what was found."""
    now = services.clock.now()
    with services.sessions() as session:
        before = _last_entry(session)
    start = _start(before)
    part = verifying.verify_part(services.sessions, services.head_keys, now, start, most)
    left = _left(before, start, part)
    found = [*left, *map(_told, part.findings)]
    made = Round(now, start.entries + 1, part.end.entries, part.complete, len(found), found[:TOLD])
    with services.begin() as session:
        audit.enter(
            session, audit.CLOCK, "chain-verified", now,
            first=made.first, last=made.last, hash=part.end.hash.hex(), complete=made.complete, number=made.number,
            found=made.found,
        )  # fmt: skip
    return made


def last_round(session: Session) -> Round | None:
    """The round that was made last, or None before the first."""
    entry = _last_entry(session)
    if entry is None:
        return None
    told = entry.detail
    return Round(entry.at, told["first"], told["last"], told["complete"], told["number"], told["found"])


def standing(session: Session, now: datetime) -> Standing:
    """How the chain stands now."""
    end = session.execute(_END).one_or_none()
    waits = session.execute(_WAITING, {"most": MOST_WAITING}).one()
    made = last_round(session)
    sealed, newest = (0, None) if end is None else (end.place, end.at)
    return Standing(sealed, newest, waits.number, waits.oldest, made, _fault(session, made, waits.oldest, now))


def _fault(session: Session, made: Round | None, oldest: datetime | None, now: datetime) -> str | None:
    if made is not None and made.number:
        return "broken"
    if oldest is not None and oldest < now - PATIENCE:
        return "unsealed"
    since = session.scalar(_FIRST) if made is None else made.at
    return "late" if since is not None and since < now - LATE else None


def _last_entry(session: Session) -> AuditEntry | None:
    made = select(AuditEntry).where(AuditEntry.action == "chain-verified", audit.RARE)
    return session.scalars(made.order_by(AuditEntry.id.desc()).limit(1)).first()


def _start(before: AuditEntry | None) -> End:
    if before is None or before.detail["complete"]:
        return End(0, START)
    return End(before.detail["last"], bytes.fromhex(before.detail["hash"]))


def _left(before: AuditEntry | None, start: End, part: verifying.Part) -> Iterable[dict[str, Any]]:
    """What was found before and lies where this round did not come by."""
    for one in before.detail["found"] if before else ():
        behind = one["place"] is not None and one["place"] <= start.entries
        ahead = one["place"] is not None and one["place"] > part.end.entries and not part.complete
        if one["kind"] not in _EACH_TIME and (behind or ahead):
            yield one


def _told(finding: Finding) -> dict[str, Any]:
    day = finding.day and finding.day.isoformat()
    return {"kind": finding.kind, "place": finding.place, "entry": finding.entry, "day": day}


_END = text("select place, at from audit where place is not null order by place desc limit 1")
_FIRST = text("select at from audit where place = 1")
_WAITING = text("""
    select count(*) as number, min(at) as oldest
    from (select at from audit where place is null order by id limit :most) as waiting
""")

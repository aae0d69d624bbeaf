"""Sessions of officers and inspectors alike: listed, ended one by one or together, and deleted after a time.

Each kind has a table of its own with these columns and its owner. How a request proves its session is for the kind: an
officer's is looked up in the table at each request, an inspector's is in the cache.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Identity, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from app.core.errors import Problem

KEPT: Final = timedelta(days=90)  # after their end


class StaffSession:
    """The columns of a session; `seen_at` is the last request, within the interval of its kind."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


Row = TypeVar("Row", bound=StaffSession)


class SessionTable(Generic[Row]):
    """The sessions of one kind: their table, the column of their owner, and the idle time after which they end."""

    def __init__(self, rows: type[Row], owner: InstrumentedAttribute[int], seen_interval: timedelta) -> None:
        self._rows: Any = rows
        self._owner = owner
        self._seen_interval = seen_interval  # so that not every request needs a write

    def is_active(self, now: datetime, idle: timedelta | None = None) -> ColumnElement[bool]:
        """Return the condition that a session is neither ended nor over; `idle` ends those that were not seen."""
        active: ColumnElement[bool] = self._rows.ended_at.is_(None) & (self._rows.ends_at > now)
        return active if idle is None else active & (self._rows.seen_at > now - idle)

    def list_active(
        self, session: Session, owners: Sequence[int], now: datetime, idle: timedelta | None = None
    ) -> Sequence[Row]:
        """List the active sessions of these accounts, newest first."""
        theirs = select(self._rows).where(self._owner.in_(owners), self.is_active(now, idle))
        return session.scalars(theirs.order_by(self._rows.id.desc())).all()

    def list_latest(self, session: Session, owner: int, number: int) -> Sequence[Row]:
        """List the last sessions of an account, newest first."""
        theirs = select(self._rows).where(self._owner == owner)
        return session.scalars(theirs.order_by(self._rows.id.desc()).limit(number)).all()

    def see(self, one: Row, now: datetime) -> None:
        """Note that a session was used; an interval has one write."""
        if now - one.seen_at >= self._seen_interval:
            one.seen_at = now

    def end_one(self, session: Session, owner: int, session_id: int, now: datetime) -> bool:
        """End a session of this account; return False where it has ended. Raises Problem `not-found`."""
        mine = select(self._rows).where(self._rows.id == session_id, self._owner == owner)
        one = session.scalar(mine.with_for_update().execution_options(populate_existing=True))
        if one is None:
            raise Problem("not-found")
        was_open = one.ended_at is None
        one.ended_at = one.ended_at or now
        return was_open

    def end_all(self, session: Session, owner: int, now: datetime, but: int | None = None) -> Sequence[int]:
        """End the sessions of a locked account, or all but one; return their ids."""
        ended = (
            update(self._rows)
            .where(self._owner == owner, self._rows.ended_at.is_(None), self._rows.ends_at > now)
            .where(self._rows.id.is_distinct_from(but))
            .values(ended_at=now)
            .returning(self._rows.id)
        )
        return session.scalars(ended).all()

    def delete_old(self, session: Session, now: datetime, limit: int) -> int:
        """Delete sessions that ended long ago; return their number."""
        ended = func.coalesce(self._rows.ended_at, self._rows.ends_at)
        old = select(self._rows.id).where(ended <= now - KEPT).limit(limit)
        gone = delete(self._rows).where(self._rows.id.in_(old)).returning(self._rows.id)
        return len(session.scalars(gone).all())

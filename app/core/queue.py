"""The doorway of the job queue: a verb puts a job here, in its own transaction.

The tasks themselves live in `jobs.py`, above the verbs; here they are known by name only. What is told through WeChat
travels in a lane of its own, so that a slow WeChat holds up nothing but itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import procrastinate
from procrastinate.jobs import JobDeferrer
from sqlalchemy import text
from sqlalchemy.orm import Session

# Never opened: jobs are put on the connection of the caller's own session, and leave with its commit.
_producer = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

REFRESH_CACHE = "refresh-cache"
REFRESH_MANY = "refresh-many-in-cache"
DELIVER_NOTICES = "deliver-notices"
DELIVER_MANY = "deliver-many-notices"
REEVALUATE = "look-again"
HANDLE_CALLBACK = "handle-callback"

DEFAULT_QUEUE = "default"
NOTICE_QUEUE = "notices"
MANY = 16  # codes in one job of a mass change; as many messages are under way at a time
_LOW_PRIORITY = -10  # the priority of a mass change; every other job has 0

# Workers write a heartbeat every ten seconds, by the clock of the database; three missed ones are procrastinate's own
# measure of a dead worker. One that is stopped in order leaves no row behind.
_LIVE_WORKERS = text("select count(*) from procrastinate_workers where last_heartbeat > now() - interval '30 seconds'")


def defer(session: Session, task: str, *, lock: str | None = None, wait: int = 0, **arguments: Any) -> None:
    """Put a job into the session's transaction; it runs after the commit, or never if that fails.

    Jobs with the same lock run one at a time, in the order in which they were put. `wait` is in seconds.
    """
    schedule_in = {"seconds": wait} if wait else None
    _job(session, task, lock=lock, schedule_in=schedule_in).defer(**arguments)


def defer_reevaluations(session: Session, serials: Sequence[int]) -> None:
    """Put a look at each of these codes into the session's transaction."""
    looks: list[Any] = [{"serial": serial} for serial in serials]
    _job(session, REEVALUATE).batch_defer(*looks)


def defer_refresh(session: Session, serials: Sequence[int], *, bulk: bool) -> None:
    """Put the writing of these codes to the cache into the session's transaction; of a mass change in one job."""
    if bulk and serials:
        defer(session, REFRESH_MANY, serials=list(serials))
        return
    for serial in serials:
        defer(session, REFRESH_CACHE, serial=serial)


def defer_notices(session: Session, serials: Sequence[int], *, bulk: bool) -> None:
    """Put the sending of what waits for these codes into the session's transaction.

    The notices of a mass change (`bulk`) travel many to a job, and let every change made alone go first.
    """
    if bulk:
        batches: list[Any] = [{"serials": list(serials[at : at + MANY])} for at in range(0, len(serials), MANY)]
        _job(session, DELIVER_MANY, queue=NOTICE_QUEUE, priority=_LOW_PRIORITY).batch_defer(*batches)
        return
    for serial in serials:
        _job(session, DELIVER_NOTICES, queue=NOTICE_QUEUE, lock=f"citizen:{serial}").defer(serial=serial)


def count_waiting(session: Session, limit: int) -> Mapping[str, int]:
    """How many jobs wait in each lane; counts no further than `most`."""
    count = text("""
        select lane, (select count(*) from (
            select from procrastinate_jobs where status = 'todo' and queue_name = lane limit :most) as waiting)
        from unnest(cast(:lanes as text[])) lane""")
    found = session.execute(count, {"most": limit, "lanes": [DEFAULT_QUEUE, NOTICE_QUEUE]})
    return dict(map(tuple, found))


def count_live_workers(session: Session) -> int:
    """How many workers have shown within half a minute that they are there."""
    return int(session.scalar(_LIVE_WORKERS) or 0)


def _job(session: Session, task: str, **options: Any) -> JobDeferrer:
    connection = session.connection().connection.driver_connection
    return _producer.configure_task(task, connection=connection, **options)

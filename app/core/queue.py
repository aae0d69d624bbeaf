"""Putting jobs into the queue, in the transaction of the caller.

The tasks are in `app/worker`, above the packages that defer them, so here they are known by name only. Notices have a
queue of their own, so that a slow WeChat delays nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import procrastinate
import psycopg
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import JobDeferrer
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

# Never opened: a job is written on the connection of the caller's session and becomes visible with its commit.
_producer = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

REFRESH_CACHE = "refresh-cache"
REFRESH_MANY = "refresh-many-in-cache"
DELIVER_NOTICES = "deliver-notices"
DELIVER_MANY = "deliver-many-notices"
REEVALUATE = "look-again"
HANDLE_CALLBACK = "handle-callback"
NOTIFY_FORMER = "notify-former-holder"
NOTIFY_ANSWERED = "notify-answered"
DELIVER_MESSAGES = "deliver-account-messages"

DEFAULT_QUEUE = "default"
NOTICE_QUEUE = "notices"
MANY = 16  # codes in one notice job of a batch change; as many messages are sent at a time
_LOW_PRIORITY = -10  # of the notices of a batch change; every other job has 0

_WAITING = text("""
    select queue, (select count(*) from (
        select from procrastinate_jobs where status = 'todo' and queue_name = queue limit :most) as waiting)
    from unnest(cast(:queues as text[])) queue
""")
_SUCCEEDED = text("""
    select exists (
        select from procrastinate_jobs
        where task_name = :task and status = 'succeeded'
        and cast(args->>'timestamp' as bigint) >= :since and cast(args->>'timestamp' as bigint) < :until)
""")
_FORGET_LOCK = text("update procrastinate_jobs set lock = null where lock = :lock and status = 'doing'")
_FORGET_FAILED = text(
    "update procrastinate_jobs set lock = null where lock = :lock and status not in ('todo', 'doing')"
)
# A worker writes a heartbeat every ten seconds by the clock of the database; three missed ones are procrastinate's own
# measure of a dead worker. A worker that is stopped in order deletes its row.
_LIVE_WORKERS = text("select count(*) from procrastinate_workers where last_heartbeat > now() - interval '30 seconds'")


def defer(session: Session, task: str, *, lock: str | None = None, wait: int = 0, **arguments: Any) -> None:
    """Put a job into the session's transaction; it runs after the commit, or never if that fails.

    Jobs with the same lock run one at a time, in the order in which they were deferred. `wait` is in seconds.
    """
    schedule_in = {"seconds": wait} if wait else None
    with _errors_of_the_session():
        _job(session, task, lock=lock, schedule_in=schedule_in).defer(**arguments)


def defer_reevaluations(session: Session, serials: Sequence[int]) -> None:
    """Put a re-evaluation of each of these codes into the session's transaction."""
    arguments: list[Any] = [{"serial": serial} for serial in serials]
    with _errors_of_the_session():
        _job(session, REEVALUATE).batch_defer(*arguments)


def defer_refresh(session: Session, serials: Sequence[int], *, bulk: bool) -> None:
    """Put the writing of these codes to the cache into the session's transaction; all in one job when `bulk`."""
    if bulk and serials:
        defer(session, REFRESH_MANY, serials=list(serials))
        return
    for serial in serials:
        defer(session, REFRESH_CACHE, serial=serial)


def defer_notices(session: Session, serials: Sequence[int], *, bulk: bool) -> None:
    """Put the delivery of the notices that wait for these codes into the session's transaction.

    The notices of a batch change (`bulk`) are many in one job, and are sent after those of single changes.
    """
    if bulk:
        batches: list[Any] = [{"serials": list(serials[at : at + MANY])} for at in range(0, len(serials), MANY)]
        with _errors_of_the_session():
            _job(session, DELIVER_MANY, queue=NOTICE_QUEUE, priority=_LOW_PRIORITY).batch_defer(*batches)
        return
    for serial in serials:
        with _errors_of_the_session():
            _job(session, DELIVER_NOTICES, queue=NOTICE_QUEUE, lock=f"citizen:{serial}").defer(serial=serial)


def defer_messages(session: Session, kind: str, about: int, serial: int) -> None:
    """Put the messages to one person about something, of this kind and id, into the session's transaction."""
    with _errors_of_the_session():
        _job(session, DELIVER_MESSAGES, queue=NOTICE_QUEUE, lock=f"messages:{serial}").defer(
            kind=kind, about=about, serial=serial
        )


def forget_lock(session: Session, lock: str, *, also_failed: bool = False) -> None:
    """Remove a lock from the job that runs with it, and from those that ran before: nothing waits for it any more.

    A finished job is kept for a day, and a lock can name a person.
    """
    session.execute(_FORGET_LOCK, {"lock": lock})
    if also_failed:
        session.execute(_FORGET_FAILED, {"lock": lock})


def count_waiting(session: Session, limit: int) -> Mapping[str, int]:
    """Return the number of jobs that wait in each queue, counted up to the limit."""
    counts = session.execute(_WAITING, {"most": limit, "queues": [DEFAULT_QUEUE, NOTICE_QUEUE]})
    return dict(map(tuple, counts))


def count_live_workers(session: Session) -> int:
    """Return the number of workers with a heartbeat in the last half minute."""
    return int(session.scalar(_LIVE_WORKERS) or 0)


def has_succeeded(session: Session, task: str, since: int, until: int) -> bool:
    """Return whether a periodic job for a moment from `since` to before `until`, in seconds from 1970, has succeeded.

    Finished jobs are known for a day (`schedule.KEEP_FINISHED_HOURS`).
    """
    return bool(session.scalar(_SUCCEEDED, {"task": task, "since": since, "until": until}))


@contextmanager
def _errors_of_the_session() -> Iterator[None]:
    """Raise what the database answers as the session raises it: a full disk is an OperationalError here too."""
    try:
        yield
    except ConnectorException as error:
        if not isinstance(error.__cause__, psycopg.Error):
            raise
        raise DBAPIError.instance(None, None, error.__cause__, psycopg.Error, hide_parameters=True) from error


def _job(session: Session, task: str, **options: Any) -> JobDeferrer:
    connection = session.connection().connection.driver_connection
    return _producer.configure_task(task, connection=connection, **options)

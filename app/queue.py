"""The doorway of the job queue: a verb puts a job here, in its own transaction.

The tasks themselves live in `jobs.py`, above the verbs; here they are known by name only.
"""

from typing import Any

import procrastinate
from sqlalchemy.orm import Session

# Never opened: jobs are put on the connection of the caller's own session, and leave with its commit.
_producer = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

REFRESH_CACHE = "refresh-cache"
DELIVER_NOTICES = "deliver-notices"
LOOK_AGAIN = "look-again"


def defer(session: Session, task: str, *, lock: str | None = None, wait: int = 0, **arguments: Any) -> None:
    """Put a job into the session's transaction; it runs after the commit, or never if that fails.

    Jobs with the same lock run one at a time, in the order in which they were put. `wait` is in seconds.
    """
    connection = session.connection().connection.driver_connection
    _producer.configure_task(
        task,
        lock=lock,
        connection=connection,
        schedule_in={"seconds": wait} if wait else None,
    ).defer(**arguments)

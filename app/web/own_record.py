"""The one way to write to a record for a citizen: in a transaction in which their session is still valid.

`authorization` compares the epoch of a session before the view runs. Meanwhile another account may have claimed the
code, so whatever writes locks first, and compares again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session as Database

from app.codes import ledger
from app.codes.models import Code
from app.core.errors import Problem
from app.web import current_session, get_services
from app.wechat import login


@contextmanager
def begin_own() -> Iterator[Database]:
    """Begin a transaction that holds the caller's code, or their WeChat user before registration, locked.

    Raises Problem `session-expired` when their session has ended since the request came in.
    """
    with get_services().begin() as database:
        check_session(database)
        yield database


def check_session(database: Database) -> None:
    """Lock what the caller's session belongs to. Raises Problem `session-expired` when it has ended."""
    caller = current_session()
    if caller.serial:
        epoch = ledger.lock_code(database, caller.serial).epoch
    else:
        epoch = login.lock_user(database, caller.subject).epoch
    if epoch != caller.epoch:
        raise Problem("session-expired")


def own_code(database: Database) -> Code:
    """Return the caller's code as it is now, unlocked. Raises Problem `session-expired` when it has another holder."""
    code = ledger.get_code(database, current_session().serial)
    if code.epoch != current_session().epoch:
        raise Problem("session-expired")
    return code

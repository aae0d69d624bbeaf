"""What a restore has to repeat: found in the audit of a database, and kept in a list beside the backups.

A list names codes, WeChat users, officers and devices by their numbers, and no person. It is encrypted with the keys,
which no backup has: whoever has none can neither read it nor make another.
"""

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import Connection, sql

from app.backup.repetition.removals import ERASURES, LISTED, Removal
from app.backup.tools import connect
from app.core.encryption import FieldEncryption
from app.core.errors import StartError
from app.core.keys import Keys, fingerprint
from app.installation import check_keys

_COLUMN = "backup.erasures"
_FORMAT, _OLDER = 4, (1, 2, 3)  # a version that knows fewer removals must not read one, and leave some out
_NOW = "select clock_timestamp()"
# the second condition is that of a partial index
_SINCE = """
    select at, action, serial, actor, detail from audit
    where action = any(%s) and action not in ('decided', 'evidence-recorded') and id > %s order by id
"""


class ErasureList(NamedTuple):
    """What a database knew at a moment by its clock, and what earlier lists at the same place knew."""

    made_at: datetime
    removals: Sequence[Removal]

    @property
    def erasures(self) -> int:
        """Return how many of the removals are erasures."""
        return sum(removal.action in ERASURES for removal in self.removals)


def find_removals(connection: Connection[tuple[Any, ...]], after: int = 0) -> list[Removal]:
    """Return the removals of the audit events after this one, the oldest first. Raises psycopg.Error."""
    rows = connection.execute(sql.SQL(_SINCE), [list(LISTED), after]).fetchall()
    return [Removal.of((at, action, serial), actor, detail) for at, action, serial, actor, detail in rows]


def in_order(removals: Iterable[Removal]) -> list[Removal]:
    """Return each removal once, by time; those of one moment stay in the order of their audit."""
    return sorted(dict.fromkeys(removals), key=lambda removal: removal.at)


def save_list(url: str, keys: Keys, file: Path) -> ErasureList:
    """Write the removals of a database to a file, with those that it has: after a restore the database has fewer.

    Raises StartError, and ConfigError for keys that are not those of the database.
    """
    check_keys(url, fingerprint(keys))
    known = read_list(file, keys).removals if file.exists() else ()
    with connect(url) as connection:
        made_at = connection.execute(_NOW).fetchall()[0][0]
        made = ErasureList(made_at, in_order([*known, *find_removals(connection)]))
    _replace(file, FieldEncryption(keys).encrypt(_COLUMN, _to_text(made)))
    return made


def read_list(file: Path, keys: Keys) -> ErasureList:
    """Return a list that was made with these keys. Raises StartError."""
    try:
        content = json.loads(FieldEncryption(keys).decrypt(_COLUMN, file.read_bytes()))
        if content["format"] not in (_FORMAT, *_OLDER):
            raise StartError(f"{file} was made by a newer version; install that one first.")
        return ErasureList(datetime.fromisoformat(content["made_at"]), [_from_row(row) for row in content["erasures"]])
    except OSError as error:
        raise StartError(f"{file} cannot be read ({error.strerror}); check its name and mode.") from None
    except (ValueError, TypeError, KeyError):
        raise StartError(
            f"{file} is no list of erasures that was made with these keys; name the one of this system."
        ) from None


def _from_row(row: Sequence[Any]) -> Removal:
    at, action, serial, *ids = row
    if len(ids) > 1 or isinstance(ids[0], list):  # of an older format: WeChat users, and perhaps a tie
        ids = [{"users": ids[0], "tie": ids[1] if len(ids) > 1 else None}]
    return Removal.of((datetime.fromisoformat(at), action, serial), "", ids[0])


def _to_text(made: ErasureList) -> str:
    rows = [(one.at.isoformat(), one.action, one.serial, json.loads(one.ids)) for one in made.removals]
    return json.dumps({"format": _FORMAT, "made_at": made.made_at.isoformat(), "erasures": rows})


def _replace(file: Path, content: bytes) -> None:
    """Give a file its content at once, so that no half of it is ever there, readable by its owner alone."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        temporary.replace(file)
    except OSError as error:
        raise StartError(f"{file} cannot be written ({error.strerror}); name another file.") from None
    finally:
        temporary.unlink(missing_ok=True)

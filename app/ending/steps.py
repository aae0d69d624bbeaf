"""What is done after the decision to end: each step is recorded when it is done, and done again when it is not.

No step needs a key that an earlier one has destroyed, so that a run that broke off goes on anywhere:
close the tables → rows → Redis → keys → report → the last key.
"""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import select

from app.core import province
from app.core.clock import rfc3339
from app.core.errors import StartError
from app.core.keys import load_signing_keys, signing_key_at
from app.ending import key_files, report
from app.ending.closing import close_tables, count_rows, destroy_rows
from app.ending.opening import Ending, Say
from app.installation import Installation

_REDIS_KEYS: Final = ("jx:*", "LIMITS:*", "wechat:*")


def plan(ending: Ending) -> dict[str, Any]:
    """Return what the steps would destroy, beside our keys in Redis: rows by class and table, and key files."""
    with ending.engine.connect() as connection:
        rows = count_rows(connection)
    files = [file.name for signing in (False, True) for file in key_files.list_files(ending.directory, signing=signing)]
    return {"rows": rows, "files": files}


def run(ending: Ending, say: Say) -> dict[str, Any]:
    """Do every step that is not done yet; return the published document. Raises StartError, ConfigError, RedisError.

    On another machine, where all of it is done, only the keys there are left to destroy.
    """
    for name, step in _STEPS:
        if name not in (ending.installation().end_record or {}):
            say(name)
            step(ending, say)
    if ending.installation().end_report is None:
        say("report")
        _publish(ending)
    return _bury_last(ending, say)


def _empty_redis(ending: Ending, say: Say) -> None:
    """Delete our keys. Raises RedisError."""
    for pattern in _REDIS_KEYS:
        for key in ending.redis.scan_iter(pattern, count=1000):
            ending.redis.delete(key)
    _note_moment(ending, "redis")


def _destroy_keys(ending: Ending, say: Say) -> None:
    """Destroy every key but those that sign, after the tombstone: no process starts on what is left."""
    key_files.bury(ending.directory, _tombstone(ending))
    for name in key_files.destroy(ending.directory, signing=False):
        say(name)
    _note_moment(ending, "keys")


def _note_moment(ending: Ending, name: str) -> None:
    with ending.sessions.begin() as session:
        ending.note(name, rfc3339(ending.clock.now()), session)


def _publish(ending: Ending) -> None:
    """Sign the report with the last key that is left, and keep it in the database."""
    row, now = ending.installation(), ending.clock.now()
    key = signing_key_at(load_signing_keys(ending.directory).signing, now)
    signed = report.sign(key, _content(row, key.kid, rfc3339(now)))
    document = report.to_text(signed, (row.end_record or {})["closed"]["heads"])
    report.verify(document, {key.public})
    with ending.sessions.begin() as session:
        session.scalars(select(Installation).with_for_update()).one().end_report = document


def _content(row: Installation, kid: str, now: str) -> dict[str, Any]:
    """Return what the report says. Nothing in it is about a person."""
    done: Any = row.end_record
    assert row.ends_on is not None and row.ended_at is not None
    return {
        "format": 1,
        "service": province.current().full_name,
        "last_day": row.ends_on.isoformat(),
        "announced_at": rfc3339(row.end_announced_at) if row.end_announced_at else None,
        "ended_at": rfc3339(row.ended_at),
        "decided_by": done["decided_by"],
        "reported_at": now,
        "rows": done["rows"]["destroyed"],
        "kept": done["rows"]["kept"],
        "redis_emptied_at": done["redis"],
        "keys": {**done["closed"]["keys"], "destroyed_at": done["keys"], "signed_and_destroyed_last": kid},
        "chain": done["closed"]["chain"],
    }


def _bury_last(ending: Ending, say: Say) -> dict[str, Any]:
    """Destroy what is left of the keys on this machine, once the report is one of their own.

    Raises StartError for a report that the keys here did not sign: somebody else has written it to the database.
    """
    tombstone = _tombstone(ending)
    buried = (key_files.read_tombstone(ending.directory) or {}).get("report")  # then the last key may be half gone
    if not buried and key_files.list_files(ending.directory, signing=True):
        known = {key.public for key in load_signing_keys(ending.directory).signing}
        try:
            report.verify(ending.installation().end_report or "", known)
        except report.ReportInvalid:
            raise StartError(
                "The report in the database is not signed with the keys here, and nothing is destroyed; check "
                "database.url and keys.directory."
            ) from None
    key_files.bury(ending.directory, tombstone)
    for signing in (False, True):
        for name in key_files.destroy(ending.directory, signing=signing):
            say(name)
    return tombstone


def _tombstone(ending: Ending) -> dict[str, Any]:
    row = ending.installation()
    assert row.ended_at is not None
    return {"ended_at": rfc3339(row.ended_at), "report": row.end_report}


_STEPS: Final[tuple[tuple[str, Callable[[Ending, Say], None]], ...]] = (
    ("closed", close_tables),
    ("rows", destroy_rows),
    ("redis", _empty_redis),
    ("keys", _destroy_keys),
)

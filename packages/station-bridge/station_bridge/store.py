"""Checks that wait to be submitted, on disk: what was shown is kept before it is asked, so that a power cut loses none.

Of a person there is a token, which ends in a minute and which only the installation can open; it is deleted when the
installation has a result for it. Documents are never kept.
"""

import os
import sqlite3
import threading
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple


class Kept(NamedTuple):
    """A check that has no result yet."""

    number: str
    token: str
    at: str


class Store:
    """The checks that wait, in one file."""

    def __init__(self, file: Path) -> None:
        file.touch(mode=0o600, exist_ok=True)
        os.chmod(file, 0o600)  # one that was there before
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = full")
        self._database.execute("pragma secure_delete = on")
        self._database.execute(
            "create table if not exists checks (number text primary key, token text not null, at text not null)"
        )

    def keep(self, number: str, token: str, at: datetime) -> None:
        """Keep a check; what is kept stays over a power cut."""
        with self._lock:
            self._database.execute("insert into checks values (?, ?, ?)", (number, token, at.isoformat()))

    def drop(self, numbers: Iterable[str]) -> None:
        """Delete checks that have a result, without waiting for the disk.

        One that a power cut brings back is submitted again, and known.
        """
        with self._lock:
            self._database.execute("pragma synchronous = normal")
            self._database.executemany("delete from checks where number = ?", [(number,) for number in numbers])
            self._database.execute("pragma synchronous = full")

    def oldest(self, most: int, but: Collection[str] = ()) -> list[Kept]:
        """Return the checks that have waited longest."""
        with self._lock:
            rows = self._database.execute("select * from checks order by rowid limit ?", (most + len(but),)).fetchall()
        return [Kept(*row) for row in rows if row[0] not in but][:most]

    def number(self) -> int:
        """Return how many wait."""
        with self._lock:
            return int(self._database.execute("select count(*) from checks").fetchone()[0])

    def close(self) -> None:
        self._database.close()

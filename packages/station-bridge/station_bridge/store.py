"""Checks that wait to be submitted, on disk: what was shown is kept before it is asked, so that a power cut loses none.

Of a person there is a token, which ends in a minute and which only the installation can open; it is deleted when the
installation has a result for it. Documents are never kept. A disk that takes nothing, because it is full or may only be
read, stops nobody: `is_broken` says so, and what is neither kept nor answered is not counted.
"""

import os
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

_LOCKED_SECONDS: Final = 1.0  # that a person waits for somebody else who has the file open


class Kept(NamedTuple):
    """A check that has no result yet."""

    number: str
    token: str
    at: str


class Store:
    """The checks that wait, in one file."""

    def __init__(self, file: Path) -> None:
        self.is_broken = False
        file.touch(mode=0o600, exist_ok=True)
        os.chmod(file, 0o600)  # one that was there before
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, timeout=_LOCKED_SECONDS, check_same_thread=False, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = full")
        self._database.execute("pragma secure_delete = on")
        self._database.execute(
            "create table if not exists checks (number text primary key, token text not null, at text not null)"
        )

    def keep(self, number: str, token: str, at: datetime) -> None:
        """Keep a check; what is kept stays over a power cut."""
        with self._lock, self._noticing():
            self._database.execute("insert into checks values (?, ?, ?)", (number, token, at.isoformat()))

    def drop(self, numbers: Iterable[str]) -> None:
        """Delete checks that have a result, without waiting for the disk.

        One that a power cut brings back, or that could not be deleted, is submitted again, and known.
        """
        with self._lock, self._noticing():
            self._database.execute("pragma synchronous = normal")
            try:
                self._database.executemany("delete from checks where number = ?", [(number,) for number in numbers])
            finally:
                self._database.execute("pragma synchronous = full")

    def oldest(self, most: int, but: Collection[str] = ()) -> list[Kept]:
        """Return the checks that have waited longest; none where the file cannot be read."""
        rows = []
        with self._lock, self._noticing(writes=False):
            rows = self._database.execute("select * from checks order by rowid limit ?", (most + len(but),)).fetchall()
        return [Kept(*row) for row in rows if row[0] not in but][:most]

    def number(self) -> int:
        """Return how many wait, as far as the file can be read."""
        with self._lock, self._noticing(writes=False):
            return int(self._database.execute("select count(*) from checks").fetchone()[0])
        return 0

    @contextmanager
    def _noticing(self, *, writes: bool = True) -> Iterator[None]:
        """Note whether the disk does what the block wants, and go on in any case."""
        try:
            yield
            self.is_broken = self.is_broken and not writes  # what can be read need not be writable
        except sqlite3.Error:
            self.is_broken = True

    def close(self) -> None:
        """Close the file, once nothing else uses it; what asks for it afterwards finds a disk that does not work."""
        with self._lock:
            self._database.close()

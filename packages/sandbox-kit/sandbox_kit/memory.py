"""What a sandbox remembers: a state, the one lock in front of it, and its file.

The file holds secrets of the sandbox and what is about people, so only its owner may read it.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

State = TypeVar("State", bound=BaseModel)


class Memory(Generic[State]):
    """The state behind one lock; every change is in the file before the lock is released.

    `first` makes the state of the first day. Without a file it lives in memory; calls are counted in memory only.
    """

    def __init__(self, first: Callable[[], State], file: Path | None) -> None:
        self.calls: Counter[str] = Counter()
        self._first, self._file, self._lock = first, file, threading.RLock()
        self._state = self._load()

    def _load(self) -> State:
        first = self._first()
        if self._file is None or not self._file.exists():
            return first
        return type(first).model_validate_json(self._file.read_bytes())

    def _save(self) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_name(self._file.name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(self._state.model_dump_json())
        temporary.replace(self._file)

    @contextmanager
    def look(self) -> Iterator[State]:
        """The state to read, while nobody changes it."""
        with self._lock:
            yield self._state

    @contextmanager
    def change(self) -> Iterator[State]:
        """The state to change; it is saved when the block ends well. Check first, change last."""
        with self._lock:
            yield self._state
            self._save()

    def count(self, call: str) -> None:
        with self._lock:
            self.calls[call] += 1

    def reset(self) -> None:
        """Forget everybody and everything, as on the first day."""
        with self.change():
            self._state = self._first()
            self.calls.clear()

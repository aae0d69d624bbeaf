"""What the sandbox's gateway remembers: messages, limits, reports, replies, balance, and how it is to fail.

Owns this state, the one lock in front of it and its file, which only its owner may read. Never logs.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sms_sandbox.wire import Account


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Switch(Strict):
    """How the gateway behaves: off answers 503; the delay in seconds comes before an answer, after the message.

    `code` is put in place of each message's own, `error` in place of the answer; `body` breaks the answer.
    """

    on: bool = True
    delay: float = Field(default=0, ge=0, le=120)
    status: int | None = Field(default=None, ge=400, le=599)
    code: str | None = Field(default=None, max_length=100)
    error: str | None = Field(default=None, max_length=100)
    body: Literal["html", "cut"] | None = None
    skew: int = Field(default=0, ge=-86_400, le=86_400)


class Limits(Strict):
    """How many messages one number takes; those of the console's defaults. `balance`: messages that are paid for."""

    thirty_seconds: int = Field(default=1, ge=0)
    hour: int = Field(default=5, ge=0)
    day: int = Field(default=10, ge=0)
    balance: int | None = Field(default=None, ge=0)


class Message(BaseModel):
    serial_no: str
    phone: str = Field(repr=False)
    template_id: str
    text: str
    segments: int
    sent_at: float
    arrives_as: str = "DELIVRD"


class Reply(BaseModel):
    phone: str = Field(repr=False)
    text: str = Field(repr=False)
    at: float


class State(BaseModel):
    switch: Switch = Switch()
    limits: Limits = Limits()
    messages: list[Message] = []
    numbers: dict[str, str] = Field(default={}, repr=False)  # the carrier's word for a number that takes none
    blacklist: set[str] = Field(default=set(), repr=False)
    unreported: list[str] = []
    unread: list[Reply] = []
    last: int = 0

    def latest(self, phone: str, since: float) -> int:
        """How many messages a number got since a moment."""
        return sum(message.phone == phone and message.sent_at > since for message in self.messages)


class World:
    """The state behind one lock; every change is in the file before the lock is released."""

    def __init__(
        self,
        account: Account,
        limits: Limits,
        state_file: Path | None = None,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.account, self.now, self.sleep, self._limits = account, now, sleep, limits
        self.calls: Counter[str] = Counter()
        self._file, self._lock = state_file, threading.RLock()
        self._state = self._load()

    def _load(self) -> State:
        if self._file is None or not self._file.exists():
            return State(limits=self._limits)
        return State.model_validate_json(self._file.read_bytes())

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
        """The state to change; it is saved when the block ends well."""
        with self._lock:
            yield self._state
            self._save()

    def count(self, action: str) -> None:
        with self._lock:
            self.calls[action] += 1

    def reset(self) -> None:
        """Forget everything, as on the first day."""
        with self.change():
            self._state = State(limits=self._limits)
            self.calls.clear()

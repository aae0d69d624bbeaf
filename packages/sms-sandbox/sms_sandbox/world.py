"""What the sandbox's gateway remembers: messages, limits, reports, replies, balance, and how it is to fail."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from sandbox_kit.memory import Memory
from sandbox_kit.reading import Strict
from sandbox_kit.switch import Switch as AnySwitch
from sms_sandbox.wire import Account


class Switch(AnySwitch):
    """How the gateway behaves: off answers 503; the delay comes before an answer, after the message.

    `code` is put in place of each message's own, `error` in place of the answer; `body` breaks the answer.
    """

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


class World(Memory[State]):
    """The gateway itself, with its clock and the account that may call."""

    def __init__(
        self,
        account: Account,
        limits: Limits,
        state_file: Path | None = None,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(lambda: State(limits=limits), state_file)
        self.account, self.now, self.sleep = account, now, sleep

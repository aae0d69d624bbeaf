"""What the sandbox's WeChat knows: phones, log-in codes, access tokens, quotas and messages.

Owns this state, the one lock in front of it and its file. The file holds sandbox secrets, so only
its owner may read it. It knows nothing of HTTP and never logs.
"""

import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field, PrivateAttr

from app.wechat.sandbox.errors import Refused
from app.wechat.sandbox.failures import Failures

MESSAGES_KEPT = 200
LOGINS_PER_MINUTE = 100


class Template(BaseModel):
    """A message template as the operator of a mini-program sees it: key -> label in `fields`."""

    title: str
    kind: Literal["one-time", "long-term"]
    fields: dict[str, str]


class MessageField(BaseModel):
    key: str
    label: str
    value: str


class Message(BaseModel):
    msgid: int
    template_id: str
    title: str
    fields: list[MessageField]
    page: str | None
    lang: str
    miniprogram_state: str
    received_at: AwareDatetime


class Phone(BaseModel):
    """One person's WeChat: who they are to the mini-program and what they let it send."""

    name: str
    openid: str = Field(repr=False)
    unionid: str = Field(repr=False)
    session_key: str = Field(default="", repr=False)
    blocked: bool = False
    logins_per_minute: int = LOGINS_PER_MINUTE
    quota: dict[str, int] = {}
    subscribed: list[str] = []
    refused: list[str] = []
    messages: list[Message] = []


class LoginCode(BaseModel):
    phone: str
    made_at: AwareDatetime
    used: bool = False


class AccessToken(BaseModel):
    text: str = Field(repr=False)
    kind: Literal["stable", "plain"]
    ends_at: AwareDatetime
    replaced: bool = False


class State(BaseModel):
    phones: dict[str, Phone] = {}
    codes: dict[str, LoginCode] = Field(default={}, repr=False)
    tokens: list[AccessToken] = Field(default=[], repr=False)
    refreshes: list[AwareDatetime] = []
    last_msgid: int = 1_000_000_000
    _by_openid: dict[str, Phone] = PrivateAttr(default_factory=dict)

    def model_post_init(self, context: object) -> None:
        self._by_openid = {phone.openid: phone for phone in self.phones.values()}

    def add_phone(self, phone: Phone) -> None:
        self.phones[phone.name] = phone
        self._by_openid[phone.openid] = phone

    def phone_with_openid(self, openid: object) -> Phone:
        """Raises Refused 40003 when the openid is nobody's."""
        phone = self._by_openid.get(openid) if isinstance(openid, str) else None
        if phone is None:
            raise Refused(40003)
        return phone


class World:
    """The state behind one lock; every change is in the file before the lock is released."""

    def __init__(
        self,
        *,
        appid: str,
        secret: str,
        templates: dict[str, Template],
        pages: Collection[str],
        state_file: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        entropy: Callable[[int], bytes] = secrets.token_bytes,
        sleep: Callable[[float], None] = time.sleep,
        with_unionid: bool = False,
    ) -> None:
        self.appid, self.secret = appid, secret
        self.templates, self.pages = templates, frozenset(pages)
        self.now, self.entropy, self.sleep = now, entropy, sleep
        self.with_unionid = with_unionid
        self.failures = Failures()
        self.calls: Counter[str] = Counter()
        self.logins: dict[str, list[datetime]] = {}
        self._file = state_file
        self._lock = threading.RLock()
        self._sending: set[str] = set()
        self._state = self._load()

    def _load(self) -> State:
        if self._file is None or not self._file.exists():
            return State()
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
        """The state to change; it is saved when the block ends well. Check first, change last."""
        with self._lock:
            yield self._state
            self._save()

    @contextmanager
    def sending(self, openid: str) -> Iterator[None]:
        """Marks one send to the user. Raises Refused 43108 while another one is under way."""
        with self._lock:
            if openid in self._sending:
                raise Refused(43108)
            self._sending.add(openid)
        try:
            yield
        finally:
            with self._lock:
                self._sending.discard(openid)

    def count(self, path: str) -> None:
        with self._lock:
            self.calls[path] += 1

    def reset(self) -> None:
        """Forget everybody and everything, as on the first day."""
        with self._lock:
            self._state = State()
            self.failures.clear()
            self.calls.clear()
            self.logins.clear()
            self._save()

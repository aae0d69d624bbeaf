"""The sandbox's WeChat itself: its state, the one lock in front of it, and its file.

Owns when the state is read, changed and saved. The file holds sandbox secrets, so only its owner
may read it. It knows nothing of WeChat's paths and never logs.
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

from app.wechat.sandbox.errors import Refused
from app.wechat.sandbox.failures import Failures
from app.wechat.sandbox.pushing import Pusher
from app.wechat.sandbox.rates import Rates
from app.wechat.sandbox.state import PushSettings, State, Template


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
        push: PushSettings | None = None,
        push_timeout: float = 5,
    ) -> None:
        self.appid, self.secret = appid, secret
        self.templates, self.pages = templates, tuple(pages)
        self.now, self.entropy, self.sleep = now, entropy, sleep
        self.with_unionid = with_unionid
        self.failures, self.rates = Failures(), Rates()
        self.calls: Counter[str] = Counter()
        self.logins: dict[str, list[datetime]] = {}
        self.pusher = Pusher(appid, self.push_settings, now, entropy, sleep, push_timeout)
        self._push = push
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

    def push_settings(self) -> PushSettings | None:
        """What was set last while running, over restarts; before that, what the sandbox was made with."""
        with self._lock:
            return self._state.push if self._state.push_changed else self._push

    def set_push(self, settings: PushSettings | None) -> None:
        """Send callbacks there from now on, those that wait included; None sends no more."""
        with self.change() as state:
            state.push, state.push_changed = settings, True

    def count(self, path: str) -> None:
        with self._lock:
            self.calls[path] += 1

    def reset(self) -> None:
        """Forget everybody and everything, as on the first day."""
        with self._lock:
            self._state = State()
            self.failures.clear()
            self.rates.clear()
            self.calls.clear()
            self.logins.clear()
            self.pusher.clear()
            self._save()

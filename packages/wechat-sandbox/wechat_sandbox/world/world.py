"""The sandbox's WeChat itself: its state, the one lock in front of it, and its file.

Owns when the state is read, changed and saved. The file holds sandbox secrets, so only its owner
may read it. It knows nothing of WeChat's paths and never logs.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from wechat_sandbox.errors import Refused
from wechat_sandbox.options import Options
from wechat_sandbox.push.pushing import Pusher
from wechat_sandbox.state import PushSettings, State
from wechat_sandbox.world.failures import Failures
from wechat_sandbox.world.rates import Rates


class World:
    """The state behind one lock; every change is in the file before the lock is released."""

    def __init__(self, options: Options) -> None:
        self.appid, self.secret = options.appid, options.secret
        self.templates, self.pages = options.templates, tuple(options.pages)
        self.now, self.entropy, self.sleep = options.now, options.entropy, options.sleep
        self.with_unionid, self.title = options.with_unionid, options.page_title
        self.failures, self.rates = Failures(), Rates()
        self.calls: Counter[str] = Counter()
        self.logins: dict[str, list[datetime]] = {}
        self.official = options.official
        self.pusher = Pusher(options, self.push_settings)
        self.official_pusher = Pusher(replace(options, appid=self._official_appid), self.official_push_settings)
        self._push = options.push
        self._file = options.state_file
        self._lock = threading.RLock()
        self._sending: set[str] = set()
        self._state = self._load()

    @property
    def _official_appid(self) -> str:
        return self.official.appid if self.official else ""

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

    def official_push_settings(self) -> PushSettings | None:
        """Where the official account's callbacks go: as set while running, else as the sandbox was made with."""
        with self._lock:
            made = self.official.push if self.official else None
            return self._state.official_push or made

    def set_official_push(self, settings: PushSettings) -> None:
        """Send the official account's callbacks there from now on."""
        with self.change() as state:
            state.official_push = settings

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
            self.official_pusher.clear()
            self._save()

"""The sandbox's WeChat itself: what it remembers, and what of it a restart forgets.

It knows nothing of WeChat's paths and never logs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sandbox_kit.memory import Memory
from wechat_sandbox.errors import Refused
from wechat_sandbox.options import Options
from wechat_sandbox.push.pushing import Pusher
from wechat_sandbox.state import PushSettings, State
from wechat_sandbox.world.failures import Failures
from wechat_sandbox.world.rates import Rates


class World(Memory[State]):
    """The state of WeChat, the failures that are ordered, and who pushes."""

    def __init__(self, options: Options) -> None:
        super().__init__(State, options.state_file)
        self.appid, self.secret = options.appid, options.secret
        self.templates, self.pages = options.templates, tuple(options.pages)
        self.now, self.entropy, self.sleep = options.now, options.entropy, options.sleep
        self.with_unionid, self.title = options.with_unionid, options.page_title
        self.failures, self.rates = Failures(), Rates()
        self.logins: dict[str, list[datetime]] = {}
        self.official = options.official
        self.pusher = Pusher(options, self.push_settings)
        self.official_pusher = Pusher(replace(options, appid=self._official_appid), self.official_push_settings)
        self._push = options.push
        self._sending: set[str] = set()

    @property
    def _official_appid(self) -> str:
        return self.official.appid if self.official else ""

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

    def reset(self) -> None:
        with self._lock:
            super().reset()
            self.failures.clear()
            self.rates.clear()
            self.logins.clear()
            self.pusher.clear()
            self.official_pusher.clear()

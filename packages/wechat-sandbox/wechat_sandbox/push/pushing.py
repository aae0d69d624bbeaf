"""The pushes of WeChat's callbacks: in order for each user, from the background, tried three times.

Owns the queue and the list of what became of each push, both in memory only. It never holds its lock
while it calls the server, and never holds up who makes an event.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from wechat_sandbox.options import Options
from wechat_sandbox.push import calling, envelopes
from wechat_sandbox.push.calling import Reply
from wechat_sandbox.push.events import DEBUG, Event
from wechat_sandbox.state import PushSettings

TRIES = 3
PAUSE = 5.0  # seconds between two tries
KEPT = 200
THREADS = 8
PATIENCE = 60.0  # seconds that who waits for pushes waits at most


@dataclass
class Push:
    """One event on its way: the last answer's status, text and fault, and how often it was tried."""

    id: int
    event: Event
    at: datetime
    outcome: Literal["waiting", "delivered", "failed", "dropped"] = "waiting"
    attempts: int = 0
    status: int | None = None
    answer: str = ""
    fault: str = ""


class Pusher:
    """The background that pushes; its threads live only while there is something to push."""

    def __init__(self, options: Options, settings: Callable[[], PushSettings | None]) -> None:
        self._appid, self._settings = options.appid, settings
        self._now, self._entropy, self._sleep = options.now, options.entropy, options.sleep
        self._timeout = options.push_timeout
        self._changed = threading.Condition()
        self._queues: dict[str, deque[Push]] = {}
        self._ready: deque[str] = deque()
        self._known: deque[Push] = deque(maxlen=KEPT)
        self._threads = self._unfinished = self._last_id = 0

    def put(self, event: Event) -> Push | None:
        """Push the event after the earlier ones of its user; None when nothing is pushed."""
        if self._settings() is None:
            return None
        with self._changed:
            self._last_id += 1
            push = Push(self._last_id, event, self._now())
            self._known.append(push)
            self._unfinished += 1
            if event.user not in self._queues:
                self._queues[event.user] = deque()
                self._ready.append(event.user)
            self._queues[event.user].append(push)
            if self._threads < THREADS:
                self._threads += 1
                threading.Thread(target=self._work, name="push", daemon=True).start()
            return push

    def list(self) -> list[Push]:
        """The pushes, newest first, at most 200."""
        with self._changed:
            return [replace(push) for push in reversed(self._known)]

    def flush(self) -> bool:
        """Wait until nothing is on its way; False after a minute."""
        with self._changed:
            return self._changed.wait_for(lambda: self._unfinished == 0, PATIENCE)

    def wait(self, push: Push) -> Push:
        """Wait for the end of one push, a minute at most."""
        with self._changed:
            self._changed.wait_for(lambda: push.outcome != "waiting", PATIENCE)
            return replace(push)

    def clear(self) -> None:
        """Push nothing that waits, and forget what was."""
        with self._changed:
            for queue in self._queues.values():
                for push in queue:
                    push.outcome = "dropped"
            for push in self._known:
                push.outcome = "dropped" if push.outcome == "waiting" else push.outcome
            self._known.clear()

    def check_url(self) -> Reply | None:
        """What the server says to the check of its URL; None when there is no URL."""
        settings = self._settings()
        if settings is None:
            return None
        echo = str(int.from_bytes(self._entropy(8), "big"))
        return calling.check_url(settings, self._timestamp(), self._nonce(), echo, self._timeout)

    def _work(self) -> None:
        """Take users in turn, one push each, until nobody is left."""
        while (push := self._next()) is not None:
            try:
                self._deliver(push)
            finally:
                self._done(push)

    def _next(self) -> Push | None:
        with self._changed:
            if not self._ready:
                self._threads -= 1
                return None
            return self._queues[self._ready.popleft()].popleft()

    def _done(self, push: Push) -> None:
        """Only now may the user's next push leave."""
        user = push.event.user
        with self._changed:
            if push.outcome == "waiting":
                push.outcome = "failed"
            if self._queues[user]:
                self._ready.append(user)
            else:
                del self._queues[user]
            self._unfinished -= 1
            self._changed.notify_all()

    def _deliver(self, push: Push) -> None:
        for attempt in range(1, TRIES + 1):
            if attempt > 1:
                self._sleep(PAUSE)
            settings = self._settings()
            with self._changed:
                if settings is None or push.outcome == "dropped":
                    push.outcome = "dropped"
                    return
            reply = self._call(settings, push.event)
            with self._changed:
                push.attempts, push.status, push.answer, push.fault = attempt, reply.status, reply.text, reply.fault
                if not reply.fault:
                    push.outcome = "delivered"
                    return

    def _call(self, settings: PushSettings, event: Event) -> Reply:
        """One try, with a signature and a ciphertext of its own, so that only the message shows that it is the same."""
        stamp = envelopes.Stamp(self._timestamp(), self._nonce(), self._entropy(16))
        envelope = envelopes.seal(settings, self._appid, event, stamp)
        any_answer = event.name == DEBUG
        return calling.deliver(settings, self._appid, envelope, self._timeout, any_answer=any_answer)

    def _timestamp(self) -> str:
        return str(int(self._now().timestamp()))

    def _nonce(self) -> str:
        return str(int.from_bytes(self._entropy(4), "big"))

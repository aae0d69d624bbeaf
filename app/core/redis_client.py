"""The client of Redis: it gives up soon, and a Redis that failed is left alone for a moment.

Where Redis does not answer, the database does; so nobody should wait for it twice. Never hides a failure: whoever asks
in that moment gets a RedisError at once.
"""

import threading
import time
from collections.abc import Callable
from hashlib import sha1
from typing import Any

from hiredis import pack_command
from redis import ConnectionError as NotConnected
from redis import Redis, RedisError
from redis import TimeoutError as NoAnswer
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ResponseError
from redis.retry import Retry

from app.core.metrics import CIRCUIT_OPENED

OPEN_SECONDS = 1.0


class CircuitBreaker:
    """Who may ask Redis: everybody, or after a failure one caller in each pause, until one is answered."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._pause_ends: float | None = None

    def allows_call(self) -> bool:
        """Whether this caller may ask; after a pause the first one may, and the others wait for what it hears."""
        if self._pause_ends is None:
            return True
        with self._lock:
            if self._pause_ends is not None and self._now() < self._pause_ends:
                return False
            return self._pause()

    def failed(self) -> None:
        """Redis did not answer: a pause begins."""
        with self._lock:
            self._pause()
        CIRCUIT_OPENED.labels("redis").inc()

    def answered(self) -> None:
        """Redis answered: everybody may ask."""
        self._pause_ends = None

    def _pause(self) -> bool:
        self._pause_ends = self._now() + OPEN_SECONDS
        return True


class CircuitBreakingRedis(Redis):
    """Redis behind a breaker. Pipelines go past it: only operators' commands use them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.breaker = CircuitBreaker()

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Ask Redis. Raises redis.ConnectionError at once while it is left alone."""
        if not self.breaker.allows_call():
            raise NotConnected("Redis failed a moment ago")
        try:
            answer = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except (NotConnected, NoAnswer):
            self.breaker.failed()
            raise
        self.breaker.answered()
        return answer


def connect(url: str, timeout: float, breaker: CircuitBreaker | None = None) -> Redis:
    """A client that waits `timeout` seconds at most. A closed connection is opened again once; a silent one is not."""
    client = CircuitBreakingRedis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 1, supported_errors=(NotConnected,)),
    )
    assert isinstance(client, CircuitBreakingRedis)
    client.breaker = breaker or CircuitBreaker()
    return client


class LuaScript:
    """A Lua script, which Redis knows by the digest of its text once it has been told the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()


class ThreadConnections:
    """A connection for each thread, without the pool's lock, behind the same breaker as the client's.

    Half the work of the client's own commands, for those who ask ten thousand times a second.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._breaker = getattr(redis, "breaker", None) or CircuitBreaker()
        self._here = threading.local()

    def execute(self, *command: str | int) -> Any:
        """One command. Raises RedisError when Redis cannot be asked."""
        if not self._breaker.allows_call():
            raise NotConnected("Redis failed a moment ago")
        line = self._line()
        try:
            line.send_packed_command((pack_command(command),))  # type: ignore[arg-type]  # its stub knows one word
            answer = line.read_response()
        except ResponseError:  # an answer too
            self._breaker.answered()
            raise
        except (RedisError, OSError):
            line.disconnect()
            self._breaker.failed()
            raise
        self._breaker.answered()
        return answer

    def run(self, script: LuaScript, keys: tuple[str, ...], arguments: tuple[str | int, ...]) -> Any:
        """What a script answers; a Redis that does not know it is told its text. Raises RedisError."""
        try:
            return self.execute("EVALSHA", script.digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return self.execute("EVAL", script.text, len(keys), *keys, *arguments)

    def _line(self) -> Any:
        line = getattr(self._here, "line", None)
        if line is None:
            pool = self._redis.connection_pool  # not one of its own connections, of which it makes a hundred at most
            line = self._here.line = pool.connection_class(**pool.connection_kwargs)
        return line

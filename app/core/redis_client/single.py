"""The Redis client: short timeouts, and a circuit breaker that opens for a moment after a failure.

The database answers in place of Redis, so no request should wait for Redis twice. Failures are never hidden: while the
circuit is open, every call raises a RedisError at once.
"""

import re
import threading
import time
from collections.abc import Callable
from queue import Empty, LifoQueue
from typing import Any

from redis import BlockingConnectionPool, Redis
from redis import ConnectionError as NotConnected
from redis import TimeoutError as NoAnswer
from redis.backoff import NoBackoff
from redis.exceptions import MaxConnectionsError, NoPermissionError, ResponseError
from redis.retry import Retry

from app.core.errors import ConfigError
from app.core.metrics import CIRCUIT_OPENED

OPEN_SECONDS = 1.0
MAX_CONNECTIONS = 256  # of one client: more than web.max_concurrency may be, and than the threads of a worker
PROBE = "jx:probe"  # written to see that Redis takes writes
_PROBE_SECONDS = 10


class CircuitBreaker:
    """Allows every call, or after a failure one call each OPEN_SECONDS until one is answered."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._open_until: float | None = None

    def allows_call(self) -> bool:
        """Return whether to call Redis; when the time is over, the first call is a trial and opens it again."""
        if self._open_until is None:
            return True
        with self._lock:
            if self._open_until is not None and self._now() < self._open_until:
                return False
            self._open()
            return True

    def failed(self) -> None:
        """Open the circuit: Redis did not answer."""
        with self._lock:
            self._open()
        CIRCUIT_OPENED.labels("redis").inc()

    def answered(self) -> None:
        """Close the circuit: Redis answered."""
        self._open_until = None

    def _open(self) -> None:
        self._open_until = self._now() + OPEN_SECONDS


class CircuitBreakingRedis(Redis):
    """A Redis client with a circuit breaker. Pipelines bypass it: only jobs and operators' commands use them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.breaker = CircuitBreaker()

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command. Raises redis.ConnectionError at once while the circuit is open."""
        if not self.breaker.allows_call():
            raise NotConnected("Redis failed a moment ago")
        try:
            answer = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except MaxConnectionsError:  # every connection is in use: Redis was not asked
            raise
        except (NotConnected, NoAnswer):
            self.breaker.failed()
            raise
        self.breaker.answered()
        return answer


class _Identified:
    """A connection that knows the run id of its server: another one after a restart, and that of another server."""

    run_id = ""

    def on_connect_check_health(self, check_health: bool = True) -> None:
        super().on_connect_check_health(check_health=check_health)  # type: ignore[misc]
        self.send_command("INFO", "server", check_health=False)  # type: ignore[attr-defined]
        try:
            told = self.read_response(disable_decoding=True)  # type: ignore[attr-defined]
        except ResponseError:  # this user may not ask: then the color cache is never believed
            told = b""
        self.run_id = find_run_id(told)


def find_run_id(told: bytes) -> str:
    """Return the run id in the answer to INFO, empty if there is none."""
    found = _RUN_ID.search(told)
    return found[1].decode() if found else ""


_RUN_ID = re.compile(rb"^run_id:([0-9a-f]+)", re.MULTILINE)


class _Places(LifoQueue[Any]):
    """The free places of a pool; none in time is a MaxConnectionsError, where redis-py's is that of a lost Redis."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return a connection, or None for one to be made. Raises MaxConnectionsError."""
        try:
            return super().get(block, timeout)
        except Empty:
            raise MaxConnectionsError(f"no connection to Redis was free for {timeout} s") from None


def identified(connection_class: type) -> type:
    """Return a class of connections that know the run id of their server."""
    return type("Identified", (_Identified, connection_class), {})


def make_pool(url: str, timeout: float) -> BlockingConnectionPool:
    """Return connections that wait at most `timeout` seconds, for a place and for Redis, and send nothing twice.

    Before use, a connection that Redis has closed is opened again. After that, nobody knows whether a command without
    an answer was executed: sent again, a count would count twice.
    """
    return BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout,
        queue_class=_Places,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )


def connect(url: str, timeout: float, breaker: CircuitBreaker | None = None) -> Redis:
    """Return a client with a pool of its own; see `make_pool`."""
    pool = make_pool(url, timeout)
    pool.connection_class = identified(pool.connection_class)
    client = CircuitBreakingRedis.from_pool(pool)
    assert isinstance(client, CircuitBreakingRedis)
    client.breaker = breaker or CircuitBreaker()
    return client


def check_server(redis: Redis) -> None:
    """Raise ConfigError for a server that answers and cannot be used: a replica, one that takes no writes.

    Raises RedisError when it does not answer.
    """
    try:
        about = redis.info("replication", "cluster", "server")
    except NoPermissionError:
        raise ConfigError(
            "does not let this user ask INFO, which says when it was started again: grant +info"
        ) from None
    if about.get("cluster_enabled") or about.get("redis_mode") == "cluster":
        raise ConfigError("a node of a Redis Cluster: name its nodes as redis+cluster://host:port,host:port")
    if about.get("role") == "slave":
        raise ConfigError("a read-only replica: name the primary")
    try_to_write(redis, PROBE)


def try_to_write(redis: Redis, key: str) -> None:
    """Write a key that goes by itself. Raises ConfigError when the server refuses, RedisError when it is silent."""
    try:
        redis.set(key, "", ex=_PROBE_SECONDS)
    except ResponseError as error:
        raise ConfigError(f"takes no writes; correct what it names: {error}") from None

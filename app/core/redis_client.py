"""The Redis client: short timeouts, and a circuit breaker that opens for a moment after a failure.

The database answers in place of Redis, so no request should wait for Redis twice. Failures are never hidden: while the
circuit is open, every call raises a RedisError at once.
"""

import re
import threading
import time
from collections.abc import Callable
from hashlib import sha1
from queue import Empty, LifoQueue
from typing import Any

from hiredis import pack_command
from redis import BlockingConnectionPool, Redis, RedisError
from redis import ConnectionError as NotConnected
from redis import TimeoutError as NoAnswer
from redis.backoff import NoBackoff
from redis.exceptions import MaxConnectionsError, NoPermissionError, NoScriptError, ResponseError
from redis.retry import Retry

from app.core.errors import ConfigError
from app.core.metrics import CIRCUIT_OPENED

OPEN_SECONDS = 1.0
MAX_CONNECTIONS = 256  # of one client: more than web.max_concurrency may be, and than the threads of a worker
_PROBE = "jx:probe"  # written to see that Redis takes writes
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
        found = _RUN_ID.search(told)
        self.run_id = found[1].decode() if found else ""


_RUN_ID = re.compile(rb"^run_id:([0-9a-f]+)", re.MULTILINE)


class _Places(LifoQueue[Any]):
    """The free places of a pool; none in time is a MaxConnectionsError, where redis-py's is that of a lost Redis."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return a connection, or None for one to be made. Raises MaxConnectionsError."""
        try:
            return super().get(block, timeout)
        except Empty:
            raise MaxConnectionsError(f"no connection to Redis was free for {timeout} s") from None


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
    pool.connection_class = type("Identified", (_Identified, pool.connection_class), {})
    client = CircuitBreakingRedis.from_pool(pool)
    assert isinstance(client, CircuitBreakingRedis)
    client.breaker = breaker or CircuitBreaker()
    return client


def check_usable(redis: Redis) -> None:
    """Raise ConfigError for a Redis that answers and cannot be used: a cluster's, a replica, one that takes no writes.

    Raises RedisError when it does not answer.
    """
    try:
        about = redis.info("replication", "cluster", "server")
    except NoPermissionError:
        raise ConfigError(
            "does not let this user ask INFO, which says when it was started again: grant +info"
        ) from None
    if about.get("cluster_enabled") or about.get("redis_mode") == "cluster":
        raise ConfigError("a node of a Redis Cluster, which is not supported: use a Redis without cluster_enabled")
    if about.get("role") == "slave":
        raise ConfigError("a read-only replica: name the primary")
    try:
        redis.set(_PROBE, "", ex=_PROBE_SECONDS)
    except ResponseError as error:
        raise ConfigError(f"takes no writes; correct what it names: {error}") from None


class LuaScript:
    """A Lua script, which Redis knows by the digest of its text once it has received it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as refusal:  # the answers after it are still to be read
        return refusal


class ThreadConnections:
    """One connection for each thread, without the lock of the pool, and with the circuit breaker of the client.

    Costs half as much as the client's own commands; for callers with ten thousand commands a second.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._breaker = getattr(redis, "breaker", None) or CircuitBreaker()
        self._thread = threading.local()

    def execute(self, *command: str | int | bytes) -> Any:
        """Execute one command. Raises RedisError when Redis does not answer."""
        return self.execute_all(command)[0]

    def execute_all(self, *commands: tuple[str | int | bytes, ...]) -> list[Any]:
        """Execute commands in one round trip. Raises RedisError when Redis does not answer, or refuses one of them."""
        if not self._breaker.allows_call():
            raise NotConnected("Redis failed a moment ago")
        connection = self._connection()
        try:
            connection.connect()  # before anything is sent, so that its run id is that of whoever answers
            connection.send_packed_command([pack_command(command) for command in commands])  # type: ignore[arg-type]  # its stub has one type
            answers = [_answer(connection) for _ in commands]
        except (RedisError, OSError):
            connection.disconnect()
            self._breaker.failed()
            raise
        self._breaker.answered()
        for answer in answers:
            if isinstance(answer, ResponseError):  # Redis did answer
                raise answer
        return answers

    def run_id(self) -> str:
        """Return the run id of the server that answered last, empty if it is not known. Raises RedisError."""
        if not self._connection().is_connected:
            self.execute("PING")
        return getattr(self._connection(), "run_id", "")

    def run(self, script: LuaScript, keys: tuple[str, ...], arguments: tuple[str | int, ...]) -> Any:
        """Return the result of a script, sending its text if Redis does not know it. Raises RedisError."""
        try:
            return self.execute("EVALSHA", script.digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return self.execute("EVAL", script.text, len(keys), *keys, *arguments)

    def _connection(self) -> Any:
        connection = getattr(self._thread, "connection", None)
        if connection is None:
            pool = self._redis.connection_pool  # for its settings alone: it makes at most a hundred connections
            connection = self._thread.connection = pool.connection_class(**pool.connection_kwargs)
        return connection

"""The client of a Redis Cluster: it connects when it is first used, with a circuit breaker for each node.

Who has which slot is asked again after a failure and after a MOVED, so that a promoted replica is found. Where redis-py
raises what is no RedisError, here it is one, so that the database answers in place of Redis.
"""

import threading
import time
from collections.abc import Sequence
from typing import Any

from redis import ConnectionError as NotConnected
from redis import RedisError
from redis import TimeoutError as NoAnswer
from redis._parsers import Encoder
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import BlockingConnectionPool, Connection, parse_url
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, MaxConnectionsError, MovedError, NoPermissionError, RedisClusterException
from redis.retry import Retry

from app.core.redis_client.single import MAX_CONNECTIONS, CircuitBreaker, identified
from app.core.redis_client.threads import LuaScript, run_script
from app.core.settings.redis_url import node_urls

_REFRESH_SECONDS = 0.2
LOST = (NotConnected, NoAnswer, ClusterDownError)
_FOREIGN = (RedisClusterException, IndexError)  # redis-py raises them where it finds no node; none is a RedisError


class UnusableCluster(NotConnected):
    """A node answers, and cannot be used; the text says why."""


class _NodePool(BlockingConnectionPool):
    """The connections to one node, each of which knows the run id of the node."""

    def __init__(self, connection_class: type = Connection, **options: Any) -> None:
        super().__init__(connection_class=identified(connection_class), **options)  # type: ignore[no-untyped-call]


class ClusterScript:
    """A script that is sent to the node of its keys alone; redis-py sends its own to all, of which one may be lost."""

    def __init__(self, client: "ClusterRedis", script: LuaScript) -> None:
        self._client, self._script = client, script

    def __call__(self, keys: Sequence[Any] = (), args: Sequence[Any] = (), client: Any = None) -> Any:
        return run_script(client or self._client, self._script, keys, args)


class ClusterRedis(RedisCluster):
    """A client of a cluster. It sends nothing twice but what a node has refused with MOVED or ASK."""

    def __init__(self, url: str, timeout: float) -> None:
        # for scripts, before anything is connected
        self.encoder = Encoder("utf-8", "strict", False)  # type: ignore[no-untyped-call]
        self.url, self._timeout = url, timeout
        places = map(parse_url, node_urls(url))
        self._named = [(place.get("host", "localhost"), place.get("port", 6379)) for place in places]
        self._joining, self._is_joining, self._has_joined = threading.RLock(), False, False
        self._first = CircuitBreaker()
        self._breakers: dict[str, CircuitBreaker] = {}
        self._refreshed = 0.0

    def join(self) -> None:
        """Learn who the nodes are, if that is not known. Raises redis.ConnectionError when none of them says so."""
        if self._has_joined:
            return
        with self._joining:
            if self._has_joined or self._is_joining:
                return
            if not self._first.allows_call():
                raise NotConnected("the cluster failed a moment ago")
            self._is_joining = True
            try:
                self._connect()
            except (*_FOREIGN, RedisError, OSError) as error:
                self._first.failed()
                raise _why_not(error) from None
            finally:
                self._is_joining = False
            self._first.answered()
            self._has_joined = True

    def _connect(self) -> None:
        super().__init__(
            url=node_urls(self.url)[0],
            startup_nodes=[ClusterNode(*place) for place in self._named[1:]],  # type: ignore[no-untyped-call]
            retry=Retry(NoBackoff(), 0),
            require_full_coverage=False,
            connection_pool_class=_NodePool,
            max_connections=MAX_CONNECTIONS,
            timeout=self._timeout,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
        )

    def command(self, **options: Any) -> Any:
        """Return the commands that there are: redis-py asks one master as it connects, which may be the lost one."""
        failure: RedisError = NotConnected("no master answers")
        for master in self.get_primaries():  # type: ignore[no-untyped-call]
            try:
                return self.get_redis_connection(master).command(**options)
            except LOST as error:
                failure = error
        raise failure

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command on the node, or the nodes, that it is for. Raises RedisError."""
        self.join()
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except _FOREIGN as error:
            raise NotConnected(str(error)) from None

    def register_script(self, script: str | bytes) -> "ClusterScript":  # type: ignore[override]
        """Return a script that libraries may call, as they call redis-py's."""
        return ClusterScript(self, LuaScript(script if isinstance(script, str) else script.decode()))

    def _execute_command(self, target_node: ClusterNode, *args: Any, **options: Any) -> Any:
        breaker = self.breaker_of(target_node)
        if not breaker.allows_call():
            raise NotConnected("this node of the cluster failed a moment ago")
        try:
            answer = super()._execute_command(target_node, *args, **options)  # type: ignore[no-untyped-call]
        except MaxConnectionsError:
            raise
        except LOST:
            breaker.failed()
            raise
        breaker.answered()
        return answer

    def breaker_of(self, node: ClusterNode) -> CircuitBreaker:
        """Return the circuit breaker of a node."""
        return self._breakers.setdefault(node.name, CircuitBreaker())

    def node_of(self, key: str | bytes) -> ClusterNode:
        """Return the master that has a key. Raises redis.ConnectionError."""
        self.join()
        try:
            slot = key_slot(self.encoder.encode(key))  # type: ignore[no-untyped-call]
            return self.nodes_manager.get_node_from_slot(slot)
        except RedisClusterException as error:
            self.refresh()
            raise NotConnected(str(error)) from None

    def masters(self) -> list[ClusterNode]:
        """Return the masters, as far as they are known. Raises redis.ConnectionError."""
        self.join()
        return list(self.get_primaries())  # type: ignore[no-untyped-call]

    def places(self) -> dict[int, tuple[str, int]]:
        """Return host and port of the master of each slot, as far as they are known."""
        slots = self.nodes_manager.slots_cache
        return {slot: (nodes[0].host, nodes[0].port) for slot, nodes in slots.items() if nodes}

    def refresh(self, moved: MovedError | None = None) -> None:
        """Ask again who has which slot, a few times a second at most; `moved` says it of one slot."""
        if not self._has_joined:
            return
        if moved is not None:
            self.nodes_manager.move_slot(moved)
        with self._joining:
            if time.monotonic() < self._refreshed + _REFRESH_SECONDS:
                return
            self._refreshed = time.monotonic()
        try:
            self.nodes_manager.initialize(self._named)  # those of the settings too: the others may be gone
        except (*_FOREIGN, RedisError, OSError):
            return  # what was known is still known

    def close(self) -> None:
        """Close every open connection."""
        if self._has_joined:
            super().close()


def _why_not(error: Exception) -> NotConnected:
    if isinstance(error, NoPermissionError):
        return UnusableCluster(
            "does not let this user ask COMMAND and CLUSTER SLOTS, which say who has what: "
            "grant +command +cluster|slots"
        )
    if "mode is not enabled" in str(error):
        return UnusableCluster("no node of a Redis Cluster: name one Redis as redis://host:port")
    return NotConnected("no node of the cluster answers")

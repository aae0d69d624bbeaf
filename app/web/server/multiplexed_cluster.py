"""The same for a cluster: a connection to each master, and every command goes to the one that has its key.

Who has which slot is asked in a thread, because the event loop must not wait: at the start, every few seconds, and at
once after a MOVED or a lost connection. Until it is known, calls are refused: callers have the database.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from redis import ConnectionError as NotConnected
from redis import RedisError
from redis.crc import key_slot
from redis.exceptions import ResponseError

from app.core.redis_client import AnyRedis, ClusterRedis, Command
from app.core.settings.redis_url import node_url
from app.core.settings.sections import RedisSettings
from app.web.server.multiplexed_connection import Word
from app.web.server.multiplexed_redis import MultiplexedRedis

_EVERY_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.2  # at least, between two questions
_SCRIPTS: Final = ("EVALSHA", "EVAL")
_ELSEWHERE: Final = ("MOVED ", "ASK ", "CLUSTERDOWN ", "TRYAGAIN ")  # so begin the answers of who has not got the key


class MultiplexedCluster:
    """Asks the masters for all requests of one event loop; `start` connects, `close` ends it."""

    def __init__(self, cluster: ClusterRedis, timeout: float) -> None:
        self._cluster, self._timeout = cluster, timeout
        self._nodes: dict[str, MultiplexedRedis] = {}
        self._slots: Mapping[int, MultiplexedRedis] = {}
        self._is_stale = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether every master that is known is connected."""
        return bool(self._slots) and all(node.is_connected for node in self._nodes.values())

    def run_id_of(self, key: str) -> str:
        """Return the run id of the master that is asked for a key now, empty if there is none."""
        node = self._slots.get(_slot(key))
        return "" if node is None else node.run_id

    def ask(self, commands: Sequence[Command]) -> Awaitable[list[Any]]:
        """Return the answers to commands, in one trip to each of their masters; see `MultiplexedRedis.ask`."""
        by_node: dict[MultiplexedRedis, list[int]] = {}
        for place, command in enumerate(commands):
            by_node.setdefault(self._node_of(command), []).append(place)
        asked = [node.ask([commands[place] for place in places]) for node, places in by_node.items()]
        return self._collect(asked, list(by_node.values()))

    def share(self, command: Command) -> "asyncio.Future[list[Any]]":
        """Return the answer to a command that only reads; see `MultiplexedRedis.share`."""
        return self._node_of(command).share(command)

    def join(self, command: Command, word: Word) -> Awaitable[list[Any]]:
        """Return the answer to a command that ends with any number of words; see `MultiplexedRedis.join`."""
        return self._collect([self._node_of(command).join(command, word)], [[0]])

    def _node_of(self, command: Command) -> MultiplexedRedis:
        """Return the connection to the master that has the key of a command. Raises redis.ConnectionError."""
        key = command[3] if command[0] in _SCRIPTS else command[1]
        node = self._slots.get(_slot(str(key)))
        if node is None or not node.is_connected:
            self._is_stale.set()
            raise NotConnected("There is no connection to the master of a key")
        return node

    async def _collect(self, asked: Sequence[Awaitable[list[Any]]], places: Sequence[list[int]]) -> list[Any]:
        """Return the answers in the order of the commands. Raises RedisError."""
        try:
            found = [await asked[0]] if len(asked) == 1 else await asyncio.gather(*asked)
        except RedisError as error:
            if not isinstance(error, ResponseError) or str(error).startswith(_ELSEWHERE):
                self._is_stale.set()
            raise
        if len(found) == 1:
            return found[0]
        answers: list[Any] = [None] * sum(map(len, places))
        for each, of_node in zip(places, found, strict=True):
            for place, answer in zip(each, of_node, strict=True):
                answers[place] = answer
        return answers

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Connect, and follow the cluster, as soon as the loop runs."""
        self._task = loop.create_task(self._follow(loop))

    async def close(self) -> None:
        """End the connections; calls in flight fail."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._forget([*self._nodes])

    async def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            self._is_stale.clear()
            with suppress(RedisError):
                await self._use(loop, await loop.run_in_executor(None, self._find_masters))
            await asyncio.sleep(_PAUSE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_stale.wait(), _EVERY_SECONDS)

    def _find_masters(self) -> dict[int, tuple[str, int]]:
        """Return the place of the master of each slot. Raises redis.ConnectionError; waits for the cluster."""
        self._cluster.join()
        self._cluster.refresh()
        return self._cluster.places()

    async def _use(self, loop: asyncio.AbstractEventLoop, places: Mapping[int, tuple[str, int]]) -> None:
        """Ask these masters from now on, and others no more."""
        for host, port in set(places.values()):
            if (name := f"{host}:{port}") not in self._nodes:
                self._nodes[name] = MultiplexedRedis(node_url(self._cluster.url, host, port), self._timeout)
                self._nodes[name].start(loop)
        self._slots = {slot: self._nodes[f"{host}:{port}"] for slot, (host, port) in places.items()}
        used = {f"{host}:{port}" for host, port in places.values()}
        await self._forget([name for name in self._nodes if name not in used])

    async def _forget(self, names: Sequence[str]) -> None:
        for name in names:
            await self._nodes.pop(name).close()


@lru_cache(20_000)
def _slot(key: str) -> int:
    return key_slot(key.encode())


def multiplexed(redis: AnyRedis, settings: RedisSettings) -> MultiplexedRedis | MultiplexedCluster:
    """Return what asks the Redis of the settings for all requests of one event loop."""
    if isinstance(redis, ClusterRedis):
        return MultiplexedCluster(redis, settings.timeout_seconds)
    return MultiplexedRedis(settings.url, settings.timeout_seconds, getattr(redis, "breaker", None))

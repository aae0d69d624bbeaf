"""One connection to Redis for an event loop: what all requests in flight ask is written together and read together.

It has plain commands only. A connection that is lost, or that does not answer in time, fails all calls in flight at
once; nothing is sent twice, because nobody knows whether a command without an answer was executed. Meanwhile a new one
is opened in the background, and calls are refused: callers have the database.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from redis import ConnectionError as NotConnected
from redis import RedisError
from redis.asyncio import ConnectionPool

from app.core.redis_client import CircuitBreaker
from app.web.server.multiplexed_connection import Answers, Command, MultiplexedConnection, Word, connect

_LONGEST_PAUSE: Final = 1.0  # seconds between two attempts to connect


class MultiplexedRedis:
    """Asks Redis for all requests of one event loop; `start` connects, `close` ends it."""

    def __init__(self, url: str, timeout: float, breaker: CircuitBreaker | None = None) -> None:
        """`breaker` is opened when the connection is lost: that of the clients of other threads."""
        self._pool = ConnectionPool.from_url(
            url, protocol=2, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None
        )
        self._timeout = timeout
        self._breaker = breaker or CircuitBreaker()
        self._connection: MultiplexedConnection | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    @property
    def run_id(self) -> str:
        """The run id of the server that is asked, empty if there is none or if it keeps it to itself."""
        return "" if self._connection is None else self._connection.run_id

    def run_id_of(self, key: str) -> str:
        """Return the run id of the server that is asked for a key now: here the same for each."""
        return self.run_id

    def ask(self, commands: Sequence[Command]) -> Answers:
        """Return the answers to commands, in one trip: `await redis.ask([("GET", "a"), ("GET", "b")])`.

        The second word of each command is its key, or the fourth that of a script: on a cluster the keys of one call
        may be on several nodes, so that commands to different keys are executed in any order, and some of them without
        the others. Raises RedisError: at once when there is no connection, or when an answer is an error.
        """
        if self._connection is None:
            raise NotConnected("There is no connection to Redis")
        return self._connection.ask(commands)

    def share(self, command: Command) -> Answers:
        """Return the answer to a command that only reads: one for all who ask for it in the same turn of the loop.

        It has come when anything has that its caller asks of the same server after it. Raises RedisError as `ask` does.
        """
        if self._connection is None:
            raise NotConnected("There is no connection to Redis")
        return self._connection.share(command)

    def join(self, command: Command, word: Word) -> Answers:
        """Return the answer to a command that ends with any number of words, of which this is one.

        All who ask the same in one turn of the loop get the answer to the words of all. Raises RedisError like `ask`.
        """
        if self._connection is None:
            raise NotConnected("There is no connection to Redis")
        return self._connection.join(command, word)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Connect, and connect again whenever the connection is lost, as soon as the loop runs."""
        self._task = loop.create_task(self._keep())

    async def close(self) -> None:
        """End the connection; calls in flight fail."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _keep(self) -> None:
        failed = 0
        while True:
            try:
                self._connection = await connect(self._pool, self._timeout)
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(random.uniform(0.5, 1) * min(_LONGEST_PAUSE, 0.05 * 2**failed))
                failed = min(failed + 1, 10)
                continue
            failed = 0
            try:
                await self._connection.lost
                self._breaker.failed()
            finally:
                self._connection.close()
                self._connection = None

"""One connection to Redis for an event loop: what all requests in flight ask is written together and read together.

It has plain commands only. A connection that is lost, or that does not answer in time, fails all calls in flight at
once; nothing is sent twice, because nobody knows whether a command without an answer was executed. Meanwhile a new one
is opened in the background, and calls are refused: callers have the database.
"""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from hiredis import ProtocolError, Reader, pack_command
from redis import ConnectionError as NotConnected
from redis import RedisError
from redis import TimeoutError as NoAnswer
from redis.asyncio import ConnectionPool
from redis.exceptions import ResponseError

from app.core.redis_client import CircuitBreaker, find_run_id

Word = str | int | bytes
Command = tuple[Word, ...]
_Future = asyncio.Future[list[Any]]

MAX_PENDING: Final = 1024  # calls whose answers are to come: a Redis that is so far behind is not asked more
_ONCE_MORE: Final = 0.005  # seconds, in which the loop reads what has come
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
        self._connection: _Connection | None = None
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

    def ask(self, commands: Sequence[Command]) -> _Future:
        """Return the answers to commands, in one trip: `await redis.ask([("GET", "a"), ("GET", "b")])`.

        The second word of each command is its key, or the fourth that of a script: on a cluster the keys of one call
        may be on several nodes, so that commands to different keys are executed in any order, and some of them without
        the others. Raises RedisError: at once when there is no connection, or when an answer is an error.
        """
        if self._connection is None:
            raise NotConnected("There is no connection to Redis")
        return self._connection.ask(commands)

    def share(self, command: Command) -> _Future:
        """Return the answer to a command that only reads: one for all who ask for it in the same turn of the loop.

        It has come when anything has that its caller asks of the same server after it. Raises RedisError as `ask` does.
        """
        if self._connection is None:
            raise NotConnected("There is no connection to Redis")
        return self._connection.share(command)

    def join(self, command: Command, word: Word) -> _Future:
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
                self._connection = await _connect(self._pool, self._timeout)
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


_Call = tuple[int, list[_Future], float]  # how many answers come for those who wait for them, and since when


class _Joined(NamedTuple):
    """A command whose last words are still to come: where it will stand among the unsent, and who waits for it."""

    place: int
    words: list[Word]
    waiting: list[_Future]


class _Connection(asyncio.Protocol):
    """An open connection; `lost` is done when it is not usable any more."""

    def __init__(self, run_id: str, timeout: float) -> None:
        self.run_id = run_id
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._reader = Reader(replyError=ResponseError)
        self._unsent: list[bytes] = []
        self._shared: dict[Command, _Future] = {}  # by what was asked in this turn
        self._joined: dict[Command, _Joined] = {}
        self._calls: deque[_Call] = deque()
        self._arrived: list[Any] = []  # answers to a part of the first call
        self._timer: asyncio.TimerHandle | None = None

    def take_over(self, connection: Any) -> None:
        """Take the socket of a connection that redis-py has opened, and that closes it."""
        self._opened = connection
        self._transport = connection._writer.transport  # whatever it is: TCP, TLS or a Unix socket
        self._transport.set_protocol(self)

    def ask(self, commands: Sequence[Command]) -> _Future:
        answers: _Future = self._loop.create_future()
        self._expect(len(commands), [answers])
        self._unsent += map(pack_command, commands)  # type: ignore[arg-type]  # its stub has one type
        return answers

    def share(self, command: Command) -> _Future:
        answers = self._shared.get(command)
        if answers is None:
            answers = self._shared[command] = self.ask((command,))
            answers.add_done_callback(asyncio.Future.exception)  # nobody may wait for it
        return answers

    def join(self, command: Command, word: Word) -> _Future:
        answers: _Future = self._loop.create_future()
        joined = self._joined.get(command)
        if joined is None:
            joined = _Joined(len(self._unsent), [], [])
            self._expect(1, joined.waiting)
            self._joined[command] = joined
            self._unsent.append(b"")
        joined.words.append(word)
        joined.waiting.append(answers)
        return answers

    def _expect(self, size: int, waiting: list[_Future]) -> None:
        """Send what is added next at the end of this turn. Raises redis.ConnectionError."""
        if self.lost.done() or len(self._calls) >= MAX_PENDING:
            raise NotConnected("The connection to Redis is lost, or too many wait for it")
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._calls.append((size, waiting, self._loop.time()))
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout, self._look)

    def _send(self) -> None:
        for command, (place, words, _) in self._joined.items():
            self._unsent[place] = pack_command((*command, *words))  # type: ignore[arg-type]
        self._transport.write(b"".join(self._unsent))
        self._unsent.clear()
        self._shared.clear()
        self._joined.clear()

    def _look(self, overdue: _Call | None = None) -> None:
        """Give the connection up if the oldest call has waited too long; if not, come back when it will have.

        The loop itself may be late, and the answer lie in the socket: so it reads once more before that.
        """
        self._timer = None
        if not self._calls:
            return
        oldest = self._calls[0]
        _, _, began = oldest
        left = began + self._timeout - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        elif oldest is not overdue:
            self._timer = self._loop.call_later(_ONCE_MORE, self._look, oldest)
        else:
            self.close(NoAnswer("Redis did not answer in time"))

    def data_received(self, data: bytes) -> None:
        """Give each call its answers."""
        self._reader.feed(data)
        next_answer, calls, arrived = self._reader.gets, self._calls, self._arrived
        try:
            while calls and (answer := next_answer()) is not False:
                arrived.append(answer)
                if len(arrived) == calls[0][0]:
                    _, waiting, _ = calls.popleft()
                    _finish(waiting, arrived)
                    arrived = self._arrived = []
        except ProtocolError:
            self.close(NotConnected("Redis answered in another language"))

    def connection_lost(self, error: Exception | None) -> None:
        self.close()

    def close(self, error: RedisError | None = None) -> None:
        """Close the socket, and fail every call in flight."""
        if not self.lost.done():
            self.lost.set_result(None)
        self._transport.abort()
        self._opened._close()
        if self._timer is not None:
            self._timer.cancel()
        calls, self._calls = self._calls, deque()
        for _, waiting, _ in calls:
            _fail(waiting, error or NotConnected("The connection to Redis was lost"))


def _finish(waiting: list[_Future], answers: list[Any]) -> None:
    for answer in answers:
        if type(answer) is ResponseError:
            _fail(waiting, answer)
            return
    for each in waiting:
        if not each.done():  # who asked is still there
            each.set_result(answers)


def _fail(waiting: list[_Future], error: RedisError) -> None:
    for each in waiting:
        if not each.done():
            each.set_exception(error)


async def _connect(pool: ConnectionPool, timeout: float) -> _Connection:
    """Open a connection. Raises RedisError, OSError or TimeoutError."""
    opened = pool.make_connection()  # type: ignore[no-untyped-call]
    try:
        async with asyncio.timeout(2 * timeout):
            await opened.connect()
            connection = _Connection(await _ask_run_id(opened), timeout)
    except BaseException:
        await opened.disconnect(nowait=True)
        raise
    connection.take_over(opened)
    return connection


async def _ask_run_id(opened: Any) -> str:
    await opened.send_command("INFO", "server", check_health=False)
    try:
        return find_run_id(await opened.read_response(disable_decoding=True))
    except ResponseError:  # this user may not ask: then the color cache is never believed
        return ""

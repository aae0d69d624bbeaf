"""An open connection to Redis that all requests of an event loop share, until it is lost.

What is asked in one turn of the loop is sent at its end, in one piece; answers are given out in the order of the calls.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from hiredis import ProtocolError, Reader, pack_command
from redis import ConnectionError as NotConnected
from redis import RedisError
from redis import TimeoutError as NoAnswer
from redis.asyncio import ConnectionPool
from redis.exceptions import ResponseError

from app.core.redis_client import find_run_id

Word = str | int | bytes
Command = tuple[Word, ...]
Answers = asyncio.Future[list[Any]]

MAX_PENDING: Final = 1024  # calls whose answers are to come: a Redis that is so far behind is not asked more
_ONCE_MORE: Final = 0.005  # seconds, in which the loop reads what has come

_Call = tuple[int, list[Answers], float]  # how many answers come for those who wait for them, and since when


class _Joined(NamedTuple):
    """A command whose last words are still to come: where it will stand among the unsent, and who waits for it."""

    place: int
    words: list[Word]
    waiting: list[Answers]


class MultiplexedConnection(asyncio.Protocol):
    """An open connection; `lost` is done when it is not usable any more."""

    def __init__(self, run_id: str, timeout: float) -> None:
        self.run_id = run_id
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._reader = Reader(replyError=ResponseError)
        self._unsent: list[bytes] = []
        self._shared: dict[Command, Answers] = {}  # by what was asked in this turn
        self._joined: dict[Command, _Joined] = {}
        self._calls: deque[_Call] = deque()
        self._arrived: list[Any] = []  # answers to a part of the first call
        self._timer: asyncio.TimerHandle | None = None

    def take_over(self, connection: Any) -> None:
        """Take the socket of a connection that redis-py has opened, and that closes it."""
        self._opened = connection
        self._transport = connection._writer.transport  # whatever it is: TCP, TLS or a Unix socket
        self._transport.set_protocol(self)

    def ask(self, commands: Sequence[Command]) -> Answers:
        answers: Answers = self._loop.create_future()
        self._expect(len(commands), [answers])
        self._unsent += map(pack_command, commands)  # type: ignore[arg-type]  # its stub has one type
        return answers

    def share(self, command: Command) -> Answers:
        answers = self._shared.get(command)
        if answers is None:
            answers = self._shared[command] = self.ask((command,))
            answers.add_done_callback(asyncio.Future.exception)  # nobody may wait for it
        return answers

    def join(self, command: Command, word: Word) -> Answers:
        answers: Answers = self._loop.create_future()
        joined = self._joined.get(command)
        if joined is None:
            joined = _Joined(len(self._unsent), [], [])
            self._expect(1, joined.waiting)
            self._joined[command] = joined
            self._unsent.append(b"")
        joined.words.append(word)
        joined.waiting.append(answers)
        return answers

    def _expect(self, size: int, waiting: list[Answers]) -> None:
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


def _finish(waiting: list[Answers], answers: list[Any]) -> None:
    for answer in answers:
        if type(answer) is ResponseError:
            _fail(waiting, answer)
            return
    for each in waiting:
        if not each.done():  # who asked is still there
            each.set_result(answers)


def _fail(waiting: list[Answers], error: RedisError) -> None:
    for each in waiting:
        if not each.done():
            each.set_exception(error)


async def connect(pool: ConnectionPool, timeout: float) -> MultiplexedConnection:
    """Open a connection. Raises RedisError, OSError or TimeoutError."""
    opened = pool.make_connection()  # type: ignore[no-untyped-call]
    try:
        async with asyncio.timeout(2 * timeout):
            await opened.connect()
            connection = MultiplexedConnection(await _ask_run_id(opened), timeout)
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

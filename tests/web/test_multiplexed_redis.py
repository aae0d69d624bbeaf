"""One connection for all requests of an event loop: what is lost with it, and that the fast path gives way to Flask."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import RedisError
from redis.exceptions import ResponseError

from app import create_app
from app.api.fast_path import FastPath
from app.core.redis_client import CircuitBreaker, connect
from app.runtime import Services
from app.web.server.multiplexed_connection import MAX_PENDING
from app.web.server.multiplexed_redis import MultiplexedRedis
from tests.support.people import Phone, Station
from tests.support.rsgi import end, noted_rest, put_before
from tests.support.valkey import BreakableValkey
from tests.support.waiting import PATIENCE


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[BreakableValkey]:
    server = BreakableValkey(tmp_path / "valkey")
    yield server
    server.crash()


@asynccontextmanager
async def connected(
    url: str, breaker: CircuitBreaker | None = None, timeout: float = 0.3
) -> AsyncIterator[MultiplexedRedis]:
    redis = MultiplexedRedis(url, timeout, breaker)
    redis.start(asyncio.get_running_loop())
    await comes_true(lambda: redis.is_connected)
    yield redis
    await redis.close()


async def comes_true(what: Callable[[], bool]) -> None:
    latest = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < latest
        await asyncio.sleep(0.005)


async def outcome(answers: "asyncio.Future[list[Any]]") -> Any:
    try:
        return await answers
    except RedisError as error:
        return type(error)


def test_many_at_a_time_get_each_their_own_answers_and_only_their_own_errors(valkey: BreakableValkey) -> None:
    async def ask_all() -> None:
        async with connected(valkey.url) as redis:
            valkey.admin.set("text", "x" * 100_000)
            asked = []
            for number in range(200):
                asked.append(redis.ask([("SET", f"n{number}", number), ("GET", f"n{number}")]))
                asked.append(redis.ask([("GET", "text"), ("HINCRBY", "text", "f", 1)]))
            for number in range(200):
                assert await asked[2 * number] == [b"OK", str(number).encode()]
                with pytest.raises(ResponseError, match="WRONGTYPE"):
                    await asked[2 * number + 1]
            assert redis.run_id == valkey.admin.info("server")["run_id"]
            assert valkey.admin.info("clients")["connected_clients"] == 2, "the other one is this test's"

    asyncio.run(ask_all())


def test_what_is_asked_in_one_turn_is_asked_once_and_answered_to_all(valkey: BreakableValkey) -> None:
    async def ask_all() -> None:
        async with connected(valkey.url) as redis:
            shared = [redis.share(("GET", "a")) for _ in range(3)]
            joined = [redis.join(("SADD", "numbers"), number) for number in (1, 2, 2, 3)]
            others = [redis.join(("SADD", "others"), number) for number in (1, 2)]
            own = redis.ask([("SET", "a", "later")])
            assert await asyncio.gather(*joined) == [[3]] * 4, "of the words of all, each once"
            assert [answers.result() for answers in shared] == [[None]] * 3, "before what was asked after it"
            assert await own == [b"OK"] and await asyncio.gather(*others) == [[2]] * 2
            assert await redis.share(("GET", "a")) == [b"later"], "another turn asks anew"
            assert await redis.join(("SADD", "numbers"), 4) == [1]
            asked = valkey.admin.info("commandstats")
            assert asked["cmdstat_sadd"]["calls"] == 3 and asked["cmdstat_get"]["calls"] == 2
            valkey.admin.set("text", "")
            refused = [redis.join(("SADD", "text"), number) for number in (1, 2)]
            assert [await outcome(answers) for answers in refused] == [ResponseError] * 2

    asyncio.run(ask_all())


def test_a_lost_connection_fails_all_in_flight_at_once_and_comes_back(valkey: BreakableValkey) -> None:
    async def lose_it() -> None:
        breaker = CircuitBreaker()
        async with connected(valkey.url, breaker, timeout=30) as redis:
            os.kill(valkey.admin.info("server")["process_id"], signal.SIGSTOP)
            asked = [redis.ask([("INCR", "count")]) for _ in range(50)]
            await asyncio.sleep(0.05)
            started = time.monotonic()
            valkey.crash()
            assert all([issubclass(await outcome(answers), RedisError) for answers in asked])
            assert time.monotonic() - started < 20, "before the time-out"
            assert not breaker.allows_call(), "other threads do not wait for it"
            with pytest.raises(RedisError):
                redis.ask([("GET", "a")])
            valkey.start()
            await comes_true(lambda: redis.is_connected)
            assert await redis.ask([("GET", "count")]) == [None], "nothing is sent again"

    asyncio.run(lose_it())


def test_a_redis_that_does_not_answer_is_given_up_in_time_and_never_owed_too_much(valkey: BreakableValkey) -> None:
    async def freeze() -> None:
        process = valkey.admin.info("server")["process_id"]
        async with connected(valkey.url) as redis:
            await redis.ask([("GET", "a")])
            await asyncio.sleep(0.4)  # longer than the time-out, in which nobody asks
            os.kill(process, signal.SIGSTOP)
            started = time.monotonic()
            asked = [redis.ask([("GET", "a")]) for _ in range(MAX_PENDING)]
            with pytest.raises(RedisError):
                redis.ask([("GET", "a")])
            assert all([issubclass(await outcome(answers), RedisError) for answers in asked])
            assert 0.25 < time.monotonic() - started < 20
            os.kill(process, signal.SIGCONT)
            await comes_true(lambda: redis.is_connected)
            assert await redis.ask([("GET", "a")]) == [None]

    asyncio.run(freeze())


# --- the fast path ---------------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(services: Services, valkey: BreakableValkey) -> Iterator[tuple[Any, FastPath]]:
    """An application whose fast path has a Redis of its own."""
    redis = services.settings.redis.model_copy(update={"url": valkey.url, "timeout_seconds": 0.3})
    settings = services.settings.model_copy(update={"redis": redis})
    app = create_app(services)
    client = connect(valkey.url, 0.3)
    server = put_before(app, replace(services, settings=settings, redis=client))
    yield app.test_client(), server
    end(server)
    client.close()


@pytest.mark.parametrize("fault", ["frozen", "gone", "another"])
def test_without_its_redis_the_fast_path_gives_way_to_flask(
    valkey: BreakableValkey, elsewhere: tuple[Any, FastPath], green_citizen: Phone, station: Station, fault: str
) -> None:
    citizen = green_citizen
    token = citizen.code()["token"]
    citizen.client, server = elsewhere
    inspector = Station(citizen.client, station.session)
    if fault == "frozen":
        os.kill(valkey.admin.info("server")["process_id"], signal.SIGSTOP)
    elif fault == "gone":
        valkey.crash()  # else it is there, and holds no lease of the color cache
    with noted_rest(server) as passed:
        assert citizen.color() == "GREEN"
        assert inspector.check(token).json["action"] == "pass"  # type: ignore[index]
    assert len(passed) == 2

"""One client of Redis and many threads: a full pool is no dead Redis, and nothing is ever counted twice."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis, RedisError
from redis.exceptions import MaxConnectionsError
from redis.exceptions import TimeoutError as NoAnswer

from app import create_app
from app.codes.cache.color_cache import ColorCache
from app.core.redis_client import ThreadConnections, connect
from app.runtime import Services
from app.web import limits
from devstack.embedded import start_valkey
from tests.support.metrics import counted
from tests.support.people import Phone, Station

OPENED = 'jixiang_circuit_opened_total{upstream="redis"}'


class Server:
    """A Valkey of its own, which can be frozen: what is sent meanwhile is executed when it goes on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.direct = Redis.from_url(url)
        self._clients: list[Redis] = [self.direct]
        self._process = int(self.direct.info("server")["process_id"])

    def connect(self, timeout: float, options: str = "", url: str = "") -> Redis:
        """A client as the services have one, closed after the test."""
        self._clients.append(connect((url or self.url) + options, timeout))
        return self._clients[-1]

    def close(self) -> None:
        self.thaw()
        for client in self._clients:
            client.close()

    def freeze(self) -> None:
        os.kill(self._process, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process, signal.SIGCONT)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with start_valkey(tmp_path / "valkey", persistent=False) as valkey:
        server = Server(valkey.url)
        yield server
        server.close()


def using(services: Services, redis: Redis) -> Services:
    return replace(services, redis=redis, cache=ColorCache(redis))


# --- many threads ----------------------------------------------------------------------------------------------------


def test_every_one_of_many_threads_is_answered(server: Server) -> None:
    client, threads = server.connect(5), 150
    client.set("a", "1")
    server.freeze()  # so that all of them ask at the same time
    with ThreadPoolExecutor(threads) as pool:
        answers = [pool.submit(client.get, "a") for _ in range(threads)]
        time.sleep(0.5)
        server.thaw()
        assert [answer.result() for answer in answers] == [b"1"] * threads


def test_a_thread_that_finds_no_free_connection_waits_for_one(server: Server) -> None:
    client = server.connect(5, "?max_connections=2")
    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(lambda _: int(bool(client.ping())), range(500))) == 500
    assert server.direct.info("clients")["connected_clients"] <= 3


def test_a_full_pool_is_an_error_in_time_and_no_failure_of_redis(
    server: Server, services: Services, phone: Callable[..., Phone], station: Station
) -> None:
    client = server.connect(0.2, "?max_connections=2")
    there = create_app(using(services, client)).test_client()
    citizen, inspector = phone().become_green(), Station(there, station.session)
    citizen.client = there
    token = citizen.code()["token"]
    assert inspector.check(token).json["color"] == "GREEN"
    before = counted(there).get(OPENED, 0)
    taken = [client.connection_pool.get_connection() for _ in range(2)]
    start = time.monotonic()
    with pytest.raises(MaxConnectionsError):
        client.get("a")
    assert 0.15 < time.monotonic() - start < 1, "it waited once, and asked nobody again"
    assert inspector.check(token).json["color"] == "GREEN", "the color cache has its own, and goes on"
    for connection in taken:
        client.connection_pool.release(connection)
    assert client.get("a") is None, "at once: the circuit was never opened"
    assert counted(there).get(OPENED, 0) == before


def test_clients_share_no_connection_and_no_circuit(server: Server) -> None:
    full, other = server.connect(0.1, "?max_connections=1"), server.connect(0.1)
    held = full.connection_pool.get_connection()
    assert other.ping()
    full.connection_pool.release(held)
    nowhere = connect("redis://127.0.0.1:1/0", 0.1)
    with pytest.raises(RedisError):
        nowhere.ping()
    assert other.ping()
    assert full.ping()


# --- nothing twice ---------------------------------------------------------------------------------------------------


def _incr(client: Redis) -> None:
    client.incr("count")


def _pipeline(client: Redis) -> None:
    with client.pipeline(transaction=False) as pipeline:
        pipeline.incr("count").execute()


def _transaction(client: Redis) -> None:
    with client.pipeline() as pipeline:
        pipeline.incr("count").execute()


def _script(client: Redis) -> None:
    client.eval("return redis.call('INCR', KEYS[1])", 1, "count")


def _of_a_thread(client: Redis) -> None:
    ThreadConnections(client).execute("INCR", "count")


WAYS: list[Any] = [_incr, _pipeline, _transaction, _script, _of_a_thread]


@pytest.mark.slow
@pytest.mark.parametrize("count", WAYS)
def test_a_slow_redis_counts_once_what_was_sent_once(server: Server, count: Callable[[Redis], None]) -> None:
    client = server.connect(0.3)
    client.ping()
    server.freeze()
    with pytest.raises((NoAnswer, OSError)):
        count(client)
    time.sleep(0.5)
    server.thaw()
    assert server.direct.ping()
    assert int(server.direct.get("count") or 0) <= 1


@pytest.mark.parametrize("count", WAYS)
def test_a_connection_that_is_lost_before_the_answer_counts_once(
    server: Server, count: Callable[[Redis], None]
) -> None:
    with LosingAnswers(server.url) as url, pytest.raises(RedisError):
        count(server.connect(2, url=url))
    assert server.direct.get("count") == b"1"


def test_a_slow_redis_does_not_count_a_request_twice_against_a_limit(
    server: Server, services: Services, phone: Callable[..., Phone]
) -> None:
    redis = services.settings.redis.model_copy(update={"url": server.url, "timeout_seconds": 0.3})
    settings = services.settings.model_copy(update={"redis": redis})
    limits.limiter._storage_dead = False  # what this process has seen of another Redis
    replaced = replace(using(services, server.connect(0.3)), settings=settings)
    there = create_app(replaced).test_client()
    body = {"username": "nobody-there", "password": "wrong"}
    assert there.post("/api/v1/accounts/login", json=body).status_code == 401
    before = _requests_counted(server)
    server.freeze()
    assert there.post("/api/v1/accounts/login", json=body).status_code == 401
    server.thaw()
    after = _requests_counted(server)
    assert [new - old in (0, 1) for old, new in zip(before, after, strict=True)] == [True] * len(before)
    limits.limiter._storage_dead = False


def _requests_counted(server: Server) -> list[int]:
    keys = sorted(key for key in server.direct.scan_iter("*jx*") if server.direct.type(key) == b"list")
    return [server.direct.llen(key) for key in keys]


class LosingAnswers:
    """A proxy that passes what it gets to the server, and closes the connection instead of passing INCR's answer."""

    def __init__(self, url: str) -> None:
        self._target = url.removeprefix("unix://")
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        threading.Thread(target=self._accept, daemon=True).start()
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._target)
            while data := client.recv(65536):
                server.sendall(data)
                answer = server.recv(65536)
                if b"INCR" in data:
                    return
                client.sendall(answer)

"""Load shedding: which requests wait, which go first, which are shed, and that it ends with the overload."""

import asyncio
import re
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.console import busy_page
from app.web.server.flask_side import FlaskSide
from app.web.server.load_shedding import (
    MAX_WAITING,
    RETRY_AFTER_SECONDS,
    BusyAnswer,
    BusyPage,
    ConcurrencyLimiter,
    LoadShedder,
    Priority,
)
from app.web.server.wsgi_bridge import WsgiBridge
from tests.support.metrics import counted
from tests.support.rsgi import client_of
from tests.support.waiting import PATIENCE, wait_until

CHECK, SHOW, REST = "/api/v1/checks", "/api/v1/code", "/api/v1/home"
WAYS = {Priority.CHECK: CHECK, Priority.SHOW: SHOW, Priority.REST: REST}


class Slow:
    """An application that answers a request when it is told to, and notes the order in which they came to it."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.go_on = threading.Semaphore(0)
        self.most = self.inside = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        with self._lock:
            self.came.append(environ["PATH_INFO"])
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self.go_on.acquire(timeout=PATIENCE)
        with self._lock:
            self.inside -= 1
        start("200 OK", [])
        return [b"done"]


class Ground:
    """A slow application behind a bound, and callers in threads of their own."""

    def __init__(self, max_concurrency: int, patience: float = PATIENCE, page: BusyPage | None = None) -> None:
        self.slow = Slow()
        self.limiter = ConcurrencyLimiter(max_concurrency, max_wait=patience)
        self.client = client_of(LoadShedder(WsgiBridge(self.slow, 99), self.limiter, BusyAnswer(page=page)))
        self.pool = ThreadPoolExecutor(200)
        self.asked: list[Future[TestResponse]] = []

    def ask(self, path: str, times: int = 1) -> None:
        """Ask, and see that each has come in or waits before the next one asks."""
        for _ in range(times):
            arrived = self._arrived()
            self.asked.append(self.pool.submit(self.client.get, path))
            wait_until(lambda arrived=arrived: self._arrived() > arrived, every=0.001)

    def _arrived(self) -> int:
        return len(self.slow.came) + sum(map(len, self.limiter._waiting))

    def finish(self) -> list[int]:
        self.slow.go_on.release(len(self.asked))
        statuses = [one.result(PATIENCE).status_code for one in self.asked]
        self.pool.shutdown()
        return statuses


def test_no_more_are_worked_on_at_a_time_than_told_and_those_who_wait_are_all_served() -> None:
    ground = Ground(max_concurrency=3)
    ground.ask(CHECK, 30)
    assert len(ground.slow.came) == 3
    assert ground.finish() == [200] * 30
    assert ground.slow.most == 3


def test_who_waits_is_served_by_priority_and_among_equals_in_order_of_arrival() -> None:
    ground = Ground(max_concurrency=1)
    ground.ask("/first")
    for path in ("/rest/1", SHOW, "/rest/2", CHECK, "/api/v1/checks/temperature", "/api/v1/code.png"):
        ground.ask(path)
    ground.finish()
    assert ground.slow.came == [
        "/first", CHECK, "/api/v1/checks/temperature", SHOW, "/api/v1/code.png", "/rest/1", "/rest/2"
    ]  # fmt: skip


@pytest.mark.parametrize("priority", Priority)
def test_one_more_than_may_wait_is_shed_at_once(priority: Priority) -> None:
    ground = Ground(max_concurrency=1)
    ground.ask(WAYS[priority], 1 + MAX_WAITING[priority])
    answer = ground.client.get(WAYS[priority])
    assert answer.status_code == 503
    assert RETRY_AFTER_SECONDS[priority][0] <= int(answer.headers["Retry-After"]) <= RETRY_AFTER_SECONDS[priority][1]
    assert ground.finish() == [200] * (1 + MAX_WAITING[priority])


def test_where_the_rest_is_shed_shows_still_wait_and_where_shows_are_shed_checks_do() -> None:
    ground = Ground(max_concurrency=1)
    ground.ask(REST, 1 + MAX_WAITING[Priority.REST])
    assert ground.client.get(REST).status_code == 503
    ground.ask(SHOW, MAX_WAITING[Priority.SHOW] - MAX_WAITING[Priority.REST])
    assert ground.client.get(SHOW).status_code == 503
    ground.ask(CHECK, MAX_WAITING[Priority.CHECK] - MAX_WAITING[Priority.SHOW])
    assert ground.client.get(CHECK).status_code == 503
    assert set(ground.finish()) == {200}


def test_after_an_overload_every_request_is_served_again() -> None:
    ground = Ground(max_concurrency=2)
    ground.ask(REST, 2 + MAX_WAITING[Priority.REST])
    assert ground.client.get(REST).status_code == 503
    ground.finish()
    ground.slow.go_on.release(2)
    assert [ground.client.get(REST).status_code for _ in range(2)] == [200, 200]


def test_where_nothing_moves_nobody_is_kept_for_long() -> None:
    ground = Ground(max_concurrency=1, patience=0.2)
    ground.ask(CHECK)
    start = time.monotonic()
    assert ground.client.get(CHECK).status_code == 503
    assert 0.15 < time.monotonic() - start < 5
    ground.slow.go_on.release(2)
    assert ground.asked[0].result(PATIENCE).status_code == 200
    assert ground.client.get(CHECK).status_code == 200  # the place of the one that went is free again


def test_operations_are_never_shed() -> None:
    ground = Ground(max_concurrency=1)
    side = FlaskSide(ground.slow, 1, BusyAnswer())
    ground.client, ground.limiter = client_of(side), side._limited._limiter
    ground.ask(CHECK, 1 + MAX_WAITING[Priority.CHECK])
    ground.ask("/healthz")
    assert ground.slow.came[-1] == "/healthz"
    ground.finish()


def test_an_error_of_the_application_gives_its_place_back() -> None:
    def broken(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        raise ValueError("示例")

    client = client_of(LoadShedder(WsgiBridge(broken, 1), ConcurrencyLimiter(1, max_wait=0.1)))
    for _ in range(3):
        with pytest.raises(ValueError, match="示例"):
            client.get(REST)


def test_the_refusal_is_a_problem_in_the_language_of_the_caller_and_is_counted(app: Flask) -> None:
    ground = Ground(max_concurrency=1)
    ground.ask(REST, 1 + MAX_WAITING[Priority.REST])
    before, measured = _shed_requests(app), _measured(app)
    answers = {tongue: ground.client.get(REST, headers={"Accept-Language": tongue}) for tongue in ("zh", "en")}
    ground.finish()
    for answer in answers.values():
        assert answer.content_type == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json is not None
        assert answer.json["type"].endswith("busy")
        assert answer.json["status"] == 503
    assert answers["zh"].json["title"] == "现在访问的人太多，请稍后再试"  # type: ignore[index]
    assert "Too many people" in answers["en"].json["title"]  # type: ignore[index]
    assert _shed_requests(app) == before + 2
    assert _measured(app) == measured + 2


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/entries/new"])
def test_officers_read_a_page_in_both_languages_with_the_headers_of_the_console(app: Flask, path: str) -> None:
    ground = Ground(max_concurrency=1, page=busy_page.make_busy_page("test"))
    ground.ask(REST, 1 + MAX_WAITING[Priority.REST])
    busy, elsewhere = ground.client.get(path), ground.client.get("/console-of-others")
    ground.finish()
    assert (busy.status_code, busy.content_type) == (503, "text/html; charset=utf-8")
    assert (
        RETRY_AFTER_SECONDS[Priority.REST][0]
        <= int(busy.headers["Retry-After"])
        <= RETRY_AFTER_SECONDS[Priority.REST][1]
    )
    for words in ("现在访问的人太多", "Too many people", "未作任何更改", "Nothing was changed", 'lang="en"'):
        assert words in busy.text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://", busy.text)
    usual = app.test_client().get("/console/nothing").headers
    for name in set(usual.keys()) - {"Content-Length", "Set-Cookie"}:
        assert busy.headers[name] == usual[name], name
    assert elsewhere.content_type == "application/problem+json"


def test_the_application_has_this_page(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(limiter: ConcurrencyLimiter, priority: Priority) -> bool:
        return False

    monkeypatch.setattr(ConcurrencyLimiter, "enter", refuse)
    answer = client.get("/console/login")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    for path in (SHOW, CHECK):
        assert client.open(path, method="POST" if path == CHECK else "GET").status_code == 503


def _shed_requests(app: Flask) -> float:
    return counted(app.test_client()).get('jixiang_http_requests_shed_total{priority="rest"}', 0)


def _measured(app: Flask) -> float:
    line = 'http_request_duration_seconds_count{method="GET",route="none",status="503"}'
    return counted(app.test_client()).get(line, 0)


def test_the_moments_to_come_back_differ() -> None:
    ground = Ground(max_concurrency=1)
    ground.ask(REST, 1 + MAX_WAITING[Priority.REST])
    moments = {ground.client.get(REST).headers["Retry-After"] for _ in range(60)}
    ground.finish()
    assert len(moments) > 5


def test_requests_that_come_and_go_at_random_are_never_too_many_and_none_is_forgotten() -> None:
    inside = most = served = 0

    async def come_and_go(limiter: ConcurrencyLimiter, number: int) -> None:
        nonlocal inside, most, served
        for turn in range(200):
            if not await limiter.enter(Priority((number + turn) % 3)):
                continue
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.0001 * (turn % 3))
            inside -= 1
            limiter.leave()
            served += 1

    async def all_of_them() -> None:
        limiter = ConcurrencyLimiter(3, max_wait=0.01)
        await asyncio.gather(*(come_and_go(limiter, number) for number in range(24)))
        assert all([await limiter.enter(Priority.REST) for _ in range(3)]), "all places are free again"
        assert not await limiter.enter(Priority.REST)

    asyncio.run(all_of_them())
    assert served > 200 and most == 3

"""The logs of a whole story: one JSON object a line, and nothing in them that belongs to anybody."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest
import requests
import structlog
from flask import Flask
from sqlalchemy import text

from app import create_app
from app.runtime import Services
from app.web import logs
from tests.support.clock import StandingClock
from tests.support.people import PASSWORD, Phone, Station
from tests.support.settings import APP_KEY, APPID, SECRET


@dataclass
class Log:
    """What was logged, and the private words that must not be in it."""

    stream: StringIO = field(default_factory=StringIO)
    private: set[str] = field(default_factory=set)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def assert_clean(self) -> None:
        everything = self.stream.getvalue()
        found = {word for word in self.private if word in everything or json.dumps(word)[1:-1] in everything}
        assert not found


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """The logs as a process of ours writes them, down to the smallest."""
    captured = Log()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = [*logging.root.manager.loggerDict]
    levels = {name: logging.getLogger(name).level for name in names}
    configure = structlog.configure
    monkeypatch.setattr(structlog, "configure", lambda **how: configure(**{**how, "cache_logger_on_first_use": False}))
    monkeypatch.setattr(sys, "stdout", captured.stream)
    logs.configure("DEBUG")
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)  # serves the sandboxes here, and nothing of ours
    yield captured
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def watch(log: Log, wechat_url: str, *people: Phone) -> None:
    """Everything that is known of these people and their sessions is private."""
    openids = {user["openid"] for user in requests.get(f"{wechat_url}/sandbox/users", timeout=5).json()}
    log.private |= openids | {PASSWORD, SECRET, "13800000000", "1380000"}
    for person in people:
        log.private |= {person.name, person.document, person.username, str(person.session)}


def test_a_whole_story_leaves_nothing_private_in_the_logs(
    log: Log,
    phone: Callable[..., Phone],
    station: Station,
    clock: StandingClock,
    work: Callable[[], None],
    services: Services,
    wechat_url: str,
    platform_url: str,
) -> None:
    citizen = phone("欧阳示例")
    code = citizen.wx_login()
    log.private |= {code, APPID, APP_KEY, station.session, "inspector-1"}
    citizen.post("/api/v1/wechat/login", {"code": code})
    citizen.post("/api/v1/wechat/login", {"code": code})  # refused by WeChat
    citizen.log_in_with_wechat()
    watch(log, wechat_url, citizen)
    citizen.register()
    citizen.subscribe()
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5)
    citizen.declare()
    requests.put(f"{platform_url}/sandbox/switch", json={"on": True}, timeout=5)
    services.redis.delete("jx:platform-pause")
    clock.advance(seconds=5)
    work()
    token = citizen.code()["token"]
    log.private.add(token)
    for celsius in (38.0, 36.6, 37.7):
        clock.advance(minutes=1)
        station.measure(token, celsius)
    station.check(token[:-1] + "X")
    requests.put(f"{wechat_url}/sandbox/failures", json={"path": "*", "errcode": -1, "times": 1}, timeout=5)
    work()
    citizen.post("/api/v1/accounts/login", {"username": citizen.username, "password": "not-" + PASSWORD})
    citizen.post("/api/v1/accounts/logout", None)
    watch(log, wechat_url, citizen)
    log.assert_clean()
    lines = log.lines()
    assert {"request", "notice-outcome", "due-evaluated", "platform-unavailable"} <= {line["event"] for line in lines}
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)


def test_addresses_with_secrets_in_them_are_logged_as_routes(log: Log, app: Flask) -> None:
    client = app.test_client()
    client.get("/api/v1/code?session=query-secret")
    client.get("/home-of-somebody/path-secret")
    client.get("/api/v1/home", headers={"Authorization": "Bearer header-secret", "User-Agent": "agent-secret"})
    log.private = {"query-secret", "path-secret", "header-secret", "agent-secret"}
    log.assert_clean()
    requests = [line for line in log.lines() if "route" in line]
    assert [line["route"] for line in requests] == ["/api/v1/code", None, "/api/v1/home"]
    assert [line["status"] for line in requests] == [401, 404, 200]


def test_an_unexpected_error_is_logged_by_kind_and_place_only(
    log: Log, services: Services, phone: Callable[..., Phone]
) -> None:
    citizen = phone("欧阳示例").become_green()
    with services.engine.begin() as connection:  # a value that no key of ours opens
        connection.execute(text("update citizens set name_ciphertext = 'row-secret'"))
    app = create_app(services)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = app.test_client().get("/api/v1/accounts/me", headers={"Authorization": f"Bearer {citizen.session}"})
    assert answer.status_code == 500
    [line] = [line for line in log.lines() if line["event"] == "unexpected-error"]
    assert (line["error"], line["endpoint"]) == ("ValueError", "citizens.me")
    assert line["place"].startswith("encryption.py:")
    log.private = {"row-secret", citizen.name, citizen.document, "Traceback"}
    log.assert_clean()


def test_an_error_that_a_library_logs_is_told_by_kind_and_place_only(log: Log) -> None:
    try:
        raise KeyError("body-secret")
    except KeyError:
        logging.getLogger("somebody-else").exception("it failed", stack_info=True)
    [line] = log.lines()
    assert (line["event"], line["level"], line["error"]) == ("it failed", "error", "KeyError")
    assert line["place"].startswith("test_logs.py:")
    log.private = {"body-secret", "Traceback", "Stack", "exc_info"}
    log.assert_clean()


def test_a_job_that_fails_is_logged_without_what_it_was_about(
    log: Log,
    services: Services,
    phone: Callable[..., Phone],
    station: Station,
    work: Callable[[], None],
    wechat_url: str,
) -> None:
    citizen = phone("欧阳示例").become_green()
    citizen.subscribe()
    station.measure(citizen.code()["token"], 38.0)
    with services.engine.begin() as connection:
        connection.execute(text("update notices set error = 'row-secret'"))
        connection.execute(text("alter table notices add constraint odd check (delivery <> 'sending') not valid"))
    try:
        work()
    finally:
        with services.engine.begin() as connection:
            connection.execute(text("alter table notices drop constraint odd"))
    watch(log, wechat_url, citizen)
    log.private |= {"row-secret", "Failing row"}
    [line] = [line for line in log.lines() if line["event"] == "job-failed"]
    assert (line["task"], line["error"]) == ("deliver-notices", "IntegrityError"), "somebody has to see it"
    log.assert_clean()

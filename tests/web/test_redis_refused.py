"""A Redis that answers and cannot be used is named, where a ping would say that all is well."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from redis import Redis

from app import create_app
from app.cli import main
from app.codes.cache.color_cache import ColorCache
from app.core.redis_client import connect
from app.runtime import Services
from tests.support.codes import write_config
from tests.support.valkey import valkey_with

REFUSED = {
    "cluster": ({"cluster_enabled": "yes", "port": "0"}, "a node of a Redis Cluster: name its nodes"),
    "replica": ({"replicaof": "127.0.0.1 1"}, "a read-only replica"),
    "full": ({"maxmemory": "1", "maxmemory_policy": "noeviction"}, "takes no writes"),
    "no disk": ({"min_replicas_to_write": "1"}, "takes no writes"),
}


def ask(url: str, *command: Any) -> Any:
    with Redis.from_url(url) as direct:
        return direct.execute_command(*command)


def readiness(services: Services, url: str) -> tuple[int, str]:
    with connect(url, 1) as client:
        there = replace(services, redis=client, cache=ColorCache(client))
        answer = create_app(there).test_client().get("/readyz")
    return answer.status_code, answer.json["parts"]["redis"]


@contextmanager
def refused(kind: str, directory: Path) -> Iterator[tuple[str, str]]:
    options, words = REFUSED[kind]
    with valkey_with(directory / "valkey", **options) as url:
        assert ask(url, "PING"), "a ping says that all is well"
        yield url, words


@pytest.mark.parametrize("kind", REFUSED)
def test_readiness_names_a_redis_that_cannot_be_used(services: Services, tmp_path: Path, kind: str) -> None:
    with refused(kind, tmp_path) as (url, words):
        status, told = readiness(services, url)
    assert status == 503
    assert words in told


@pytest.mark.parametrize("kind", REFUSED)
def test_the_check_of_the_configuration_names_it(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with refused(kind, tmp_path) as (url, words):
        file = write_config(services.settings, tmp_path / "config.toml", redis={"url": url})
        monkeypatch.setenv("JIXIANG_CONFIG", str(file))
        told = CliRunner().invoke(main, ["config", "check"], env={"LC_ALL": "C.UTF-8"})
        chinese = CliRunner().invoke(main, ["config", "check"], env={"LC_ALL": "zh_CN.UTF-8"})
    assert (told.exit_code, chinese.exit_code) == (1, 1)
    assert f"redis.url: {words}" in told.stderr
    assert words not in chinese.stderr


def test_a_redis_that_recovers_is_ready_again(services: Services, tmp_path: Path) -> None:
    with valkey_with(tmp_path / "valkey", replicaof="127.0.0.1 1") as url:
        assert readiness(services, url)[0] == 503
        ask(url, "REPLICAOF", "NO", "ONE")
        assert readiness(services, url) == (200, "ok")


def test_a_user_who_may_not_ask_when_redis_was_started_is_named(services: Services, tmp_path: Path) -> None:
    with valkey_with(tmp_path / "valkey") as url:
        ask(url, "ACL", "SETUSER", "app", "on", ">pw", "~jx:*", "+@all", "-info")
        status, told = readiness(services, url.replace("unix://", "unix://app:pw@"))
    assert status == 503
    assert "INFO" in told


def test_what_readiness_writes_goes_by_itself(services: Services, tmp_path: Path) -> None:
    with valkey_with(tmp_path / "valkey") as url:
        readiness(services, url)
        [key] = ask(url, "KEYS", "jx:*")
        assert 0 < ask(url, "TTL", key) <= 10


def test_the_check_does_not_need_a_redis_that_is_away(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_config(services.settings, tmp_path / "config.toml", redis={"url": "redis://127.0.0.1:1/0"})
    monkeypatch.setenv("JIXIANG_CONFIG", str(file))
    assert CliRunner().invoke(main, ["config", "check"]).exit_code == 0

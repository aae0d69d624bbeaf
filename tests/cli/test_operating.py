"""What operators meet before anything runs: servers that refuse, ports that are taken, the demo's settings, help."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from app.cli import main
from app.runtime import Services
from tests.support.codes import write_config

CHINESE = {"LC_ALL": "zh_CN.UTF-8"}
ENGLISH = {"LC_ALL": "C.UTF-8"}


@pytest.fixture
def config(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = write_config(services.settings, tmp_path / "config.toml")
    monkeypatch.setenv("JIXIANG_CONFIG", str(file))
    return file


def run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(main, words, env={**ENGLISH, **environment})


def test_the_check_tells_a_database_that_is_missing_from_one_that_is_out_of_reach(
    services: Services, config: Path
) -> None:
    url = make_url(services.settings.database.url)
    missing = url.set(database="no_such").render_as_string(hide_password=False)
    told = run("config", "check", JIXIANG_DATABASE__URL=missing)
    assert told.exit_code == 1
    assert "database.url: refused (FATAL:" in told.stderr and '"no_such" does not exist' in told.stderr
    assert "create the database, or correct its name" in told.stderr
    assert "请创建该数据库" in run("config", "check", JIXIANG_DATABASE__URL=missing, **CHINESE).stderr

    away = run("config", "check", JIXIANG_DATABASE__URL="postgresql+psycopg://x@127.0.0.1:1/jixiang")
    assert (away.exit_code, away.stderr) == (0, "database.url: out of reach now, so the server was not checked.\n")


@pytest.mark.parametrize("command", [["web", "--port"], ["worker", "--metrics-port"]])
def test_a_port_that_another_server_has_is_refused(config: Path, command: list[str]) -> None:
    """Also one that would share it, as two servers of ours do."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told, chinese = run(*command, port), run(*command, port, **CHINESE)
    assert (told.exit_code, chinese.exit_code) == (1, 1)
    assert f"port {port} (another server listens there); choose another --host or --port." in told.stderr
    assert "已有服务器在用" in chinese.stderr


def test_an_address_of_another_machine_is_refused(config: Path) -> None:
    told = run("web", "--host", "192.0.2.1")
    assert (told.exit_code, "no address of this machine" in told.stderr) == (1, True)


def test_a_command_says_that_redis_is_out_of_reach(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_config(services.settings, tmp_path / "config.toml", redis={"url": "unix:///nowhere/s"})
    monkeypatch.setenv("JIXIANG_CONFIG", str(file))
    told = run("cache", "verify")
    assert (told.exit_code, told.stderr) == (1, "Error: Redis is out of reach; check redis.url.\n")


@pytest.mark.parametrize("words", [["web", "--workers", "0"], ["worker", "--concurrency", "0"]])
def test_a_server_of_no_processes_is_refused_before_anything_is_read(words: list[str]) -> None:
    told = run(*words)
    assert (told.exit_code, "0 is not in the range" in told.stderr) == (2, True)


def test_production_refuses_the_template_of_the_demo(config: Path) -> None:
    production = {"JIXIANG_ENVIRONMENT": "production", "JIXIANG_WECHAT__API_BASE": "https://api.example.test"}
    production |= {"JIXIANG_PLATFORM__BASE_URL": "https://platform.example.test", "JIXIANG_PASSWORDS__TIME_COST": "2"}
    production |= {"JIXIANG_PASSWORDS__MEMORY_KIB": "19456", "JIXIANG_WEB__SWAGGER": "false"}
    told = run("config", "check", **production)
    assert (told.exit_code, "wechat.color_change.template_id is the demo's: name the template" in told.stderr) == (
        1,
        True,
    )
    own = run("config", "check", **production, JIXIANG_WECHAT__COLOR_CHANGE__TEMPLATE_ID="t-0123456789")
    assert "template_id" not in own.stderr


@pytest.mark.parametrize("words", [[], ["config"], ["config", "check"], ["wechat", "capture", "list"]])
def test_h_helps_at_each_command(words: list[str]) -> None:
    assert run(*words, "-h").stdout == run(*words, "--help").stdout


@pytest.mark.parametrize("program", ["app", "devstack"])
def test_help_loads_none_of_the_libraries_that_take_most_of_a_second(program: str) -> None:
    words = [sys.executable, "-X", "importtime", "-m", program, "--help"]
    told = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = set(re.findall(r"\| +(\w+)$", told.stderr, re.MULTILINE))
    assert "click" in loaded
    assert loaded.isdisjoint({"sqlalchemy", "psycopg", "redis", "pydantic", "structlog", "rich", "flask", "requests"})

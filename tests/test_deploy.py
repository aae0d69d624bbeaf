"""The files for an installation: their own tools accept them, and the run book says what to do for every alert."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
import yaml
from granian.http import HTTP1Settings

from app.runtime import Services
from devstack.layout import find_free_ports
from tests.support.codes import write_config
from tests.support.helm import unpack_helm
from tests.support.proxy import DEPLOY, Proxied, nginx_before, reload_command, write_restart
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[1]
HOW_TO = ROOT / "docs/how-to"
RULES = (DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8")


def tool(name: str, package: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin")
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install {package})")
    return found


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("page", ["run-book.md", "run-book.zh.md"])
def test_every_alert_has_its_section_and_every_section_its_alert(page: str) -> None:
    text = (HOW_TO / page).read_text(encoding="utf-8")
    severities = dict(re.findall(r"- alert: (\w+)\n(?:.*\n)*?        labels: \{ severity: (\w+) \}", RULES))
    assert dict(re.findall(r"^### (\w+)\n\*\*(\w+)[.。]\*\*", text, re.MULTILINE)) == severities


def test_the_rules_use_metrics_that_there_are() -> None:
    known = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    used = set(re.findall(r"\b(?:jixiang|http)_\w+?(?=_bucket\b|_count\b|\{|\[|\))", RULES))
    assert used and {name for name in used if f"`{name}`" not in known} == set()


def test_each_alert_fires_on_a_bad_day_and_none_on_a_good_one() -> None:
    promtool = tool("promtool", "prometheus")
    run(promtool, "check", "rules", DEPLOY / "prometheus/alerts.yml")
    run(promtool, "test", "rules", DEPLOY / "prometheus/alerts_test.yml")


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda unit: unit.name)
def test_a_unit_is_understood_and_sealed(unit: Path, tmp_path: Path) -> None:
    analyze = tool("systemd-analyze", "systemd")
    here = tmp_path / unit.name.replace("@.", "@8001.")  # with a program that there is
    here.write_text(unit.read_text(encoding="utf-8").replace("/opt/jixiang/.venv/bin/jixiang", "/bin/true"))
    done = subprocess.run([analyze, "verify", here], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, here.name in done.stderr) == (0, False), done.stderr
    seal = run(analyze, "security", "--offline=true", here)
    assert float(re.search(r"exposure level .*?: ([0-9.]+)", seal)[1]) < 2  # type: ignore[index]


def test_the_compose_file_is_understood_and_needs_a_configuration(tmp_path: Path) -> None:
    command = [tool("docker-compose", "docker-compose"), "-f", DEPLOY / "image/compose.yaml", "config"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (refused.returncode, "name the folder with config.toml" in refused.stderr) == (1, True)
    given = {**os.environ, "CONFIG": str(tmp_path)}
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("image: jixiang-code:1") == done.stdout.count("no-new-privileges:true") == 4


def test_containers_are_replaced_by_port_and_wait_until_the_database_is_filled() -> None:
    compose = (DEPLOY / "image/compose.yaml").read_text(encoding="utf-8")
    ports = re.findall(r"^  web-(\d+):.*\n(?:    .*\n)*?    ports: \[\"127.0.0.1:(\d+):8000\"\]", compose, re.MULTILINE)
    assert len(ports) == 2 and all(name == port for name, port in ports)
    assert "pg_isready -q -h 127.0.0.1" in compose  # at the socket another server answers before that


def test_the_chart_is_of_this_release() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    chart = (DEPLOY / "chart/Chart.yaml").read_text(encoding="utf-8")
    assert re.findall(r'^(?:version|appVersion): "?([^"\n]+)', chart, re.MULTILINE) == [version, version]


def test_the_chart_is_understood_and_refuses_a_single_web_process(tmp_path: Path) -> None:
    helm = unpack_helm(tmp_path)
    run(helm, "lint", "--strict", DEPLOY / "chart")
    command = [helm, "template", "example", DEPLOY / "chart"]
    made = run(*command)
    assert made.count("\nkind: ") == 6
    assert made.count("readOnlyRootFilesystem: true") == made.count("drop: [ALL]") == 6
    deployed = [one for one in yaml.safe_load_all(made) if one["kind"] == "Deployment"]
    processes = {one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"][0] for one in deployed}
    alive = {name: one["livenessProbe"]["httpGet"] for name, one in processes.items()}
    assert {name: asked["path"] for name, asked in alive.items()} == dict.fromkeys(
        ("example-web", "example-worker"), "/healthz"
    )
    assert all(alive[name]["port"] == one["ports"][0]["name"] for name, one in processes.items())
    alone = subprocess.run(
        [*command, "--set", "web.replicas=1"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (alone.returncode, "/web/replicas" in alone.stderr) == (1, True)


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that it was sent, as they are spelled."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Proxied]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as echo:  # not werkzeug's, which drops names with an underscore
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        with nginx_before(tool("nginx", "nginx-light"), tmp_path, echo.server_port) as proxied:
            yield proxied
        echo.shutdown()


@pytest.mark.slow
def test_the_proxy_passes_its_own_word_on_who_asks_and_takes_no_more_than_an_appeal(proxied: Proxied) -> None:
    spoofed = {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1", "X-Real-IP": "192.0.2.1"}
    spoofed |= {name.replace("-", "_"): value for name, value in spoofed.items()}
    seen = proxied.post("/api/v1/checks", b"{}", **spoofed, gjzwfwpt_rid="example").json()
    assert (seen["X-Forwarded-For"], seen["X-Forwarded-Proto"]) == ("127.0.0.1", "https")
    assert seen["gjzwfwpt_rid"] == "example", "partners sign in headers with an underscore"
    assert "192.0.2.1" not in str(seen)
    assert proxied.post("/api/v1/appeals", bytes(9_500_000)).status_code == 413


def test_the_proxy_ends_an_idle_connection_before_a_web_process_does() -> None:
    proxy = re.search(r"keepalive_timeout (\d+)s;", (DEPLOY / "nginx/jixiang.conf").read_text(encoding="utf-8"))
    assert proxy and int(proxy[1]) < HTTP1Settings().header_read_timeout / 1000  # which counts from the last answer


# --- restarting one after the other


class Pair:
    """Two web processes, started and restarted by a script as `systemctl restart` would."""

    def __init__(self, services: Services, directory: Path) -> None:
        write_config(services.settings, directory / "config.toml")
        self._directory, self._script = directory, write_restart(directory, ROOT, sys.executable)
        first = find_free_ports(2)
        self.ports = (first, first + 1)
        for port in self.ports:
            run(self._script, str(port))
        wait_until(lambda: all(self.is_ready(port) for port in self.ports))

    def is_ready(self, port: int) -> bool:
        with suppress(requests.ConnectionError):
            return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=30).status_code == 200
        return False

    def pids(self) -> list[int]:
        return [int((self._directory / f"{port}.pid").read_text()) for port in self.ports]

    def restart(self, *ports: int) -> subprocess.CompletedProcess[str]:
        """`deploy/restart-web` with nginx's process in this directory."""
        places = {"UPSTREAM": str(self._directory / "upstream.conf"), "RELOAD": reload_command(self._directory)}
        command = [DEPLOY / "restart-web", *map(str, ports)]
        environment = {**os.environ, **places, "RESTART": f"{self._script} "}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)

    def end(self) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


@pytest.fixture
def pair(services: Services, tmp_path: Path) -> Iterator[Pair]:
    for name in ("curl", "ss"):
        tool(name, {"curl": "curl", "ss": "iproute2"}[name])
    pair = Pair(services, tmp_path)
    yield pair
    pair.end()


def test_one_that_an_earlier_restart_left_alone_is_used_before_another_is_not(tmp_path: Path) -> None:
    upstream, seen = tmp_path / "upstream.conf", tmp_path / "seen"
    upstream.write_text("server 127.0.0.1:8001 max_fails=2;\nserver 127.0.0.1:8002 down max_fails=2;\n")
    for name, does in (("curl", "exit 0"), ("ss", "exit 0"), ("reload", f"grep -c down {upstream} >>{seen} || true")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o700)
    places = {"UPSTREAM": str(upstream), "RELOAD": str(tmp_path / "reload"), "RESTART": "true "}
    environment = {**os.environ, **places, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([DEPLOY / "restart-web", "8001", "8002"], env=environment, check=True, timeout=60)
    assert seen.read_text().split() == ["0", "1", "0", "1", "0"], "never both"


@pytest.mark.slow
def test_web_processes_are_restarted_one_after_the_other_and_nobody_notices(pair: Pair, tmp_path: Path) -> None:
    with nginx_before(tool("nginx", "nginx-light"), tmp_path, *pair.ports) as proxied, ThreadPoolExecutor(3) as callers:
        over = Event()

        def call() -> set[int]:
            seen = set()
            while not over.is_set():
                seen |= {proxied.post(path, b"{}").status_code for path in ("/api/v1/checks", "/api/v1/declarations")}
            return seen

        calling = [callers.submit(call) for _ in range(3)]
        before = pair.pids()
        done = pair.restart(*pair.ports)
        over.set()
        assert (done.returncode, done.stderr) == (0, "")
        assert set(before).isdisjoint(pair.pids())
        assert set().union(*(one.result() for one in calling)) == {401}
        assert "failed" not in (tmp_path / "error.log").read_text(), "nginx asked one that was ending"
        unknown = pair.restart(pair.ports[0], 1)
        assert (unknown.returncode, "has no port 1" in unknown.stderr) == (1, True)
        os.kill(pair.pids()[1], signal.SIGTERM)
        wait_until(lambda: not pair.is_ready(pair.ports[1]))
        last = pair.restart(*pair.ports)
        assert last.returncode == 1
        assert "nothing was changed" in last.stderr
        assert " down" not in (tmp_path / "upstream.conf").read_text()

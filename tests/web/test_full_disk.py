"""Full disks, read-only databases, and a web server whose master dies: what callers are told, and what lives on."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import requests
from sqlalchemy import make_url

from app import create_app
from app.core.db import make_engine
from app.runtime import Services
from devstack.layout import find_free_ports
from tests.support.codes import decisions, with_engine, write_config
from tests.support.disk import fill_with_jobs, small_disk, table_on
from tests.support.people import Phone
from tests.support.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[2]


def test_what_fails_after_the_view_is_an_error_of_ours_and_not_of_the_caller(services: Services) -> None:
    app = create_app(services)

    @app.after_request
    def fail(response: object) -> object:
        raise OSError(28, "No space left on device")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    for address in ("/healthz", "/api/v1/home", "/no-such-address"):
        answer = app.test_client().get(address)
        assert answer.status_code == 500 and answer.json["type"] == "/problems/internal"


@pytest.mark.slow
@pytest.mark.parametrize("table", ["evidence", "audit"])
def test_a_database_without_space_is_unavailable_until_it_has_space(
    services: Services, green_citizen: Phone, table: str
) -> None:
    citizen = green_citizen
    with small_disk(1024) as disk, table_on(services, disk, table):
        disk.fill()
        seen = []
        while 503 not in seen:
            answer = citizen.post("/api/v1/declarations", {"symptoms": [], "contact": False, "consent": True})
            seen.append(answer.status_code)
            assert len(seen) < 300
        assert set(seen) <= {201, 503}
        assert answer.json["type"] == "/problems/unavailable" and int(answer.headers["Retry-After"]) > 0
        assert citizen.color() == "GREEN", "what needs no space is answered"
        disk.free()
        assert (
            citizen.post("/api/v1/declarations", {"symptoms": [], "contact": False, "consent": True}).status_code == 201
        )


@pytest.mark.slow
def test_a_queue_without_space_is_unavailable_and_nothing_is_half_written(
    services: Services, green_citizen: Phone
) -> None:
    citizen = green_citizen
    with small_disk(1024) as disk, table_on(services, disk, "procrastinate_jobs"):
        disk.fill()
        fill_with_jobs(services)
        ill = {"symptoms": ["fever"], "contact": False, "consent": True}
        before = len(decisions(services, 1))
        answer = citizen.post("/api/v1/declarations", ill)
        assert answer.status_code == 503 and answer.json["type"] == "/problems/unavailable"
        assert (citizen.color(), len(decisions(services, 1))) == ("GREEN", before)
        disk.free()
        assert citizen.post("/api/v1/declarations", ill).status_code == 201
        assert citizen.color() == "YELLOW"


def test_a_database_that_became_read_only_is_unavailable(services: Services, green_citizen: Phone) -> None:
    citizen = green_citizen
    options = {"options": "-c default_transaction_read_only=on"}
    url = make_url(services.settings.database.url).update_query_dict(options).render_as_string(hide_password=False)
    engine = make_engine(url, 1)
    citizen.client = create_app(with_engine(services, engine)).test_client()
    answer = citizen.post("/api/v1/declarations", {"symptoms": [], "contact": False, "consent": True})
    assert answer.status_code == 503 and answer.json["type"] == "/problems/unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert citizen.color() == "GREEN"
    engine.dispose()


@pytest.mark.slow
def test_a_command_says_that_the_database_is_read_only(services: Services, tmp_path: Path) -> None:
    url = services.settings.database.url
    read_only = make_url(url).update_query_dict({"options": "-c default_transaction_read_only=on"})
    database = {"url": read_only.render_as_string(hide_password=False)}
    file = write_config(services.settings, tmp_path / "config.toml", database=database)
    words = [
        "stations",
        "add-inspector",
        "--station",
        "a",
        "--district",
        "长春市",
        "--username",
        "inspector-1",
    ]
    told = subprocess.run(
        [sys.executable, "-m", "app", *words],
        env={"JIXIANG_CONFIG": str(file), "JIXIANG_NEW_PASSWORD": "not-a-Real-one-2020"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (1, "Error: The database is read-only; check database.url.\n")


# --- a web server as a process of its own -------------------------------------------------------------------------


class Web:
    """`jixiang web` with one process that serves."""

    def __init__(self, services: Services, directory: Path, output: Path) -> None:
        file = write_config(services.settings, directory / "config.toml")
        self.port = find_free_ports(1)
        self.address = f"http://127.0.0.1:{self.port}"
        self.errors = directory / "errors"
        with output.open("ab") as stdout, self.errors.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "web", "--port", str(self.port), "--workers", "1"],
                cwd=ROOT,
                env={"JIXIANG_CONFIG": str(file)},
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def status(self, path: str) -> int | None:
        try:
            return requests.get(self.address + path, timeout=30).status_code
        except requests.ConnectionError:
            return None

    def wait(self, status: int | None, path: str = "/healthz") -> None:
        wait_until(lambda: self.status(path) == status, self.errors.read_text)

    def lost_lines(self) -> float:
        [line] = [
            line
            for line in requests.get(f"{self.address}/metrics", timeout=30).text.splitlines()
            if line.startswith("jixiang_log_lines_lost_total ")
        ]
        return float(line.split()[1])


@pytest.fixture
def started(services: Services, tmp_path: Path) -> Iterator[Callable[[Path], Web]]:
    with ExitStack() as ends:

        def start(output: Path) -> Web:
            web = Web(services, tmp_path, output)
            ends.callback(_end, web)
            web.wait(200)
            return web

        yield start


def _end(web: Web) -> None:
    with_children = [web.process.pid, *(child.pid for child in _children(web))]
    for pid in with_children:
        if psutil.pid_exists(pid):
            psutil.Process(pid).kill()
    web.process.wait(PATIENCE)


def _children(web: Web) -> list[psutil.Process]:
    return psutil.Process(web.process.pid).children(recursive=True) if web.process.poll() is None else []


@pytest.mark.slow
def test_a_log_on_a_full_disk_fails_no_request_and_is_whole_again_afterwards(started: Callable[[Path], Web]) -> None:
    with small_disk(64) as disk:
        web = started(disk.path / "log")
        before = web.lost_lines()
        disk.fill()
        for _ in range(200):
            assert web.status("/healthz") == web.status("/api/v1/home") == 200
            assert web.status("/no-such-address") == 404
        assert web.lost_lines() > before
        disk.free()
        assert web.status("/api/v1/home") == 200
        web.process.terminate()
        assert web.process.wait(PATIENCE) == 0
        lines = (disk.path / "log").read_bytes().split(b"\n")
    assert web.errors.read_text().count("cannot be written") == 1, "told once"
    torn = [line for line in lines if line and not _is_whole(line)]
    assert len(torn) <= 1, "the line that met the end of the disk"
    assert _is_whole(lines[-2]), "the first one after it is whole again"


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_log_that_was_never_writable_fails_no_request(started: Callable[[Path], Web]) -> None:
    web = started(Path("/dev/full"))
    assert [web.status(path) for path in ("/healthz", "/readyz", "/api/v1/home", "/no-such")] == [200, 200, 200, 404]
    assert web.lost_lines() >= 4
    web.process.terminate()
    assert web.process.wait(PATIENCE) == 0


@pytest.mark.slow
def test_the_processes_of_a_web_server_end_with_their_master(started: Callable[[Path], Web], tmp_path: Path) -> None:
    web = started(tmp_path / "log")
    children = _children(web)
    assert children
    web.process.kill()
    web.process.wait(PATIENCE)
    _, alive = psutil.wait_procs(children, timeout=PATIENCE)
    assert not alive, "nobody would start them again"
    web.wait(None)

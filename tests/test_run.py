"""`jixiang-dev run` and `jixiang-dev demo` as a newcomer starts them: real processes, real ports, real logs."""

import errno
import fcntl
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests
from click.testing import CliRunner
from redis import Redis

from devstack.cli import main
from devstack.layout import PORTS, find_free_ports
from devstack.people import INSPECTOR, PASSWORD, PEOPLE
from devstack.run import MARK
from platform_sandbox.cli import main as platform
from sms_sandbox.cli import main as sms
from tests.support.waiting import PATIENCE, wait_until
from wechat_sandbox.cli import main as wechat_sandbox

pytestmark = pytest.mark.slow

# makes the terminal on its standard input the one whose closing ends it, then becomes the command that follows
_IN_TERMINAL = (
    sys.executable,
    "-c",
    "import fcntl, os, signal, sys, termios; signal.signal(signal.SIGHUP, signal.SIG_DFL);"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])",
)


def _lives(process: psutil.Process) -> bool:
    """Whether it still does something: one that has ended may wait for its parent to take note."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


class Run:
    """One `jixiang-dev run` with what it prints."""

    def __init__(self, directory: Path, port: int, terminal: int | None = None) -> None:
        self.directory, self.port, self.web = directory, port, f"http://127.0.0.1:{port}"
        self.output = directory.with_suffix(".out")
        command = [sys.executable, "-m", "devstack", "run", "--directory", str(directory), "--port", str(port)]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command if terminal is None else [*_IN_TERMINAL, *command],
                stdin=terminal,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=directory.parent,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait(self, come_true: Callable[[], bool]) -> None:
        def tried() -> bool:
            assert self.process.poll() is None, self.said()
            return come_true()

        wait_until(tried, self.said)

    def ready(self) -> "Run":
        self.wait(lambda: "is running" in self.said())
        return self

    def ended(self) -> int:
        return self.process.wait(PATIENCE)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.ended()

    def parts(self) -> list[psutil.Process]:
        """The processes of this run, PostgreSQL and Valkey among them."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.directory) or str(self.directory) in " ".join(
                    process.cmdline()
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return [process for process in found if _lives(process)]

    def session(self, username: str) -> dict[str, str]:
        answer = requests.post(
            f"{self.web}/api/v1/accounts/login", json={"username": username, "password": PASSWORD}, timeout=10
        )
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['session']}"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    # a name with a blank and quotes: PostgreSQL, the configuration and the words on the screen have to bear it
    run = Run(tmp_path_factory.mktemp("run") / 'my "var"', find_free_ports())
    try:
        yield run.ready()
    finally:
        run.stop()


def test_it_tells_what_to_open_and_which_log_ins_to_try(running: Run) -> None:
    said = running.said()
    addresses = re.findall(r"http://127\.0\.0\.1:\d+\S*", said)
    assert len({address.split("/")[2] for address in addresses}) == PORTS
    assert any(address.endswith("/console") for address in addresses)
    for address in addresses:
        assert requests.get(address, timeout=10).status_code == 200
    assert addresses[0] == f"http://127.0.0.1:{running.port + 3}", "the window with everything comes first"
    assert all(person.username in said for person in PEOPLE)
    assert INSPECTOR in said and PASSWORD in said


def test_what_it_writes_is_for_its_owner_alone(running: Run) -> None:
    def open_to_others() -> list[str]:
        files = [file for file in running.directory.rglob("*") if file.is_file() and not file.is_symlink()]
        assert {"config.toml", "run.log"} <= {file.name for file in files}
        return [str(file) for file in files if file.stat().st_mode & 0o077]

    assert open_to_others() == []
    config = (running.directory / "config.toml").read_text(encoding="utf-8")
    with Redis.from_url(re.findall(r'url = "(unix:[^"]*)"', config)[0]) as redis:
        redis.save()
    assert (running.directory / "valkey" / "dump.rdb").exists() and open_to_others() == []


def test_production_has_no_run_and_no_sandboxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIXIANG_ENVIRONMENT", "production")
    for command, options in (
        (main, ["run", "--directory", str(tmp_path / "var")]),
        (wechat_sandbox, []),
        (platform, []),
        (sms, []),
    ):
        told = CliRunner().invoke(command, options)
        assert told.exit_code == 1 and "no place in production" in told.stderr
    assert not (tmp_path / "var").exists()


def test_the_demo_people_show_all_states(running: Run) -> None:
    colors = {}
    for username in ("demo-green", "demo-yellow", "demo-orange", "demo-red"):
        session = running.session(username)

        def look(session: dict[str, str] = session) -> str:
            return str(requests.get(f"{running.web}/api/v1/code", headers=session, timeout=10).json().get("state"))

        wanted = username.removeprefix("demo-").upper()
        running.wait(lambda look=look, wanted=wanted: look() == wanted)  # the worker asks the platform first
        colors[username] = look()
    assert colors == {
        "demo-green": "GREEN",
        "demo-yellow": "YELLOW",
        "demo-orange": "ORANGE",
        "demo-red": "RED",
    }
    answer = requests.get(f"{running.web}/api/v1/code", headers=running.session("demo-new"), timeout=10)
    assert answer.status_code == 404 and answer.json()["type"].endswith("not-declared")


def test_a_second_run_of_the_same_directory_is_refused_in_one_line(running: Run) -> None:
    second = Run(running.directory, running.port)
    assert second.ended() == 1
    assert "Another run already uses" in second.said() and "Traceback" not in second.said()


def test_a_port_in_use_is_named(running: Run, tmp_path: Path) -> None:
    second = Run(tmp_path / "var", running.port)
    assert second.ended() == 1
    assert f"Port {running.port}" in second.said() and "Traceback" not in second.said()


def test_the_phones_show_what_runs_here(running: Run) -> None:
    phones = f"http://127.0.0.1:{running.port + 3}"
    assert requests.get(f"{phones}/stage.json", timeout=10).json()["links"]["wechat"].endswith(str(running.port + 1))
    assert requests.get(f"{phones}/.well-known/jixiang-keys", timeout=10).json()["keys"]
    assert requests.get(f"{phones}/platform-sandbox/sandbox/switch", timeout=10).json()["on"] is True


@pytest.mark.parametrize("number", range(PORTS))
def test_each_port_that_is_needed_is_looked_at_first(tmp_path: Path, number: int) -> None:
    port = find_free_ports()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + number))
        other.listen()
        run = CliRunner().invoke(main, ["run", "--directory", str(tmp_path / "var"), "--port", str(port)])
    assert run.exit_code == 1
    assert f"Port {port + number} cannot be used" in run.stderr and "five free ports" in run.stderr


def test_the_demonstration_comes_true_and_nothing_private_is_in_the_logs(running: Run) -> None:
    demo = _demo(running)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert all(f"\n{number}  " in demo.stdout for number in range(1, 10)), "nine chapters"
    assert "came true" in demo.stdout
    days = int((running.directory / "clock").read_text()) // 86_400
    assert days > 20 and f"now runs {days} days ahead" in demo.stdout
    assert "rm -r 'my \"var\"'" in demo.stdout
    log = (running.directory / "run.log").read_text(encoding="utf-8")
    assert log.count('"event": "request"') > 50
    private = ["示例", "229999", "138000", "demo-", "JX1:", *_secrets(running)]
    assert [text for text in private if text in log] == []


def test_the_end_of_the_service_is_played_on_an_installation_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "devstack", "demo-end"]
    demo = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=tmp_path)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert all(f"\n{number}  " in demo.stdout for number in range(1, 4)), "three chapters"


def test_two_provinces_recognise_each_other_on_installations_of_their_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "devstack", "demo-provinces"]
    demo = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=tmp_path)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert all(f"\n{number}  " in demo.stdout for number in range(1, 6)), "five chapters"


def test_the_story_of_wechat_comes_true_and_leaves_the_sandbox_as_it_was(running: Run) -> None:
    sandbox = f"http://127.0.0.1:{running.port + 1}/sandbox"
    before = requests.get(f"{sandbox}/push", timeout=10).json()
    demo = _demo(running, "demo-wechat")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert all(f"\n{number}  " in demo.stdout for number in range(1, 10)), "nine chapters"
    assert before["mode"] == "safe" and requests.get(f"{sandbox}/push", timeout=10).json() == before
    assert requests.post(f"{sandbox}/push/check", timeout=10).json()["ok"]
    assert requests.get(f"{sandbox}/failures", timeout=10).json() == []
    seen = demo.stdout + (running.directory / "run.log").read_text(encoding="utf-8")
    keys = [(running.directory / name).read_text() for name in ("wechat-token", "wechat-aes-key")]
    assert [secret for secret in (*keys, *_secrets(running)) if secret in seen] == []


def _demo(running: Run, story: str = "demo") -> "subprocess.CompletedProcess[str]":
    where = ["--directory", str(running.directory), "--port", str(running.port)]
    command = [sys.executable, "-m", "devstack", story, *where]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=running.directory.parent)


def _secrets(running: Run) -> list[str]:
    """Openids and codes that the sandbox gave out, and the secrets of the run."""
    users = requests.get(f"http://127.0.0.1:{running.port + 1}/sandbox/users", timeout=10).json()
    secrets = [(running.directory / f"{name}-secret").read_text() for name in ("wechat", "platform")]
    assert users, "the demonstration made phones"
    state = (running.directory / "sandbox" / "wechat.json").read_text()
    codes = re.findall(r'"([A-Za-z0-9_-]{32})":\{"phone"', state)
    assert codes
    tokens = re.findall(r"90_[A-Za-z0-9_-]{20}", state)
    return [*(user["openid"] for user in users), *secrets, *codes, *tokens]


def test_a_failing_step_is_named_and_the_exit_code_says_so(running: Run) -> None:
    failures = f"http://127.0.0.1:{running.port + 1}/sandbox/failures"
    requests.put(failures, json={"path": "*", "errcode": 40013}, timeout=10).raise_for_status()
    try:
        demo = _demo(running)
    finally:
        requests.delete(failures, timeout=10).raise_for_status()
    assert demo.returncode == 1
    assert "Step 1.1" in demo.stdout and "did not come true" in demo.stdout
    assert "Traceback" not in demo.stdout + demo.stderr


def test_ctrl_c_a_kill_and_a_closed_terminal_each_leave_what_the_next_run_starts_from(
    tmp_path: Path,
) -> None:
    """One story, for every start takes seconds: ended by Ctrl-C, killed, ended with its terminal."""
    port = find_free_ports()
    users = f"http://127.0.0.1:{port + 1}/sandbox/users"

    run = Run(tmp_path / "var", port).ready()
    requests.post(users, json={"name": "kept"}, timeout=10)
    parts = run.parts()
    assert len(parts) > 7, "web, worker, two sandboxes, phones, PostgreSQL, Valkey"
    assert run.stop() == 0
    assert [part for part in parts if _lives(part)] == []

    killed = Run(tmp_path / "var", port).ready()
    assert killed.session("demo-green")
    assert [user["name"] for user in requests.get(users, timeout=10).json()] == ["kept"]
    killed.process.kill()
    killed.ended()
    assert killed.parts(), "its parts go on without it"

    ours, theirs = pty.openpty()
    last = Run(tmp_path / "var", port, terminal=theirs).ready()
    assert last.session("demo-red")
    parts = last.parts()
    os.close(theirs)
    os.close(ours)
    last.ended()
    psutil.wait_procs(parts, PATIENCE)
    assert len(parts) > 7 and [part for part in parts if _lives(part)] == []
    assert last.parts() == [], "of the killed run neither"


@pytest.mark.parametrize("port", ["70000", "65532", "0", "-5"])
@pytest.mark.parametrize("command", ["run", "demo", "demo-wechat"])
def test_a_port_that_cannot_be_is_refused_before_anything_starts(tmp_path: Path, command: str, port: str) -> None:
    told = CliRunner().invoke(main, [command, "--directory", str(tmp_path / "var"), "--port", port])
    assert told.exit_code == 2 and "65531" in told.stderr
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("name", ["file", "file/var"])
def test_a_directory_that_cannot_be_one_is_told_in_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("not a directory")
    told = CliRunner().invoke(main, ["run", "--directory", str(tmp_path / name)])
    assert told.exit_code == 1 and "cannot be used: " in told.stderr
    assert told.stderr.count("\n") == 1


def test_a_lock_that_cannot_be_taken_is_not_called_another_run(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    told = CliRunner().invoke(main, ["run", "--directory", str(tmp_path)])
    assert told.exit_code == 1 and "lock cannot be used: Is a directory" in told.stderr


def test_a_machine_without_locks_is_not_called_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", no_locks)
    told = CliRunner().invoke(main, ["run", "--directory", str(tmp_path)])
    assert told.exit_code == 1 and "No locks available" in told.stderr and "Another run" not in told.stderr


def _part(run: Run, words: str) -> psutil.Process:
    """The first process of a part, once it is there: the master of the web server, not those that serve."""
    found: list[psutil.Process] = []

    def look() -> bool:
        found[:] = [part for part in run.parts() if words in " ".join(part.cmdline())]
        return bool(found)

    run.wait(look)
    return min(found, key=lambda part: part.create_time())


def _server(run: Run, name: str) -> psutil.Process:
    if name == "PostgreSQL":
        return psutil.Process(int((run.directory / "postgres" / "postmaster.pid").read_text().split()[0]))
    [valkey] = [part for part in psutil.Process(run.process.pid).children() if "valkey" in part.name()]
    return valkey


def _is_ready(run: Run) -> bool:
    with suppress(requests.RequestException):
        return bool(requests.get(f"{run.web}/readyz", timeout=5).json()["parts"] == dict.fromkeys(_PARTS, "ok"))
    return False


_PARTS = ("database", "redis", "cache", "clock", "worker")


def test_a_part_that_dies_is_started_again_with_the_same_data_and_one_that_keeps_dying_ends_the_run(
    running: Run,
) -> None:
    """One story, for every start takes seconds; the last one here, for it ends the run of all others."""
    run = running

    def color() -> str:
        answer = requests.get(f"{run.web}/api/v1/code", headers=session, timeout=10)
        return str(answer.json()["state"])

    session = run.session("demo-red")
    assert color() == "RED"
    killed = {
        "worker": "-m app worker",
        "web": "-m app web",
        "wechat": "-m wechat_sandbox",
        "Valkey": "",
        "PostgreSQL": "",
    }
    for name, words in killed.items():
        run.wait(lambda: _is_ready(run))
        part = _part(run, words) if words else _server(run, name)
        family = [part, *part.children(recursive=True)]
        part.kill()
        run.wait(lambda name=name: f"{name} has ended" in run.said())
        _, alive = psutil.wait_procs(family, PATIENCE)
        assert not alive, f"{name}: what it had started ends with it"
    run.wait(lambda: _is_ready(run))
    assert color() == "RED"
    # a line for each; on a busy machine PostgreSQL may find what the killed one held, and be started once more
    assert set(re.findall(r"(\w+) has ended .* and is started again\.", run.said())) == set(killed)

    parts = run.parts()
    for times in range(2, 6):
        _part(run, "-m platform_sandbox").kill()
        run.wait(lambda times=times: run.said().count("platform has ended") >= times - 1)
    _part(run, "-m platform_sandbox").kill()
    assert run.ended() == 1
    last = run.said().splitlines()[-1]
    assert last.startswith("Error: platform has ended 5 times in a minute") and "run.log says why" in last
    psutil.wait_procs(parts, PATIENCE)
    assert [part for part in parts if _lives(part)] == []
    assert "Traceback" not in run.said()

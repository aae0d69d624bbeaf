"""`wechat-sandbox` by itself, in an empty directory, as anybody's WeChat."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

pytestmark = pytest.mark.slow  # other processes


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


class Alone:
    """The command as a process of its own, and what it prints."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        port = _free_port()
        self.url, self.output = f"http://127.0.0.1:{port}", directory / "out"
        with self.output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-m", "wechat_sandbox", "--port", str(port), *arguments],
                cwd=directory,
                stdout=file,
                stderr=subprocess.STDOUT,
                # where the tests run in the background, Ctrl-C is ignored unless it is given back
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def ready(self) -> "Alone":
        end = time.monotonic() + 60
        while True:
            try:
                requests.get(self.url, timeout=2).raise_for_status()
            except requests.RequestException:
                assert time.monotonic() < end and self.process.poll() is None, self.output.read_text()
                time.sleep(0.05)
            else:
                return self

    def token(self, appid: str, secret: str) -> dict[str, object]:
        asked = {"grant_type": "client_credential", "appid": appid, "secret": secret}
        answer: dict[str, object] = requests.get(f"{self.url}/cgi-bin/token", params=asked, timeout=5).json()
        return answer


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Callable[..., Alone]]:
    """Starts the command with these arguments; it must end well, without a trace in what it prints."""
    started = []

    def start(*arguments: str) -> Alone:
        started.append(Alone(tmp_path, *arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.terminate()
            assert one.process.wait(20) == 0
        assert "Traceback" not in one.output.read_text()


def test_it_makes_up_an_account_prints_it_and_serves_who_knows_it(alone: Callable[..., Alone]) -> None:
    sandbox = alone().ready()
    printed = re.search(r"appid (\S+), secret (\S+)", sandbox.output.read_text())
    assert printed is not None, sandbox.output.read_text()
    assert sandbox.token(printed[1], printed[2])["expires_in"] == 7200


def test_it_has_the_account_and_the_templates_of_its_configuration(alone: Callable[..., Alone], tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'appid = "wx1"\nsecret = "mine-0001"\nstate_file = "state.json"\n'
        '[templates.parcel]\ntitle = "取件"\nkind = "long-term"\nfields = { thing1 = "包裹" }\n'
    )
    sandbox = alone("--config", "mine.toml").ready()
    assert "mine-0001" not in sandbox.output.read_text(), "the file has it already"
    token = sandbox.token("wx1", "mine-0001")["access_token"]
    openid = requests.post(f"{sandbox.url}/sandbox/users", json={"name": "甲"}, timeout=5).json()["openid"]
    accepted = requests.post(f"{sandbox.url}/sandbox/users/甲/subscribe", json={"parcel": "accept"}, timeout=5)
    assert accepted.json() == {"parcel": "accept"}
    message = {"touser": openid, "template_id": "parcel", "data": {"thing1": {"value": "书"}}}
    send = f"{sandbox.url}/cgi-bin/message/subscribe/send?access_token={token}"
    assert requests.post(send, json=message, timeout=5).json()["errcode"] == 0
    assert (
        requests.post(send, json={**message, "template_id": "demo-color-change"}, timeout=5)
        .json()["errmsg"]
        .startswith("invalid template_id")
    )
    assert (tmp_path / "state.json").exists()


def test_every_mistake_of_a_configuration_is_shown_at_once(alone: Callable[..., Alone], tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(
        'secrets = "hidden-0001"\npages = []\n[templates.x]\ntitle = "x"\nkind = "weekly"\nfields = {}\n'
        '[push]\nurl = "http://127.0.0.1/"\ntoken = "not a token"\n'
    )
    sandbox = alone("--config", "bad.toml")
    assert sandbox.process.wait(20) == 1
    shown = sandbox.output.read_text()
    assert [
        name for name in ("secrets", "pages", "templates.x.kind", "push.token") if f"\n  {name}: " not in shown
    ] == []
    assert "not a token" not in shown and "hidden-0001" not in shown


@pytest.mark.parametrize(("text", "reason"), [(None, "cannot be read"), ("appid = ", "not valid TOML")])
def test_a_configuration_that_is_no_file_or_no_toml_is_named(
    alone: Callable[..., Alone], tmp_path: Path, text: str | None, reason: str
) -> None:
    if text is not None:
        (tmp_path / "mine.toml").write_text(text)
    sandbox = alone("--config", "mine.toml")
    assert sandbox.process.wait(20) == 1
    assert f"mine.toml is {reason}" in sandbox.output.read_text() or f"mine.toml {reason}" in sandbox.output.read_text()


def test_ctrl_c_ends_it(alone: Callable[..., Alone]) -> None:
    sandbox = alone().ready()
    sandbox.process.send_signal(signal.SIGINT)
    assert sandbox.process.wait(20) == 0


def test_a_port_in_use_is_named(alone: Callable[..., Alone]) -> None:
    first = alone().ready()
    second = alone("--port", first.url.rpartition(":")[2])
    assert second.process.wait(20) == 1 and "cannot be used" in second.output.read_text()

"""`jixiang wechat sandbox` by itself, in an empty directory, as somebody else's WeChat."""

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def test_it_makes_up_an_account_tells_it_and_serves_who_knows_it(tmp_path: Path) -> None:
    port = _free_port()
    output = tmp_path / "out"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "app", "wechat", "sandbox", "--port", str(port)],
            cwd=tmp_path,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={"PYTHONPATH": str(Path(__file__).parents[3])},
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/", output)
        told = re.search(r"appid (\S+), secret (\S+)", output.read_text())
        assert told is not None, output.read_text()
        answer = requests.get(
            f"http://127.0.0.1:{port}/cgi-bin/token",
            params={"grant_type": "client_credential", "appid": told[1], "secret": told[2]},
            timeout=5,
        ).json()
        assert answer["expires_in"] == 7200
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in output.read_text()


def _wait_for(address: str, output: Path) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            requests.get(address, timeout=2).raise_for_status()
        except requests.RequestException:
            assert time.monotonic() < end, output.read_text()
            time.sleep(0.1)
        else:
            return

"""The whole system as a user gets it: the mini-program built for the browser, and `jixiang-dev run` in a directory.

Owns the process and its end.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.layout import Place, find_free_ports
from tests.support.settings import CHEAP_ENVIRONMENT

ROOT = Path(__file__).parents[2]
MINIPROGRAM = ROOT / "miniprogram_stub"
RUNTIME = ROOT / "packages" / "miniprogram-browser"
PATIENCE = 90  # seconds: more than a slow machine needs, so that nothing waits for ever


def build_miniprogram() -> str:
    """Compile the mini-program for the browser; returns what went wrong, '' when it is built from what is there now."""
    with _alone():
        built = subprocess.run(
            ["sh", str(ROOT / "tools" / "build-phones")], capture_output=True, text=True, timeout=300, check=False
        )
    there = (RUNTIME / "built" / "phone.html").is_file()
    return "" if there and built.returncode == 0 and "not built" not in built.stderr else built.stdout + built.stderr


@contextmanager
def _alone() -> Iterator[None]:
    """Let no other process of the same run build at the same time."""
    directory = os.open(MINIPROGRAM, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


class Running:
    """One `jixiang-dev run`."""

    def __init__(self, directory: Path) -> None:
        self.place = Place(directory, find_free_ports())
        self._output = directory.with_suffix(".out")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Of the two phones; a page finds everything there."""
        return self.place.phones

    def start(self) -> None:
        command = [sys.executable, "-m", "devstack", "run", "--directory", str(self.place.directory)]
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.place.port)],
                env={**os.environ, **CHEAP_ENVIRONMENT},
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                start_new_session=True,
            )
        end = time.monotonic() + PATIENCE
        while "is running" not in self._said():
            assert self._process.poll() is None and time.monotonic() < end, self._said()
            time.sleep(0.1)

    def stop(self) -> None:
        """As Ctrl-C does; what does not end in time is killed, with all that it started."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)
            raise

    def _said(self) -> str:
        return self._output.read_text(encoding="utf-8")

"""The installation that is upgraded: two web processes behind nginx, a worker, and a link to their release."""

import os
import subprocess
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import psutil
import psycopg
import requests

from devstack.layout import Place
from tests.support.proxy import reload_command, write_restart
from tests.support.waiting import wait_until

ROOT: Final = Path(__file__).parents[1]
_GRACE_SECONDS: Final = 90


class Release(NamedTuple):
    """A checkout with its environment."""

    name: str
    place: Path

    def run(self, *arguments: str) -> str:
        """Run its Python. Raises CalledProcessError."""
        command = [str(self.place / ".venv/bin/python"), *arguments]
        return subprocess.run(command, cwd=self.place, check=True, stdout=subprocess.PIPE, text=True).stdout


class Installation:
    """What docs/how-to/upgrade.md has on one machine; `current` is the link that it calls /opt/jixiang."""

    def __init__(self, place: Place, database: str) -> None:
        self.place, self.database = place, database.replace("postgresql+psycopg://", "postgresql://")
        self.current = place.directory / "current"
        self.ports = (str(place.port), str(place.port + 3))
        self._restart = write_restart(place.directory, self.current, ".venv/bin/python")
        self._worker: subprocess.Popen[bytes] | None = None

    def point(self, release: Release) -> None:
        """Let the link name a release."""
        new = self.current.with_suffix(".new")
        new.symlink_to(release.place)
        new.replace(self.current)

    def start_web(self) -> None:
        for port in self.ports:
            subprocess.run([self._restart, port], check=True)
        for port in self.ports:
            wait_until(partial(self.ready, port), f"the web process at {port} is not ready")

    def restart_web(self) -> None:
        """Run `deploy/restart-web`. Raises CalledProcessError."""
        directory = self.place.directory
        places = {"UPSTREAM": str(directory / "upstream.conf"), "RELOAD": reload_command(directory)}
        environment = {**os.environ, **places, "RESTART": f"{self._restart} "}
        subprocess.run([ROOT / "deploy/restart-web", *self.ports], env=environment, check=True)

    def restart_worker(self) -> None:
        self.stop_worker()
        with (self.place.directory / "worker.log").open("ab") as log:
            command = [str(self.current / ".venv/bin/python"), "-m", "app", "worker"]
            self._worker = subprocess.Popen(command, cwd=self.current, stdout=log, stderr=log)

    def stop_worker(self) -> None:
        if self._worker is not None:
            self._worker.terminate()
            self._worker.wait(_GRACE_SECONDS)

    def stop(self) -> None:
        """End the web processes and the worker, in good order."""
        processes = [psutil.Process(int(file.read_text())) for file in self.place.directory.glob("[0-9]*.pid")]
        for process in processes:
            process.terminate()
        psutil.wait_procs(processes, _GRACE_SECONDS)
        self.stop_worker()

    def ready(self, port: str) -> bool:
        return answers(f"http://127.0.0.1:{port}/readyz")

    def word_of_database(self, port: str) -> str:
        """What a web process says of its database."""
        return str(requests.get(f"http://127.0.0.1:{port}/readyz", timeout=10).json()["parts"]["database"])

    def count(self, query: str) -> int:
        with psycopg.connect(self.database) as connection:
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=10).ok
    except requests.ConnectionError:
        return False

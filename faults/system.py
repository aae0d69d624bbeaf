"""The system that is broken: both servers, both sandboxes, two web hosts and a worker, on this machine.

Host A has two web processes, host B one and a clock of its own. Everything else is as `jixiang-dev run` has it.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import requests

from app.core.clock import make_clock
from app.core.errors import StartError
from app.core.keys import create_keys
from app.core.settings import load_settings
from app.migrations.runner import migrate
from app.runtime import make_services
from devstack.cluster import Cluster
from devstack.embedded import Postgres, start_postgres
from devstack.layout import (
    APP_KEY,
    SMS_KEY,
    Place,
    add_official,
    add_sms,
    find_free_ports,
    write_config,
    write_sandbox_config,
)
from devstack.officers import make_demo_officers
from devstack.people import make_demo_people
from faults.calling import call, wait_until
from faults.programs import Program
from faults.valkey import FaultyValkey

OURS = ("web", "web-b", "worker")  # the sandboxes are never broken
_START_SECONDS = 60
_MANY = {"thirty_seconds": 1000, "hour": 1000, "day": 1000}


class System:
    """Everything that runs, with what is needed to break it."""

    def __init__(self, place: Place, postgres: Postgres, database: str, valkey: FaultyValkey) -> None:
        self.place, self.postgres, self.valkey = place, postgres, valkey
        self.cluster: Cluster | None = None  # while a case runs on one
        self.sends_everywhere = False  # while there are an official account and a gateway for text messages
        self.database = database.replace("postgresql+psycopg://", "postgresql://")
        self.hosts = (place.web, place.phones)  # nobody serves the phones here
        self.other_config, self.other_clock = place.directory / "config-b.toml", place.directory / "clock-b"
        self.programs = {name: self._program(name, *line) for name, line in self._commands().items()}
        self.gateway = self._program("sms", *self._gateway_command())

    def _commands(self) -> dict[str, tuple[str, ...]]:
        place = self.place
        secret, state = place.directory / "platform-secret", place.directory / "platform.json"
        platform = ("--app-key", APP_KEY, "--secret-file", str(secret), "--state-file", str(state))
        return {
            "wechat": ("wechat_sandbox", "--config", str(place.wechat_config), "--port", str(place.port + 1)),
            "platform": ("platform_sandbox", *platform, "--port", str(place.port + 2)),
            "web": ("app", "web", "--port", str(place.port), "--workers", "2"),
            "web-b": ("app", "web", "--port", str(place.port + 3), "--workers", "1"),
            "worker": ("app", "worker"),
        }

    def _gateway_command(self) -> tuple[str, ...]:
        place = self.place
        files = "--secret-file", str(place.directory / "sms-secret"), "--state-file", str(place.directory / "sms.json")
        return "sms_sandbox", "--secret-id", SMS_KEY, *files, "--port", str(place.port + 4)

    def _program(self, name: str, *command: str) -> Program:
        config = self.other_config if name == "web-b" else self.place.config
        log = self.place.directory / f"{name}.log"
        return Program(log, *command, JIXIANG_CONFIG=str(config))

    def another_worker(self) -> Program:
        """A second worker, not started yet."""
        return self._program("worker-2", "app", "worker")

    def configure(self, database: str = "", redis: str = "") -> None:
        """Write the configuration of both hosts; a process reads it when it starts."""
        url = database or self.database.replace("postgresql://", "postgresql+psycopg://")
        write_config(self.place, url, redis or self.valkey.url)
        if self.sends_everywhere:
            add_official(self.place)
            add_sms(self.place)
        words = self.place.config.read_text(encoding="utf-8")
        self.other_config.write_text(words.replace(str(self.place.clock), str(self.other_clock)), encoding="utf-8")

    @contextmanager
    def sending_everywhere(self) -> Iterator[None]:
        """Have an official account and a gateway for text messages for the length of the block. Raises StartError."""
        self.sends_everywhere = True
        try:
            self._restart_ours()
            self.gateway.start()
            if not wait_until(lambda: self._gateway_answers(_MANY), _START_SECONDS):
                raise StartError("The gateway for text messages does not answer.")
            yield
        finally:
            self.sends_everywhere = False
            self.gateway.stop()
            self._restart_ours()

    def _gateway_answers(self, limits: dict[str, int]) -> bool:
        try:
            return requests.put(f"{self.place.sms}/sandbox/limits", json=limits, timeout=2).ok
        except requests.RequestException:
            return False

    @contextmanager
    def reconfigured(self, database: str = "", redis: str = "") -> Iterator[None]:
        """Run web and worker with other addresses for the length of the block. Raises StartError."""
        self._restart_ours(database, redis)
        try:
            yield
        finally:
            self._restart_ours()

    def _restart_ours(self, database: str = "", redis: str = "") -> None:
        ours = [self.programs[name] for name in OURS]
        for program in ours:
            program.stop()
        self.configure(database, redis)
        for program in ours:
            program.start()
        if not wait_until(self.ready, _START_SECONDS):
            raise StartError(f"Not everything is ready after {_START_SECONDS} s.")

    def ready(self) -> bool:
        """Whether every host says that all of its parts are well."""
        answers = [call("GET", f"{host}/readyz") for host in self.hosts]
        return all(answer.status == 200 and answer.body["ready"] for answer in answers)

    def start_again(self) -> list[str]:
        """Start what has ended, as its supervisor would; return the names."""
        ended = [name for name, program in self.programs.items() if not program.lives()]
        for name in ended:
            self.programs[name].start()
        return ended

    def ask(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return rows of the database. Raises psycopg.Error."""
        with psycopg.connect(self.database, autocommit=True, connect_timeout=5) as connection:
            return connection.execute(query, parameters).fetchall()

    def order(self, statement: str) -> None:
        """Have the database do something. Raises psycopg.Error."""
        with psycopg.connect(self.database, autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement)


@contextmanager
def running() -> Iterator[System]:
    """Start everything, and stop it at the end of the block. Raises StartError."""
    with ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="jixiang-faults-"))).resolve()
        postgres = stack.enter_context(start_postgres(directory / "postgres"))
        valkey = FaultyValkey(directory / "valkey")

        system = System(Place(directory, find_free_ports()), postgres, postgres.database("jixiang"), valkey)
        stack.callback(lambda: system.valkey.crash())  # another one may have taken over
        _prepare(system)
        for program in system.programs.values():
            program.start()
            stack.callback(program.stop)
        if not wait_until(lambda: _all_answer(system), _START_SECONDS):
            raise StartError(f"Not everything answers after {_START_SECONDS} s.")
        stack.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave anything running
        yield system


def _prepare(system: System) -> None:
    system.configure()
    write_sandbox_config(system.place)
    os.environ["JIXIANG_CONFIG"] = str(system.place.config)
    settings = load_settings()
    create_keys(settings.keys.directory, make_clock(settings.clock.file).now())
    migrate(settings.database.url)
    services = make_services(settings)
    try:
        make_demo_officers(services)
        make_demo_people(services)
    finally:
        services.close()


def _all_answer(system: System) -> bool:
    try:
        for address in (system.place.wechat, system.place.platform):
            requests.get(address, timeout=2).raise_for_status()
    except requests.RequestException:
        return False
    return system.ready()

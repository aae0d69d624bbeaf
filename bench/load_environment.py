"""The setup of the load measurements: green codes, inspectors, servers as `jixiang web` starts them, and wrk.

An answer other than 200 ends a measurement, unless it is about refusals. Everything listens on loopback only.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import psutil
import requests
from sqlalchemy import insert, select

from app.audit import Actor
from app.codes.cache import loading
from app.codes.models import Code
from app.codes.states import State
from app.core.clock import make_clock
from app.core.keys import create_keys
from app.core.session_tokens import SessionKind, UserSession
from app.core.settings import load_settings
from app.migrations.runner import migrate
from app.runtime import Services, make_services
from app.stations.accounts import NewInspector, add_inspector
from app.stations.inspector_cache import inspector_key
from app.stations.models import Inspector
from bench.baselines import KEY
from bench.environment import free_port, wait_until, write_config
from devstack.cluster import start_cluster
from devstack.embedded import start_postgres, start_valkey
from tests.support.standby import primary_and_standby

CITIZENS, INSPECTORS = 20_000, 500
_ON_DUTY_SECONDS = 24 * 3600  # longer than any measurement
BARE_THREADS = 4  # fastest for a bare Flask view and raw WSGI here
SCRIPT = Path(__file__).with_name("wrk.lua")


class Contender(NamedTuple):
    """A factory that granian serves, the requested path, the file of requests, and the function that writes it."""

    name: str
    factory: str
    path: str
    asked: Path
    write: Callable[[], None]
    threads: int | None = None  # of a WSGI application


class Run(NamedTuple):
    """The result of one run of wrk; `rate` counts responses with 200 a second, `refused` the others a second."""

    rate: float
    p50_ms: float
    p99_ms: float
    refused: float


@contextmanager
def ground(*, clustered: bool = False) -> Iterator[tuple[Services, Path]]:
    """Yield databases with so many green codes and inspectors; tokens live ten minutes, so that a run may be long.

    When `clustered`, they are a cluster of Valkey, and a PostgreSQL that has a standby.
    """
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed for this: apt-get install wrk")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jixiang-bench-")))
        directory.chmod(0o755)
        database, redis = stack.enter_context((_cluster_and_standby if clustered else _single)(directory))
        config = write_config(directory, database, redis, "http://127.0.0.1:9")
        with config.open("a") as file:
            file.write("[tokens]\nlifetime_seconds = 600\n")
        os.environ["JIXIANG_CONFIG"] = str(config)
        settings = load_settings()
        create_keys(settings.keys.directory, make_clock(settings.clock.file).now())
        migrate(settings.database.url)
        services = make_services(settings)
        stack.callback(services.close)
        services.lease.renew()  # the first lease empties the cache
        _people(services)
        yield services, directory


@contextmanager
def _single(directory: Path) -> Iterator[tuple[str, str]]:
    with start_postgres(directory / "postgres") as postgres, start_valkey(directory / "valkey") as valkey:
        yield postgres.database("jixiang"), valkey.url


@contextmanager
def _cluster_and_standby(directory: Path) -> Iterator[tuple[str, str]]:
    with primary_and_standby(directory) as pair, start_cluster(directory / "valkey") as cluster:
        yield pair.both(), cluster.url


def _people(services: Services) -> None:
    now = services.clock.now()
    green = {
        "state": State.GREEN, "rule": "GREEN-VERIFIED", "since": now, "due_at": now + timedelta(days=7),
        "opened_at": now, "confirmed_at": now,
    }  # fmt: skip
    with services.begin() as session:
        codes = ({**green, "since": now - timedelta(minutes=number % 10_000)} for number in range(CITIZENS))
        session.execute(insert(Code), list(codes))
    for _ in loading.load_cache(services.cache, services.sessions, services.policy):
        pass
    put_on_duty(services)
    services.redis.set(KEY, "GREEN")


def put_on_duty(services: Services) -> None:
    """Add a station unless it exists, and so many inspectors with sessions there."""
    with services.begin() as session:
        if session.scalar(select(Inspector.id)) is None:
            new = NewInspector("示例站", "长春市", "bench-inspector", "Bench-2020-code")
            add_inspector(session, new, actor=Actor("operator"), now=services.clock.now())
    services.cache.set_values({inspector_key(number): "1 1" for number in range(1, INSPECTORS + 1)}, _ON_DUTY_SECONDS)


def write_shows(services: Services, file: Path, serials: Sequence[int] = range(1, CITIZENS + 1)) -> None:
    """Write the requests for shows: a session a line."""
    ends, issue = services.clock.now() + timedelta(hours=2), services.session_tokens.issue
    file.write_text("".join(f"{issue(UserSession(SessionKind.CITIZEN, 1, serial, 1, ends))}\n" for serial in serials))


def write_checks(services: Services, file: Path, serials: Sequence[int] = range(1, CITIZENS + 1)) -> None:
    """Write the requests for checks: a session and a fresh token a line."""
    now, ends = services.clock.now(), services.clock.now() + timedelta(hours=2)
    issue, mint = services.session_tokens.issue, services.tokens.mint
    inspectors = [issue(UserSession(SessionKind.INSPECTOR, number, 0, 1, ends)) for number in range(1, INSPECTORS + 1)]
    file.write_text(
        "".join(f"{inspectors[serial % INSPECTORS]}\t{mint(serial, State.GREEN, now)}\n" for serial in serials)
    )


@contextmanager
def serving(contender: Contender, workers: int = 2) -> Iterator[tuple[str, psutil.Process]]:
    """Yield a server as `jixiang web` starts it, with fresh requests: its address, and the parent of its processes."""
    contender.write()
    port = free_port()
    serve = (
        "from app.web.server.serving import serve; "
        f"serve({contender.factory!r}, '127.0.0.1', {port}, workers={workers}, threads={contender.threads})"
    )
    environment = {**os.environ, "JIXIANG_LOG__LEVEL": "WARNING"}
    process = psutil.Popen([sys.executable, "-c", serve], env=environment, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(address))
        yield address, process
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthz", timeout=1).status_code < 500
    except requests.ConnectionError:
        return False


def start_wrk(
    address: str, contender: Contender, connections: int, seconds: float, rate: float | None = None
) -> subprocess.Popen[str]:
    """Start wrk: as fast as responses come, or at a rate."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency", "-s", str(SCRIPT), address, "--"]
    pause = [] if rate is None else [str(connections / rate * 1000)]
    asked = [contender.path, str(contender.asked), *pause]
    return subprocess.Popen([*command, *asked], stdout=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str], may_refuse: bool = False) -> Run:
    """Return the result. Raises SystemExit when a response is missing, or is an unexpected refusal."""
    output, _ = process.communicate()
    line = next((line for line in output.splitlines() if line.startswith("RESULT")), None)
    if line is None:
        raise SystemExit("wrk told nothing; is it wrk 4 or later?")
    told = json.loads(line.removeprefix("RESULT"))
    if told["broken"] or (told["refused"] and not may_refuse):
        raise SystemExit(f"{told['refused']} answers were no 200, and {told['broken']} connections broke")
    good = told["requests"] - told["refused"]
    return Run(good / told["seconds"], told["p50_ms"], told["p99_ms"], told["refused"] / told["seconds"])


def wrk(address: str, contender: Contender, connections: int, seconds: float, rate: float | None = None) -> Run:
    """Run once; every response must be a 200."""
    return result(start_wrk(address, contender, connections, seconds, rate))

"""The setup of the province: PostgreSQL with so many invented citizens, Valkey, and services on both.

Owns how PostgreSQL is set for loading and for serving. A province is kept in its directory, with what loading it took.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import psutil
import psycopg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.core.clock import make_clock
from app.core.keys import create_keys
from app.core.settings import load_settings
from app.migrations.runner import migrate
from app.runtime import Services, make_services
from bench import archetypes, loading
from bench.environment import write_config
from bench.loading import Population
from devstack.embedded import start_postgres, start_valkey

PROVINCE = 24_070_000
BYTES_A_CITIZEN, LOG_BYTES = 2_000, 5 * 2**30  # a loaded citizen with all indexes and some room; PostgreSQL's log


class Ground(NamedTuple):
    """The services of the steps, the number of citizens, and the seconds that loading took."""

    services: Services
    directory: Path
    citizens: int
    url: str
    scale: float
    load_seconds: float

    def ask(self, query: str, *parameters: Any) -> Any:
        """Return one value of the database, without a timeout."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query, parameters).fetchone()
        return row[0] if row else None


@contextmanager
def ground(directory: Path, scale: float) -> Iterator[Ground]:
    """Yield a province of this scale, loaded into the directory or left there by an earlier run of the same scale."""
    citizens, mark = round(PROVINCE * scale), directory / "loaded"
    if not mark.exists():
        _check_room(directory, citizens)
        shutil.rmtree(directory / "postgres", ignore_errors=True)  # of an interrupted load
        with _running(directory, _for_loading()) as (services, url):
            seconds = _load(services, url, citizens)
        mark.write_text(json.dumps({"citizens": citizens, "seconds": round(seconds, 1)}))
    loaded = json.loads(mark.read_text())
    if loaded["citizens"] != citizens:
        raise SystemExit(f"{directory} holds a province of {loaded['citizens']} citizens, and {citizens} are wanted.")
    with _running(directory, _for_serving()) as (services, url):
        services.redis.flushdb()
        yield Ground(services, directory, citizens, url, scale, loaded["seconds"])


def _check_room(directory: Path, citizens: int) -> None:
    needed = citizens * (BYTES_A_CITIZEN + LOG_BYTES / PROVINCE)
    free = psutil.disk_usage(str(directory)).free
    words = (
        f"{citizens:,} citizens take about {needed / 2**30:.1f} GiB in {directory}, where {free / 2**30:.1f} are free"
    )
    if needed > free:
        raise SystemExit(f"{words}: name a --directory with more room, or a smaller --scale.")
    print(f"{words}.")


@contextmanager
def _running(directory: Path, settings: dict[str, str]) -> Iterator[tuple[Services, str]]:
    with ExitStack() as stack:
        with start_postgres(directory / "postgres") as postgres:
            _set(postgres.url, settings)  # some of them take effect with the next start
        postgres = stack.enter_context(start_postgres(directory / "postgres"))
        valkey = stack.enter_context(start_valkey(directory / "valkey"))
        url = postgres.database("jixiang")
        os.environ["JIXIANG_CONFIG"] = str(_config(directory, url, valkey.url))
        settings_of_ours = load_settings()
        if not settings_of_ours.keys.directory.exists():
            create_keys(settings_of_ours.keys.directory, make_clock(settings_of_ours.clock.file).now())
        migrate(url)
        services = make_services(settings_of_ours)
        stack.callback(services.close)
        yield services, url.replace("postgresql+psycopg://", "postgresql://")


def _config(directory: Path, database: str, redis: str) -> Path:
    config, clock = write_config(directory, database, redis, "http://127.0.0.1:9"), directory / "clock"
    clock.unlink(missing_ok=True)
    with config.open("a") as file:
        file.write(f'[tokens]\nlifetime_seconds = 600\n[clock]\nfile = "{clock}"\n')
    return config


def _set(url: str, settings: dict[str, str]) -> None:
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
        connection.execute("alter system reset all")
        for name, value in settings.items():
            connection.execute(f"alter system set {name} = '{value}'")


def _part(of_memory: int) -> str:
    return f"{psutil.virtual_memory().total // of_memory // 2**20}MB"


def _for_loading() -> dict[str, str]:
    """Return settings for loading: no log of copies into a new table, memory for sorting, no autovacuum."""
    log = {"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB", "checkpoint_timeout": "30min"}
    return {**log, "shared_buffers": _part(8), "maintenance_work_mem": _part(16), "autovacuum": "off"}


def _for_serving() -> dict[str, str]:
    log = {"max_wal_size": "4GB", "checkpoint_timeout": "15min"}
    return {**log, "shared_buffers": _part(6), "effective_cache_size": _part(2), "random_page_cost": "1.1"}


def _load(services: Services, url: str, citizens: int) -> float:
    people = archetypes.make(services, services.clock.now())
    begun = perf_counter()
    with bars() as bar:
        loading.load(url, services.settings.keys.directory, Population(citizens, people), bar)
    return perf_counter() - begun


def bars() -> Progress:
    """Show progress on a terminal."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, disable=not sys.stderr.isatty())

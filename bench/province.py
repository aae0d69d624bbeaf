"""The whole province on one machine: 24.07 million invented citizens loaded, warmed, checked, changed and settled.

`--scale 0.01` takes a hundredth of them. Each step can be left out; the figures say what was done. The databases are
in a temporary directory, or in one that is kept and used again.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import psutil
import psycopg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app import logs
from app.audit import Actor
from app.clock import BEIJING, ShiftedClock
from app.codes import warming
from app.config import load_settings
from app.jobs import BATCH, claim_due
from app.keys import create_keys
from app.local.embedded import start_postgres, start_valkey
from app.migrate import migrate
from app.officers import importing
from app.services import Services, make_clock, make_services
from app.web.gate import CHECK, SHOW
from bench import archetypes, crowds, figures, multiplying
from bench.crowds import Contender, serving, wrk
from bench.figures import Figure
from bench.ground import write_config
from bench.multiplying import Population

RESULTS = Path(__file__).with_name("province.json")
PROVINCE = 24_070_000
CONTACTS, FEWEST_CONTACTS = 100_000, 2_000
ASKED, CONNECTIONS, SECONDS = 50_000, 64, 10
BYTES_A_CITIZEN, LOG_BYTES = 2_000, 5 * 2**30  # a loaded citizen with all indexes and some room; PostgreSQL's log
WARM_SECONDS, CACHE_BYTES, MASS_RATE = 40, 16, 10_000


class Ground(NamedTuple):
    """Where the steps work, with so many citizens, and what `load` found: nothing where it was loaded before."""

    services: Services
    directory: Path
    citizens: int
    url: str
    scale: float
    loaded: list[Figure]

    def ask(self, query: str, *parameters: Any) -> Any:
        """One value of the database, however long it takes."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query, parameters).fetchone()
        return row[0] if row else None


# --- the databases ------------------------------------------------------------------------------------------------


@contextmanager
def ground(directory: Path, scale: float) -> Iterator[Ground]:
    """A province of this scale: loaded into the directory, or there from an earlier run of the same scale."""
    citizens, mark = round(PROVINCE * scale), directory / "loaded"
    if mark.exists() and mark.read_text() != str(citizens):
        raise SystemExit(f"{directory} holds a province of {mark.read_text()} citizens, and {citizens} are wanted.")
    found: list[Figure] = []
    if not mark.exists():
        _check_room(directory, citizens)
        shutil.rmtree(directory / "postgres", ignore_errors=True)  # of a load that broke off
        with _running(directory, _for_loading()) as (services, url):
            found = _load(services, url, citizens)
        mark.write_text(str(citizens))
    with _running(directory, _for_serving()) as (services, url):
        services.redis.flushdb()
        yield Ground(services, directory, citizens, url, scale, found)


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
            _set(postgres.url, settings)  # some of them count from the next start on
        postgres = stack.enter_context(start_postgres(directory / "postgres"))
        valkey = stack.enter_context(start_valkey(directory / "valkey"))
        url = postgres.database("jixiang")
        os.environ["JIXIANG_CONFIG"] = str(_config(directory, url, valkey.url))
        settings_of_ours = load_settings()
        if not settings_of_ours.keys.directory.exists():
            create_keys(settings_of_ours.keys.directory, make_clock(settings_of_ours).now())
        migrate(url)
        services = make_services(settings_of_ours)
        stack.callback(services.close)
        yield services, url.replace("postgresql+psycopg://", "postgresql://")


def _config(directory: Path, database: str, redis: str) -> Path:
    config, clock = write_config(directory, database, redis, "http://127.0.0.1:9"), directory / "clock"
    clock.unlink(missing_ok=True)
    with config.open("a") as file:
        file.write(f'[tokens]\nlife_seconds = 600\n[clock]\nfile = "{clock}"\n')
    return config


def _set(url: str, settings: dict[str, str]) -> None:
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
        connection.execute("alter system reset all")
        for name, value in settings.items():
            connection.execute(f"alter system set {name} = '{value}'")


def _part(of_memory: int) -> str:
    return f"{psutil.virtual_memory().total // of_memory // 2**20}MB"


def _for_loading() -> dict[str, str]:
    """No log of what is copied into a new table, and memory to sort in; nothing cleans up beside it."""
    log = {"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB", "checkpoint_timeout": "30min"}
    return {**log, "shared_buffers": _part(8), "maintenance_work_mem": _part(16), "autovacuum": "off"}


def _for_serving() -> dict[str, str]:
    log = {"max_wal_size": "4GB", "checkpoint_timeout": "15min"}
    return {**log, "shared_buffers": _part(6), "effective_cache_size": _part(2), "random_page_cost": "1.1"}


def _load(services: Services, url: str, citizens: int) -> list[Figure]:
    people = archetypes.make(services, services.clock.now())
    begun = perf_counter()
    with _bars() as bar:
        multiplying.load(url, services.settings.keys.directory, Population(citizens, people), bar)
    return [Figure("loaded, with indexes", perf_counter() - begun, "s", higher_is_better=False)]


def _bars() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, disable=not sys.stderr.isatty())


# --- the steps ----------------------------------------------------------------------------------------------------


def load(ground: Ground) -> list[Figure]:
    """What loading took, and how large the database is."""
    size = ground.ask("select pg_database_size(current_database())")
    return [
        *ground.loaded,
        Figure("database", size / 2**30, "GiB", higher_is_better=False),
        Figure("database, a citizen", size / ground.citizens, "bytes", higher_is_better=False),
    ]


def warm(ground: Ground) -> list[Figure]:
    """The cache filled from the database by the same way as `jixiang cache warm`."""
    services = ground.services
    services.cache.drop()
    before, begun = _dataset(services), perf_counter()
    with _bars() as bar:
        task = bar.add_task("warm", total=None)
        for progress in warming.warm(services.cache, services.sessions, services.policy):
            bar.update(task, completed=progress.done, total=progress.total)
    seconds, taken = perf_counter() - begun, _dataset(services) - before
    return [
        Figure("warmed", seconds, "s", WARM_SECONDS * ground.scale, higher_is_better=False),
        Figure("cache, a citizen", taken / ground.citizens, "bytes", CACHE_BYTES, higher_is_better=False),
    ]


def _dataset(services: Services) -> int:
    told: Any = services.redis.info("memory")
    return int(told["used_memory_dataset"])


def check(ground: Ground) -> list[Figure]:
    """Green codes from everywhere in the province, checked."""
    return _asked(ground, "check", CHECK, crowds.write_checks)


def show(ground: Ground) -> list[Figure]:
    """Green codes from everywhere in the province, shown."""
    return _asked(ground, "show", SHOW, crowds.write_shows)


def _asked(ground: Ground, name: str, path: str, write: Callable[..., None]) -> list[Figure]:
    services, file = ground.services, ground.directory / name
    crowds.put_on_duty(services)
    serials = _green(ground)
    contender = Contender(name, "app:create_app", path, file, lambda: write(services, file, serials))
    seconds = SECONDS if ground.scale == 1 else 2
    with serving(contender) as (address, _):
        wrk(address, contender, 8, 1)
        run = wrk(address, contender, CONNECTIONS, seconds)
    return [
        Figure(f"{name}s of citizens at random", run.rate, "/s"),
        Figure(f"{name}, p50 at {CONNECTIONS} connections", run.p50_ms, "ms", higher_is_better=False),
        Figure(f"{name}, p99 at {CONNECTIONS} connections", run.p99_ms, "ms", higher_is_better=False),
    ]


def _green(ground: Ground) -> list[int]:
    """Green codes at random that time leaves alone for a while, in no order."""
    asked = max(5_000, round(ASKED * ground.scale))
    some = Random(ground.citizens).sample(range(1, ground.citizens + 1), asked)
    soon = ground.services.clock.now() + timedelta(hours=1)
    query = "select array_agg(serial) from codes where serial = any(%s) and rule = 'GREEN-VERIFIED' and due_at > %s"
    green = set(ground.ask(query, some, soon))
    return [serial for serial in some if serial in green]


def imported(ground: Ground) -> list[Figure]:
    """A list of contacts, by document, read and written as `jixiang evidence import` does."""
    services = ground.services
    number = min(max(FEWEST_CONTACTS, round(CONTACTS * ground.scale)), ground.citizens)
    content = _contacts(ground, number)
    given = {"kind": "contact", "authority": "示例市疾病预防控制中心", "reference": "示疾控〔2020〕2号"}
    given["exposed_on"] = f"{services.clock.now().astimezone(BEIJING):%Y-%m-%d}"
    notices = ground.ask("select count(*) from notices")
    begun = perf_counter()
    lines = importing.read(services, content, given)
    read, tally = perf_counter() - begun, importing.Tally()
    with _bars() as bar:
        task = bar.add_task("import", total=number)
        for tally in importing.write(services, lines, actor=Actor("officer", "示例")):
            bar.update(task, completed=tally.lines)
    written = perf_counter() - begun - read
    told = ground.ask("select count(*) from notices") - notices
    assert (tally.recorded, tally.new_people) == (number, 0), "each of them is somebody of the province"
    return [
        Figure(f"import of {number:,} contacts: read and checked", read, "s", higher_is_better=False),
        Figure("import: evidence, ledger, cache, notices", number / written, "citizens/s", MASS_RATE),
        Figure("import: notices put", told, ""),
    ]


def _contacts(ground: Ground, number: int) -> bytes:
    some = Random(ground.citizens + 1).sample(range(1, ground.citizens + 1), number)
    return "\n".join(["document_number", *map(archetypes.document_number, some)]).encode()


def due(ground: Ground) -> list[Figure]:
    """All that falls due in a day, settled at once as the worker settles it; nobody asks the platform here."""
    services, clock = ground.services, ground.services.clock
    assert isinstance(clock, ShiftedClock)
    clock.advance_to(clock.now() + timedelta(days=1))
    waiting = ground.ask("select count(*) from codes where coalesce(retry_at, due_at) <= %s", clock.now())
    done, taken, begun = 0, BATCH, perf_counter()
    with _bars() as bar:
        task = bar.add_task("due", total=waiting)
        while taken == BATCH:
            taken = claim_due(services)
            done += taken
            bar.update(task, completed=done)
    seconds = perf_counter() - begun
    asked = ground.ask("select count(*) from procrastinate_jobs where task_name = 'look-again'")
    return [
        Figure("due in a day, settled", done / seconds, "codes/s"),
        Figure("due in a day: decided by time alone", done - asked, "codes"),
        Figure("due in a day: wait for the platform", asked, "codes"),
    ]


STEPS: dict[str, Callable[[Ground], list[Figure]]] = {
    "load": load,
    "warm": warm,
    "check": check,
    "show": show,
    "import": imported,
    "due": due,
}


def measure(directory: Path, scale: float, steps: list[str]) -> list[Figure]:
    """The steps, in their order; each is told when it is done, for a whole province takes its time."""
    found: list[Figure] = []
    with ground(directory, scale) as where:
        for name in (name for name in STEPS if name in steps):
            some = STEPS[name](where)
            print(*(f"{figure.name}: {figure.value:,.1f} {figure.unit}" for figure in some), sep="\n", flush=True)
            found += some
    return found


def _scale(words: str) -> float:
    scale = float(words)
    if not 0.0005 <= scale <= 1:
        raise argparse.ArgumentTypeError("a scale is between 0.0005 and 1")
    return scale


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.province", description=__doc__)
    parser.add_argument("--scale", type=_scale, default=1.0, help="1 is the whole province")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS), help="all of them, unless named")
    parser.add_argument("--directory", type=Path, help="kept, and used again by the next run of this scale")
    given = parser.parse_args()
    logs.set_up("WARNING")
    with ExitStack() as stack:
        directory = given.directory or Path(stack.enter_context(TemporaryDirectory(prefix="jixiang-province-")))
        directory.mkdir(parents=True, exist_ok=True)
        found = measure(directory.resolve(), given.scale, given.steps)
    figures.show(f"A province of {round(PROVINCE * given.scale):,} citizens", found)
    if given.scale == 1:
        figures.save(RESULTS, found)
        print(f"Written: {RESULTS.name}")


if __name__ == "__main__":
    main()

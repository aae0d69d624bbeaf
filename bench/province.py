"""The whole province on one machine: load, warm, check, change and evaluate 24.07 million invented citizens.

`--scale 0.01` takes a hundredth of them. Each step can be left out; the figures say what was done. The databases are
in a temporary directory, or in one that is kept and used again.
"""

import argparse
import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from app.api.fast_path import CHECK_PATH, SHOW_PATH
from app.audit import Actor
from app.codes.cache import loading
from app.codes.simulation import simulate
from app.codes.simulation_result import SimulationResult
from app.core.clock import BEIJING, ShiftedClock
from app.entries import bulk_import
from app.runtime import Services
from app.web import logs
from app.worker.due import BATCH, evaluate_due
from bench import archetypes, figures, load_environment
from bench.figures import Figure
from bench.load_environment import Contender, serving, wrk
from bench.province_environment import PROVINCE, Ground, bars, ground
from bench.simulation import changed

RESULTS = Path(__file__).with_name("province.json")
CONTACTS, FEWEST_CONTACTS = 100_000, 2_000
ASKED, CONNECTIONS, SECONDS = 50_000, 64, 10
SETTLING_SECONDS = 120
WARM_SECONDS, CACHE_BYTES, MASS_RATE = 40, 16, 10_000


def load(ground: Ground) -> list[Figure]:
    """Measure loading, and the size of the database."""
    size = ground.ask("select pg_database_size(current_database())")
    return [
        Figure("loaded, with indexes", ground.load_seconds, "s", higher_is_better=False),
        Figure("database", size / 2**30, "GiB", higher_is_better=False),
        Figure("database, a citizen", size / ground.citizens, "bytes", higher_is_better=False),
    ]


def warm(ground: Ground) -> list[Figure]:
    """Fill the cache from the database as `jixiang cache warm` does."""
    services = ground.services
    services.cache.drop()
    before, begun = _dataset(services), perf_counter()
    with bars() as bar:
        task = bar.add_task("warm", total=None)
        for progress in loading.load_cache(services.cache, services.sessions, services.policy):
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
    """Check green codes from the whole province."""
    return _asked(ground, "check", CHECK_PATH, load_environment.write_checks)


def show(ground: Ground) -> list[Figure]:
    """Show green codes from the whole province."""
    return _asked(ground, "show", SHOW_PATH, load_environment.write_shows)


def _asked(ground: Ground, name: str, path: str, write: Callable[..., None]) -> list[Figure]:
    services, file = ground.services, ground.directory / name
    load_environment.put_on_duty(services)
    serials = _green(ground)
    contender = Contender(name, "app.server:create_server", path, file, lambda: write(services, file, serials))
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
    """Return random green codes that are not due soon, unordered."""
    asked = max(5_000, round(ASKED * ground.scale))
    some = Random(ground.citizens).sample(range(1, ground.citizens + 1), asked)
    soon = ground.services.clock.now() + timedelta(hours=1)
    query = "select array_agg(serial) from codes where serial = any(%s) and rule = 'GREEN-VERIFIED' and due_at > %s"
    green = set(ground.ask(query, some, soon))
    return [serial for serial in some if serial in green]


def imported(ground: Ground) -> list[Figure]:
    """Import a list of contacts by document as `jixiang evidence import` does."""
    services = ground.services
    number = min(max(FEWEST_CONTACTS, round(CONTACTS * ground.scale)), ground.citizens)
    content = _contacts(ground, number)
    given = {"kind": "contact", "authority": "示例市疾病预防控制中心", "reference": "示疾控〔2020〕2号"}
    given["exposed_on"] = f"{services.clock.now().astimezone(BEIJING):%Y-%m-%d}"
    notices = ground.ask("select count(*) from notices")
    begun = perf_counter()
    lines = bulk_import.read_list(services, content, given).lines
    read, tally = perf_counter() - begun, bulk_import.ImportProgress()
    with bars() as bar:
        task = bar.add_task("import", total=number)
        for tally in bulk_import.import_lines(services, lines, actor=Actor("officer", "示例")):
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


def rehearsed(ground: Ground) -> list[Figure]:
    """Simulate ten days of quarantine instead of fourteen for everybody."""
    services, tally = ground.services, SimulationResult()
    shorter = changed(services.policy, lambda old: replace(old, quarantine_days=10))
    begun, url, processes = perf_counter(), services.settings.database.url, os.cpu_count() or 1
    with bars() as bar:
        task = bar.add_task("dry run", total=None)
        for progress in simulate(url, services.policy, shorter, services.clock.now(), processes):
            bar.update(task, completed=progress.done, total=progress.total)
            tally = progress.result
    assert tally.people == ground.citizens, "everybody is weighed or counted"
    told = sum(people for (before, after), people in tally.rules.items() if before != after) + tally.ends.total()
    return [
        Figure("dry run over all: a shorter quarantine", perf_counter() - begun, "s", higher_is_better=False),
        Figure("dry run: people with another rule or end", told, ""),
    ]


def due(ground: Ground) -> list[Figure]:
    """Evaluate for a while, as a worker does, the codes due in a day; the platform is not asked."""
    services, clock = ground.services, ground.services.clock
    assert isinstance(clock, ShiftedClock)
    clock.advance_to(clock.now() + timedelta(days=1))
    waiting = ground.ask("select count(*) from codes where coalesce(retry_at, due_at) <= %s", clock.now())
    done, taken, begun = 0, BATCH, perf_counter()
    with bars() as bar:
        task = bar.add_task("due", total=waiting)
        while taken == BATCH and perf_counter() - begun < SETTLING_SECONDS:
            taken = evaluate_due(services)
            done += taken
            bar.update(task, completed=done)
    rate = done / (perf_counter() - begun)
    asked = ground.ask("select count(*) from procrastinate_jobs where task_name = 'look-again'")
    return [
        Figure("due in a day", waiting, "codes"),
        Figure("due: settled by one worker", rate, "codes/s"),
        Figure("due: a day's work of one worker", waiting / rate, "s", 86_400, higher_is_better=False),
        Figure("due: of those settled, wait for the platform", asked / max(done, 1), "×"),
    ]


STEPS: dict[str, Callable[[Ground], list[Figure]]] = {
    "load": load,
    "warm": warm,
    "check": check,
    "show": show,
    "dry-run": rehearsed,
    "import": imported,
    "due": due,
}


def _save(found: list[Figure]) -> None:
    """Return the figures of this run, and the earlier ones that it did not measure again."""
    names = {figure.name for figure in found}
    before = json.loads(RESULTS.read_text())["figures"] if RESULTS.exists() else []
    figures.save(RESULTS, [*(Figure(**figure) for figure in before if figure["name"] not in names), *found])


def measure(directory: Path, scale: float, steps: list[str]) -> list[Figure]:
    """Run the steps in order, and report each when it is done, because a whole province takes long."""
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
    logs.configure("WARNING")
    with ExitStack() as stack:
        directory = given.directory or Path(stack.enter_context(TemporaryDirectory(prefix="jixiang-province-")))
        directory.mkdir(parents=True, exist_ok=True)
        found = measure(directory.resolve(), given.scale, given.steps)
    figures.show(f"A province of {round(PROVINCE * given.scale):,} citizens", found)
    if given.scale == 1:
        _save(found)
        print(f"Written: {RESULTS.name}")


if __name__ == "__main__":
    main()

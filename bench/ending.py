"""The end of the service at the size of a province: how long each step takes, and until no color is shown.

It destroys what it is run on. Each citizen has some events in the audit beside the rows of the province, sealed before.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from app import audit
from app.audit import CLOCK
from app.audit.sealing import seal_all
from app.codes.cache import loading
from app.core.clock import BEIJING
from app.core.passwords import hash_password
from app.ending import deciding, opening, steps
from app.runtime import Services
from app.staff import officers
from app.staff.context import OPERATOR, begin_as
from app.staff.models import Officer
from app.staff.officers import NewOfficer
from app.web import logs
from bench import figures
from bench.figures import Figure
from bench.province_environment import PROVINCE, Ground, ground

EVENTS: Final = 2  # in the audit, of each citizen
BATCH: Final = 10_000
ADMINISTRATORS: Final = ("bench-1", "bench-2")


def measure(where: Ground) -> list[Figure]:
    """End the service, and return what it took."""
    services = where.services
    _fill_audit(services, where.citizens * EVENTS)
    for _ in loading.load_cache(services.cache, services.sessions, services.policy):
        pass
    keys = sum(1 for _ in services.redis.scan_iter("jx:*", count=1000))
    hired = _hire(services)
    last_day = services.clock.now().astimezone(BEIJING).date()
    deciding.announce(services, hired, last_day.fromordinal(last_day.toordinal() + deciding.NOTICE_DAYS), None)
    (where.directory / "clock").write_text(str((deciding.NOTICE_DAYS + 1) * 86_400))
    began: dict[str, float] = {}

    def note(step: str) -> None:
        began.setdefault(step, time.perf_counter())

    start = time.perf_counter()
    with opening.open_ending(services.settings) as ending:
        steps.plan(ending)
        planned = time.perf_counter() - start
        deciding.end(services, hired)
        decided = time.perf_counter()
        steps.run(ending, note)
    return [
        Figure("a dry run", planned, "s", higher_is_better=False),
        *_durations(began, time.perf_counter()),
        Figure("the end, with all steps", time.perf_counter() - decided, "s", higher_is_better=False),
        Figure("keys in Redis", keys, "", higher_is_better=False),
    ]


def _fill_audit(services: Services, events: int) -> None:
    """Write events, and seal them as the worker does all the time."""
    for first in range(0, events, BATCH):
        now = services.clock.now()
        with services.begin() as session:
            for number in range(first, min(first + BATCH, events)):
                audit.append(session, CLOCK, "decided", now, serial=number // EVENTS + 1)
        seal_all(services)


def _hire(services: Services) -> list[Officer]:
    """Make two administrators of the whole province, whose passwords nobody knows."""
    hired = []
    with begin_as(services, OPERATOR) as context:
        for name in ADMINISTRATORS:
            officer, _ = officers.add_officer(context, NewOfficer(name, name, ("administrator",), None))
            officer.password_hash, officer.must_change_password = hash_password(f"{time.time_ns()}-nobody"), False
            officer.password_ends_at = None
            hired.append(officer)
    return hired


def _durations(began: dict[str, float], end: float) -> list[Figure]:
    named = {name: at for name, at in began.items() if "." not in name}  # the others are files of keys
    ends = [*list(named.values())[1:], end]
    return [
        Figure(f"step {name}", until - at, "s", higher_is_better=False)
        for (name, at), until in zip(named.items(), ends, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ending", description=__doc__)
    parser.add_argument("--citizens", type=int, default=200_000)
    given = parser.parse_args()
    logs.configure("ERROR")
    with TemporaryDirectory(prefix="jixiang-ending-") as place, ground(Path(place), given.citizens / PROVINCE) as where:
        found = measure(where)
        rows = where.ask("select count(*) from kept_hashes")
    figures.show(f"The end of a province of {given.citizens:,} citizens, {rows:,} links of the chain kept", found)


if __name__ == "__main__":
    main()

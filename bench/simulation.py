"""The rate at which a policy simulation evaluates citizens: `python -m bench.simulation --citizens 200000`.

Everything is real and on this machine. The citizens are a mix of a province: most of them green, with
a history of declarations and answers, and some in every other state. Two changes are tried: one that affects everybody
who has declared, and one that affects the few under restriction.
"""

import argparse
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from app.audit import Actor
from app.codes import ledger
from app.codes.evidence import NewEvidence, new_id
from app.codes.simulation import simulate
from app.codes.simulation_result import SimulationResult
from app.rules import (  # fmt: skip
    Contact,
    Declaration,
    Diagnosis,
    Evidence,
    Parameters,
    Policy,
    Quarantine,
    Temperature,
    Verification,
)
from app.runtime import Services
from bench.environment import our_services

OFFICER = Actor("officer", "bench")
PIECE = 2_000
DAY = timedelta(days=1)
Facts = Callable[[random.Random, datetime], list[Evidence]]


def _declared(chance: random.Random, now: datetime, oldest: float, newest: float = 0.0) -> Declaration:
    at = now - chance.uniform(newest, oldest) * DAY
    return Declaration(id=new_id(), at=at, symptoms=(), contact_on=None)


def _verified(chance: random.Random, now: datetime, oldest: float, newest: float = 0.0) -> list[Evidence]:
    declared = _declared(chance, now, oldest, newest)
    answered = Verification(id=new_id(), at=declared.at + timedelta(seconds=1), declaration=declared.id)
    return [declared, answered]


def _green(chance: random.Random, now: datetime) -> list[Evidence]:
    """Return one to three declarations with their answers, and for some a normal temperature."""
    before = [fact for _ in range(chance.randrange(3)) for fact in _verified(chance, now, 30, 7)]
    normal = Temperature(id=new_id(), at=now - chance.random() * DAY, celsius=Decimal("36.6"))
    return [*before, *_verified(chance, now, 6.5), *([normal] if chance.random() < 0.3 else [])]


def _feverish(chance: random.Random, now: datetime) -> list[Evidence]:
    return [*_green(chance, now), Temperature(id=new_id(), at=now, celsius=Decimal("37.6"))]


def _contact(chance: random.Random, now: datetime) -> list[Evidence]:
    at = now - chance.uniform(0, 13) * DAY
    return [*_green(chance, now), Contact(id=new_id(), at=at, exposed_on=at.date())]


def _quarantined(chance: random.Random, now: datetime) -> list[Evidence]:
    at = now - chance.uniform(0, 13) * DAY
    return [*_green(chance, now), Quarantine(id=new_id(), at=at, first_day=at.date(), last_day=(at + 14 * DAY).date())]


MIX: list[tuple[float, Facts]] = [
    (0.82, _green),
    (0.06, lambda chance, now: []),
    (0.05, lambda chance, now: _verified(chance, now, 40, 15)),
    (0.03, lambda chance, now: [_declared(chance, now, 1)]),
    (0.01, _feverish),
    (0.02, _contact),
    (0.009, _quarantined),
    (0.001, lambda chance, now: [Diagnosis(id=new_id(), at=now - DAY, status="confirmed")]),
]


def fill(services: Services, citizens: int) -> None:
    """Add invented people with evidence and their decisions."""
    chance, now = random.Random(1), services.clock.now() - timedelta(minutes=1)
    weights, kinds = zip(*MIX, strict=True)
    for start in range(0, citizens, PIECE):
        with services.begin() as session:
            serials = ledger.create_codes(session, min(PIECE, citizens - start), now)
            entries = {
                serial: [
                    NewEvidence(fact, "示例机构", "示例文书") for fact in chance.choices(kinds, weights)[0](chance, now)
                ]
                for serial in serials
            }
            ledger.record_many(ledger.ChangeContext(session, services.policy, OFFICER, now), entries)
    with services.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("vacuum analyze codes, evidence, decisions"))


def changed(policy: Policy, change: Callable[[Parameters], Parameters]) -> Policy:
    return replace(policy, version="bench", parameters=tuple((day, change(old)) for day, old in policy.parameters))


def measured(services: Services, proposed: Policy, processes: int) -> tuple[SimulationResult, float]:
    start, tally, url = time.perf_counter(), SimulationResult(), services.settings.database.url
    for progress in simulate(url, services.policy, proposed, services.clock.now(), processes):
        tally = progress.result
    return tally, time.perf_counter() - start


def rows(services: Services) -> Iterator[tuple[str, ...]]:
    changes = {
        "verification_days = 3": changed(services.policy, lambda old: replace(old, verification_days=3)),
        "quarantine_days = 7": changed(services.policy, lambda old: replace(old, quarantine_days=7)),
    }
    for name, proposed in changes.items():
        for processes in (1, os.cpu_count() or 1):
            tally, seconds = measured(services, proposed, processes)
            rate = tally.people / seconds
            figures = f"{seconds:.1f}", f"{rate:.0f}", f"{24_070_000 / rate / 60:.0f}"
            yield name, str(processes), str(tally.people), str(tally.changed), str(tally.asked), *figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, default=200_000)
    table = Table(title=f"Dry run of a policy, {os.cpu_count()} cores, PostgreSQL on the same machine")
    for column in ("change", "processes", "people", "change color", "asked", "s", "people/s", "min for 24.07 M"):
        table.add_column(column, justify="right" if column != "change" else "left")
    with our_services("http://127.0.0.1:9") as services:
        fill(services, parser.parse_args().citizens)
        for row in rows(services):
            table.add_row(*row)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()

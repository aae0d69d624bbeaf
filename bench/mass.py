"""The rate at which a list turns citizens orange: from evidence to ledger, cache and queued notices.

Everything is real and on this machine, PostgreSQL durable. One by one and set-based do the same to citizens of the same
kind: registered, declared, verified and green. Each way ends with a count of tables, cache and queue.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select, text

from app.audit import Actor
from app.citizens.documents import DocumentType, check_digit
from app.citizens.lookup import find_or_add, find_or_add_many
from app.codes import ledger
from app.codes.cache.scripts import RECORD_SIZE
from app.codes.evidence import NewEvidence, new_id
from app.codes.models import DecisionRow, EvidenceRow, Notice
from app.codes.states import State
from app.core.clock import BEIJING
from app.entries import bulk_import
from app.entries.lists.lines import ListLine
from app.rules import Contact, Declaration, Verification
from app.runtime import Services
from app.worker.due import evaluate_due
from bench.environment import our_services as our_services  # bench/mass_side.py has it from here
from bench.figures import Figure

OFFICER = Actor("officer", "bench")
AUTHORITY, REFERENCE = "示例疾病预防控制中心", "示例〔2020〕1号"


class Work(NamedTuple):
    """The result: citizens and seconds, and the CPU seconds of our processes and of PostgreSQL's."""

    name: str
    citizens: int
    seconds: float
    cpu: float
    postgres_cpu: float

    @property
    def rate(self) -> float:
        return self.citizens / self.seconds


def document(number: int) -> str:
    """Return an ID number that nobody has."""
    first = f"22{number // 1000:04d}19000101{number % 1000:03d}"
    return first + check_digit(first)


def make_green(services: Services, people: range) -> None:
    """Add citizens who declared an hour ago and were verified by the platform."""
    at = services.clock.now() - timedelta(hours=1)
    for start in people[:: bulk_import.BATCH_SIZE]:
        documents = [
            (DocumentType.ID_CARD, document(n)) for n in range(start, min(start + bulk_import.BATCH_SIZE, people.stop))
        ]
        with services.begin() as session:
            serials, _ = find_or_add_many(session, services.encryption, documents, at)
            entries = {}
            for serial in serials.values():
                own = at - timedelta(milliseconds=serial)  # nobody declares at the moment of somebody else
                declared = Declaration(id=new_id(), at=own, symptoms=(), contact_on=None)
                answer = Verification(id=new_id(), at=own, declaration=declared.id)
                entries[serial] = [NewEvidence(fact, AUTHORITY, REFERENCE) for fact in (declared, answer)]
            ledger.record_many(ledger.ChangeContext(session, services.policy, OFFICER, at), entries)


def measure(services: Services, name: str, citizens: int, act: Callable[[], None]) -> Work:
    before, start = (_our_cpu(), _postgres_cpu(services)), time.perf_counter()
    act()
    seconds = time.perf_counter() - start
    cpu = _our_cpu() - before[0], _postgres_cpu(services) - before[1]
    return Work(name, citizens, seconds, *cpu)


def _our_cpu() -> float:
    """Return the CPU seconds of this process, of its ended children, and of those that run Python, with theirs.

    The processes of a list are children of the one that they are forked from, which runs on.
    """
    running = (one for one in psutil.Process().children(recursive=True) if "python" in one.name())
    return sum(os.times()[:4]) + sum(sum(one.cpu_times()[:4]) for one in running)


def _postgres_cpu(services: Services) -> float:
    """Return the CPU seconds of the backends of all connections, of the background writers, and of ended processes."""
    with services.engine.connect() as connection:
        pids = connection.scalars(text("select pid from pg_stat_activity")).all()
    every = [psutil.Process(pid).cpu_times() for pid in pids if psutil.pid_exists(pid)]
    ended = psutil.Process(psutil.Process(pids[0]).ppid()).cpu_times()
    return float(sum(times.user + times.system for times in every) + ended.children_user + ended.children_system)


def one_by_one(services: Services, people: range) -> None:
    exposed_on = services.clock.now().astimezone(BEIJING).date()
    for number in people:
        with services.begin() as session:
            now = services.clock.now()
            citizen = find_or_add(session, services.encryption, DocumentType.ID_CARD, document(number), now)
            entry = NewEvidence(Contact(id=new_id(), at=now, exposed_on=exposed_on), AUTHORITY, REFERENCE)
            ledger.record(ledger.ChangeContext(session, services.policy, OFFICER, now), citizen.serial, [entry])


def by_list(services: Services, lines: Sequence[ListLine]) -> None:
    for _ in bulk_import.import_lines(services, lines, actor=OFFICER):
        pass


def read(services: Services, people: range) -> list[ListLine]:
    content = "\n".join(["document_number", *map(document, people)]).encode()
    today = f"{services.clock.now().astimezone(BEIJING):%Y-%m-%d}"
    given = {"kind": "contact", "authority": AUTHORITY, "reference": REFERENCE, "exposed_on": today}
    return bulk_import.read_list(services, content, given).lines


def check(services: Services, citizens: int) -> None:
    """Assert that everybody is orange in ledger and cache, and has a notice in a job."""
    queued = "select sum(case when args ? 'serials' then jsonb_array_length(args->'serials') else 1 end)"
    tells = f"{queued} from procrastinate_jobs where task_name like 'deliver%'"
    with services.sessions() as session:
        counts = [
            session.scalar(select(func.count()).where(EvidenceRow.kind == "contact")) or 0,
            session.scalar(select(func.count()).where(DecisionRow.state == State.ORANGE)) or 0,
            session.scalar(select(func.count()).where(Notice.delivery == "waiting")) or 0,
            session.scalar(text(tells)) or 0,
        ]
    strings = (services.cache.block(number) for number in services.cache.blocks())
    orange = sum(string[at] == State.ORANGE for string in strings for at in range(0, len(string), RECORD_SIZE))
    greens = counts[2] - citizens
    if (counts[0], counts[1], counts[3] - greens, orange) != (citizens,) * 4:
        raise SystemExit(f"Of {citizens} citizens: {counts} and {orange} in the cache.")


def make_due(services: Services) -> None:
    """Make codes of unregistered people whose quarantine has just ended, so that time alone changes them."""
    with services.engine.begin() as connection:
        connection.execute(text("update codes set retry_at = now() - interval '1 day'"))


def catch_up(services: Services) -> None:
    while evaluate_due(services):
        pass


def show(works: Sequence[Work]) -> None:
    table = Table(title=f"Citizens from green to orange, {os.cpu_count()} cores, PostgreSQL durable")
    for column in ("", "citizens", "per second", "against one by one", "CPU µs a citizen", "of PostgreSQL"):
        table.add_column(column, justify="right" if column else "left")
    for work in works:
        ratio = f"{work.rate / works[0].rate:.1f} ×"
        cpu = [f"{seconds / work.citizens * 1e6:.0f}" for seconds in (work.cpu, work.postgres_cpu)]
        table.add_row(work.name, str(work.citizens), f"{work.rate:.0f}", ratio, *cpu)
    Console(width=120).print(table)


def measure_all(citizens: int) -> list[Work]:
    """Measure changes one by one; a list, checked and recorded; and changes by the clock."""
    few = max(citizens // 50, 50)
    with our_services("http://127.0.0.1:9") as services:
        make_green(services, range(citizens + few))
        alone = measure(services, "one by one", few, lambda: one_by_one(services, range(few)))
        lines: list[ListLine] = []
        people = range(few, few + citizens)
        checked = measure(services, "a list, read and checked", citizens, lambda: lines.extend(read(services, people)))
        together = measure(services, "a list, recorded", citizens, lambda: by_list(services, lines))
        check(services, few + citizens)
        make_due(services)
        due = measure(services, "the clock, catching up", few + citizens, lambda: catch_up(services))
    return [alone, checked, together, due]


def figures(citizens: int) -> list[Figure]:
    alone, checked, together, due = measure_all(citizens)
    return [
        Figure("mass change, evidence to ledger, cache and queue", together.rate, "/s", 10_000),
        Figure("the same against one by one", together.rate / alone.rate, "×"),
        Figure("a list, read and checked", checked.rate, "/s"),
        Figure("codes due by the clock, settled", due.rate, "/s"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, default=40_000)
    show(measure_all(parser.parse_args().citizens))


if __name__ == "__main__":
    main()

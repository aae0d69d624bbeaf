"""Processes that die or stop at any moment: web, worker, PostgreSQL."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psutil

from faults.calling import sandbox, wait_until
from faults.rounds import Case, Stuck
from faults.system import System

SEND = "/cgi-bin/message/subscribe/send"
RESCUE_SECONDS = 60  # a worker is taken for dead after 30 s, and its jobs are handed over every 15
_RESPAWN_SECONDS = 10
_LEFTOVER_SECONDS = 8  # in which the processes of a dead web server have to end
_chance = Random(1)
# what the worker leaves behind when it is killed while it is slow: the newest job of each, in the making
_EIGHT_BEGUN = """
    insert into procrastinate_jobs (queue_name, task_name, queueing_lock, args, status, attempts, worker_id)
    select 'default', task, task, '{"timestamp": 0}', 'doing', 1,
        (select id from procrastinate_workers order by last_heartbeat desc limit 1)
    from unnest(array['settle-due', 'seal-audit', 'keep-cache', 'measure-queue', 'lapse-urgent', 'escalate-appeals',
        'fold-counts', 'count-figures']) task
"""


@contextmanager
def web_master(system: System, number: int) -> Iterator[None]:
    """The process over the web processes is killed, and its supervisor starts it again at once."""
    old = system.programs["web"].children()
    system.programs["web"].kill()
    system.programs["web"].start()
    yield
    _, alive = psutil.wait_procs(old, _LEFTOVER_SECONDS)
    for process in alive:
        process.kill()
    if alive:
        raise Stuck(f"{len(alive)} web processes of a dead master")


@contextmanager
def web_process(system: System, number: int) -> Iterator[None]:
    """One of two web processes is killed, in whose place another one comes."""
    _chance.choice(system.programs["web"].children()).kill()
    yield
    if not wait_until(lambda: len(system.programs["web"].children()) == 2, _RESPAWN_SECONDS):
        raise Stuck("nothing comes in the place of a web process")


@contextmanager
def worker(system: System, number: int) -> Iterator[None]:
    """The worker is killed amid the jobs of the acts and eight of the clock, or was gone before them."""
    sandbox("PUT", f"{system.place.wechat}/sandbox/failures", {"path": SEND, "delay": 0.3})
    if number % 2:
        system.programs["worker"].kill()
    yield
    if not number % 2:
        system.order(_EIGHT_BEGUN)
        system.programs["worker"].kill()
    system.programs["worker"].start()
    sandbox("DELETE", f"{system.place.wechat}/sandbox/failures")


@contextmanager
def worker_paused(system: System, number: int) -> Iterator[None]:
    """One of two workers stands still, amid whatever it does, for longer than anybody waits for it."""
    other = system.another_worker()
    other.start()
    try:
        time.sleep(_chance.uniform(1, 3))
        system.programs["worker"].pause()
        system.order("update procrastinate_workers set last_heartbeat = last_heartbeat - interval '2 minutes'")
        yield
        system.programs["worker"].go_on()
    finally:
        other.stop()


@contextmanager
def postgres(system: System, number: int) -> Iterator[None]:
    """PostgreSQL is killed right after the acts, or is away while people act."""
    if number % 2:
        kill_postgres(system.place.directory / "postgres")
    try:
        yield
        if not number % 2:
            kill_postgres(system.place.directory / "postgres")
    finally:
        system.postgres.restart()


def kill_postgres(data: Path) -> None:
    """Kill the server of a data directory with all of its processes."""
    lock = data / "postmaster.pid"
    server = psutil.Process(int(lock.read_text().splitlines()[0]))
    backends = server.children(recursive=True)
    os.kill(server.pid, signal.SIGKILL)
    psutil.wait_procs([server, *backends], 5)


CASES = (
    Case("web-master-killed", web_master),
    Case("web-process-killed", web_process, act_seconds=6),  # granian takes two deaths in 5.5 s for a crash loop
    Case("worker-killed", worker, is_harmless=True, stuck_seconds=RESCUE_SECONDS),
    Case(
        "worker-paused", worker_paused, act_seconds=5, is_harmless=True, may_end="worker", stuck_seconds=RESCUE_SECONDS
    ),
    Case("postgres-killed", postgres, act_seconds=0),
)

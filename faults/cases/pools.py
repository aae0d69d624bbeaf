"""Pools of connections: all of one client's to Redis taken, and PgBouncer before PostgreSQL."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import psutil

from faults.calling import call
from faults.rounds import Case, LeftOut, Stuck
from faults.system import System
from tests.support.pooler import PROGRAM, start_pooler

_AT_ONCE = 60
_TIMEOUT = "JIXIANG_REDIS__TIMEOUT_SECONDS"
_FROZEN_SECONDS, _TIMEOUT_SECONDS = 0.3, 5  # nothing but the pool is at its end, however busy this machine is


@contextmanager
def few_connections(system: System) -> Iterator[None]:
    """Every process has four connections to Redis at most, and patience."""
    os.environ[_TIMEOUT] = str(_TIMEOUT_SECONDS)
    with system.reconfigured(redis=f"{system.valkey.url}?max_connections=4"):
        del os.environ[_TIMEOUT]  # they have read it
        yield


@contextmanager
def pool_full(system: System, number: int) -> Iterator[None]:
    """Redis stands still for a moment in which many ask; each is answered when it goes on."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        system.valkey.pause()
        asked = [threads.submit(call, "GET", f"{system.hosts[one % 2]}/readyz") for one in range(_AT_ONCE)]
        time.sleep(_FROZEN_SECONDS)
        system.valkey.go_on()
        yield
    refused = Counter(reply.status for reply in (one.result() for one in asked) if reply.status != 200)
    if refused:
        raise Stuck(f"of {_AT_ONCE} at once some are not answered: {dict(refused)}")


@contextmanager
def by_session(system: System) -> Iterator[None]:
    """Every process reaches PostgreSQL through PgBouncer, which pools sessions."""
    with _pooler(system, "session") as url:
        with system.reconfigured(database=url):
            yield
        for pooler in _poolers():  # those that were started again
            pooler.kill()


@contextmanager
def pooler_killed(system: System, number: int) -> Iterator[None]:
    """PgBouncer is killed, and started again at once."""
    for pooler in _poolers():
        command, owner = pooler.cmdline(), pooler.uids().real
        pooler.kill()
        pooler.wait(5)
        subprocess.Popen(command, user=owner, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield


def _pooler(system: System, mode: str) -> AbstractContextManager[str]:
    if PROGRAM is None:
        raise LeftOut("PgBouncer is not installed")
    return start_pooler(system.database, mode)


def _poolers() -> list[psutil.Process]:
    return [process for process in psutil.Process().children() if process.name() == "pgbouncer"]


@contextmanager
def by_transaction(system: System, number: int) -> Iterator[None]:
    """Somebody wants PgBouncer to pool transactions, which is refused by name."""
    yield
    with _pooler(system, "transaction") as url:
        command = [sys.executable, "-m", "app", "config", "check"]
        environment = {**os.environ, "JIXIANG_DATABASE__URL": url}
        told = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    if told.returncode != 1 or b"session pooling" not in told.stderr:
        raise Stuck(f"transaction pooling is not refused: {told.returncode}")


CASES = (
    Case("redis-pool-full", pool_full, is_harmless=True, setting=few_connections),
    Case("pgbouncer-killed", pooler_killed, setting=by_session),
    Case("pgbouncer-transaction", by_transaction, is_harmless=True),
)

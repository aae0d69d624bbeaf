"""The end while processes run and write: each web process and worker notices, and nothing is written any more."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from devstack.layout import find_free_ports
from tests.support.closing import ADMINISTRATORS, Closing
from tests.support.codes import write_config
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow

PROCESSES = 3


@contextmanager
def started(closing: Closing, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    config = write_config(closing.installation.settings, closing.installation.directory / "processes.toml")
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        env={**os.environ, "JIXIANG_CONFIG": str(config)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def status_of(address: str) -> int:
    """The status of a new connection, which any of the processes may take."""
    try:
        return requests.get(f"{address}/api/v1/home", timeout=5, headers={"Connection": "close"}).status_code
    except requests.RequestException:
        return 0


def becomes(address: str, status: int, times: int) -> None:
    """Wait until so many new connections after one another have this status."""
    wait_until(lambda: all(status_of(address) == status for _ in range(times)))


def test_each_web_process_and_the_worker_notice_the_end(closing: Closing) -> None:
    closing.hire(*ADMINISTRATORS)
    closing.announce()
    closing.advance(15)
    port = find_free_ports(1)
    web = f"http://127.0.0.1:{port}"
    with (
        started(closing, "web", "--port", str(port), "--workers", str(PROCESSES)),
        started(closing, "worker") as worker,
    ):
        becomes(web, 200, PROCESSES)
        closing.wait_for("select count(*) from procrastinate_workers where last_heartbeat > now() - interval '30 s'")
        assert closing.end().exit_code == 0
        becomes(web, 410, 10 * PROCESSES)
        assert worker.wait(PATIENCE) == 0, "it has ended by itself, so that nobody starts it again"


def test_who_still_writes_is_waited_for_and_then_nobody_writes(closing: Closing) -> None:
    closing.hire(*ADMINISTRATORS)
    closing.announce()
    closing.advance(15)
    writing = create_engine(closing.installation.url)
    outcome: list[int] = []
    with writing.connect() as change:
        change.execute(text("insert into cache_doubts values ('code:1')"))
        ending = threading.Thread(target=lambda: outcome.append(closing.end().exit_code))
        ending.start()
        closing.wait_for("select count(*) from pg_locks where not granted and relation = 'cache_doubts'::regclass")
        change.commit()
    ending.join(PATIENCE)
    assert outcome == [0]
    assert closing.report()["rows"]["work"]["cache_doubts"] == 1
    with writing.connect() as change, pytest.raises(DBAPIError, match="does not exist"):
        change.execute(text("insert into cache_doubts values ('code:2')"))
    writing.dispose()

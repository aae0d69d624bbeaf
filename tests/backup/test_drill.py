"""The drill: a backup is made, the day goes on, the backup is put back; how long it takes and what is lost is told."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import pytest
from sqlalchemy import make_url, text

from tests.support.codes import write_config
from tests.support.installations import Installation, Town, accepted
from tests.support.waiting import PATIENCE, wait_until

LATER = 12


@pytest.mark.slow
def test_the_drill(installation: Installation, town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    early = [phone.become_green() for phone in town.phones("从前", 3)]
    station = town.station()
    dump = installation.backup()
    late = [phone.become_green() for phone in town.phones("后来", LATER)]
    assert station.measure(early[0].code()["token"], 38.0).json["color"] == "YELLOW"  # type: ignore[index]
    before = town.serials()

    start = time.monotonic()
    done = installation.restore(dump)
    while early[0].log_in_with_wechat().status_code != 200:
        time.sleep(0.05)
    seconds = time.monotonic() - start

    with capsys.disabled():
        click.echo(f"\nThe drill of a restore, {seconds:.1f} seconds until the first log-in:\n{done.output}")
    assert seconds < 60
    assert early[0].color() == "GREEN", "the temperature is lost, and the output says so"
    assert accepted([*early[1:], *late]) == 0
    assert station.check(early[0].code()["token"]).status_code == 401
    lost = dict(line.strip().split(": ") for line in done.output.splitlines() if line.startswith("  "))
    assert lost["registered"] == str(LATER)
    assert lost["evidence-recorded"] == str(2 * LATER + 1)
    assert [phone.register().status_code for phone in town.phones("新来", LATER)] == [201] * LATER
    assert len(town.serials() - before) == LATER
    assert town.serials() & before == {1, 2, 3}
    assert kept(installation) == [len(before)], "what was lost can be read"


@contextmanager
def worker_of(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process that is doing jobs."""
    config = write_config(installation.settings, installation.directory / "worker.toml")
    environment = {**os.environ, "JIXIANG_CONFIG": str(config)}
    process = subprocess.Popen([sys.executable, "-m", "app", "worker"], env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for_worker(installation)
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_for_worker(installation: Installation) -> None:
    workers = text("select count(*) from procrastinate_workers where last_heartbeat > now() - interval '30 seconds'")
    with installation.look(installation.url) as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        wait_until(lambda: connection.scalar(workers), "no worker lives")


@pytest.mark.slow
def test_a_worker_that_runs_meanwhile_goes_on_by_itself(installation: Installation, town: Town) -> None:
    phone = town.phones("示例", 1)[0].become_green()
    with worker_of(installation) as worker:
        installation.restore(installation.backup())
        wait_for_worker(installation)
        phone.log_in_with_wechat()
        assert town.station().measure(phone.code()["token"], 38.0).json["color"] == "YELLOW"  # type: ignore[index]
        waiting = text("select count(*) from notices where delivery = 'waiting'")
        with installation.look(installation.url) as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            wait_until(lambda: connection.scalar(waiting) == 0, "nobody delivers the notice")
        assert worker.poll() is None


def kept(installation: Installation) -> list[int]:
    """The codes in each database that was replaced."""
    url = make_url(installation.url)
    found: list[int] = []
    with installation.look(installation.url) as connection:
        query = text("select datname from pg_database where starts_with(datname, :name)")
        names = connection.scalars(query, {"name": f"{url.database}_replaced_"}).all()
    for name in names:
        moved = url.set(database=name).render_as_string(hide_password=False)
        with installation.look(moved) as connection:
            found.append(connection.scalar(text("select count(*) from codes")) or 0)
    return found

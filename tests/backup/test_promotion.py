"""A standby that missed the last second is promoted: nobody is taken for another, and the rest goes on at once."""

import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from app.migrations.runner import migrate
from app.worker.app import make_worker_app
from tests.support.installations import Installation, Town, accepted, reset_sandboxes
from tests.support.settings import make_settings
from tests.support.standby import Pair, primary_and_standby
from tests.support.valkey import BreakableValkey
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with primary_and_standby() as made:
        yield made


@pytest.fixture
def town(pair: Pair, tmp_path: Path, wechat_url: str, platform_url: str) -> Iterator[Town]:
    reset_sandboxes(wechat_url, platform_url)
    migrate(pair.url)
    valkey = BreakableValkey(tmp_path / "valkey")
    settings = make_settings(tmp_path, database=pair.both(), redis=valkey.url, wechat=wechat_url, platform=platform_url)
    installation = Installation(tmp_path, settings, valkey)
    services = installation.start(leasing=True)
    yield Town(services, wechat_url)
    services.close()
    valkey.crash()


def test_a_promoted_standby_that_missed_the_last_second_gives_nothing_twice(
    pair: Pair, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    first = town.phones("从前", 1)[0]
    first.register()
    pair.caught_up()
    assert pair.on_standby("select is_known_database()") is True, "a standby that follows is the database it follows"
    pair.cut()
    lost = [phone.become_green() for phone in town.phones("后来", 12)]
    given, tokens = town.serials(), [phone.code()["token"] for phone in lost]
    first.declare()
    assert first.color() == "GREEN"
    session = first.session

    pair.lose_primary()
    pair.promote()
    start = time.monotonic()
    while first.log_in_with_wechat().status_code != 200:
        assert time.monotonic() < start + PATIENCE, "the processes go on by themselves"
        time.sleep(0.05)
    seconds = time.monotonic() - start

    assert first.get("/api/v1/code").status_code == 404, "what the lost second wrote to the cache is not believed"
    assert first.session != session
    first.session = session
    assert accepted([first, *lost]) == 0
    newcomers = town.phones("新来", 12)
    assert [phone.register().status_code for phone in newcomers] == [201] * 12
    assert not (town.serials() & given) - {1}, "no serial is given again"
    station = town.station()
    assert [token for token in tokens if station.check(token).json.get("action") == "pass"] == []  # type: ignore[union-attr]
    assert seconds < 30
    with capsys.disabled():
        click.echo(f"\nAfter the promotion changes worked in {seconds:.2f} s")
    with make_worker_app(town.services).open() as worker:
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)

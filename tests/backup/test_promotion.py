"""A standby that missed the last second is promoted: nobody is taken for another, and the rest goes on at once."""

import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from app import create_app
from app.migrations.runner import migrate
from app.runtime import make_services
from app.worker.app import make_worker_app
from tests.support.clock import StandingClock
from tests.support.installations import Installation, Town, accepted, reset_sandboxes
from tests.support.settings import make_settings
from tests.support.standby import Pair, address_of, primary_and_standby
from tests.support.valkey import BreakableValkey
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with primary_and_standby() as made:
        yield made


@pytest.fixture(scope="module")
def town(pair: Pair, tmp_path_factory: pytest.TempPathFactory, wechat_url: str, platform_url: str) -> Iterator[Town]:
    reset_sandboxes(wechat_url, platform_url)
    migrate(pair.url)
    tmp_path = tmp_path_factory.mktemp("town")
    valkey = BreakableValkey(tmp_path / "valkey")
    settings = make_settings(tmp_path, database=pair.both(), redis=valkey.url, wechat=wechat_url, platform=platform_url)
    installation = Installation(tmp_path, settings, valkey)
    services = installation.start(leasing=True)
    yield Town(services, wechat_url)
    services.close()
    valkey.crash()


def test_a_process_that_is_sent_to_a_standby_is_not_ready_and_says_so(pair: Pair, town: Town, tmp_path: Path) -> None:
    town.phones("备库", 1)[0].register()
    pair.caught_up()
    database = town.services.settings.database.model_copy(update={"url": address_of(pair.url, pair.standby)})
    settings = town.services.settings.model_copy(update={"database": database})
    services = make_services(settings, StandingClock())
    try:
        ready = create_app(services).test_client().get("/readyz")
    finally:
        services.close()
    assert ready.status_code == 503
    assert ready.json["parts"]["database"] == "takes no writes: name the primary, or promote this one"  # type: ignore[index]
    checked = Installation(tmp_path, settings, None).run("config", "check")  # type: ignore[arg-type]
    assert checked.exit_code == 1 and "takes no writes" in checked.stderr


def test_a_promoted_standby_that_missed_the_last_second_gives_nothing_twice(
    pair: Pair, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    first = town.phones("从前", 1)[0]
    first.register()
    kept = town.serials()
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
    assert not (town.serials() & given) - kept, "no serial is given again"
    station = town.station()
    assert [token for token in tokens if station.check(token).json.get("action") == "pass"] == []  # type: ignore[union-attr]
    assert seconds < 30
    with capsys.disabled():
        click.echo(f"\nAfter the promotion changes worked in {seconds:.2f} s")
    with make_worker_app(town.services).open() as worker:
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)

"""A database is recovered to a moment from its archived log: what came later is lost, and nothing is given twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.migrations.runner import migrate
from tests.support.archive import Archived, archiving
from tests.support.erasing import erase, has_account
from tests.support.installations import Installation, Town, accepted, reset_sandboxes
from tests.support.settings import make_settings
from tests.support.valkey import BreakableValkey
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[Archived]:
    with archiving() as made:
        yield made


@pytest.fixture
def installation(server: Archived, tmp_path: Path, wechat_url: str, platform_url: str) -> Iterator[Installation]:
    reset_sandboxes(wechat_url, platform_url)
    migrate(server.url)
    valkey = BreakableValkey(tmp_path / "valkey")
    settings = make_settings(
        tmp_path, database=server.both(), redis=valkey.url, wechat=wechat_url, platform=platform_url
    )
    made = Installation(tmp_path, settings, valkey)
    yield made
    for services in made.running:
        services.close()
    valkey.crash()


def test_after_a_recovery_to_a_moment_nothing_is_given_twice_and_who_left_stays_away(
    server: Archived, installation: Installation, wechat_url: str
) -> None:
    town = Town(installation.start(leasing=True), wechat_url)
    server.back_up()
    stays, leaves = (phone.become_green() for phone in town.phones("从前", 2))
    kept, moment = town.serials(), server.moment()
    lost = [phone.become_green() for phone in town.phones("后来", 12)]
    given, tokens = town.serials(), [phone.code()["token"] for phone in lost]
    erase(leaves)
    erasures = installation.directory / "erasures"
    assert installation.run("erasures", "save", str(erasures)).exit_code == 0
    server.archive_all()

    server.lose()
    server.recover(moment)
    wait_until(lambda: stays.log_in_with_wechat().status_code == 200, "the processes do not go on by themselves")

    assert stays.color() == "GREEN", "of before the moment"
    assert accepted(lost) == 0
    repeated = installation.run("erasures", "repeat", str(erasures))
    assert repeated.exit_code == 0 and "1 of 1 erasures were repeated" in repeated.output
    assert not has_account(leaves)
    newcomers = town.phones("新来", 12)
    assert [phone.register().status_code for phone in newcomers] == [201] * 12
    assert not (town.serials() & given) - kept, "no serial is given again"
    station = town.station()
    assert [token for token in tokens if station.check(token).json.get("action") == "pass"] == []  # type: ignore[union-attr]

"""The event loop asks the masters of a cluster: which one has what, and what becomes of a request when one is lost."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from redis.crc import key_slot

from app import create_app
from app.runtime import Services
from app.stations import rollup
from devstack.cluster import Cluster
from tests.support.clock import StandingClock
from tests.support.codes import fever, lease_for_long, tell
from tests.support.people import Phone, Station
from tests.support.rsgi import end, noted_rest, put_before
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


class Ground(NamedTuple):
    """A green citizen and an inspector before the fast path, and the paths of what it has passed to Flask."""

    host: Services
    citizen: Phone
    station: Station
    passed: list[str]
    serial: int

    def ask(self) -> tuple[str, str]:
        """The color on the phone, and what a check of the code says."""
        shown = self.citizen.code()
        return shown["state"], self.station.check(shown["token"]).json["action"]  # type: ignore[index]

    def passes(self) -> bool:
        """Whether one of the two requests goes to Flask."""
        self.passed.clear()
        self.ask()
        return bool(self.passed)


@pytest.fixture
def ground(host: Services, phone: Callable[..., Phone], station: Station) -> Iterator[Ground]:
    app = create_app(host)
    server = put_before(app, host)
    citizen = phone()
    citizen.client = app.test_client()
    citizen.become_green()
    host.lease.start()
    serial = host.session_tokens.read(str(citizen.session), host.clock.now()).serial
    with noted_rest(server) as passed:
        made = Ground(host, citizen, Station(citizen.client, station.session), passed, serial)
        made.ask()  # of the database, for the cache is empty
        yield made
    host.lease.stop()
    end(server)


def test_the_event_loop_answers_from_several_masters_and_counts_a_token_once(
    ground: Ground, clock: StandingClock
) -> None:
    lease_for_long(ground.host)
    wait_until(lambda: not ground.passes())
    before = rollup.day_counts(ground.host, 1, clock.now())["pass"]
    token = ground.citizen.code()["token"]
    ground.passed.clear()
    assert [ground.station.check(token).json["action"] for _ in range(3)] == ["pass"] * 3  # type: ignore[index]
    assert ground.passed == []
    assert rollup.day_counts(ground.host, 1, clock.now())["pass"] == before + 1


@pytest.mark.parametrize("moved", [True, False])
def test_no_answer_is_wrong_while_a_master_changes_and_the_event_loop_answers_again(
    ground: Ground, cluster: Cluster, moved: bool
) -> None:
    wait_until(lambda: not ground.passes())
    slot = key_slot(ground.host.cache.parts.of_serial(ground.serial).lease_key.encode())
    if moved:
        cluster.move(slot)
    else:
        next(node for node in cluster.masters() if node.has(slot)).kill()
    assert ground.ask() == ("GREEN", "pass")
    wait_until(lambda: not ground.passes())
    tell(ground.host, ground.serial, fever(ground.host.clock.now()))
    assert ground.ask() == ("YELLOW", "measure")

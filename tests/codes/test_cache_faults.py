"""The cache never says better than the database, whatever happens to Redis: its answer is not believed, or is right."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from redis import RedisError, ResponseError

from app import create_app
from app.codes.cache.records import make_record
from app.codes.states import State
from app.core.redis_client import connect
from app.runtime import Services
from app.worker.cache import keep_cache
from tests.support.codes import code, contact, fever, open_code, open_green_code, state, tell, with_redis, without_redis
from tests.support.examples import examples
from tests.support.people import Phone, Station
from tests.support.valkey import BreakableValkey

pytestmark = pytest.mark.slow


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[BreakableValkey]:
    server = BreakableValkey(tmp_path / "valkey")
    yield server
    server.crash()


@pytest.fixture
def standby(tmp_path: Path, valkey: BreakableValkey) -> Iterator[BreakableValkey]:
    server = BreakableValkey(tmp_path / "standby")
    server.follow(valkey)
    yield server
    server.crash()


@pytest.fixture
def host(services: Services, valkey: BreakableValkey) -> Services:
    """A machine whose Redis can be broken."""
    return host_of(services, valkey)


def host_of(services: Services, valkey: BreakableValkey) -> Services:
    return with_redis(services, connect(valkey.url, 0.5))


class Ground:
    """A green citizen and an inspector, at a machine."""

    def __init__(self, services: Services, phone: Callable[..., Phone], station: Station) -> None:
        self.citizen, self.station = phone().become_green(), station
        self.go_to(services)

    def go_to(self, services: Services) -> None:
        self.services = services
        self.citizen.client = self.station.client = create_app(services).test_client()

    def answers(self) -> tuple[str, str]:
        """The color on the phone and what a check of the code says."""
        shown = self.citizen.code()
        return shown["state"], self.station.check(shown["token"]).json["action"]  # type: ignore[index]


@pytest.fixture
def ground(host: Services, phone: Callable[..., Phone], station: Station) -> Ground:
    made = Ground(host, phone, station)
    assert made.answers() == ("GREEN", "pass")
    host.lease.renew()
    assert made.answers() == ("GREEN", "pass")
    return made


def measure_a_fever(ground: Ground) -> None:
    answer = ground.station.measure(ground.citizen.code()["token"], 37.8)
    assert (answer.status_code, answer.json["color"]) == (200, "YELLOW"), answer.json  # type: ignore[index]


def try_to_renew(services: Services) -> None:
    with suppress(RedisError):
        services.lease.renew()


# --- each fault ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [BreakableValkey.become_read_only, BreakableValkey.become_full])
def test_a_redis_that_takes_no_writes_is_not_believed(
    ground: Ground, valkey: BreakableValkey, fault: Callable[[BreakableValkey], None]
) -> None:
    fault(valkey)
    measure_a_fever(ground)
    assert ground.answers() == ("YELLOW", "measure")
    try_to_renew(ground.services)
    assert ground.answers() == ("YELLOW", "measure"), "nobody leases what takes no writes"
    assert not is_held(ground.services)
    valkey.be_promoted()
    valkey.have_room()
    ground.services.lease.renew()
    assert ground.answers() == ("YELLOW", "measure")
    assert ground.services.cache.get(1).state == State.YELLOW, "repaired with the renewal"


def is_held(services: Services) -> bool:
    with suppress(RedisError):
        return services.lease.is_held()
    return False


def test_a_promoted_standby_that_missed_the_last_write_is_not_believed(
    ground: Ground, services: Services, standby: BreakableValkey
) -> None:
    with_redis(services, ground.services.redis, lease_seconds=30)
    standby.have_seen("jx:cache:lease")
    standby.become_read_only()  # the link breaks here
    measure_a_fever(ground)
    standby.be_promoted()
    assert standby.admin.get("jx:cache:lease") is not None, "the lease came with the data"
    elsewhere = replace_redis(services, standby)
    ground.go_to(elsewhere)
    assert ground.answers() == ("YELLOW", "measure")
    elsewhere.lease.renew()
    assert ground.answers() == ("YELLOW", "measure")
    assert ground.services.cache.get(1).state == State.YELLOW, "read from the database, and written"


def replace_redis(services: Services, valkey: BreakableValkey) -> Services:
    """A machine that comes to another Redis, before anybody has renewed a lease there."""
    return with_redis(services, connect(valkey.url, 0.5), leased=False)


def test_a_change_that_another_redis_than_the_leased_one_was_told_is_read_in_both(
    ground: Ground, services: Services, standby: BreakableValkey
) -> None:
    standby.have_seen("jx:cache:generation")
    standby.be_promoted()  # while the one before works on, as in a network that is cut in two
    ground.services.lease.renew()
    tell(replace_redis(services, standby), 1, contact(services.clock.now()))
    assert ground.answers() == ("ORANGE", "stop"), "the lease has ended before the change was told"


def test_a_redis_that_came_back_with_an_older_snapshot_is_not_believed(ground: Ground, valkey: BreakableValkey) -> None:
    valkey.admin.save()
    measure_a_fever(ground)
    valkey.crash()
    valkey.start()
    assert ground.answers() == ("YELLOW", "measure")
    try_to_renew(ground.services)  # the circuit may still be open
    assert ground.answers() == ("YELLOW", "measure")


def test_a_redis_that_went_back_in_time_without_a_restart_is_not_believed(
    ground: Ground, valkey: BreakableValkey
) -> None:
    older = valkey.memory()
    measure_a_fever(ground)
    ground.services.lease.renew()
    valkey.remember(older)  # as a virtual machine does that goes on from an older image
    ground.services.lease.renew()
    assert ground.answers() == ("YELLOW", "measure")


def test_a_database_that_went_back_ends_every_session_and_gives_no_number_again(
    ground: Ground, services: Services, phone: Callable[..., Phone]
) -> None:
    beat = int(ground.services.redis.get("jx:cache:beat") or 0)  # type: ignore[arg-type]
    ground.services.redis.set("jx:cache:beat", beat + 100)  # the database was ahead by so much
    ground.services.lease.renew()
    assert ground.citizen.get("/api/v1/code").status_code == 401
    assert ground.station.post("/api/v1/checks", {"token": "JX1:"}).status_code == 401
    assert open_code(services) > 100_000_000


def test_a_redis_that_does_not_say_which_run_it_is_is_not_believed(
    ground: Ground, services: Services, valkey: BreakableValkey
) -> None:
    valkey.admin.execute_command("ACL", "SETUSER", "silent", "on", "nopass", "~*", "&*", "+@all", "-info")  # type: ignore[no-untyped-call]
    url = valkey.url.replace("redis://", "redis://silent:any@")
    ground.go_to(with_redis(services, connect(url, 0.5), leased=False))
    with pytest.raises(ResponseError, match="INFO"):
        ground.services.lease.renew()
    assert ground.answers() == ("GREEN", "pass"), "from the database"
    ready = ground.citizen.client.get("/readyz")
    assert ready.json["parts"]["cache"] == "not leased: colors are read from the database"  # type: ignore[index]


def test_a_log_out_that_redis_was_not_told_ends_the_session_all_the_same(
    ground: Ground, valkey: BreakableValkey
) -> None:
    valkey.become_full()
    assert ground.station.post("/api/v1/stations/logout", {}).status_code == 204
    assert ground.station.check(ground.citizen.code()["token"]).status_code == 401
    assert ground.citizen.post("/api/v1/accounts/logout", {}).status_code == 204
    assert ground.citizen.get("/api/v1/code").status_code == 401


def test_what_one_machine_could_not_tell_redis_nobody_else_believes(services: Services, host: Services) -> None:
    serial = open_green_code(host)
    host.lease.renew()
    tell(without_redis(services), serial, contact(services.clock.now()))
    assert host.current_code(serial).record.state == State.ORANGE, "the lease has ended before the change was told"
    host.lease.renew()
    assert host.cache.get(serial).state == State.ORANGE


def test_a_change_that_is_not_committed_is_read_from_the_cache_again_a_minute_later(
    services: Services, valkey: BreakableValkey, host: Services
) -> None:
    serial = open_green_code(host)
    host.cache.mark({serial: code(host, serial).version})
    host.lease.renew()
    assert host.current_code(serial).record.state == State.GREEN
    assert host.cache.get(serial).state == State.EMPTY, "the change may still be committed"
    age_mark(valkey, serial)
    assert host.current_code(serial).record.state == State.GREEN
    assert host.cache.get(serial) == make_record(code(host, serial), host.policy.rules)


def age_mark(valkey: BreakableValkey, serial: int) -> None:
    """Let the mark of a record be older than any transaction."""
    valkey.admin.setrange("jx:codes:0", serial * 16 + 8, (1).to_bytes(4, "big"))  # type: ignore[arg-type]


def test_a_cache_that_was_emptied_is_filled_and_kept_by_the_worker(services: Services, host: Services) -> None:
    serial = open_green_code(host)
    host.redis.flushdb()
    host.lease.renew()
    assert host.cache.get(serial).state == State.EMPTY
    keep_cache(host)
    assert host.cache.get(serial).state == State.GREEN
    host.cache.forget([serial])
    host.cache.put([(serial, make_record(code(host, serial), host.policy.rules)._replace(state=State.RED))])
    keep_cache(host)
    assert host.cache.get(serial).state == State.GREEN, "what differs is repaired"


# --- the order of evidence ----------------------------------------------------------------------------------------


def test_the_machine_whose_clock_is_behind_is_not_answered_by_what_was_measured_before(
    services: Services, green_citizen: Phone, station: Station
) -> None:
    citizen = green_citizen
    services.clock.advance(seconds=5)  # type: ignore[attr-defined]
    assert station.measure(citizen.code()["token"], 36.5).json["color"] == "GREEN"  # type: ignore[index]
    services.clock.advance(seconds=-5)  # type: ignore[attr-defined]
    answer = station.measure(citizen.code()["token"], 37.8)
    assert answer.json["color"] == "YELLOW"  # type: ignore[index]
    assert citizen.color() == "YELLOW"


# --- any order ----------------------------------------------------------------------------------------------------


class AnyOrder(RuleBasedStateMachine):
    """Changes, failures, restarts and repairs in any order, at two machines of which one may be cut off."""

    made: Services
    valkey: BreakableValkey

    @initialize()
    def begin(self) -> None:
        self.valkey.be_promoted()
        self.valkey.have_room()
        self.hosts = [host_of(self.made, self.valkey) for _ in range(2)]
        self.serial = open_green_code(self.hosts[0])

    @rule(number=st.sampled_from([0, 1]), celsius=st.sampled_from(["36.5", "38.0"]), cut_off=st.booleans())
    def measured(self, number: int, celsius: str, cut_off: bool) -> None:
        host = without_redis(self.hosts[number]) if cut_off else self.hosts[number]
        tell(host, self.serial, fever(host.clock.now(), celsius))

    @rule(number=st.sampled_from([0, 1]))
    def renewed(self, number: int) -> None:
        try_to_renew(self.hosts[number])

    @rule()
    def kept(self) -> None:
        keep_cache(self.hosts[0])

    @rule()
    def full(self) -> None:
        self.valkey.become_full()

    @rule()
    def roomy(self) -> None:
        self.valkey.have_room()

    @rule()
    def read_only(self) -> None:
        self.valkey.become_read_only()

    @rule()
    def promoted(self) -> None:
        self.valkey.be_promoted()

    @rule()
    def saved(self) -> None:
        with suppress(RedisError):
            self.valkey.admin.save()

    @rule()
    def crashed(self) -> None:
        self.valkey.crash()
        self.valkey.start()

    @rule()
    def emptied(self) -> None:
        with suppress(RedisError):
            self.valkey.admin.flushall()

    @invariant()
    def nobody_reads_better_than_the_last_change(self) -> None:
        decided = state(self.made, self.serial)
        for host in self.hosts:
            assert host.current_code(self.serial).record.state == decided


@contextmanager
def broken_at_will(services: Services, directory: Path) -> Iterator[type[AnyOrder]]:
    server = BreakableValkey(directory)
    yield type("AnyOrderHere", (AnyOrder,), {"made": services, "valkey": server})
    server.crash()


def test_in_any_order_of_change_failure_restart_and_repair_nothing_better_is_read(
    services: Services, tmp_path: Path
) -> None:
    with broken_at_will(services, tmp_path / "any-order") as machine:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine,
            settings=settings(
                max_examples=examples(12),
                stateful_step_count=12,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

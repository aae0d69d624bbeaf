"""A cluster that lacks a node, or is not as it was: nobody reads better than the database, and it heals by itself."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from redis import RedisError
from redis.crc import key_slot

from app import create_app
from app.codes.states import State
from app.core.errors import Problem
from app.core.redis_client import ClusterRedis
from app.runtime import Services
from devstack.cluster import Cluster, ClusterNode
from tests.support.codes import fever, open_green_code, tell, with_redis, without_database
from tests.support.valkey import BreakableValkey
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def serial(host: Services) -> int:
    serial = open_green_code(host)
    host.lease.renew()
    assert host.current_code(serial).record.state == State.GREEN
    return serial


def owner(host: Services, cluster: Cluster, serial: int) -> ClusterNode:
    """The master that has the record of a code."""
    slot = key_slot(host.cache.parts.of_serial(serial).lease_key.encode())
    return next(node for node in cluster.masters() if node.has(slot))


@pytest.fixture
def other(host: Services, cluster: Cluster, connected: Callable[[str], ClusterRedis]) -> Services:
    """Another machine, with connections of its own."""
    return with_redis(host, connected(cluster.url), leased=False)


def is_right_everywhere(hosts: list[Services], serial: int, state: State) -> bool:
    return [each.current_code(serial).record.state for each in hosts] == [state] * len(hosts)


def heals(holds: Callable[[], bool]) -> None:
    """Wait until something holds; meanwhile a question may be refused."""

    def tried() -> bool:
        with suppress(RedisError, Problem):
            return holds()
        return False

    wait_until(tried)


def reads_alone(host: Services, serial: int, state: State) -> bool:
    """Whether the cluster gives a color without the database."""
    host.lease.renew(if_due=True)
    host.current_code(serial)  # fills what was emptied
    code = without_database(host).current_code(serial)
    return code.record.state == state and not code.stale


# --- each fault -----------------------------------------------------------------------------------------------------


def killed(cluster: Cluster, node: ClusterNode) -> None:
    node.kill()


def paused(cluster: Cluster, node: ClusterNode) -> None:
    node.pause()


def full(cluster: Cluster, node: ClusterNode) -> None:
    node.admin.config_set("maxmemory", "1")


def emptied(cluster: Cluster, node: ClusterNode) -> None:
    node.admin.flushall()


def handed_over(cluster: Cluster, node: ClusterNode) -> None:
    id_ = node.order("CLUSTER MYID")
    replica = next(one for one in cluster.nodes if one.order("CLUSTER NODES").find(b"myself,slave " + id_) > 0)
    replica.order("CLUSTER FAILOVER")


@pytest.mark.parametrize("fault", [killed, paused, full, emptied])
def test_a_change_during_a_fault_is_seen_by_every_machine_and_the_cluster_serves_again(
    host: Services, other: Services, cluster: Cluster, serial: int, fault: Callable[[Cluster, ClusterNode], None]
) -> None:
    hosts = [host, other]
    node = owner(host, cluster, serial)
    fault(cluster, node)
    tell(host, serial, fever(host.clock.now()))
    assert is_right_everywhere(hosts, serial, State.YELLOW)
    node.go_on()
    assert is_right_everywhere(hosts, serial, State.YELLOW)
    if node.is_alive():
        node.admin.config_set("maxmemory", "0")
    heals(lambda: all(reads_alone(each, serial, State.YELLOW) for each in hosts))


def test_a_script_that_a_living_master_does_not_know_yet_runs_there_while_another_one_is_lost(
    client_of_cluster: ClusterRedis, cluster: Cluster
) -> None:
    lost, living, *_ = cluster.masters()
    living.order("SCRIPT FLUSH")
    key = next(key for key in map(str, range(1000)) if living.has(key_slot(key.encode())))
    script = client_of_cluster.register_script("return redis.call('INCR', KEYS[1])")
    lost.kill()
    assert script(keys=[key]) == 1


def test_a_slot_that_moves_is_followed_and_its_colors_are_read_anew(
    host: Services, other: Services, cluster: Cluster, serial: int
) -> None:
    hosts = [host, other]
    cluster.move(key_slot(host.cache.parts.of_serial(serial).lease_key.encode()))
    tell(host, serial, fever(host.clock.now()))
    assert is_right_everywhere(hosts, serial, State.YELLOW)
    heals(lambda: all(reads_alone(each, serial, State.YELLOW) for each in hosts))


def test_a_former_master_that_some_still_read_from_does_not_keep_the_color_of_before(
    host: Services, other: Services, cluster: Cluster, serial: int
) -> None:
    """The replica took over, and this machine still reads from the old master, whose lease has not ended."""
    assert other.current_code(serial).record.state == State.GREEN
    node = owner(host, cluster, serial)
    host.lease.renew()
    node.pause()
    heals(lambda: len([one for one in cluster.nodes if one is not node and one.is_master()]) == 3)
    tell(host, serial, fever(host.clock.now()))
    node.go_on()
    assert other.current_code(serial).record.state == State.YELLOW


# --- what operators read --------------------------------------------------------------------------------------------


def parts(host: Services) -> tuple[int, dict[str, str]]:
    answer = create_app(host).test_client().get("/readyz")
    return answer.status_code, answer.json["parts"]  # type: ignore[index]


def test_readiness_names_the_master_that_is_missing_and_the_process_stays_in_service(
    host: Services, cluster: Cluster
) -> None:
    node = cluster.masters()[0]
    node.pause()
    status, told = parts(host)
    assert status == 200
    assert told["redis"] == f"usable, but 127.0.0.1:{node.port} is out of reach"
    node.go_on()


def test_readiness_names_the_master_that_takes_no_writes(host: Services, cluster: Cluster) -> None:
    node = cluster.masters()[0]
    full(cluster, node)
    status, told = parts(host)
    assert status == 200
    assert told["redis"].startswith(f"usable, but 127.0.0.1:{node.port} takes no writes")
    for other in cluster.masters():
        full(cluster, other)
    assert parts(host)[0] == 503


def test_an_address_that_is_not_of_a_cluster_and_a_user_with_too_few_rights_are_named(
    host: Services, cluster: Cluster, connected: Callable[[str], ClusterRedis], tmp_path: Path
) -> None:
    single = BreakableValkey(tmp_path / "valkey")
    assert "no node of a Redis Cluster" in redis_at(host, connected(f"redis+cluster://127.0.0.1:{single.port}"))
    single.crash()
    for node in cluster.nodes:
        node.order("ACL", "SETUSER", "app", "on", ">pw", "~jx:*", "+@all", "-command")
    assert "does not let this user ask COMMAND" in redis_at(host, connected(cluster.url.replace("://", "://app:pw@")))


def redis_at(host: Services, client: ClusterRedis) -> str:
    status, told = parts(with_redis(host, client, leased=False))
    assert status == 503
    return told["redis"]


def test_a_cluster_that_is_away_keeps_no_process_from_starting(
    host: Services, connected: Callable[[str], ClusterRedis]
) -> None:
    away = connected("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    serial = open_green_code(host)
    alone = with_redis(host, away, leased=False)
    assert alone.current_code(serial).record.state == State.GREEN
    status, told = parts(alone)
    assert (status, told["redis"], told["cache"]) == (503, "out of reach", "out of reach")

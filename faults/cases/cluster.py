"""Faults of a Valkey Cluster: a master dies, stands still, is full or emptied, hands over, or gives slots away."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.crc import key_slot

from app.codes.cache.parts import PARTS_OF_CLUSTER
from devstack.cluster import Cluster, ClusterNode, start_cluster
from faults.calling import call, wait_until
from faults.rounds import Case, Stuck
from faults.system import System

_SECONDS = 30
_SLOTS_MOVED = 6


@contextmanager
def in_cluster(system: System) -> Iterator[None]:
    """Every process keeps in a cluster what it would keep in one Redis."""
    with start_cluster(system.place.directory / "cluster") as cluster:
        system.cluster = cluster
        with system.reconfigured(redis=cluster.url):
            yield


def is_leased(system: System) -> bool:
    """Return whether every host reads every color from the cluster again."""
    answers = [call("GET", f"{host}/readyz") for host in system.hosts]
    return all(answer.status == 200 and answer.body["parts"]["cache"] == "ok" for answer in answers)


def _whole(system: System) -> Cluster:
    """Return the cluster when every node lives; those that died come back as replicas. Raises StartError."""
    cluster = system.cluster
    if cluster is None:
        raise RuntimeError("no cluster runs")
    cluster.mend()
    return cluster


def _master(system: System, number: int) -> tuple[Cluster, ClusterNode]:
    cluster = _whole(system)
    masters = cluster.masters()
    return cluster, masters[number % len(masters)]


@contextmanager
def master_killed(system: System, number: int) -> Iterator[None]:
    """A master is gone; its replica takes over while people act."""
    _, master = _master(system, number)
    master.kill()
    yield


@contextmanager
def master_paused(system: System, number: int) -> Iterator[None]:
    """A master stands still until its replica has taken over, and goes on while others still know it as a master."""
    cluster, master = _master(system, number)
    masters = len(cluster.masters())
    master.pause()
    try:
        yield
        if not wait_until(lambda: len(cluster.masters_but(master)) == masters, _SECONDS):
            raise Stuck("no replica has taken over")
    finally:
        master.go_on()


@contextmanager
def handed_over(system: System, number: int) -> Iterator[None]:
    """A replica takes over as it was told to; its master becomes a replica, and says MOVED."""
    cluster, _ = _master(system, number)
    replicas = [node for node in cluster.nodes if not node.is_master()]
    replica = replicas[number % len(replicas)]
    replica.order("CLUSTER FAILOVER")
    yield
    if not wait_until(replica.is_master, _SECONDS):
        raise Stuck("the replica does not take over")


@contextmanager
def master_full(system: System, number: int) -> Iterator[None]:
    """No write fits into the memory of a master."""
    _, master = _master(system, number)
    master.admin.config_set("maxmemory", "1")
    try:
        yield
    finally:
        master.admin.config_set("maxmemory", "0")


@contextmanager
def master_emptied(system: System, number: int) -> Iterator[None]:
    """Everything is deleted on a master, before people act and after it."""
    _, master = _master(system, number)
    master.admin.flushall()
    yield
    master.admin.flushall()


@contextmanager
def slots_moved(system: System, number: int) -> Iterator[None]:
    """Slots with parts of the cache move to another master, half of them before people act."""
    cluster = _whole(system)
    slots = [key_slot(part.lease_key.encode()) for part in PARTS_OF_CLUSTER]
    first = number * _SLOTS_MOVED % len(slots)
    chosen = (slots + slots)[first : first + _SLOTS_MOVED]
    for slot in chosen[::2]:
        cluster.move(slot)
    yield
    for slot in chosen[1::2]:
        cluster.move(slot)


CASES = tuple(
    Case(f"cluster-{name}", cause, is_harmless=True, own_system=True, setting=in_cluster, heals=is_leased)
    for name, cause in {
        "master-killed": master_killed,
        "master-paused": master_paused,
        "handed-over": handed_over,
        "master-full": master_full,
        "master-emptied": master_emptied,
        "slots-moved": slots_moved,
    }.items()
)

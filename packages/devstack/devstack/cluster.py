"""A Valkey Cluster on this machine, from the wheel: three masters with a replica each, for developers and the tests."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.errors import StartError
from devstack.directories import made, refusals_told
from devstack.layout import find_free_ports
from devstack.valkey import valkey_binary

MASTERS = 3
_SLOTS = 16_384
_SECONDS = 60  # for what takes two on a machine that has nothing else to do
_BUS = 10_000  # above the port of a node: where the nodes talk to each other
_OPTIONS = {
    "bind": "127.0.0.1",
    "save": "",
    "loglevel": "notice",
    "cluster-enabled": "yes",
    "cluster-node-timeout": "1000",  # a replica takes over after about two seconds
    "cluster-require-full-coverage": "no",  # while a master is gone, the others answer
    "repl-diskless-sync-delay": "0",
}


class ClusterNode:
    """A node, with its data in a directory."""

    def __init__(self, directory: Path, port: int) -> None:
        self._directory, self.port = made(directory), port
        self.admin = Redis(port=port, socket_timeout=2, retry=Retry(NoBackoff(), 0))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, as a member of the cluster that it was a member of."""
        options = {**_OPTIONS, "port": str(self.port), "dir": str(self._directory)}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        with refusals_told(), (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen([valkey_binary(), *words], stdout=log, stderr=log, start_new_session=True)

    def wait(self) -> None:
        """Wait until it answers. Raises StartError."""
        wait_until(self.answers, f"Valkey does not start; {self._directory / 'log'} says why.")

    def order(self, *command: str | int | bytes) -> Any:
        """Have it do something. Raises RedisError."""
        return self.admin.execute_command(*command)  # type: ignore[no-untyped-call]

    def answers(self) -> bool:
        with suppress(RedisError):
            return bool(self.admin.ping())
        return False

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it at once, and with it whatever it has."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_SECONDS)
        self.admin.close()

    def pause(self) -> None:
        """Have it stand still, with its connections open."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def is_master(self) -> bool:
        """Return whether it has slots, or would have."""
        with suppress(RedisError):
            return bool(self.admin.info("replication")["role"] == "master")
        return False

    def has(self, slot: int) -> bool:
        """Return whether it is the master of a slot. Raises RedisError."""
        ranges = self.order("CLUSTER SLOTS")
        own = self.order("CLUSTER MYID")
        return any(first <= slot <= last and master[2] == own for first, last, master, *_ in ranges)

    def knows(self, nodes: int) -> bool:
        """Return whether it knows so many nodes, and every slot has a master."""
        with suppress(RedisError):
            told = self.order("CLUSTER INFO")
            known = int(told["cluster_known_nodes"]) == nodes
            return known and told["cluster_state"] == "ok" and int(told["cluster_slots_ok"]) == _SLOTS
        return False


class Cluster:
    """The nodes of a cluster, the masters first as it was formed."""

    def __init__(self, nodes: Sequence[ClusterNode]) -> None:
        self.nodes = nodes

    @property
    def url(self) -> str:
        """The address of the first nodes, by which the others are found."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:MASTERS])

    def form(self) -> None:
        """Make one cluster of the nodes. Raises StartError."""
        for node in self.nodes:
            node.wait()
        masters, replicas = self.nodes[:MASTERS], self.nodes[MASTERS:]
        for number, node in enumerate(masters):
            first, last = _SLOTS * number // MASTERS, _SLOTS * (number + 1) // MASTERS - 1
            node.order("CLUSTER ADDSLOTSRANGE", first, last)
            node.order("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            self.nodes[0].order("CLUSTER MEET", "127.0.0.1", node.port)
        wait_until(
            lambda: all(node.knows(len(self.nodes)) for node in self.nodes), "The cluster does not come together."
        )
        for master, replica in zip(masters, replicas, strict=True):
            replica.order("CLUSTER REPLICATE", master.order("CLUSTER MYID"))
        wait_until(self.is_whole, "The replicas of the cluster do not follow.")

    def mend(self) -> None:
        """Have every node live and answer; those that were killed come back as replicas. Raises StartError."""
        for node in self.nodes:
            if not node.is_alive():
                node.start()
            node.go_on()
        for node in self.nodes:
            node.wait()
            node.admin.config_set("maxmemory", "0")
        wait_until(self.is_whole, "The cluster does not become whole.")

    def is_whole(self) -> bool:
        """Return whether every node lives and knows the others, and every master has a replica with its data."""
        with suppress(RedisError):
            told = [node.admin.info("replication") for node in self.nodes]
            following = sum(one["role"] == "slave" and one["master_link_status"] == "up" for one in told)
            return following == len(self.nodes) - MASTERS and all(node.knows(len(self.nodes)) for node in self.nodes)
        return False

    def masters(self) -> list[ClusterNode]:
        """Return the nodes that are masters now."""
        return [node for node in self.nodes if node.is_alive() and node.is_master()]

    def masters_but(self, one: ClusterNode) -> list[ClusterNode]:
        """Return the other nodes that are masters now, without asking this one."""
        return [node for node in self.nodes if node is not one and node.is_master()]

    def move(self, slot: int) -> None:
        """Give a slot, with its keys, to the next master. Raises RedisError."""
        masters = self.masters()
        ids = [master.order("CLUSTER MYID").decode() for master in masters]
        giver = next(number for number, master in enumerate(masters) if master.has(slot))
        taker = (giver + 1) % len(masters)
        masters[taker].order("CLUSTER SETSLOT", slot, "IMPORTING", ids[giver])
        masters[giver].order("CLUSTER SETSLOT", slot, "MIGRATING", ids[taker])
        while keys := masters[giver].order("CLUSTER GETKEYSINSLOT", slot, 100):
            masters[giver].order("MIGRATE", "127.0.0.1", masters[taker].port, "", 0, 5000, "KEYS", *keys)
        for number in (taker, giver):
            masters[number].order("CLUSTER SETSLOT", slot, "NODE", ids[taker])


@contextmanager
def start_cluster(directory: Path, ports: Sequence[int] = ()) -> Iterator[Cluster]:
    """Start a cluster of new, empty nodes, and end it with the block. Raises StartError."""
    with ExitStack() as stack:
        nodes = []
        for port in ports or _free_ports():
            nodes.append(node := ClusterNode(directory / str(port), port))
            stack.callback(node.kill)
            node.start()
        cluster = Cluster(nodes)
        cluster.form()
        yield cluster


def wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until something is so. Raises StartError with `otherwise`."""
    end = time.monotonic() + _SECONDS
    while not holds():
        if time.monotonic() > end:
            raise StartError(otherwise)
        time.sleep(0.02)


def _free_ports() -> Sequence[int]:
    """Return ports that are free, together with those of the bus."""
    first = find_free_ports(2 * MASTERS, _BUS)
    return range(first, first + 2 * MASTERS)

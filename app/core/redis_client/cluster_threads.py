"""One connection for each thread and node of a cluster; every command goes to the master that has its key."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from redis import ConnectionError as NotConnected
from redis import RedisError, ResponseError
from redis.exceptions import MovedError

from app.core.redis_client.cluster import LOST, ClusterRedis
from app.core.redis_client.threads import Answers, Command, Key, LuaScript, ThreadConnections

Answered = TypeVar("Answered")
Commands = Sequence[Command]


class ClusterConnections:
    """One connection for each thread and node; what is asked at once is of one slot."""

    def __init__(self, cluster: ClusterRedis) -> None:
        self._cluster = cluster
        self._nodes: dict[str, ThreadConnections] = {}

    def execute(self, *command: str | int | bytes) -> Any:
        """Execute one command. Raises RedisError when its node does not answer."""
        return self.execute_all(command)[0]

    def execute_all(self, *commands: Command) -> list[Any]:
        """Execute commands on keys of one slot in one round trip. Raises RedisError."""
        return self.ask(*commands).answers

    def ask(self, *commands: Command) -> Answers:
        """Do the same; return the answers with the run id of the node that gave them. Raises RedisError."""
        return self._at(commands[0][1], lambda node: node.ask(*commands))

    def run(self, script: LuaScript, keys: Sequence[str], arguments: Sequence[str | int | bytes]) -> Any:
        """Return the result of a script on keys of one slot. Raises RedisError."""
        return self.run_identified(script, keys, arguments)[0]

    def run_identified(
        self, script: LuaScript, keys: Sequence[str], arguments: Sequence[str | int | bytes]
    ) -> tuple[Any, str]:
        """Do the same; return the result with the run id of the node that ran it. Raises RedisError."""
        return self._at(keys[0], lambda node: node.run_identified(script, keys, arguments))

    def ask_each(self, batches: Mapping[Key, Commands]) -> dict[Key, Answers]:
        """Ask several batches, each on keys of one slot, with one round trip to each node.

        Leaves out what is not answered. Raises RedisError when nothing is.
        """
        failure: RedisError = NotConnected("no node has these keys")
        by_node: dict[str, list[Key]] = {}
        for key, commands in batches.items():
            try:
                by_node.setdefault(self._cluster.node_of(str(commands[0][1])).name, []).append(key)
            except RedisError as error:
                failure = error
        found: dict[Key, Answers] = {}
        for keys in by_node.values():
            try:
                found |= self._ask_node(keys, batches)
            except RedisError as error:
                failure = error
        if batches and not found:
            raise failure
        return found

    def _ask_node(self, keys: Sequence[Key], batches: Mapping[Key, Commands]) -> dict[Key, Answers]:
        """Ask the batches of one node; those that it refuses are left out."""
        commands = [command for key in keys for command in batches[key]]
        told = self._at(commands[0][1], lambda node: node.try_all(*commands))
        answers, found = iter(told.answers), {}
        for key in keys:
            own = [next(answers) for _ in batches[key]]
            refused = next((answer for answer in own if isinstance(answer, ResponseError)), None)
            if refused is None:
                found[key] = Answers(own, told.run_id)
            else:
                self._cluster.refresh(refused if isinstance(refused, MovedError) else None)
        return found

    def _at(self, key: str | bytes | int, ask: Callable[[ThreadConnections], Answered]) -> Answered:
        """Ask the node that has a key; after a MOVED the other one, for the first has done nothing."""
        try:
            return ask(self._node(key))
        except MovedError as moved:
            self._cluster.refresh(moved)
            return ask(self._node(key))
        except LOST:
            self._cluster.refresh()
            raise

    def _node(self, key: str | bytes | int) -> ThreadConnections:
        node = self._cluster.node_of(str(key))
        found = self._nodes.get(node.name)
        if found is None:
            client = self._cluster.get_redis_connection(node)
            found = self._nodes[node.name] = ThreadConnections(client, self._cluster.breaker_of(node))
        return found

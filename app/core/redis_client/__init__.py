"""Clients of Redis: of one server, or of a cluster. The address says which."""

from redis import Redis

from app.core.redis_client import single
from app.core.redis_client.cluster import ClusterRedis
from app.core.redis_client.cluster_threads import ClusterConnections
from app.core.redis_client.single import CircuitBreaker, find_run_id, make_pool
from app.core.redis_client.threads import Command, LuaScript, ThreadConnections, run_script
from app.core.redis_client.usable import USABLE, check_usable
from app.core.settings import redis_url

__all__ = [
    "USABLE",
    "AnyConnections",
    "AnyRedis",
    "CircuitBreaker",
    "ClusterRedis",
    "Command",
    "LuaScript",
    "ThreadConnections",
    "check_usable",
    "connect",
    "connections_of",
    "find_run_id",
    "is_cluster",
    "make_pool",
    "run_script",
    "servers_of",
    "together",
]

AnyRedis = Redis | ClusterRedis
AnyConnections = ThreadConnections | ClusterConnections


def connect(url: str, timeout: float, breaker: CircuitBreaker | None = None) -> AnyRedis:
    """Return a client with connections of its own, which waits at most `timeout` seconds for an answer."""
    return ClusterRedis(url, timeout) if redis_url.is_cluster(url) else single.connect(url, timeout, breaker)


def connections_of(redis: AnyRedis) -> AnyConnections:
    """Return the connections of each thread to a server, or to the nodes of a cluster."""
    return ClusterConnections(redis) if isinstance(redis, ClusterRedis) else ThreadConnections(redis)


def servers_of(redis: AnyRedis) -> list[Redis]:
    """Return a client for each server that takes writes. Raises RedisError when nobody says which they are."""
    if isinstance(redis, ClusterRedis):
        return [redis.get_redis_connection(master) for master in redis.masters()]
    return [redis]


def is_cluster(redis: AnyRedis) -> bool:
    """Return whether a client is that of a cluster."""
    return isinstance(redis, ClusterRedis)


def together(redis: AnyRedis, name: object) -> str:
    """Return a name as it is in keys that are used in one step: in braces on a cluster, so that one node has them."""
    return f"{{{name}}}" if is_cluster(redis) else str(name)

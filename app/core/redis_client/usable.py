"""Whether Redis can be used: it answers, takes writes, and is what its address says."""

from typing import Final

from redis import ConnectionError as NotConnected
from redis import Redis, RedisError
from redis.cluster import ClusterNode
from redis.exceptions import NoPermissionError

from app.core.errors import ConfigError
from app.core.redis_client.cluster import ClusterRedis, UnusableCluster
from app.core.redis_client.single import PROBE, check_server, try_to_write

USABLE: Final = "usable"  # so begins what is reported of a cluster with a master that is not
_LOST: Final = "is out of reach"
_PROBES: Final = 1000  # keys, of which one is on each master


def check_usable(redis: Redis | ClusterRedis) -> str:
    """Return "" for a Redis that can be used, or what is wrong with some masters of a cluster.

    Raises ConfigError for one that answers and cannot be used, and RedisError when none answers.
    """
    if not isinstance(redis, ClusterRedis):
        check_server(redis)
        return ""
    try:
        masters = redis.masters()
    except UnusableCluster as error:
        raise ConfigError(str(error)) from None
    wrong: dict[str, str] = {}
    for master in masters:
        try:
            _check_master(redis, master)
        except ConfigError as mistake:
            wrong[master.name] = str(mistake)
        except RedisError:
            wrong[master.name] = _LOST
    told = "; ".join(f"{name} {words}" for name, words in wrong.items())
    if len(wrong) == len(masters):
        raise NotConnected(told) if set(wrong.values()) == {_LOST} else ConfigError(told)
    return f"{USABLE}, but {told}" if wrong else ""


def _check_master(redis: ClusterRedis, master: ClusterNode) -> None:
    """Raise ConfigError for a master that takes no writes, RedisError for one that does not answer."""
    client = redis.get_redis_connection(master)
    try:
        client.info("server")
    except NoPermissionError:
        raise ConfigError(
            "does not let this user ask INFO, which says when it was started again: grant +info"
        ) from None
    keys = (f"{PROBE}:{number}" for number in range(_PROBES))
    own = next((key for key in keys if redis.node_of(key).name == master.name), None)
    if own is not None:  # a master without slots has nothing to write
        try_to_write(client, own)

"""Where rate limits are counted: in one Redis, or in a cluster through our own client.

The cluster storage of `limits` connects when it is made, so that no process could start while the cluster is away.
"""

from typing import Any

from limits.storage import RedisClusterStorage, RedisStorage, Storage

from app.core import redis_client
from app.core.redis_client import AnyRedis, ClusterRedis
from app.core.settings.redis_url import is_cluster
from app.core.settings.sections import RedisSettings

_SCHEME = "jixiang+cluster"


class ClusterStorage(RedisClusterStorage):
    """A storage in a cluster with a client that was made before.

    The option has the name that it has of one Redis: a limiter hands on those of the application before, too.
    """

    STORAGE_SCHEME = [_SCHEME]  # noqa: RUF012 - the library reads it of the class

    def __init__(self, uri: str, connection_pool: ClusterRedis, key_prefix: str = RedisStorage.PREFIX) -> None:
        self.key_prefix, self.target_server, self.storage = key_prefix, "redis", connection_pool
        self.dependency = self.dependencies[self.target_server].module
        self.initialize_storage(uri)
        Storage.__init__(self, uri)


def describe(settings: RedisSettings, redis: AnyRedis) -> tuple[str, dict[str, Any]]:
    """Return the address as `limits` spells it, and the options of its storage; on a cluster it uses this client."""
    if is_cluster(settings.url):
        own = redis if isinstance(redis, ClusterRedis) else redis_client.connect(settings.url, settings.timeout_seconds)
        return f"{_SCHEME}://", {"connection_pool": own}
    pool = redis_client.make_pool(settings.url, settings.timeout_seconds)
    uri = f"redis+{settings.url}" if settings.url.startswith("unix://") else settings.url
    return uri, {"connection_pool": pool}

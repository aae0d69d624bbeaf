"""A Valkey Cluster on this machine, and a machine of the system that keeps its colors, counts and limits there."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from app.core.redis_client import ClusterRedis, connect
from app.runtime import Services, make_wechat_client
from devstack.cluster import Cluster, start_cluster
from tests.support.codes import with_redis


@pytest.fixture(scope="package")
def formed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(formed: Cluster) -> Cluster:
    """The cluster, whole and empty, whatever the test before it has broken."""
    formed.mend()
    for master in formed.masters():
        master.admin.flushall()
    return formed


@pytest.fixture
def connected() -> Iterator[Callable[[str], ClusterRedis]]:
    """Makes clients of a cluster, which are closed at the end."""
    clients: list[ClusterRedis] = []

    def make(url: str) -> ClusterRedis:
        client = connect(url, 0.5)
        assert isinstance(client, ClusterRedis)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client_of_cluster(cluster: Cluster, connected: Callable[[str], ClusterRedis]) -> ClusterRedis:
    return connected(cluster.url)


@pytest.fixture
def host(services: Services, client_of_cluster: ClusterRedis) -> Iterator[Services]:
    """A machine of the system on the cluster."""
    redis = services.settings.redis.model_copy(update={"url": client_of_cluster.url})
    settings = services.settings.model_copy(update={"redis": redis})
    wechat = make_wechat_client(settings, client_of_cluster)
    yield with_redis(replace(services, settings=settings, wechat=wechat), client_of_cluster)
    wechat.close()

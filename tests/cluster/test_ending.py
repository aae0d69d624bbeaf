"""The end of the service on a cluster: every master is emptied, and one that does not answer is waited for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.cluster import Cluster, ClusterNode
from tests.support.closing import ADMINISTRATORS, Closing
from tests.support.installations import installation_on, reset_sandboxes
from tests.support.people import Station

pytestmark = pytest.mark.slow


@pytest.fixture
def closing(
    cluster: Cluster, database_url: str, template: str, tmp_path: Path, wechat_url: str, platform_url: str
) -> Iterator[Closing]:
    """An installation whose colors, counts and limits are in the cluster."""
    reset_sandboxes(wechat_url, platform_url)
    with installation_on(database_url, template, tmp_path / "installation", wechat_url, platform_url) as installation:
        redis = installation.settings.redis.model_copy(update={"url": cluster.url})
        installation.settings = installation.settings.model_copy(update={"redis": redis})
        made = Closing(installation, wechat_url)
        yield made
        made.close()


def ours(node: ClusterNode) -> set[bytes]:
    """The keys of a node that the service has written."""
    return {key for key in node.admin.scan_iter(count=1000) if not key.startswith(b"other:")}


def test_every_master_is_emptied_of_ours_alone_and_one_that_is_away_is_waited_for(
    closing: Closing, cluster: Cluster
) -> None:
    phone = closing.phone().become_green()
    station = Station.open(closing.client, closing.services)
    assert station.check(phone.code()["token"]).status_code == 200
    closing.hire(*ADMINISTRATORS)
    closing.announce()
    closing.advance(15)
    masters = cluster.masters()
    closing.services.redis.set("other:1", "of another program")
    assert len([node for node in masters if ours(node)]) > 1, "keys are in several places"

    replica = next(one for one in cluster.nodes if one.admin.info("replication").get("master_port") == masters[0].port)
    for node in (masters[0], replica):
        node.pause()
    broken = closing.end()
    assert (broken.exit_code, broken.stderr.splitlines()[-1]) == (1, "Error: Redis is out of reach; check redis.url.")
    closing.becomes_ended()
    assert len(closing.keys) > 1, "keys are destroyed after Redis"

    cluster.mend()
    done = closing.installation.run("service", "end")
    assert done.exit_code == 0, done.output
    assert {key for node in cluster.nodes for key in ours(node)} == set()
    assert closing.keys == ["ended.json"] and closing.services.redis.get("other:1") is not None
    assert closing.report()["redis_emptied_at"]

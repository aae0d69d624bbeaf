"""The address of a cluster: all that is wrong about it is told at once, without its password."""

import pytest

from app.core.settings.redis_url import check_url, node_urls

NODE = "must name each node of the cluster as host:port"
TWICE = "must name each node of the cluster once"
DATABASE = "must name no database: a cluster has one"


def test_the_nodes_of_a_cluster_have_the_user_and_the_options_of_its_address() -> None:
    assert node_urls("rediss+cluster://me:p%40ss@a:1,[::1]:2?ssl_cert_reqs=none") == [
        "rediss://me:p%40ss@a:1/0?ssl_cert_reqs=none",
        "rediss://me:p%40ss@[::1]:2/0?ssl_cert_reqs=none",
    ]
    assert node_urls("redis+cluster://:hush@a:1/0") == ["redis://:hush@a:1/0"]
    assert node_urls("unix:///s?db=1") == ["unix:///s?db=1"]


@pytest.mark.parametrize(
    ("url", "mistakes"),
    [
        ("redis+cluster://me:hush@a,b:7000", [NODE]),
        ("redis+cluster://", [NODE]),
        ("redis+cluster://a:70000", [NODE]),
        ("redis+cluster://a:1,a:1,b/3", [NODE, TWICE, DATABASE]),
        ("redis+cluster:///var/run/s", [NODE, DATABASE]),
    ],
)
def test_every_mistake_of_an_address_is_told_and_no_password(url: str, mistakes: list[str]) -> None:
    with pytest.raises(ValueError, match="must") as told:
        check_url(url)
    assert str(told.value).split("; ") == mistakes

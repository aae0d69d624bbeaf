"""The address of Redis: of one server, or of a cluster as `redis+cluster://host:port,host:port`.

An error never repeats the address, which may have a password.
"""

import re
from typing import Final

from redis.connection import parse_url

_CLUSTER: Final = re.compile(r"(rediss?)\+cluster://(?:([^@]*)@)?([^/?]*)(/[^?]*)?(\?.*)?", re.DOTALL)
_NODE: Final = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})", re.ASCII)
_EXPECTED: Final = "must be a redis://, rediss:// or unix:// address, or redis+cluster://host:port,host:port"


def is_cluster(url: str) -> bool:
    """Return whether an address is that of a cluster."""
    return _CLUSTER.fullmatch(url) is not None


def node_urls(url: str) -> list[str]:
    """Return an address for each node that the address of a cluster names."""
    found = _CLUSTER.fullmatch(url)
    return [url] if found is None else [_node_url(found, node) for node in found[3].split(",")]


def node_url(url: str, host: str, port: int) -> str:
    """Return the address of a node of a cluster, with the user and the options of the cluster's own."""
    found = _CLUSTER.fullmatch(url)
    assert found is not None
    return _node_url(found, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def _node_url(found: re.Match[str], node: str) -> str:
    scheme, user, _, _, options = found.groups()
    before = f"{scheme}://{user}@" if user is not None else f"{scheme}://"
    return f"{before}{node}/0{options or ''}"


def check_url(url: str) -> str:
    """Return the address. Raises ValueError with everything that is wrong about it."""
    found = _CLUSTER.fullmatch(url)
    mistakes = _mistakes_of_cluster(found[3].split(","), found[4] or "") if found else []
    if not mistakes:
        try:
            for node in node_urls(url):
                parse_url(node)  # type: ignore[no-untyped-call]
        except ValueError:
            raise ValueError(_EXPECTED) from None
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return url


def _mistakes_of_cluster(nodes: list[str], database: str) -> list[str]:
    mistakes = []
    named = [_NODE.fullmatch(node) for node in nodes]
    if not all(node and 0 < int(node[2]) < 65_536 for node in named):
        mistakes.append("must name each node of the cluster as host:port")
    if len(set(nodes)) < len(nodes):
        mistakes.append("must name each node of the cluster once")
    if database not in ("", "/", "/0"):
        mistakes.append("must name no database: a cluster has one")
    return mistakes

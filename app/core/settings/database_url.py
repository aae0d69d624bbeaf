"""The address of the database: which parameters it may have, and what psycopg is given for it.

libpq reads most values only when it connects, and psycopg takes some as numbers; so each is read here, before anything
starts. An error names a parameter and never a value, which may be a password.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from psycopg.pq import Conninfo, PGconn
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

PREPARE: Final = "prepare_threshold"  # of psycopg, not of libpq
_LIBPQ: Final = frozenset(option.keyword.decode() for option in Conninfo.get_defaults())
_NUMBERS: Final = {"connect_timeout", "tcp_user_timeout", "keepalives", "keepalives_idle", "keepalives_interval"} | {
    "keepalives_count"
}
_NOWHERE: Final = "/nowhere"  # a folder of sockets that is not there, for libpq to read everything but the host


def check_url(url: str) -> str:
    """Return the address. Raises ValueError with what is wrong about it."""
    try:
        connect_arguments(url)
    except ArgumentError:
        raise ValueError("must begin with postgresql+psycopg:// and be an address") from None
    return url


def connect_arguments(url: str | URL) -> dict[str, Any]:
    """Return the arguments of `psycopg.connect` for an address. Raises ValueError or ArgumentError."""
    read = _read(url)
    for name, value in read.query.items():
        _check_parameter(name, value)
    try:
        arguments = dict(read.get_dialect()().create_connect_args(read)[1])
    except ArgumentError:
        raise ValueError("must have a number as its port, and as many ports as hosts") from None
    arguments.pop(PREPARE, None)
    _try_in_libpq(arguments)
    return {**arguments, **own_arguments(read.query)}


def own_arguments(query: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the parameters of an address that are psycopg's own, with their types."""
    if PREPARE not in query:
        return {}
    return {PREPARE: None if query[PREPARE] == "none" else int(query[PREPARE])}


def _read(url: str | URL) -> URL:
    try:
        read = make_url(url)
    except ValueError:  # the port is no number
        hosts = str(url).partition("://")[2].partition("/")[0].rpartition("@")[2]
        raise _several_hosts() if "," in hosts else ValueError("must have a number as its port") from None
    if read.drivername != "postgresql+psycopg":
        raise ArgumentError("another driver")
    return read


def _check_parameter(name: str, value: str | Iterable[str]) -> None:
    """Raise ValueError for a parameter that is unknown, is given twice or has a value of another type."""
    if name not in _LIBPQ and name != PREPARE:
        raise ValueError(f"must not have the unknown parameter {name if re.fullmatch('[a-z_]+', name) else '…'}")
    if not isinstance(value, str):
        if name not in ("host", "port"):
            raise ValueError(f"must have the parameter {name} once")
    elif name == "host" and "," in value and re.search(r":[0-9]", value):
        raise _several_hosts()
    elif name in _NUMBERS and not re.fullmatch(r"-?[0-9]+", value):
        raise ValueError(f"must have a number for the parameter {name}")
    elif name == PREPARE and not re.fullmatch(r"[0-9]+|none", value):
        raise ValueError(f"must have a number, or none, for the parameter {name}")


def _several_hosts() -> ValueError:
    return ValueError("must name several hosts as postgresql+psycopg:///jixiang?host=a,b&port=5432,5433")


def _try_in_libpq(arguments: Mapping[str, Any]) -> None:
    """Raise ValueError for a value that libpq refuses; it reads all but the host, and asks no server."""
    hosts = str(arguments.get("host", "")).count(",")
    tried = {name: str(value) for name, value in arguments.items() if name != "hostaddr"}
    tried["host"] = ",".join([_NOWHERE] * (hosts + 1))
    words = (f"{name}='{_escaped(value)}'" for name, value in tried.items())
    said = PGconn.connect_start(" ".join(words).encode()).error_message.decode(errors="replace")
    if said.startswith("connection to server"):
        return
    named = next((name for name in arguments if name in said), None)
    if named is None:
        raise ValueError("must have parameters that fit together")
    raise ValueError(f"must have another value for the parameter {named}")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")

"""PostgreSQL's own tools, pg_dump and pg_restore: found, compared with the server, and run.

They get the connection by the environment, so that no password is in a list of processes.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from app.core.errors import StartError
from app.core.settings.database_url import connect_arguments

_LONGEST_REASON = 200


def database_name(url: str) -> str:
    """Return the name of the database in a URL. Raises StartError."""
    name = make_url(url).database
    if not name:
        raise StartError("database.url names no database; add its name.")
    return name


def with_database(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def connect(url: str, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a connection without time limits, for one command of an operator. Raises psycopg.OperationalError."""
    return psycopg.connect(**connect_arguments(url) | {"connect_timeout": 10}, autocommit=autocommit)


def find_tool(name: str, directory: Path | None, server_version: int) -> str:
    """Return the path of a tool that is at least as new as the server. Raises StartError."""
    path = shutil.which(name, path=None if directory is None else str(directory))
    if path is None:
        place = "on the PATH" if directory is None else f"in {directory}"
        raise StartError(f"{name} is not {place}; install PostgreSQL's client programs, or name them with --pg-bin.")
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\d+", told)
    if version is None or int(version[0]) < server_version // 10_000:
        older = version[0] if version else "unknown"
        raise StartError(f"{name} {older} is older than the server, {server_version // 10_000}; name a newer --pg-bin.")
    return path


def run_tool(command: Sequence[str], url: str) -> None:
    """Run a tool on a database. Raises StartError with the first line of what it says, which has no data in it."""
    environment = {**os.environ, **_environment(url)}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or "no reason given").splitlines()[0][:_LONGEST_REASON]
        raise StartError(f"{Path(command[0]).name} failed; correct what it names and run it again: {said}")


def _environment(url: str) -> Mapping[str, str]:
    """Return the variables of libpq for a URL; what has none, such as keepalives, is left to its default."""
    options = pq.Conninfo.parse(make_conninfo(**connect_arguments(url)).encode())
    return {
        option.envvar.decode(): option.val.decode()
        for option in options
        if option.envvar is not None and option.val is not None
    }

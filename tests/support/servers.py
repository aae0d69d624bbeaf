"""PostgreSQL and Valkey for the tests: of the environment, or embedded ones. Each process of a run has its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis.connection import parse_url
from sqlalchemy import create_engine, make_url, text

from app.migrations.runner import migrate
from app.migrations.schema import tables
from devstack.cluster import start_cluster
from devstack.embedded import start_postgres, start_valkey


@contextmanager
def database() -> Iterator[str]:
    """An empty, migrated database: on the server of JIXIANG_TEST_DATABASE_URL, or on an embedded one.

    Beside it is a copy that nobody uses.
    """
    given = os.environ.get("JIXIANG_TEST_DATABASE_URL")
    with _made_on(given) if given else _embedded() as url:
        migrate(url)
        with _copied(url):
            yield url


@contextmanager
def _made_on(server: str) -> Iterator[str]:
    url = make_url(server)
    name = f"{url.database}_test_{os.getpid()}"
    _run(server, f'create database "{name}"')
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        _run(server, f'drop database "{name}" with (force)')


@contextmanager
def _embedded() -> Iterator[str]:
    # not in pytest's own directory, which another run closes to the server's user
    with TemporaryDirectory(prefix="jixiang-pg-") as place, start_postgres(Path(place), durable=False) as postgres:
        yield postgres.database("jixiang")


def template_of(url: str) -> str:
    """The name of the copy that nobody uses: a copy of it is as new, and takes less than migrations."""
    return f"{make_url(url).database}_{os.getpid()}_template"


@contextmanager
def _copied(url: str) -> Iterator[None]:
    _run(url, f'create database "{template_of(url)}" template "{make_url(url).database}"')
    try:
        yield
    finally:
        _run(url, f'drop database "{template_of(url)}"')


def _run(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@contextmanager
def redis(directory: Path, *, in_cluster: bool = False) -> Iterator[str]:
    """A Redis or Valkey that the tests may empty: of JIXIANG_TEST_REDIS_URL, or an embedded one, or a cluster.

    Of the given one, each further process of a run takes the next database by number.
    """
    if in_cluster:
        with start_cluster(directory) as cluster:
            yield cluster.url
        return
    given = os.environ.get("JIXIANG_TEST_REDIS_URL")
    if given:
        yield _numbered(given, int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))
        return
    with start_valkey(directory, persistent=False) as valkey:
        yield valkey.url


def _numbered(url: str, worker: int) -> str:
    if not worker:
        return url
    number = parse_url(url).get("db", 0) + worker
    if url.startswith("unix://"):
        return f"{url.partition('?')[0]}?db={number}"
    return make_url(url).set(database=str(number)).render_as_string(hide_password=False)


def filled_tables() -> list[str]:
    """Every table that a test may leave something in."""
    names = [*tables().tables, *(f"procrastinate_{name}" for name in ("jobs", "events", "periodic_defers", "workers"))]
    names.remove("installation")
    return names


def emptying() -> str:
    """The statement that empties every table that holds something, and begins every number anew.

    Tests leave few rows, and to delete those is ten times as fast as `truncate`. It goes past the triggers and the
    foreign keys, for nobody else may empty the audit.
    """
    return f"""
        set local session_replication_role = replica;
        update installation set serial_floor = 0, ends_on = null, end_notice = null, end_announced_at = null;
        do $$
        declare name text; filled bool;
        begin
            foreach name in array array{filled_tables()} loop
                execute 'select exists (select from ' || name || ')' into filled;
                if filled then execute 'delete from ' || name; end if;
            end loop;
            perform setval(sequencename::regclass, start_value, false) from pg_sequences
            where schemaname = 'public' and last_value is not null;
        end $$"""

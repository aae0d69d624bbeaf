"""The address of the database: every parameter of libpq passes, and a mistake is told before anything starts."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from psycopg.pq import Conninfo
from sqlalchemy import text

from app.cli import main
from app.core.db import make_engine
from app.core.settings.sections import DatabaseSettings
from app.migrations.runner import migrate
from app.runtime import Services
from tests.support.codes import write_config
from tests.support.jobs import run_worker

START = "postgresql+psycopg:///jixiang?"
# values that libpq takes; of the others any text will do
VALUES = {
    "host": "a,b",
    "port": "5432",
    "channel_binding": "prefer",
    "sslmode": "require",
    "sslnegotiation": "postgres",
    "sslcertmode": "allow",
    "require_auth": "scram-sha-256",
    "min_protocol_version": "3.0",
    "max_protocol_version": "latest",
    "ssl_min_protocol_version": "TLSv1.2",
    "ssl_max_protocol_version": "TLSv1.3",
    "gssencmode": "disable",
    "target_session_attrs": "read-write",
    "load_balance_hosts": "random",
    "sslcompression": "0",
    "sslsni": "1",
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "5",
    "tcp_user_timeout": "5000",
    "gssdelegation": "0",
    "replication": "false",
    "hostaddr": "127.0.0.1",
}
NEEDS_MORE = {"service", "scram_client_key", "scram_server_key"}  # a file beside it; a value that is a key


def check(services: Services, place: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Result:
    """`jixiang config check` for this address."""
    file = write_config(services.settings, place / "config.toml", database={"url": url})
    monkeypatch.setenv("JIXIANG_CONFIG", str(file))
    return CliRunner().invoke(main, ["config", "check"], env={"LC_ALL": "C.UTF-8"})


@pytest.mark.parametrize("name", sorted({option.keyword.decode() for option in Conninfo.get_defaults()} - NEEDS_MORE))
def test_every_parameter_of_libpq_passes(name: str) -> None:
    url = f"{START}{name}={VALUES.get(name, 'x')}"
    assert DatabaseSettings(url=url).url == url


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sslmod=require", "must not have the unknown parameter sslmod"),
        ("autocommit=true", "must not have the unknown parameter autocommit"),
        ("pool_size=5", "must not have the unknown parameter pool_size"),
        ("sslmode=hush", "must have another value for the parameter sslmode"),
        ("target_session_attrs=hush", "must have another value for the parameter target_session_attrs"),
        ("connect_timeout=hush", "must have a number for the parameter connect_timeout"),
        ("keepalives=hush", "must have a number for the parameter keepalives"),
        ("prepare_threshold=hush", "must have a number, or none, for the parameter prepare_threshold"),
        ("prepare_threshold=-1", "must have a number, or none, for the parameter prepare_threshold"),
        ("sslmode=require&sslmode=disable", "must have the parameter sslmode once"),
        (
            "host=hush:5432,other:5432",
            "must name several hosts as postgresql+psycopg:///jixiang?host=a,b&port=5432,5433",
        ),
        ("host=hush,other&port=1,2,3", "must have a number as its port, and as many ports as hosts"),
        ("port=hush", "must have a number as its port, and as many ports as hosts"),
        ("port=77777", "must have another value for the parameter port"),
    ],
)
def test_the_check_tells_a_parameter_that_is_unknown_or_wrong(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, words: str
) -> None:
    told = check(services, tmp_path, monkeypatch, START + query)
    assert (told.exit_code, f"database.url: {words}\n" in told.stderr) == (1, True), told.stderr
    assert "hush" not in told.stderr


@pytest.mark.parametrize("hosts", ["a:5432,b:5433", "me:hush@a:5432,b:5433", "a:5432,b"])
def test_several_hosts_with_ports_before_the_slash_are_refused_with_the_form_that_works(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosts: str
) -> None:
    told = check(services, tmp_path, monkeypatch, f"postgresql+psycopg://{hosts}/jixiang")
    assert told.exit_code == 1
    assert "must name several hosts as postgresql+psycopg:///jixiang?host=a,b&port=5432,5433" in told.stderr
    assert "hush" not in told.stderr


def with_query(services: Services, query: str) -> str:
    return f"{services.settings.database.url}&{query}"


def several(services: Services) -> str:
    """The address of the tests with a host before it that is not there."""
    url = services.engine.url
    there = url.query.get("host", url.host)
    return url.set(host=None).update_query_dict({"host": f"/nowhere,{there}"}).render_as_string(hide_password=False)


needs_socket = pytest.mark.skipif("JIXIANG_TEST_DATABASE_URL" in os.environ, reason="the address has another form")


@needs_socket
@pytest.mark.parametrize("query", ["prepare_threshold=0", "prepare_threshold=5", "prepare_threshold=none"])
def test_prepare_threshold_is_a_number_for_web_worker_and_migrations(services: Services, query: str) -> None:
    assert_works(services, with_query(services, query))


@needs_socket
def test_prepare_threshold_says_whether_statements_are_prepared(services: Services) -> None:
    def prepared(query: str) -> int:
        engine = make_engine(with_query(services, query), 1)
        with engine.connect() as connection:
            for _ in range(3):
                connection.execute(text("select 1"))
            number = connection.scalar(text("select count(*) from pg_prepared_statements where statement = 'select 1'"))
        engine.dispose()
        return int(number or 0)

    assert [prepared(f"prepare_threshold={value}") for value in ("0", "2", "50", "none")] == [1, 1, 0, 0]


@needs_socket
def test_the_second_host_answers_when_the_first_is_away(services: Services) -> None:
    assert_works(services, several(services))


@needs_socket
def test_what_the_address_says_of_a_connection_wins_over_our_defaults(services: Services) -> None:
    engine = make_engine(with_query(services, "application_name=mine"), 1)
    with engine.connect() as connection:
        assert connection.scalar(text("show application_name")) == "mine"
    engine.dispose()


def assert_works(services: Services, url: str) -> None:
    """Statements, the worker and a migration with this address."""
    migrate(url)
    engine = make_engine(url, 1)
    with engine.connect() as connection:
        assert [connection.scalar(text("select 7")) for _ in range(8)] == [7] * 8
    engine.dispose()
    settings: dict[str, Any] = {"database": services.settings.database.model_copy(update={"url": url})}
    changed = services.settings.model_copy(update=settings)
    run_worker(replace(services, settings=changed), "fold-counts")

"""The schema: what migrations make is what the tables say."""

import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from app import migrations
from app.citizens.documents import DocumentType
from app.citizens.lookup import hash_of
from app.cli import main
from app.codes.evidence import dedup_key_of
from app.migrations.runner import migrate
from app.migrations.schema import known_revisions, newest_revision, tables
from app.runtime import Services
from tests.support.codes import write_config
from tests.support.people import Phone


def test_the_migrations_make_exactly_the_tables_of_the_code(services: Services) -> None:
    ours = set(tables().tables)
    with services.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or name in ours,
            },
        )
        assert compare_metadata(context, tables()) == []


def test_the_revisions_are_found_as_alembic_finds_them() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()
    assert known_revisions() == [script.revision for script in scripts]


def test_migrating_again_changes_nothing(services: Services) -> None:
    migrate(services.settings.database.url)
    test_the_migrations_make_exactly_the_tables_of_the_code(services)


@pytest.mark.slow
def test_two_servers_that_start_at_once_migrate_once(services: Services) -> None:
    url = services.engine.url
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("drop database if exists both_at_once"))
        connection.execute(text("create database both_at_once"))
    fresh = url.set(database="both_at_once").render_as_string(hide_password=False)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(migrate, [fresh, fresh]))
    engine = create_engine(fresh)
    with engine.connect() as connection:
        assert connection.scalar(text("select version_num from alembic_version")) == newest_revision()
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text("drop database both_at_once"))
    admin.dispose()


@contextmanager
def upgraded(services: Services, revision: str, rows: str) -> Iterator[Connection]:
    """A connection to a database of an older release with these rows, which was brought to the newest schema."""
    admin = create_engine(services.engine.url, isolation_level="AUTOCOMMIT")
    older = services.engine.url.set(database="older_release")
    with admin.connect() as connection:
        connection.execute(text("drop database if exists older_release"))
        connection.execute(text("create database older_release"))
    engine = create_engine(older)
    migrate(older.render_as_string(hide_password=False), revision)
    with engine.begin() as connection:
        connection.execute(text(rows))
    migrate(older.render_as_string(hide_password=False))
    with engine.connect() as connection:
        yield connection
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text("drop database older_release"))
    admin.dispose()


def test_citizens_of_an_older_release_whom_the_platform_has_verified_stay_confirmed(services: Services) -> None:
    with upgraded(services, "0003", _OLDER_ROWS) as connection:
        rows = connection.execute(text("select claimed_at, confirmed_at from codes order by serial")).all()
    assert [(held is not None, confirmed is not None) for held, confirmed in rows] == [(True, True), (True, False)]


def test_passwords_that_somebody_else_knows_end_or_must_be_changed(services: Services) -> None:
    officers = "select username, password_ends_at <= now() from officers order by id"
    with upgraded(services, "0020", _GIVEN_PASSWORDS) as connection:
        assert [tuple(row) for row in connection.execute(text(officers))] == [("given", True), ("own", None)]
        inspectors = connection.execute(text("select must_change_password from inspectors order by id"))
        assert list(inspectors.scalars()) == [True, False]


_GIVEN_PASSWORDS = """
    insert into officers
        (username, name, password_hash, totp_ciphertext, roles, created_at, must_change_password, password_ends_at)
        values ('given', 'x', 'x', 'x', '{recorder}', now(), true, now() + interval '7 days'),
               ('own', 'y', 'x', 'x', '{approver}', now(), false, null);
    insert into stations (name, district, created_at) values ('x', 'x', now());
    insert into inspectors (station_id, username, password_hash, epoch, created_at, password_ends_at)
        values (1, 'given', 'x', 1, now(), now() + interval '7 days'), (1, 'own', 'x', 1, now(), null);
"""
_OLDER_ROWS = """
    insert into codes (state, version, epoch, opened_at) values (3, 1, 1, now()), (1, 1, 1, now());
    insert into citizens (serial, document_type, document_hash, created_at)
        values (1, 'id-card', '\\x01', now()), (2, 'id-card', '\\x02', now());
    insert into accounts (serial, username, password_hash, created_at)
        values (1, 'a', 'x', now()), (2, 'b', 'x', now());
    insert into evidence (id, serial, kind, at, facts, authority, reference, recorded_at, recorded_by)
        values (gen_random_uuid(), 1, 'verification', now(), '{}', 'x', 'x', now(), 'platform');
"""


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set action = 'nothing'",
        "delete from audit",
        "update decisions set rule = 'RED-CONFIRMED'",
        "delete from decisions",
        "update evidence set authority = 'somebody else'",
        'update evidence set withdrawn_at = now(), facts = \'{"symptoms": ["cough"]}\'',
        "delete from evidence",
    ],
)
def test_what_has_been_said_and_decided_cannot_be_changed_even_by_hand(
    services: Services, phone: Callable[[], Phone], statement: str
) -> None:
    phone().become_green()
    with pytest.raises(DBAPIError, match=r"append only|only withdrawn"), services.engine.begin() as connection:
        connection.execute(text(statement))


def test_evidence_is_withdrawn_once_and_for_good(services: Services, phone: Callable[[], Phone]) -> None:
    phone().become_green()
    with services.engine.begin() as connection:
        connection.execute(text("update evidence set withdrawn_at = now(), withdrawn_for = 'test'"))
    with pytest.raises(DBAPIError, match="only withdrawn"), services.engine.begin() as connection:
        connection.execute(text("update evidence set withdrawn_at = null"))


def test_a_database_that_is_newer_than_the_release_is_left_alone_in_one_line(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIXIANG_CONFIG", str(write_config(services.settings, tmp_path / "config.toml")))
    with services.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    try:
        told = CliRunner().invoke(main, ["db", "migrate"])
    finally:
        with services.engine.begin() as connection:
            newest = {"newest": newest_revision()}
            connection.execute(text("update alembic_version set version_num = :newest"), newest)
    assert told.exit_code == 1
    assert "9999" in told.stderr and "Nothing was changed" in told.stderr
    assert told.stderr.count("\n") == 1


def test_facts_and_documents_of_an_older_release_are_recognized(services: Services) -> None:
    contents = ("contact", "示例疾控", "示例〔2020〕1号", "2020-03-19")
    older_key = sha256(json.dumps(contents).encode()).hexdigest()
    document = (DocumentType.ID_CARD, "229999199001010000")
    older_hash = services.encryption.fingerprint(f"document:{document[0]}", document[1])
    rows = f"""
        insert into codes (state, version, epoch, opened_at) values (1, 1, 1, now());
        insert into citizens (serial, document_type, document_hash, created_at)
            values (1, 'id-card', '\\x{older_hash.hex()}', now());
        insert into evidence (id, serial, kind, at, facts, authority, reference, dedup_key, recorded_at, recorded_by)
            values (gen_random_uuid(), 1, 'contact', now(), '{{}}', 'x', 'x', '{older_key}', now(), 'platform');
    """
    with upgraded(services, "0028", rows) as connection:
        assert connection.scalar(text("select dedup_key from evidence")) == dedup_key_of(*contents)
        assert connection.scalar(text("select document_fingerprint from citizens")) == hash_of(
            services.encryption, document
        )
        with pytest.raises(DBAPIError, match="only withdrawn"):
            connection.execute(text("update evidence set dedup_key = null"))

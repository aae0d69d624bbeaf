"""Making a backup: one snapshot of the database in PostgreSQL's custom format, and its manifest beside it.

A file has its final name when it is complete and on the disk, and none is ever replaced.
"""

import os
import secrets
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel

from app.backup.manifest import FORMAT, Manifest, digest, manifest_file, signed, to_text
from app.backup.tools import connect, find_tool, run_tool
from app.core.clock import rfc3339
from app.core.errors import StartError
from app.core.keys import Keys, fingerprint
from app.installation import check_keys

_FACTS = """
    select pg_export_snapshot(), clock_timestamp(), (select at from audit order by id desc limit 1),
        (select version_num from alembic_version)
"""


def make_backup(url: str, keys: Keys, file: Path, tools: Path | None = None) -> Manifest:
    """Write a dump of the database and its manifest, both readable by their owner alone.

    Raises StartError, and ConfigError for keys that are not those of the database.

    `tools` is the directory of pg_dump, which is otherwise found on the PATH.
    """
    for each in (file, manifest_file(file)):
        if each.exists():
            raise StartError(f"{each} exists, and is not replaced; name another file.")
    check_keys(url, fingerprint(keys))
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    _create(temporary)
    try:
        manifest = _dump(url, keys, temporary, tools)
        _write(manifest_file(temporary), to_text(manifest))
        _sync(temporary)
        for source, target in ((manifest_file(temporary), manifest_file(file)), (temporary, file)):
            _name(source, target)
        _sync(file.absolute().parent)
    finally:
        temporary.unlink(missing_ok=True)
        manifest_file(temporary).unlink(missing_ok=True)
    return manifest


def _dump(url: str, keys: Keys, file: Path, tools: Path | None) -> Manifest:
    with connect(url) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        snapshot, made_at, newest, schema = _facts(connection)
        server = connection.info.server_version
        tool = find_tool("pg_dump", tools, server)
        run_tool([tool, "--format=custom", "--no-password", f"--snapshot={snapshot}", f"--file={file}"], url)
    manifest = Manifest(
        FORMAT, version("jixiang-code"), rfc3339(made_at), newest and rfc3339(newest), schema, server,
        fingerprint(keys), [key.kid for key in keys.signing], file.stat().st_size, digest(file),
    )  # fmt: skip
    return signed(manifest, keys)


def _facts(connection: Connection[tuple[Any, ...]]) -> tuple[Any, ...]:
    try:
        row = connection.execute(_FACTS).fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    if row is None:
        raise StartError("The database holds nothing of ours; run `jixiang db migrate` first.")
    return row


def _create(file: Path) -> None:
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StartError(f"{file.parent} cannot be written to ({error.strerror}); name a file elsewhere.") from None


def _write(file: Path, content: str) -> None:
    _create(file)
    file.write_text(content, encoding="utf-8")
    _sync(file)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _name(source: Path, target: Path) -> None:
    """Give a complete file its final name; unlike a rename, a link never replaces."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise StartError(f"{target} exists, and is not replaced; name another file.") from None
    except OSError as error:
        raise StartError(f"{target} cannot be written ({error.strerror}); name another file.") from None

"""What `jixiang backup` and `jixiang restore` refuse, in one line, with nothing changed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import make_url

from app.backup.manifest import digest
from tests.support.installations import TOOLS, Installation, Town
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]


def refused(done: Result) -> str:
    """The one line of a refusal."""
    assert done.exit_code == 1, done.output
    assert "Traceback" not in done.output
    return done.output.strip()


def change_manifest(dump: Path, **changes: object) -> None:
    file = Path(f"{dump}.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_backup_replaces_no_file(installation: Installation) -> None:
    dump = installation.backup()
    before = dump.read_bytes()
    assert "exists, and is not replaced" in refused(installation.run("backup", str(dump)))
    assert dump.read_bytes() == before


def test_a_database_that_holds_data_is_replaced_only_when_told(installation: Installation, town: Town) -> None:
    dump = installation.backup()
    phone = town.phones("示例", 1)[0].become_green()
    assert "--replace" in refused(installation.run("restore", str(dump)))
    answered = installation.run("restore", str(dump), "--replace", input="n\n")
    assert "Aborted" in refused(answered)
    assert phone.color() == "GREEN"


@pytest.mark.slow
def test_a_database_without_data_is_replaced_at_once(installation: Installation) -> None:
    done = installation.run("restore", str(installation.backup()))
    assert done.exit_code == 0, done.output
    assert "What happened after it is not known" in done.output


def test_a_backup_of_other_keys_or_of_a_newer_version_or_a_damaged_one_is_refused(installation: Installation) -> None:
    dump = installation.backup()
    manifest = Path(f"{dump}.json").read_text()

    def restored(**changes: object) -> str:
        Path(f"{dump}.json").write_text(manifest)
        change_manifest(dump, **changes)
        return refused(installation.run("restore", str(dump)))

    assert "other keys" in restored(keys="0" * 16)
    assert "put their files back first: abcdef12" in restored(signing_keys=["abcdef12"])
    assert "newer version" in restored(schema="9999")
    assert "without the keys" in restored(sha256="0" * 64)
    Path(f"{dump}.json").write_text(manifest)
    whole = dump.read_bytes()
    dump.write_bytes(whole[:-1])
    assert "is not what" in refused(installation.run("restore", str(dump)))
    dump.write_bytes(whole)
    Path(f"{dump}.json").write_text("{}")
    assert "no manifest" in refused(installation.run("restore", str(dump)))
    Path(f"{dump}.json").unlink()
    told = refused(installation.run("restore", str(dump)))
    assert f"{dump}.json cannot be read" in told and "the manifest of the backup" in told


@pytest.mark.slow
@pytest.mark.parametrize("forged", [{}, {"format": 1, "signature": ""}])
def test_a_forger_without_the_keys_makes_no_backup(
    installation: Installation, town: Town, forged: dict[str, object]
) -> None:
    """Whoever can write to the storage changes the dump, and its digest; a former version signed nothing."""
    town.phones("示例", 1)[0].become_green()
    dump = installation.backup()
    town.phones("示例新", 1)[0].become_green()  # another dump of the same would be the same, within one second
    other = installation.directory / "other"
    installation.tool("pg_dump", "--format=custom", f"--file={other}", str(make_url(installation.url).database))
    dump.write_bytes(other.read_bytes())
    change_manifest(dump, size=dump.stat().st_size, sha256=digest(dump), **forged)
    told = refused(installation.run("restore", str(dump), "--replace", "--yes"))
    assert ("--unsigned" if forged else "without the keys") in told
    done = installation.run("restore", str(dump), "--replace", "--yes", "--unsigned")
    assert (done.exit_code == 0) is bool(forged), done.output


def test_a_dump_that_cannot_be_read_leaves_the_database_as_it_was(installation: Installation, town: Town) -> None:
    phone = town.phones("示例", 1)[0].become_green()
    dump = installation.backup()
    dump.write_bytes(dump.read_bytes()[:2000])
    change_manifest(dump, size=2000, sha256=digest(dump), format=1)
    refusal = refused(installation.run("restore", str(dump), "--replace", "--yes", "--unsigned"))
    assert "pg_restore failed" in refusal
    assert phone.color() == "GREEN"
    assert phone.declare().status_code < 300


def test_a_database_that_does_not_exist_is_refused_in_one_line(installation: Installation, tmp_path: Path) -> None:
    missing = make_url(installation.url).set(database="nowhere")
    installation.use(missing.render_as_string(hide_password=False))
    told = installation.run("backup", str(tmp_path / "dump"))
    refusal = "The database is out of reach; start it, or check database.url."
    assert (told.exit_code, told.stderr) == (1, f"Error: {refusal}\n")
    assert list(tmp_path.glob("*dump*")) == []


@pytest.mark.slow
def test_a_restore_that_is_killed_loses_nothing_and_can_be_called_again(
    installation: Installation, town: Town, tmp_path: Path
) -> None:
    """The old database is closed by then, and the new one half-read."""
    phone = town.phones("示例", 1)[0].become_green()
    dump = installation.backup()
    (tools := tmp_path / "tools").mkdir()
    slow, begun = tools / "pg_restore", tools / "begun"
    slow.write_text(
        f'#!/bin/sh\ncase "$*" in *--dbname*) touch {begun}; exec sleep 60;; esac\nexec {TOOLS}/pg_restore "$@"\n'
    )
    slow.chmod(0o755)
    command = [sys.executable, "-m", "app", "restore", str(dump), "--replace", "--yes", "--pg-bin", str(tools)]
    config = {"JIXIANG_CONFIG": str(installation.directory / "config.toml")}
    restore = subprocess.Popen(command, env=config, cwd=ROOT, process_group=0)
    try:
        wait_until(lambda: begun.exists() or restore.poll() is not None)
        assert restore.poll() is None
    finally:
        os.killpg(restore.pid, signal.SIGKILL)
        restore.wait(10)
    assert phone.declare().status_code == 503, "closed: nothing is acknowledged that the next restore loses"
    names = [name for name in installation.databases() if "_restored_" in name]
    assert len(names) == 1, "half-read"
    installation.restore(dump)
    assert [name for name in installation.databases() if "_restored_" in name] == []
    assert phone.log_in_with_wechat().status_code == 200 and phone.color() == "GREEN"


@pytest.mark.parametrize(("version", "words"), [(None, "pg_dump is not in"), ("13.4", "pg_dump 13 is older")])
def test_tools_that_are_missing_or_old_are_named(
    installation: Installation, tmp_path: Path, version: str | None, words: str
) -> None:
    place = tmp_path / "tools"
    place.mkdir()
    if version:
        tool = place / "pg_dump"
        tool.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
        tool.chmod(0o755)
    dump = tmp_path / "dump"
    assert words in refused(installation.run("backup", str(dump), "--pg-bin", str(place)))
    assert not dump.exists()


def test_the_password_is_not_among_the_arguments_of_a_tool(installation: Installation, tmp_path: Path) -> None:
    place = tmp_path / "tools"
    place.mkdir()
    tool = place / "pg_dump"
    told = tmp_path / "told"
    tool.write_text(
        f"#!/bin/sh\n[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 99' && exit\n"
        f'echo "$@" > {told}\nprintenv PGPASSWORD >> {told}\nexit 1\n'
    )
    tool.chmod(0o755)
    url = make_url(installation.url).set(password="not-a-real-password")
    installation.use(url.render_as_string(hide_password=False))
    assert "pg_dump failed" in refused(installation.run("backup", str(tmp_path / "dump"), "--pg-bin", str(place)))
    arguments, password = told.read_text().splitlines()
    assert "not-a-real-password" not in arguments
    assert password == "not-a-real-password"


def test_a_new_generation_can_be_begun_by_hand(installation: Installation, town: Town) -> None:
    phone = town.phones("示例", 1)[0].become_green()
    assert installation.run("begin-generation", "--yes").exit_code == 0
    assert phone.get("/api/v1/code").status_code == 401

"""PostgreSQL and Valkey from their wheels: starting, stopping, and what a crash leaves behind."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import PIPE

import psutil
import pytest
import redis
from sqlalchemy import create_engine, text

from app.core.errors import StartError
from devstack.embedded import start_postgres, start_valkey
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

# starts a server where the machine's list of users has none for it before the file in the first argument is there
_ON_A_NEW_MACHINE = """
import pwd, sys
from pathlib import Path
from devstack.embedded import start_postgres
known = pwd.getpwnam
def look(name):
    if not Path(sys.argv[1]).exists():
        raise KeyError(name)
    return known(name)
pwd.getpwnam = look
with start_postgres(Path(sys.argv[2]), durable=False):
    print("started")
"""


def _ask(url: str, sql: str) -> object:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(sql))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def _has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_postgres_keeps_its_data_and_forgets_the_lock_of_a_server_that_is_gone(tmp_path: Path) -> None:
    with start_postgres(tmp_path / "pg") as postgres:
        url = postgres.database("kept")
        _ask(url, "create table things as select 7 as thing")
    # a crash leaves the lock; its number belongs to somebody else by now: to us
    lock = f"{os.getpid()}\n{tmp_path / 'pg'}\n1700000000\n5432\n{tmp_path / 'pg'}\n\n  1 1\nready\n"
    (tmp_path / "pg" / "postmaster.pid").write_text(lock)
    with start_postgres(tmp_path / "pg") as postgres:
        assert _ask(postgres.database("kept"), "select thing from things") == 7


def test_a_database_of_another_version_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("12\n")
    with pytest.raises(StartError, match="PostgreSQL 12"), start_postgres(tmp_path):
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["PG_VERSION"]


def test_a_postgres_that_cannot_start_says_where_to_look(tmp_path: Path) -> None:
    with start_postgres(tmp_path / "pg"):
        pass
    with (tmp_path / "pg" / "postgresql.conf").open("a") as settings:
        settings.write("\nno_such_setting = 1\n")
    with pytest.raises(StartError, match="log"), start_postgres(tmp_path / "pg"):
        pass


def test_valkey_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    with start_valkey(tmp_path) as valkey:
        redis.Redis.from_url(valkey.url).set("thing", "7")
    with start_valkey(tmp_path) as valkey:
        assert redis.Redis.from_url(valkey.url).get("thing") == b"7"


def test_a_valkey_that_can_save_nothing_ends_all_the_same(tmp_path: Path) -> None:
    """As on a full disk, or where somebody has removed its directory: by itself it would refuse to end."""
    with start_valkey(tmp_path) as valkey:
        server = _let_nothing_be_saved(valkey.url, tmp_path)
    assert _has_ended(server)


def test_so_does_that_of_a_crashed_run(tmp_path: Path) -> None:
    _crash(tmp_path)
    server = _let_nothing_be_saved(f"unix://{tmp_path / 's'}", tmp_path)
    with pytest.raises(StartError, match="Valkey"), start_valkey(tmp_path):
        pass  # what is there cannot be read either
    wait_until(lambda: _has_ended(server))


def _let_nothing_be_saved(url: str, directory: Path) -> psutil.Process:
    client = redis.Redis.from_url(url)
    client.set("thing", "7")
    (directory / "dump.rdb").mkdir()  # in the place of its file
    return psutil.Process(client.info()["process_id"])


def _crash(directory: Path) -> None:
    script = (
        "import os\nfrom pathlib import Path\nfrom devstack.embedded import start_valkey\n"
        f"with start_valkey(Path({str(directory)!r})): os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)


def test_the_socket_and_the_server_of_a_crashed_run_are_put_away(tmp_path: Path) -> None:
    _crash(tmp_path)
    assert (tmp_path / "s").exists(), "the server goes on without its master"
    with start_valkey(tmp_path) as valkey:
        assert redis.Redis.from_url(valkey.url).ping()
    assert not (tmp_path / "s").exists()


def test_a_directory_with_a_long_name_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    directory = tmp_path / ("a-name-that-goes-on-" * 5)
    with start_valkey(directory, persistent=False) as valkey:
        assert redis.Redis.from_url(valkey.url).ping()
        assert len(valkey.url) < 100
    with start_postgres(directory / "pg", durable=False) as postgres:
        assert _ask(postgres.url, "select 1") == 1


def test_a_directory_may_have_any_name(tmp_path: Path) -> None:
    directory = tmp_path / 'it\'s "so" 100% 吉祥码#b?c&d'
    for _ in range(2):  # the second time the data is there
        with start_postgres(directory / "pg", durable=False) as postgres:
            assert _ask(postgres.database("named"), "select 1") == 1
        with start_valkey(directory / "valkey") as valkey:
            assert redis.Redis.from_url(valkey.url).ping()
    assert (directory / "pg" / "PG_VERSION").exists()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's temporary directory, as the tests would have it."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def test_the_lock_lies_where_no_other_user_has_been(temporary: Path) -> None:
    # what another user's run leaves behind in the place of the wheel's own choice: nobody can open it
    (temporary / ".lockfile").mkdir()
    script = (
        "from pathlib import Path\nfrom devstack.embedded import start_postgres\n"
        f"with start_postgres(Path({str(temporary / 'pg')!r}), durable=False): print('started')\n"
    )
    environment = {**os.environ, "TMPDIR": str(temporary), "XDG_RUNTIME_DIR": str(temporary / "none")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (0, "started\n"), done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only for root the wheel makes a user of the machine")
def test_servers_that_start_at_one_moment_make_the_user_of_the_machine_once(temporary: Path) -> None:
    """A machine that knows no user for PostgreSQL yet: it takes a while to make one, and then has it."""
    made = temporary / "made"
    useradd = temporary / "bin" / "useradd"
    useradd.parent.mkdir()
    useradd.write_text(f'#!/bin/sh\nsleep 0.5\nid pgserver || {shutil.which("useradd")} "$@"\necho once >> {made}\n')
    useradd.chmod(0o755)
    environment = {**os.environ, "TMPDIR": str(temporary), "PATH": f"{useradd.parent}:{os.environ['PATH']}"}
    commands = [[sys.executable, "-c", _ON_A_NEW_MACHINE, str(made), str(temporary / name)] for name in "abc"]
    starts = [subprocess.Popen(command, env=environment, stdout=PIPE, stderr=PIPE, text=True) for command in commands]
    told = [start.communicate(timeout=60) for start in starts]
    assert [out for out, _ in told] == ["started\n"] * 3, told
    assert made.read_text() == "once\n"


def test_a_temporary_place_that_somebody_else_made_is_not_trusted(temporary: Path, tmp_path: Path) -> None:
    (temporary / f"jixiang-{os.getuid()}").symlink_to(tmp_path)
    with pytest.raises(StartError, match="only you can change"), start_postgres(tmp_path / "pg"):
        pass
    assert not (tmp_path / "postgres.lock").exists()


@pytest.mark.parametrize("start", [start_postgres, start_valkey])
def test_a_directory_that_cannot_be_made_is_told_in_a_sentence(
    tmp_path: Path, start: Callable[[Path], AbstractContextManager[object]]
) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(StartError, match=r"file.* cannot be used: "), start(tmp_path / "file" / "data"):
        pass


def test_a_locale_that_was_never_generated_keeps_no_database_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zz_ZZ.UTF-8")
    with start_postgres(tmp_path / "postgres", durable=False) as postgres:
        assert "jixiang" in postgres.database("jixiang")
    assert os.environ["LC_ALL"] == "zz_ZZ.UTF-8"

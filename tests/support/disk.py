"""A small disk of its own, for what happens when it is full; needs a machine where we may mount one."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from app.runtime import Services


class Disk:
    """A mounted disk: `fill` leaves no byte free, `free` gives back what it took."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        with suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(kibibytes: int) -> Iterator[Disk]:
    """A disk of so many KiB. Skips the test where it cannot be mounted."""
    with tempfile.TemporaryDirectory(prefix="jixiang-disk-") as place:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", place]
        if (
            os.geteuid()
            or not shutil.which("mount")
            or subprocess.run(mount, check=False, capture_output=True).returncode
        ):
            pytest.skip("only root may mount a disk, with `mount` installed")
        try:
            yield Disk(Path(place))
        finally:
            subprocess.run(["umount", place], check=True)


@contextmanager
def table_on(services: Services, disk: Disk, table: str) -> Iterator[None]:
    """Keep the rows of a table on this disk; its indexes stay where they are."""
    if "JIXIANG_TEST_DATABASE_URL" in os.environ:
        pytest.skip("the server's disk is not ours")
    admin = create_engine(services.engine.url, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            owner = Path(str(connection.scalar(text("show data_directory")))).stat()
            os.chown(disk.path, owner.st_uid, owner.st_gid)
            os.chmod(disk.path, 0o700)
            connection.execute(text(f"create tablespace tiny location '{disk.path}'"))
            connection.execute(text(f"vacuum full {table}"))  # no page that earlier tests have left empty
            connection.execute(text(f"alter table {table} set tablespace tiny"))
            try:
                yield
            finally:
                disk.free()
                connection.execute(text(f"alter table {table} set tablespace pg_default"))
                connection.execute(text("drop tablespace tiny"))
    finally:
        admin.dispose()


def fill_with_jobs(services: Services) -> None:
    """Write finished jobs until the queue's table has no room for another one."""
    row = "insert into procrastinate_jobs (queue_name, task_name, status) values ('none', 'filler', 'succeeded')"
    with suppress(OperationalError):
        while True:
            with services.engine.begin() as connection:
                connection.execute(text(row))

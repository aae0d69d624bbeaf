"""Disks without space: that of a table of the database, and that of the logs."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from faults.rounds import Case, LeftOut
from faults.system import OURS, System

TABLES = ("evidence", "procrastinate_jobs", "decisions", "procrastinate_events", "audit", "notices")


class Disk:
    """A small disk of its own."""

    def __init__(self, path: Path) -> None:
        self.path, self._filler = path, path / "filler"

    def fill(self) -> None:
        """Leave no byte free."""
        with suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(mebibytes: int) -> Iterator[Disk]:
    """Mount a disk of so many MiB. Raises LeftOut where we may not."""
    with TemporaryDirectory(prefix="jixiang-disk-") as place:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", place]
        if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
            raise LeftOut("only root may mount a disk")
        try:
            yield Disk(Path(place))
        finally:
            subprocess.run(["umount", "-l", place], check=True)


@contextmanager
def database_full(system: System, number: int) -> Iterator[None]:
    """The disk of one table has no space left; each table in turn."""
    table = TABLES[number % len(TABLES)]
    with small_disk(16) as disk, _kept_on(system, table, disk):
        disk.fill()
        try:
            yield
        finally:
            disk.free()


@contextmanager
def _kept_on(system: System, table: str, disk: Disk) -> Iterator[None]:
    """Keep the rows of a table on this disk, so few in each page that a few more need a new one."""
    owner = (system.place.directory / "postgres").stat()
    os.chown(disk.path, owner.st_uid, owner.st_gid)
    os.chmod(disk.path, 0o700)
    system.order(f"create tablespace tiny location '{disk.path}'")
    system.order(f"alter table {table} set (fillfactor = 10)")
    system.order(f"alter table {table} set tablespace tiny")
    try:
        yield
    finally:
        system.order(f"alter table {table} set tablespace pg_default")
        system.order(f"alter table {table} reset (fillfactor)")
        system.order("drop tablespace tiny")


_log_disks: list[Disk] = []  # of the setting


@contextmanager
def logs_on_a_disk(system: System) -> Iterator[None]:
    """Web and worker write their logs to a disk of their own."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(1))
        _log_disks.append(disk)
        stack.callback(_log_disks.clear)
        before = {name: system.programs[name].log for name in OURS}
        for name in OURS:
            system.programs[name].log = disk.path / name
        with system.reconfigured():
            yield
            for name, log in before.items():
                system.programs[name].log = log


@contextmanager
def logs_full(system: System, number: int) -> Iterator[None]:
    """The disk of the logs has no space left."""
    _log_disks[-1].fill()
    yield
    _log_disks[-1].free()


CASES = (
    Case("database-disk-full", database_full, act_seconds=2),
    Case("log-disk-full", logs_full, is_harmless=True, setting=logs_on_a_disk),
)

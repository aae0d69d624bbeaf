"""A PostgreSQL of its own that archives its write-ahead log, and is recovered to a moment in another directory."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

from devstack.embedded import start_postgres
from tests.support.standby import address_of_both, as_server, ask, copy_server, lose
from tests.support.waiting import wait_until


@dataclass
class Archived:
    """The server, its base backup, its archive, and the directory in which it is recovered."""

    url: str
    server: Path
    directory: Path

    @property
    def archive(self) -> Path:
        return self.directory / "archive"

    @property
    def recovered(self) -> Path:
        return self.directory / "recovered"

    def both(self) -> str:
        """The address of the server, and of the recovered one."""
        return address_of_both(self.url, self.server, self.recovered)

    def back_up(self) -> None:
        copy_server(self.server, self.recovered, "-X", "none")

    def moment(self) -> str:
        return str(ask(self.server, "select clock_timestamp()::text"))

    def archive_all(self) -> None:
        """Wait until the archive has everything that was written until now."""
        file = ask(self.server, "select pg_walfile_name(pg_switch_wal())")
        wait_until(lambda: (self.archive / str(file)).exists(), "the log is not archived")

    def lose(self) -> None:
        lose(self.server)

    def recover(self, moment: str) -> None:
        """Start from the base backup, and read the archive up to a moment."""
        with (self.recovered / "postgresql.auto.conf").open("a") as file:
            file.write(f"restore_command = 'cp {self.archive}/%f %p'\nrecovery_target_time = '{moment}'\n")
            file.write("recovery_target_action = 'promote'\n")
        (self.recovered / "recovery.signal").touch()
        options = f"-k {self.recovered} -c listen_addresses="
        as_server("pg_ctl", "-D", self.recovered, "-w", "-l", self.recovered / "log", "-o", options, "start")
        wait_until(lambda: ask(self.recovered, "select not pg_is_in_recovery()"), "the recovery does not end")


@contextmanager
def archiving() -> Iterator[Archived]:
    """The server running, in a new directory; at the end it and the recovered one are stopped."""
    with TemporaryDirectory(prefix="jixiang-archive-") as place:
        directory = Path(place)
        directory.chmod(0o755)
        archive = directory / "archive"
        archive.mkdir()
        if os.geteuid() == 0:
            shutil.chown(archive, "pgserver", "pgserver")
        with start_postgres(directory / "server") as postgres:
            url = postgres.database("jixiang")
            server = Path(str(make_url(url).query["host"]))
            ask(server, "alter system set archive_mode = on")
            command = f"test ! -f {archive}/%f && cp %p {archive}/%f.part && mv {archive}/%f.part {archive}/%f"
            ask(server, f"alter system set archive_command = '{command}'")
            as_server("pg_ctl", "-D", server, "-w", "-m", "fast", "stop")
            postgres.restart()
            made = Archived(url, server, directory)
            try:
                yield made
            finally:
                if (made.recovered / "postmaster.pid").exists():
                    as_server("pg_ctl", "-D", made.recovered, "-w", "-m", "immediate", "stop")

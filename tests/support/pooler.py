"""PgBouncer before the database of the tests, in one of its modes."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, make_url

from devstack.layout import find_free_ports
from tests.support.waiting import PATIENCE, wait_until

PROGRAM = shutil.which("pgbouncer") or next(filter(os.path.exists, ["/usr/sbin/pgbouncer"]), None)


@contextmanager
def start_pooler(database: str, mode: str) -> Iterator[str]:
    """The address of a PgBouncer whose `pool_mode` is "session" or "transaction"."""
    url = make_url(database)
    host = str(url.query.get("host", url.host or "127.0.0.1"))
    port = find_free_ports(1)
    with TemporaryDirectory(prefix="jixiang-pooler-") as place:
        file, owner = Path(place) / "ini", _user(host)
        file.write_text(_configuration(url, host, port, mode))
        for path in (Path(place), file):
            os.chown(path, owner, -1)
        log = (Path(place) / "log").open("wb")
        server = subprocess.Popen([str(PROGRAM), str(file)], stdout=log, stderr=log, user=owner)
        try:
            _wait(server, port, Path(place) / "log")
            yield f"postgresql+psycopg://{url.username or 'postgres'}@127.0.0.1:{port}/{url.database}"
        finally:
            server.terminate()
            server.wait(PATIENCE)
            log.close()


def _configuration(url: URL, host: str, port: int, mode: str) -> str:
    password = f" password={url.password}" if url.password else ""
    return f"""
        [databases]
        * = host={host} port={url.port or 5432} user={url.username or "postgres"}{password}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = any
        pool_mode = {mode}
        default_pool_size = 40
        max_client_conn = 200
    """.replace("\n        ", "\n")


def _user(host: str) -> int:
    """PgBouncer does not run as root: it runs as the user of the embedded server, or as nobody."""
    if os.getuid() != 0:
        return os.getuid()
    return os.stat(host).st_uid if host.startswith("/") else 65534


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    def listens() -> bool:
        assert server.poll() is None, log.read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    wait_until(listens, log.read_text)

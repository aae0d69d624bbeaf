"""Directories of this machine that a run needs: made, or refused in one sentence.

Never follows what another user of the machine has put in our way.
"""

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.errors import StartError


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn what the machine refuses into a StartError with the file and the reason."""
    try:
        yield
    except OSError as error:
        what = error.filename or "Something that is needed"
        raise StartError(f"{what} cannot be used: {error.strerror or type(error).__name__}.") from None


def made(directory: Path) -> Path:
    """The directory's full path, made when it is not there yet. Raises StartError."""
    with refusals_told():
        directory = directory.resolve()
        directory.mkdir(parents=True, exist_ok=True)
        return directory


def our_temporary() -> Path:
    """A short directory of this user's own in the machine's temporary one. Raises StartError."""
    place = Path(tempfile.gettempdir()).resolve() / f"jixiang-{os.getuid()}"
    with refusals_told():
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022:
        raise StartError(f"{place} must be a directory that only you can change: remove it.")
    return place


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Wait until no other process or thread of this user is in a block of this name. Raises StartError."""
    with refusals_told():
        lock = (our_temporary() / f"{name}.lock").open("w")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def short_name(directory: Path) -> str:
    """A short name for a directory whose own path is too long or too strange for what has to take it."""
    return hashlib.sha256(str(directory).encode()).hexdigest()[:12]

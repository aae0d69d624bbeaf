"""Destroying key files: overwritten, removed, and a tombstone in their place that no process starts on.

What a disk or a file system keeps elsewhere (snapshots, copies on write, copies in a safe) is out of reach: the report
says so, and the how-to what to do about it.
"""

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.core.errors import ConfigError
from app.core.keys import KEY_SIZES, TOMBSTONE


def list_files(directory: Path, *, signing: bool) -> list[Path]:
    """Return the key files, half-written ones too: those that sign, or all others."""
    patterns = ("signing-*.json", ".signing-*") if signing else ("*.key", *(f".{name}.key.*" for name in KEY_SIZES))
    return sorted({file for pattern in patterns for file in directory.glob(pattern)})


def destroy(directory: Path, *, signing: bool) -> Iterator[str]:
    """Overwrite and remove key files; yields the name of each before that. Raises ConfigError."""
    for file in list_files(directory, signing=signing):
        yield file.name
        try:
            _overwrite(file)
            file.unlink()
            _sync(directory)
        except OSError as error:
            raise ConfigError(
                f"The key file {file} cannot be destroyed ({error.strerror}); make it writable, or remove it, "
                "and run this again."
            ) from None


def bury(directory: Path, content: dict[str, Any]) -> None:
    """Put the tombstone in the place of the keys, or another one in its place."""
    temporary = directory / f".{TOMBSTONE}.{secrets.token_hex(4)}"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as opened:
            json.dump(content, opened, ensure_ascii=False)
            opened.flush()
            os.fsync(opened.fileno())
        temporary.replace(directory / TOMBSTONE)
        _sync(directory)
    except OSError as error:
        raise ConfigError(
            f"The key directory {directory} cannot be written ({error.strerror}); correct its mode and run this again."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def read_tombstone(directory: Path) -> dict[str, Any] | None:
    """Return what the tombstone says, None where there is none; a damaged one still is one."""
    try:
        content = json.loads((directory / TOMBSTONE).read_bytes())
        return content if isinstance(content, dict) else {}
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}


def _overwrite(file: Path) -> None:
    if file.is_symlink():
        file = file.resolve()  # a mounted secret: its content is what has to go
    with file.open("r+b") as opened:
        opened.write(secrets.token_bytes(max(file.stat().st_size, 1)))
        opened.flush()
        os.fsync(opened.fileno())


def _sync(directory: Path) -> None:
    """Have the directory itself on the disk, so that a removed file does not come back with the power."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

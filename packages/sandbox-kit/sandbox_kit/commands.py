"""What the commands of sandboxes have in common: where they serve, the secret of their callers, and no production."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def where_to_serve(port: int) -> Callable[[Command], Command]:
    """Add `--host` and `--port`, by default this port of this machine alone."""

    def add(command: Command) -> Command:
        ports = click.IntRange(1, 65_535)
        command = click.option("--port", type=ports, default=port, show_default=True)(command)
        return click.option("--host", default="127.0.0.1", show_default=True)(command)

    return add


def refuse_production() -> None:
    """Refuse to serve beside a system in production. Raises ClickException."""
    if os.environ.get("JIXIANG_ENVIRONMENT") == "production":
        raise click.ClickException(
            "A sandbox has no place in production 生产环境不可使用沙箱: unset JIXIANG_ENVIRONMENT."
        )


def read_secret(file: Path | None) -> str:
    """The secret in the file, or without a file a new one. Raises ClickException."""
    if file is None:
        return secrets.token_hex(16)
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise click.ClickException(f"无法读取 {file} cannot be read: {error.strerror}.") from None

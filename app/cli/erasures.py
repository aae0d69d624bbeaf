"""Commands for erasures that a restore undoes: keep a list of them, and repeat those of a list."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from app.cli import base

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@base.main.group(cls=base.Group)
def erasures() -> None:
    """Erasures, withdrawn phones and ended family ties, which a restore has to repeat."""


@erasures.command("save")
@_file
def save_list(file: Path) -> None:
    """Write all erasures to FILE, to be kept beside the backups; run it every few minutes.

    What FILE has already stays in it. It names nobody, and only these keys read it.
    """
    from app.backup.erasures import save_list as save
    from app.core.clock import rfc3339
    from app.core.keys import load_keys
    from app.core.settings import load_settings

    settings = load_settings()
    made = save(settings.database.url, load_keys(settings.keys.directory), file)
    base.say(f"{file} has {len(made.erasures)} erasures, up to {rfc3339(made.made_at)}.")


@erasures.command("repeat")
@_file
def repeat_list(file: Path) -> None:
    """Repeat the erasures of FILE in a database that was put back in any way; nobody who has come back is erased."""
    from app.backup.erasures import read_list
    from app.core.keys import load_keys
    from app.core.settings import load_settings

    known = read_list(file, load_keys(load_settings().keys.directory))
    report(known.erasures, repeat(base.services(), known.erasures), known.made_at)


def repeat(services: Any, done: Sequence[Any]) -> int:
    """Repeat erasures, each in a transaction of its own; return how many there were to repeat."""
    from app.privacy import repetition

    repeated = 0
    for one in done:
        with services.begin() as session:
            repeated += repetition.repeat(session, one, services.clock.now())
    return repeated


def report(done: Sequence[Any], repeated: int, known_until: datetime | None) -> None:
    """Print what was repeated, and up to when erasures are known, unless all of them are."""
    from app.core.clock import rfc3339

    base.say(f"{repeated} of {len(done)} erasures were repeated; of the others nothing is there.")
    if known_until is not None:
        base.say(f"Erasures after {rfc3339(known_until)} are not in the list, and not repeated.")

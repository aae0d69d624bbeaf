"""Commands for erasures and revocations that a restore undoes: keep a list of them, and repeat those of a list."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from app.cli import base

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@base.main.group(cls=base.Group)
def erasures() -> None:
    """Erasures, and what else was taken from people, officers and devices, which a restore has to repeat."""


@erasures.command("save")
@_file
def save_list(file: Path) -> None:
    """Write all erasures and revocations to FILE, to be kept beside the backups; run it every few minutes.

    What FILE has already stays in it. It names nobody, and only these keys read it.
    """
    from app.backup.erasures import save_list as save
    from app.core.clock import rfc3339
    from app.core.keys import load_keys
    from app.core.settings import load_settings

    settings = load_settings()
    made = save(settings.database.url, load_keys(settings.keys.directory), file)
    revocations = len(made.removals) - made.erasures
    base.say(f"{file} has {made.erasures} erasures and {revocations} revocations, up to {rfc3339(made.made_at)}.")


@erasures.command("repeat")
@_file
def repeat_list(file: Path) -> None:
    """Repeat those of FILE in a database that was put back in any way; nobody who has come back is erased."""
    from app.backup.erasures import read_list
    from app.core.keys import load_keys
    from app.core.settings import load_settings

    known = read_list(file, load_keys(load_settings().keys.directory))
    repeat(base.services(), known.removals, known.made_at)


def repeat(services: Any, done: Sequence[Any], known_until: datetime | None) -> None:
    """Repeat removals, each in a transaction of its own, and print how many; `known_until` unless all are known."""
    from sqlalchemy.exc import DBAPIError

    from app.backup.repetition import repeating
    from app.backup.repetition.removals import ERASURES, still_to_do
    from app.core.errors import Problem
    from app.staff.context import OPERATOR, begin_as

    found, repeated = Counter[bool](), Counter[bool]()
    for removal in filter(repeating.is_repeated, still_to_do(done)):
        found[removal.action in ERASURES] += 1
        try:
            with begin_as(services, OPERATOR) as context:
                repeated[removal.action in ERASURES] += repeating.repeat(context, removal)
        except (Problem, DBAPIError) as error:  # the others must not wait for this one
            what = error.slug if isinstance(error, Problem) else type(error).__name__
            base.say(f"{removal.action} of {removal.subject} was not repeated ({what}); do it by hand.", err=True)
    base.say(f"{repeated[True]} of {found[True]} erasures were repeated; of the others nothing is there.")
    base.say(f"{repeated[False]} of {found[False]} revocations were repeated; the others hold, or were undone.")
    if known_until is not None:
        from app.core.clock import rfc3339

        base.say(f"What was done after {rfc3339(known_until)} is not in the list, and not repeated.")

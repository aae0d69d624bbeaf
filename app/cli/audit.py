"""Commands for the audit: link what waits into the chain, and check the chain."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from rich.progress import Progress

from app.cli import base


@base.main.group(cls=base.Group)
def audit() -> None:
    """The record of who did what, as a chain."""


@audit.command()
def seal() -> None:
    """Link what waits into the chain, as the worker does every ten seconds."""
    from app.audit.sealing import seal_all

    click.echo(f"{seal_all(base.services())} entries sealed.")


@audit.command()
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Begin at the last head before this day.")
@click.option("--heads", "source", metavar="FILE-OR-URL", help="Heads kept elsewhere, as they were published.")
@base.as_json
def verify(since: datetime | None, source: str | None, as_json: bool) -> None:
    """Check every link and every head; exit 1 when something does not fit, with a line for each."""
    from app.audit import verification

    elsewhere = _load_checkpoints(source) if source else []
    services, discrepancies, done = base.services(), _Discrepancies(), 0
    day = since.date() if since else None
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("verifying", total=None)
        for progress in verification.verify_chain(
            services.sessions, services.checkpoint_signer, services.clock.now(), external=elsewhere, since=day
        ):
            bar.update(task, completed=progress.done, total=progress.total)
            discrepancies.add(progress.discrepancies)
            done = progress.done
    click.echo(json.dumps(discrepancies.to_json(done)) if as_json else discrepancies.lines(done))
    if discrepancies.number:
        click.get_current_context().exit(1)


class _Discrepancies:
    """What was found: the first of many, and the number of them all."""

    MOST = 1000

    def __init__(self) -> None:
        self.first: list[Any] = []
        self.number = 0

    def add(self, some: Sequence[Any]) -> None:
        self.number += len(some)
        self.first += some[: self.MOST - len(self.first)]

    def to_json(self, entries: int) -> dict[str, Any]:
        discrepancies = [{**one._asdict(), "day": one.day and one.day.isoformat()} for one in self.first]
        return {"entries": entries, "number": self.number, "findings": discrepancies}

    def lines(self, entries: int) -> str:
        if not self.number:
            return f"The chain is whole: {entries} entries."
        more = [f"and {self.number - len(self.first)} more"] if self.number > len(self.first) else []
        return "\n".join([*(f"{one.kind}: {one.words}" for one in self.first), *more])


def _load_checkpoints(source: str) -> Sequence[Any]:
    """The heads in a file, or at an address. Raises ClickException."""
    from pathlib import Path

    import requests

    from app.audit import checkpoints
    from app.core.http_client import pooled_session

    try:
        if source.startswith(("https://", "http://")):
            answer = pooled_session(source).get(source, timeout=10)
            answer.raise_for_status()
            return checkpoints.parse_checkpoints(answer.json())
        return checkpoints.parse_checkpoints(json.loads(Path(source).read_text(encoding="utf-8")))
    except OSError as error:  # of requests as well
        why = (
            "cannot be fetched"
            if isinstance(error, requests.RequestException)
            else f"cannot be read ({error.strerror})"
        )
        raise click.ClickException(f"{source} {why}.") from None
    except ValueError:
        raise click.ClickException(f"{source} holds no heads of an audit.") from None

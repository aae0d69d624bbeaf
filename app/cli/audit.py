"""Commands for the audit log: seal new events into the chain, and verify the chain."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from rich.progress import Progress

from app.cli import base
from app.cli.language import translate


@base.main.group(cls=base.Group)
def audit() -> None:
    """The audit log and its chain."""


@audit.command()
def seal() -> None:
    """Seal new events into the chain, as the worker does every ten seconds."""
    from app.audit.sealing import seal_all

    base.say(f"{seal_all(base.services())} events sealed.")


@audit.command()
@click.option(
    "--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Begin at the last checkpoint before this day."
)
@click.option("--heads", "source", metavar="FILE-OR-URL", help="Checkpoints kept elsewhere, as published.")
@base.as_json
def verify(since: datetime | None, source: str | None, as_json: bool) -> None:
    """Verify every link and every checkpoint; exit 1 and print a line for each discrepancy."""
    from app.audit import verification

    elsewhere = _load_checkpoints(source) if source else []
    services, discrepancies, done = base.services(), _Discrepancies(len(elsewhere) if source else None), 0
    day = since.date() if since else None
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(translate("verifying"), total=None)
        for progress in verification.verify_chain(
            services.sessions, services.checkpoint_signer, services.clock.now(), external=elsewhere, since=day
        ):
            bar.update(task, completed=progress.done, total=progress.total)
            discrepancies.add(progress.discrepancies)
            done = progress.done
    click.echo(json.dumps(discrepancies.to_json(done)) if as_json else translate(discrepancies.lines(done)))
    if discrepancies.number:
        click.get_current_context().exit(1)


class _Discrepancies:
    """The first discrepancies, and the number of all of them; `compared` counts checkpoints from elsewhere."""

    MOST = 1000

    def __init__(self, compared: int | None) -> None:
        self.compared = compared
        self.first: list[Any] = []
        self.number = 0

    def add(self, some: Sequence[Any]) -> None:
        self.number += len(some)
        self.first += some[: self.MOST - len(self.first)]

    def to_json(self, entries: int) -> dict[str, Any]:
        discrepancies = [{**one._asdict(), "day": one.day and one.day.isoformat()} for one in self.first]
        compared = {} if self.compared is None else {"heads": self.compared}
        return {"entries": entries, **compared, "number": self.number, "findings": discrepancies}

    def lines(self, entries: int) -> str:
        compared = [] if self.compared is None else [f"Compared with {self.compared} checkpoints."]
        if not self.number:
            return "\n".join([f"The chain is intact: {entries} events.", *compared])
        more = [f"and {self.number - len(self.first)} more"] if self.number > len(self.first) else []
        return "\n".join([*(f"{one.kind}: {one.words}" for one in self.first), *more, *compared])


def _load_checkpoints(source: str) -> Sequence[Any]:
    """Return the checkpoints in a file or at an address. Raises ClickException."""
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
    except requests.RequestException:
        raise click.ClickException(f"{source} cannot be fetched; check the address and the network.") from None
    except OSError as error:
        raise click.ClickException(f"{source} cannot be read ({error.strerror}); check its name and mode.") from None
    except ValueError:
        raise click.ClickException(
            f"{source} holds no checkpoints of an audit chain; name the published ones."
        ) from None

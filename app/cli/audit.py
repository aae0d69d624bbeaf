"""Commands for the audit log: seal new events into the chain, and verify the chain."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from app.cli import base
from app.cli.language import translate

if TYPE_CHECKING:
    from rich.progress import Progress


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
@click.option("--no-rows", is_flag=True, help="Verify the chain alone, not the rows that its events describe.")
@base.as_json
def verify(since: datetime | None, source: str | None, no_rows: bool, as_json: bool) -> None:
    """Verify every link and checkpoint, and every row of evidence, decisions and codes; exit 1 with a line for each
    discrepancy.
    """
    elsewhere = _load_checkpoints(source) if source else []
    report = _Report(len(elsewhere) if source else None)
    with base.progress_bar() as bar:
        _verify_chain(report, bar, elsewhere, since.date() if since else None)
        if not no_rows:
            _verify_rows(report, bar)
    click.echo(json.dumps(report.to_json()) if as_json else translate(report.lines()))
    if report.number:
        click.get_current_context().exit(1)


def _verify_chain(report: "_Report", bar: "Progress", elsewhere: Sequence[Any], since: date | None) -> None:
    from app.audit import verification

    services, task = base.services(), bar.add_task(translate("verifying"), total=None)
    for progress in verification.verify_chain(
        services.sessions, services.checkpoint_signer, services.clock.now(), external=elsewhere, since=since
    ):
        bar.update(task, completed=progress.done, total=progress.total)
        report.add(progress.discrepancies)
        report.events = progress.done


def _verify_rows(report: "_Report", bar: "Progress") -> None:
    from app.codes.row_digests.verification import verify_rows

    services, task = base.services(), bar.add_task(translate("verifying rows"), total=None)
    report.rows = report.uncovered = 0
    for progress in verify_rows(services.sessions, services.row_digests):
        bar.update(task, completed=progress.last, total=progress.total)
        report.add(progress.discrepancies)
        report.rows += progress.rows
        report.uncovered += progress.uncovered


class _Report:
    """The first discrepancies, and the number of all of them; `compared` counts checkpoints from elsewhere."""

    MOST = 1000

    def __init__(self, compared: int | None) -> None:
        self.compared = compared
        self.first: list[Any] = []
        self.number = self.events = self.uncovered = 0
        self.rows: int | None = None

    def add(self, some: Sequence[Any]) -> None:
        self.number += len(some)
        self.first += some[: self.MOST - len(self.first)]

    def to_json(self) -> dict[str, Any]:
        compared = {} if self.compared is None else {"heads": self.compared}
        rows = {} if self.rows is None else {"rows": self.rows, "uncovered": self.uncovered}
        found = [one._asdict() for one in self.first]
        for one in found:
            one |= {"day": one["day"].isoformat()} if one.get("day") else {}
        return {"entries": self.events, **rows, **compared, "number": self.number, "findings": found}

    def lines(self) -> str:
        lines = [f"{one.kind}: {one.words}" for one in self.first]
        if self.number > len(self.first):
            lines.append(f"and {self.number - len(self.first)} more")
        if not self.number:
            lines.append(f"The chain is intact: {self.events} events.")
        if not self.number and self.rows is not None:
            lines.append(f"The rows are as recorded: {self.rows} of evidence, decisions and codes.")
        if self.uncovered:
            lines.append(f"Not covered, because their events have no digest of our keys: {self.uncovered} rows.")
        if self.compared is not None:
            lines.append(f"Compared with {self.compared} checkpoints.")
        return "\n".join(lines)


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


@audit.command()
@click.argument("line")
@base.as_json
def certificate(line: str, as_json: bool) -> None:
    """Verify a certificate that a person was given, and find its event in the chain; exit 1 where it proves nothing."""
    from app.audit import certificates
    from app.core.clock import rfc3339

    try:
        given = certificates.parse_certificate(line)
    except ValueError:
        raise click.ClickException("This is no certificate; copy the whole line, from `erased.` on.") from None
    services = base.services()
    with services.sessions() as session:
        event = certificates.find_event(session, given)
    fault = services.certificate_signer.signature_fault(given)
    if fault is None and (event is None or event.at.replace(microsecond=0) != given.at):
        fault = "no-event"
    place = None if event is None else event.place
    if as_json:
        click.echo(json.dumps({"action": given.action, "at": rfc3339(given.at), "fault": fault, "place": place}))
    else:
        base.say(_certificate_words(fault, given, place))
    if fault:
        click.get_current_context().exit(1)


def _certificate_words(fault: str | None, given: Any, place: int | None) -> str:
    from app.core.clock import rfc3339

    if fault == "unknown-key":
        return "The certificate is signed with a key that is not here: verify it where it was made."
    if fault == "forged":
        return "The certificate was not signed by this system, or was changed: ask for the line as it was given."
    if fault == "no-event":
        return "The signature is right, but the audit has no such event: run `jixiang audit verify`."
    words = f"The certificate is genuine: {given.action} at {rfc3339(given.at)}."
    if place is None:
        return f"{words}\nIt is not in the chain yet; ask again in ten seconds."
    return f"{words}\nIt is event {place} of the chain, which `jixiang audit verify` verifies."

"""Commands of health officers."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO

import click
from rich.progress import Progress

from app.cli import base
from app.cli.identity import identify
from app.core.texts import text


@base.main.group(cls=base.Group)
def evidence() -> None:
    """What health officers record."""


_day = click.DateTime(formats=["%Y-%m-%d"])
_officer = click.option("--officer", required=True, help="The officer's user name; password and code are asked for.")


@evidence.command("record")
@click.option(
    "--document-number",
    required=True,
    prompt=True,
    help="Of the person concerned; asked for, so that no shell remembers it.",
)
@click.option("--document-type", "document_type_name", default="id-card", show_default=True)
@click.option("--kind", required=True, help="contact, quarantine, suspected, confirmed, ruled-out, recovered, release")
@click.option("--exposed-on", type=_day, help="contact: the last day of exposure, YYYY-MM-DD")
@click.option("--first-day", type=_day, help="quarantine: its first day")
@click.option("--last-day", type=_day, help="quarantine: its last day")
@click.option("--authority", required=True, help="Who stands behind the entry.")
@click.option("--reference", required=True, help="The document that the entry rests on.")
@click.option("--place", help="contact, quarantine: where it happened, such as an employer, a house, a train")
@click.option("--case", help="contact: the number of the case")
@click.option("--urgent", is_flag=True, help="Let it count at once; it falls after 24 hours without approval.")
@_officer
@base.as_json
def record_evidence(officer: str, as_json: bool, **options: Any) -> None:
    """Propose a case, a contact, a quarantine or a release; what makes a code worse waits for another officer.

    Asks for the officer's password and one-time code. The rules decide what color follows.
    """
    from app.entries import command_line

    services = base.services()
    outcome = command_line.record(services, identify(services, officer), **options)
    click.echo(json.dumps(outcome, ensure_ascii=False) if as_json else _format_recorded(outcome))


@evidence.command("approve")
@click.argument("entry", type=click.IntRange(min=1))
@_officer
@click.option("--yes", is_flag=True, help="Do not ask again once the entry is shown.")
@base.as_json
def approve_entry(entry: int, officer: str, yes: bool, as_json: bool) -> None:
    """Let an entry of another officer count. It is shown first, with its people masked."""
    from app.entries import command_line

    services = base.services()
    approver = identify(services, officer)
    click.echo(_format_entry(entry, command_line.show(services, approver, entry)), err=True)
    if not yes:
        click.confirm("You answer for this approval. Let it count?", abort=True, err=True)
    outcome = command_line.approve(services, approver, entry)
    click.echo(json.dumps(outcome) if as_json else _format_approved(outcome))


@evidence.command("import")
@click.argument("file", type=click.File("rb"))
@_officer
@click.option("--approver", help="The user name of the second officer, who signs for the list; not for a dry run.")
@click.option(
    "--kind", help="contact, quarantine or release: of every line, where no column tells it; so for the others below."
)
@click.option("--authority", help="Who stands behind the entries.")
@click.option("--reference", help="The document that the entries rest on.")
@click.option("--exposed-on", type=_day, help="contact: the last day of exposure, YYYY-MM-DD")
@click.option("--first-day", type=_day, help="quarantine: its first day")
@click.option("--last-day", type=_day, help="quarantine: its last day")
@click.option("--document-type", help="id-card where nothing else is said")
@click.option("--dry-run", is_flag=True, help="Tell what would change, and write nothing.")
@base.as_json
def import_list(file: BinaryIO, officer: str, approver: str | None, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Record a verified list, for which two officers sign: a CSV of document numbers, or of serials, one entry a line.

    Columns: document_number or serial; document_type, kind, authority, reference, exposed_on, first_day, last_day.
    The list is checked whole before anything is written. Reading it again adds what is missing and nothing twice.
    """
    from app.core.errors import Problem
    from app.entries import bulk_import, command_line
    from app.entries.lists import InvalidList
    from app.staff import officers

    if approver is None and not dry_run:
        raise click.UsageError("Give --approver: a list counts when two officers sign for it.")
    if approver == officer:
        raise Problem("two-persons")
    services = base.services()
    recorder = identify(services, officer)
    command_line.require_recorder(recorder)
    once = {name: _format_option(value) for name, value in given.items() if value is not None}
    try:
        lines = bulk_import.read_list(services, file.read(), once, recorder)
    except InvalidList as wrong:
        raise click.ClickException(_format_errors(wrong.mistakes)) from None
    actor = officers.actor_of(recorder)
    if approver is not None and not dry_run:
        click.echo(_describe_list(lines), err=True)
        actor = command_line.sign_list(services, recorder, identify(services, approver, "approver"), lines)
    progress = bulk_import.ImportProgress()
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("importing", total=len(lines))
        for progress in bulk_import.import_lines(services, lines, actor=actor, dry_run=dry_run):
            bar.update(task, completed=progress.lines)
    click.echo(json.dumps(_summarize(progress, dry_run)) if as_json else _format_import(progress, dry_run))


def _format_option(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value)


def _describe_list(lines: Sequence[Any]) -> str:
    """What a list says, for who signs for it."""
    kinds = Counter((line.content.kind, line.content.authority, line.content.reference) for line in lines)
    rows = [f"  {number} × {kind}: {authority}, {reference}" for (kind, authority, reference), number in kinds.items()]
    more = [f"  and {len(rows) - _MAX_SHOWN} more"] if len(rows) > _MAX_SHOWN else []
    return "\n".join([f"A list of {len(lines)} lines, in order:", *rows[:_MAX_SHOWN], *more])


_MAX_SHOWN = 50


def _format_errors(mistakes: Sequence[Any]) -> str:
    """Every mistake by its line, the first of many; never what stands in the cell."""
    output = []
    for line, field in mistakes[:_MAX_SHOWN]:
        column = field.pointer.removeprefix("/").replace("/", "_")
        output.append(f"  line {line}: {column} {text('fields', field.slug, 'en')}".replace(":  ", ": "))
    if len(mistakes) > _MAX_SHOWN:
        output.append(f"  and {len(mistakes) - _MAX_SHOWN} more")
    many = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return "\n".join([f"The list has {many}, and nothing of it was written.", *output])


def _summarize(progress: Any, dry_run: bool) -> dict[str, Any]:
    changes = [{"from": old.name, "to": new.name, "codes": n} for (old, new), n in sorted(progress.changes.items())]
    counts = {"lines": progress.lines, "people": progress.people, "new_people": progress.new_people}
    return {**counts, "recorded": progress.recorded, "known": progress.known, "changes": changes, "dry_run": dry_run}


def _format_import(progress: Any, dry_run: bool) -> str:
    lines = [
        f"{progress.lines} lines about {progress.people} people: {progress.recorded} recorded, {progress.known} known before."
    ]
    if progress.new_people:
        lines.append(
            f"{progress.new_people} people were not known before: nobody had been entered with their documents."
        )
    lines += [f"{old.name} → {new.name}: {n}" for (old, new), n in sorted(progress.changes.items())]
    if not progress.changes:
        lines.append("No code changes its color.")
    if dry_run:
        lines.append("This was a dry run: nothing was written.")
    return "\n".join(lines)


def _format_recorded(outcome: dict[str, Any]) -> str:
    entry = outcome["entry"]
    became = {
        "waiting": f"Entry {entry} waits for an approver: jixiang evidence approve {entry}, or the console.",
        "urgent": f"Entry {entry} counts at once, and falls after 24 hours unless another officer approves it.",
        "applied": f"Entry {entry} counts.",
    }
    lines = [_format_held(outcome) if outcome["state"] == "held" else became[outcome["state"]]]
    if "code" in outcome:
        lines.append(f"The code is {outcome['code']} by {outcome['rule'] or 'no rule'}.")
    if outcome["over"]:
        lines.append("It was over before it was recorded, and changes nothing.")
    if outcome["new_person"]:
        lines.append(
            "This is a person not known before: nobody has been entered with this document. Is the number right?"
        )
    return "\n".join([*lines, *(text("overlaps", slug, "en") for slug in outcome["found"])])


def _format_held(outcome: dict[str, Any]) -> str:
    return f"Entry {outcome['entry']} is held for an auditor. {text('alarms', outcome['alarm'], 'en')}"


def _format_approved(outcome: dict[str, Any]) -> str:
    if outcome["state"] == "held":
        return _format_held(outcome)
    if outcome["state"] == "rejected":
        return f"Entry {outcome['entry']} is refused: the case that it rests on has ended."
    return f"Entry {outcome['entry']} counts: {outcome['people']} people."


def _format_entry(entry: int, output: dict[str, Any]) -> str:
    """An entry as its approver sees it."""
    stated = [f"  {name}: {value}" for name, value in output.items() if value is not None and name != "documents"]
    more = output["people"] - len(output["documents"])
    people = [f"    {line}" for line in output["documents"]] + ([f"    and {more} more"] if more else [])
    return "\n".join([f"Entry {entry}", *stated, *people])

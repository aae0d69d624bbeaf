"""Commands of health officers."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO

import click
from rich.progress import Progress

from app.cli import base
from app.texts import text


@base.main.group(cls=base.Group)
def evidence() -> None:
    """What health officers record."""


_day = click.DateTime(formats=["%Y-%m-%d"])


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
@click.option("--officer", required=True, help="Who enters it; kept in the audit.")
@base.as_json
def record_evidence(as_json: bool, **options: Any) -> None:
    """Record a case, a contact, a quarantine or a release; the rules decide what color follows."""
    from app.officers.entering import enter

    outcome = enter(base.services(), **options)
    click.echo(json.dumps(outcome, ensure_ascii=False) if as_json else _told(outcome))


@evidence.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--officer", required=True, help="Who enters it; kept in the audit.")
@click.option("--kind", help="Of every line, where the list has no such column; so for the others below.")
@click.option("--authority", help="Who stands behind the entries.")
@click.option("--reference", help="The document that the entries rest on.")
@click.option("--exposed-on", type=_day, help="contact: the last day of exposure, YYYY-MM-DD")
@click.option("--first-day", type=_day, help="quarantine: its first day")
@click.option("--last-day", type=_day, help="quarantine: its last day")
@click.option("--document-type", help="id-card where nothing else is said")
@click.option("--dry-run", is_flag=True, help="Tell what would change, and write nothing.")
@base.as_json
def import_list(file: BinaryIO, officer: str, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Record a list: a CSV of document numbers, or of serials, one entry a line.

    Columns: document_number or serial; document_type, kind, authority, reference, exposed_on, first_day, last_day.
    The list is checked whole before anything is written. Reading it again adds what is missing and nothing twice.
    """
    from app.officers import importing
    from app.officers.entering import officer_named
    from app.officers.lists import WrongList

    services, actor = base.services(), officer_named(officer)
    once = {name: _word(value) for name, value in given.items() if value is not None}
    try:
        lines = importing.read(services, file.read(), once)
    except WrongList as wrong:
        raise click.ClickException(_mistakes(wrong.mistakes)) from None
    tally = importing.Tally()
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("importing", total=len(lines))
        for tally in importing.write(services, lines, actor=actor, dry_run=dry_run):
            bar.update(task, completed=tally.lines)
    click.echo(json.dumps(_summary(tally, dry_run)) if as_json else _imported(tally, dry_run))


def _word(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value)


_MOST_TOLD = 50


def _mistakes(mistakes: Sequence[Any]) -> str:
    """Every mistake by its line, the first of many; never what stands in the cell."""
    told = []
    for line, field in mistakes[:_MOST_TOLD]:
        column = field.pointer.removeprefix("/").replace("/", "_")
        told.append(f"  line {line}: {column} {text('fields', field.slug, 'en')}".replace(":  ", ": "))
    if len(mistakes) > _MOST_TOLD:
        told.append(f"  and {len(mistakes) - _MOST_TOLD} more")
    return "\n".join([f"The list has {len(mistakes)} mistakes, and nothing of it was written.", *told])


def _summary(tally: Any, dry_run: bool) -> dict[str, Any]:
    changes = [{"from": old.name, "to": new.name, "codes": n} for (old, new), n in sorted(tally.changes.items())]
    counts = {"lines": tally.lines, "people": tally.people, "new_people": tally.new_people}
    return {**counts, "recorded": tally.recorded, "known": tally.known, "changes": changes, "dry_run": dry_run}


def _imported(tally: Any, dry_run: bool) -> str:
    lines = [f"{tally.lines} lines about {tally.people} people: {tally.recorded} recorded, {tally.known} known before."]
    if tally.new_people:
        lines.append(f"{tally.new_people} people were not known before: nobody had been entered with their documents.")
    lines += [f"{old.name} → {new.name}: {n}" for (old, new), n in sorted(tally.changes.items())]
    if not tally.changes:
        lines.append("No code changes its color.")
    if dry_run:
        lines.append("This was a dry run: nothing was written.")
    return "\n".join(lines)


def _told(outcome: dict[str, Any]) -> str:
    lines = [f"Recorded. The code is {outcome['state']} by {outcome['rule'] or 'no rule'}."]
    if outcome["over"]:
        lines.append("It was over before it was recorded, and changes nothing.")
    if outcome["new_person"]:
        lines.append(
            "This is a person not known before: nobody has been entered with this document. Is the number right?"
        )
    return "\n".join(lines)

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
from app.cli.identifying import identify
from app.texts import text


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
    from app.officers import entering

    services = base.services()
    outcome = entering.propose(services, identify(services, officer), **options)
    click.echo(json.dumps(outcome, ensure_ascii=False) if as_json else _told(outcome))


@evidence.command("approve")
@click.argument("entry", type=click.IntRange(min=1))
@_officer
@click.option("--yes", is_flag=True, help="Do not ask again once the entry is shown.")
@base.as_json
def approve_entry(entry: int, officer: str, yes: bool, as_json: bool) -> None:
    """Let an entry of another officer count. It is shown first, with its people masked."""
    from app.officers import entering

    services = base.services()
    approver = identify(services, officer)
    click.echo(_shown(entry, entering.look(services, approver, entry)), err=True)
    if not yes:
        click.confirm("You answer for this approval. Let it count?", abort=True, err=True)
    outcome = entering.approve(services, approver, entry)
    click.echo(json.dumps(outcome) if as_json else _settled(outcome))


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
    from app.errors import Problem
    from app.officers import accounts, entering, importing
    from app.officers.lists import WrongList

    if approver is None and not dry_run:
        raise click.UsageError("Give --approver: a list counts when two officers sign for it.")
    if approver == officer:
        raise Problem("two-persons")
    services = base.services()
    recorder = identify(services, officer)
    entering.check_recorder(recorder)
    once = {name: _word(value) for name, value in given.items() if value is not None}
    try:
        lines = importing.read(services, file.read(), once, recorder)
    except WrongList as wrong:
        raise click.ClickException(_mistakes(wrong.mistakes)) from None
    actor = accounts.actor_of(recorder)
    if approver is not None and not dry_run:
        click.echo(_stated(lines), err=True)
        actor = entering.sign(services, recorder, identify(services, approver, "approver"), lines)
    tally = importing.Tally()
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("importing", total=len(lines))
        for tally in importing.write(services, lines, actor=actor, dry_run=dry_run):
            bar.update(task, completed=tally.lines)
    click.echo(json.dumps(_summary(tally, dry_run)) if as_json else _imported(tally, dry_run))


def _word(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value)


def _stated(lines: Sequence[Any]) -> str:
    """What a list says, for who signs for it."""
    kinds = Counter((line.stated.kind, line.stated.authority, line.stated.reference) for line in lines)
    rows = [f"  {number} × {kind}: {authority}, {reference}" for (kind, authority, reference), number in kinds.items()]
    more = [f"  and {len(rows) - _MOST_TOLD} more"] if len(rows) > _MOST_TOLD else []
    return "\n".join([f"A list of {len(lines)} lines, in order:", *rows[:_MOST_TOLD], *more])


_MOST_TOLD = 50


def _mistakes(mistakes: Sequence[Any]) -> str:
    """Every mistake by its line, the first of many; never what stands in the cell."""
    told = []
    for line, field in mistakes[:_MOST_TOLD]:
        column = field.pointer.removeprefix("/").replace("/", "_")
        told.append(f"  line {line}: {column} {text('fields', field.slug, 'en')}".replace(":  ", ": "))
    if len(mistakes) > _MOST_TOLD:
        told.append(f"  and {len(mistakes) - _MOST_TOLD} more")
    many = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return "\n".join([f"The list has {many}, and nothing of it was written.", *told])


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
    entry = outcome["entry"]
    became = {
        "waiting": f"Entry {entry} waits for an approver: jixiang evidence approve {entry}, or the console.",
        "urgent": f"Entry {entry} counts at once, and falls after 24 hours unless another officer approves it.",
        "applied": f"Entry {entry} counts.",
    }
    lines = [_held(outcome) if outcome["state"] == "held" else became[outcome["state"]]]
    if "code" in outcome:
        lines.append(f"The code is {outcome['code']} by {outcome['rule'] or 'no rule'}.")
    if outcome["over"]:
        lines.append("It was over before it was recorded, and changes nothing.")
    if outcome["new_person"]:
        lines.append(
            "This is a person not known before: nobody has been entered with this document. Is the number right?"
        )
    return "\n".join([*lines, *(text("overlaps", slug, "en") for slug in outcome["found"])])


def _held(outcome: dict[str, Any]) -> str:
    return f"Entry {outcome['entry']} is held for an auditor. {text('alarms', outcome['alarm'], 'en')}"


def _settled(outcome: dict[str, Any]) -> str:
    if outcome["state"] == "held":
        return _held(outcome)
    if outcome["state"] == "refused":
        return f"Entry {outcome['entry']} is refused: the case that it rests on has ended."
    return f"Entry {outcome['entry']} counts: {outcome['people']} people."


def _shown(entry: int, told: dict[str, Any]) -> str:
    """An entry as its approver sees it."""
    stated = [f"  {name}: {value}" for name, value in told.items() if value is not None and name != "documents"]
    more = told["people"] - len(told["documents"])
    people = [f"    {line}" for line in told["documents"]] + ([f"    and {more} more"] if more else [])
    return "\n".join([f"Entry {entry}", *stated, *people])

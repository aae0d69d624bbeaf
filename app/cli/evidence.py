"""Commands of health officers: record, approve and import entries."""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO

import click
from rich.progress import Progress

from app.cli import base
from app.cli.identity import identify
from app.cli.language import language, translate
from app.core.texts import text


@base.main.group(cls=base.Group)
def evidence() -> None:
    """Record, approve and import entries of health officers."""


_MAX_SHOWN = 50
_day = click.DateTime(formats=["%Y-%m-%d"])
_officer = click.option("--officer", required=True, help="The officer's user name; password and code are prompted for.")


@evidence.command("record")
@click.option(
    "--document-number",
    required=True,
    prompt=True,
    help="Of the person; prompted for when omitted, so that no shell history has it.",
)
@click.option("--document-type", "document_type_name", default="id-card", show_default=True)
@click.option("--kind", required=True, help="contact, quarantine, suspected, confirmed, ruled-out, recovered, release")
@click.option("--exposed-on", type=_day, help="contact: the last day of exposure, YYYY-MM-DD")
@click.option("--first-day", type=_day, help="quarantine: its first day")
@click.option("--last-day", type=_day, help="quarantine: its last day")
@click.option("--authority", required=True, help="The institution responsible for the entry.")
@click.option("--reference", required=True, help="The document that the entry rests on.")
@click.option("--place", help="contact, quarantine: where it happened, such as an employer, a house, a train")
@click.option("--case", help="contact: the number of the case")
@click.option("--urgent", is_flag=True, help="Take effect at once; expires after 24 hours without approval.")
@_officer
@base.as_json
def record_evidence(officer: str, as_json: bool, **options: Any) -> None:
    """Record a case, a contact, a quarantine or a release; what raises a risk waits for another officer.

    Prompts for the officer's password and one-time code. The rules decide the color that follows.
    """
    from app.entries import command_line

    services = base.services()
    outcome = command_line.record(services, identify(services, officer), command_line.RecordOptions(**options))
    click.echo(json.dumps(outcome, ensure_ascii=False) if as_json else translate(_format_recorded(outcome)))


@evidence.command("approve")
@click.argument("entry", type=click.IntRange(min=1))
@_officer
@click.option("--yes", is_flag=True, help="Do not ask for confirmation once the entry is shown.")
@base.as_json
def approve_entry(entry: int, officer: str, yes: bool, as_json: bool) -> None:
    """Approve an entry of another officer. It is shown first, with its people, which they can read."""
    from app.entries import command_line

    services = base.services()
    approver = identify(services, officer)
    base.say(_format_entry(entry, command_line.show(services, approver, entry)), err=True)
    if not yes:
        click.confirm(translate("You are responsible for this approval. Approve?"), abort=True, err=True)
    outcome = command_line.approve(services, approver, entry)
    click.echo(json.dumps(outcome) if as_json else translate(_format_approved(outcome)))


@evidence.command("import")
@click.argument("file", type=click.File("rb"))
@_officer
@click.option("--approver", help="The user name of the second officer, who signs the list; not needed for a dry run.")
@click.option("--auditor", help="The user name of a third officer, who signs a list that restricts many people.")
@click.option(
    "--kind", help="contact, quarantine or release: for all lines, instead of a column; likewise the options below."
)
@click.option("--authority", help="The institution responsible for the entries.")
@click.option("--reference", help="The document that the entries rest on.")
@click.option("--exposed-on", type=_day, help="contact: the last day of exposure, YYYY-MM-DD")
@click.option("--first-day", type=_day, help="quarantine: its first day")
@click.option("--last-day", type=_day, help="quarantine: its last day")
@click.option("--document-type", help="id-card by default")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@base.as_json
def import_list(file: BinaryIO, officer: str, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Import a list that two officers sign: a CSV of document numbers, or of serials, one entry per line.

    Columns: document_number or serial; document_type, kind, authority, reference, exposed_on, first_day, last_day.
    The whole list is checked before anything is written. Importing it again adds what is missing and nothing twice.
    """
    from app.entries import bulk_import, command_line
    from app.entries.signing import list_summary
    from app.staff.context import actor_of

    approver, auditor = given.pop("approver"), given.pop("auditor")
    _require_different_officers(officer, approver, auditor, dry_run=dry_run)
    services = base.services()
    recorder = identify(services, officer)
    command_line.require_recorder(recorder)
    lines = _read_list(services, recorder, file, given)
    actor = actor_of(recorder)
    if approver is not None and not dry_run:
        base.say(_describe_list(lines, list_summary.summarize(services, lines, actor)), err=True)
        others = [identify(services, approver, "approver")]
        others += [] if auditor is None else [identify(services, auditor, "auditor")]
        actor = command_line.sign_list(services, command_line.Signers(recorder, *others), lines)
    progress = bulk_import.ImportProgress()
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(translate("importing"), total=len(lines))
        for progress in bulk_import.import_lines(services, lines, actor=actor, dry_run=dry_run):
            bar.update(task, completed=progress.lines)
    numbers = bulk_import.numbers_of(progress, dry_run=dry_run)
    click.echo(json.dumps(_summarize(numbers)) if as_json else translate(_format_import(numbers)))


def _require_different_officers(officer: str, approver: str | None, auditor: str | None, *, dry_run: bool) -> None:
    from app.core.errors import Problem

    if approver is None and not dry_run:
        raise click.UsageError("Give --approver: two officers must sign a list.")
    if approver == officer or (auditor is not None and auditor in (officer, approver)):
        raise Problem("two-persons")


def _read_list(services: Any, recorder: Any, file: BinaryIO, given: Mapping[str, Any]) -> Sequence[Any]:
    """Read a list whose options apply to all lines. Raises ClickException with every error."""
    from app.entries import bulk_import
    from app.entries.lists import InvalidList

    defaults = {name: _format_option(value) for name, value in given.items() if value is not None}
    try:
        return bulk_import.read_list(services, file.read(), defaults, recorder)
    except InvalidList as error:
        raise click.ClickException(_format_errors(error.mistakes)) from None


def _format_option(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value)


def _describe_list(lines: Sequence[Any], summary: Any) -> str:
    """Describe a list to its signers: first the lines to check, by number, then what it has, then what it would do."""
    kinds = Counter((line.content.kind, line.content.authority, line.content.reference) for line in lines)
    rows = [f"  {number} × {kind}: {authority}, {reference}" for (kind, authority, reference), number in kinds.items()]
    more = [f"  and {len(rows) - _MAX_SHOWN} more"] if len(rows) > _MAX_SHOWN else []
    changes = [f"  {old.name} → {new.name}: {number}" for (old, new), number in summary.changes]
    then = ["It would change:", *changes] if changes else ["No code changes its color."]
    head = [*_describe_doubtful(summary.doubtful), f"A valid list of {len(lines)} lines:"]
    return "\n".join([*head, *rows[:_MAX_SHOWN], *more, *then])


def _describe_doubtful(doubtful: Mapping[Sequence[str], Sequence[int]]) -> list[str]:
    """Describe the lines to check, those with the same remarks together."""
    told = []
    for remarks, numbers in doubtful.items():
        what = "; ".join(text("remarks", slug, language()) for slug in remarks)
        more = [f"and {len(numbers) - _MAX_SHOWN} more"] if len(numbers) > _MAX_SHOWN else []
        told.append(f"  line {', '.join([*map(str, numbers[:_MAX_SHOWN]), *more])}: {what}")
    return ["Check these lines first:", *told] if told else []


def _format_errors(mistakes: Sequence[Any]) -> str:
    """List the errors by line, the first of many; never the content of a cell."""
    output = []
    for line, field in mistakes[:_MAX_SHOWN]:
        column = field.pointer.removeprefix("/").replace("/", "_")
        output.append(f"  line {line}: {column} {text('fields', field.slug, language())}".replace(":  ", ": "))
    if len(mistakes) > _MAX_SHOWN:
        output.append(f"  and {len(mistakes) - _MAX_SHOWN} more")
    many = "1 error" if len(mistakes) == 1 else f"{len(mistakes)} errors"
    return "\n".join([f"The list has {many}; nothing was written.", *output])


def _summarize(numbers: Any) -> dict[str, Any]:
    """Return the outcome of an import for a program: numbers, and as texts those that are suppressed."""

    def plain(number: Any) -> int | str:
        return number if isinstance(number, int) else str(number)

    counts = {name: plain(getattr(numbers, name)) for name in ("lines", "people", "new_people", "recorded", "known")}
    changes = [{"from": old.name, "to": new.name, "codes": plain(n)} for (old, new), n in numbers.changes]
    return {**counts, "changes": changes, "dry_run": numbers.dry_run}


def _format_import(numbers: Any) -> str:
    recorded = f"{numbers.recorded} recorded, {numbers.known} known before"
    lines = [f"{numbers.lines} lines about {numbers.people} people: {recorded}."]
    if numbers.new_people:
        lines.append(f"{numbers.new_people} people were not known before: no record had their documents.")
    lines += [f"{old.name} → {new.name}: {n}" for (old, new), n in numbers.changes]
    if not numbers.changes:
        lines.append("No code changes its color.")
    if numbers.dry_run:
        lines.append("This was a dry run: nothing was written.")
    return "\n".join(lines)


def _format_recorded(outcome: dict[str, Any]) -> str:
    entry = outcome["entry"]
    became = {
        "waiting": f"Entry {entry} waits for approval: jixiang evidence approve {entry}, or the console.",
        "urgent": f"Entry {entry} is in effect. It expires unless another officer approves it within 24 hours.",
        "applied": f"Entry {entry} is in effect.",
    }
    lines = [_format_held(outcome) if outcome["state"] == "held" else became[outcome["state"]]]
    if "code" in outcome:
        lines.append(f"The code is {outcome['code']} by {outcome['rule'] or 'no rule'}.")
    if outcome["over"]:
        lines.append("It was over before it was recorded, and changes nothing.")
    if outcome["new_person"]:
        lines.append("This person was not known before: no record has this document. Check the number.")
    return "\n".join([*lines, *(text("overlaps", slug, language()) for slug in outcome["found"])])


def _format_held(outcome: dict[str, Any]) -> str:
    return f"Entry {outcome['entry']} is held for an auditor. {text('alarms', outcome['alarm'], language())}"


def _format_approved(outcome: dict[str, Any]) -> str:
    if outcome["state"] == "held":
        return _format_held(outcome)
    if outcome["state"] == "rejected":
        return f"Entry {outcome['entry']} is rejected: its case has ended."
    return f"Entry {outcome['entry']} is in effect: {outcome['people']} people."


def _format_entry(entry: int, output: dict[str, Any]) -> str:
    """Format an entry for its approver, with its people whole where they may sign it."""
    signing, documents = output.pop("signing"), output.pop("documents")
    content = [f"  {name}: {value}" for name, value in output.items() if value is not None]
    if signing is not None:
        remarks = [f"  {text('remarks', slug, language())}" for slug in signing.remarks]
        return "\n".join([f"Entry {entry}", *remarks, *content, *map(_format_signing_line, signing.lines)])
    more = output["people"] - len(documents)
    people = [f"    {line}" for line in documents] + ([f"    and {more} more"] if more else [])
    return "\n".join([f"Entry {entry}", *content, *people])


def _format_signing_line(one: Any) -> str:
    """Format a person for their signer: line, number, name, own day, colors without and with it, what is doubtful."""
    change = f"{one.before.name} → {one.after.name}"
    known = [str(part) for part in (one.line, one.number, one.name, one.day, change) if part]
    notes = [text("remarks", slug, language()) for slug in one.remarks]
    notes += [text("overlaps", overlap.slug, language()) for overlap in one.overlaps]
    return "    " + "  ".join(known) + (f"  ({'; '.join(notes)})" if notes else "")

"""Commands of health officers about lists: import one, and make a template for one."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from app.cli import base
from app.cli.evidence import list_texts
from app.cli.evidence.choices import DOCUMENT_TYPES, ENTRY_KINDS
from app.cli.evidence.group import day_option, evidence, officer_option
from app.cli.identity import identify
from app.cli.language import language, translate


@evidence.command("import")
@click.argument("file", type=click.File("rb"))
@officer_option
@click.option("--approver", help="The user name of the second officer, who signs the list; not needed for a dry run.")
@click.option("--auditor", help="The user name of a third officer, who signs a list that restricts many people.")
@click.option(
    "--kind",
    type=ENTRY_KINDS,
    metavar="KIND",
    help="contact, quarantine or release: for all lines, instead of a column; likewise the options below.",
)
@click.option("--authority", help="The institution responsible for the entries.")
@click.option("--reference", help="The document that the entries rest on.")
@click.option("--exposed-on", type=day_option, help="contact: the last day of exposure, YYYY-MM-DD")
@click.option("--first-day", type=day_option, help="quarantine: its first day")
@click.option("--last-day", type=day_option, help="quarantine: its last day")
@click.option("--document-type", type=DOCUMENT_TYPES, metavar="TYPE", help="id-card by default")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@base.as_json
def import_list(file: BinaryIO, officer: str, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Import a list that two officers sign: an .xlsx or CSV of document numbers or serials, one entry per line.

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
    lines, layout = _read_list(services, recorder, file, given)
    base.say(list_texts.describe_layout(layout), err=True)
    actor = actor_of(recorder)
    if dry_run:
        doubtful = list_summary.find_doubtful(lines, services.policy, services.clock.now())
        if doubtful:
            base.say(list_texts.describe_doubtful(doubtful), err=True)
    if approver is not None and not dry_run:
        base.say(list_texts.describe_list(lines, list_summary.summarize(services, lines, actor)), err=True)
        others = [identify(services, approver, "approver")]
        others += [] if auditor is None else [identify(services, auditor, "auditor")]
        actor = command_line.sign_list(services, command_line.Signers(recorder, *others), lines)
    progress = bulk_import.ImportProgress()
    with base.progress_bar() as bar:
        task = bar.add_task(translate("importing"), total=len(lines))
        for progress in bulk_import.import_lines(services, lines, actor=actor, dry_run=dry_run):
            bar.update(task, completed=progress.lines)
    numbers = bulk_import.numbers_of(progress, dry_run=dry_run)
    click.echo(json.dumps(list_texts.summarize(numbers)) if as_json else translate(list_texts.format_import(numbers)))


def _require_different_officers(officer: str, approver: str | None, auditor: str | None, *, dry_run: bool) -> None:
    from app.core.errors import Problem

    if approver is None and not dry_run:
        raise click.UsageError("Give --approver: two officers must sign a list.")
    if approver == officer or (auditor is not None and auditor in (officer, approver)):
        raise Problem("two-persons")


def _read_list(services: Any, recorder: Any, file: BinaryIO, given: Mapping[str, Any]) -> Any:
    """Read a list whose options apply to all lines. Raises ClickException with every error."""
    from app.entries import bulk_import
    from app.entries.lists.errors import InvalidList

    defaults = {name: _format_option(value) for name, value in given.items() if value is not None}
    try:
        return bulk_import.read_list(services, file.read(), defaults, recorder)
    except InvalidList as error:
        raise click.ClickException(list_texts.format_errors(error)) from None


def _format_option(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value)


@evidence.command("template")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def make_template(file: Path) -> None:
    """Write an empty list with its headings: FILE ends in .xlsx, whose cells keep every digit, or in .csv."""
    from app.entries.lists import template

    makers = {".xlsx": template.make_workbook, ".csv": template.make_text}
    if file.suffix.lower() not in makers:
        raise click.ClickException(f"{file.name} must end in .xlsx or .csv.")
    content = makers[file.suffix.lower()](template.ALL_COLUMNS, language())
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise click.ClickException(f"{file} cannot be written ({error.strerror}); name another file.") from None

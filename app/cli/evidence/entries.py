"""Commands of health officers about single entries: record and approve."""

import json
from typing import Any

import click

from app.cli import base
from app.cli.evidence.choices import DOCUMENT_TYPES, ENTRY_KINDS
from app.cli.evidence.group import day_option, evidence, officer_option
from app.cli.evidence.list_texts import describe_change
from app.cli.identity import identify
from app.cli.language import language, translate
from app.core.texts import text


@evidence.command("record")
@click.option(
    "--document-number",
    required=True,
    prompt=True,
    help="Of the person; prompted for when omitted, so that no shell history has it.",
)
@click.option(
    "--document-type", "document_type_name", type=DOCUMENT_TYPES, metavar="TYPE", default="id-card", show_default=True
)
@click.option(
    "--kind",
    type=ENTRY_KINDS,
    metavar="KIND",
    required=True,
    help="contact, quarantine, suspected, confirmed, ruled-out, recovered, release",
)
@click.option("--exposed-on", type=day_option, help="contact: the last day of exposure, YYYY-MM-DD")
@click.option("--first-day", type=day_option, help="quarantine: its first day")
@click.option("--last-day", type=day_option, help="quarantine: its last day")
@click.option("--authority", required=True, help="The institution responsible for the entry.")
@click.option("--reference", required=True, help="The document that the entry rests on.")
@click.option("--place", help="contact, quarantine: where it happened, such as an employer, a house, a train")
@click.option("--case", help="contact: the number of the case")
@click.option("--urgent", is_flag=True, help="Take effect at once; expires after 24 hours without approval.")
@officer_option
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
@officer_option
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


LABELS = {
    "kind": "Content",
    "state": "State",
    "authority": "Authority",
    "reference": "Document reference",
    "place": "Place",
    "case": "Case",
    "exposed_on": "Last day of exposure",
    "first_day": "First day",
    "last_day": "Last day",
    "people": "Number of people",
    "frees": "Contacts it frees",
    "rejects": "Waiting entries it rejects",
}


def _format_recorded(outcome: dict[str, Any]) -> str:
    entry = outcome["entry"]
    became = {
        "waiting": f"Entry {entry} waits for approval: jixiang evidence approve {entry} --officer …, or the console.",
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
    output["kind"] = text("kinds", output["kind"], language())
    output["state"] = text("entry-states", output["state"], language())
    content = [f"  {label}: {output[name]}" for name, label in LABELS.items() if output.get(name) is not None]
    if signing is not None:
        remarks = [f"  {text('remarks', slug, language())}" for slug in signing.remarks]
        return "\n".join([f"Entry {entry}", *remarks, *content, *map(_format_signing_line, signing.lines)])
    more = output["people"] - len(documents)
    people = [f"    {line}" for line in documents] + ([f"    and {more} more"] if more else [])
    return "\n".join([f"Entry {entry}", *content, *people])


def _format_signing_line(one: Any) -> str:
    """Format a person for their signer: line, number, name, own day, colors without and with it, what is doubtful."""
    change = describe_change(one.before, one.after)
    known = [str(part) for part in (one.line, one.number, one.name, one.day, change) if part]
    notes = [text("remarks", slug, language()) for slug in one.remarks]
    notes += [text("overlaps", overlap.slug, language()) for overlap in one.overlaps]
    return "    " + "  ".join(known) + (f"  ({'; '.join(notes)})" if notes else "")

"""Commands of health officers."""

import json
from typing import Any

import click

from app.cli import base


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


def _told(outcome: dict[str, Any]) -> str:
    lines = [f"Recorded. The code is {outcome['state']} by {outcome['rule'] or 'no rule'}."]
    if outcome["over"]:
        lines.append("It was over before it was recorded, and changes nothing.")
    if outcome["new_person"]:
        lines.append(
            "This is a person not known before: nobody has been entered with this document. Is the number right?"
        )
    return "\n".join(lines)

"""Commands for the rules: what a policy would change, and why somebody has a color."""

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import Progress

from app.cli import base
from app.texts import LANGUAGES

if TYPE_CHECKING:
    from app.codes.rehearsal import Tally


@base.main.group(cls=base.Group)
def rules() -> None:
    """The rules and their policy."""


@rules.command("dry-run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--at", metavar="MOMENT", help="Decide as of then, such as 2026-12-01T00:00:00+08:00, and not of now.")
@click.option("--processes", type=click.IntRange(1, 64), help="As many as there are cores where nothing is said.")
@base.as_json
def dry_run(file: Path, at: str | None, processes: int | None, as_json: bool) -> None:
    """Tell what the policy in FILE would change over everybody, compared with the one in force; writes nothing.

    Both are asked at the same moment about the same evidence. An entry that begins later than that changes nothing yet.
    A file that would change what has been decided is refused, with what to do.
    """
    from app.clock import rfc3339
    from app.codes.rehearsal import Tally, rehearse
    from app.config import load_settings
    from app.rules import PolicyError, load_policy
    from app.rules.succession import faults
    from app.services import make_clock

    settings = load_settings()
    in_force, proposed = load_policy(settings.rules.policy_file), load_policy(file)
    now = make_clock(settings).now()
    moment = _not_past(at, now)
    if found := faults(in_force, proposed, now):
        raise PolicyError(f"{file} cannot follow the policy in force: {'; '.join(found)}.")
    tally, processes = Tally(), processes or os.cpu_count() or 1
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("weighing", total=None)
        for progress in rehearse(settings.database.url, in_force, proposed, moment, processes):
            bar.update(task, completed=progress.done, total=progress.total)
            tally = progress.tally
    told = proposed.version, in_force.version, rfc3339(moment)
    click.echo(json.dumps(_summary(tally, *told)) if as_json else _told(tally, *told))


@rules.command("explain")
@click.option("--serial", type=click.IntRange(1, 2**62), help="Of the code.")
@click.option("--document-type", help="id-card, passport …; the number is asked for, so that no shell remembers it.")
@click.option("--at", metavar="MOMENT", help="As of then, such as 2026-12-01T00:00:00+08:00, and not of now.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option("--officer", required=True, help="User name of who asks, whose password and code are asked for.")
@click.option(
    "--reason",
    required=True,
    help="contact-tracing, case-review, quarantine-care, appeal, correction, citizen-request, oversight",
)
def explain_color(
    serial: int | None, document_type: str | None, at: str | None, language: str, officer: str, reason: str
) -> None:
    """Tell why one person has a color: decision, rules, evidence, what is missing, and what comes by the clock.

    No name and no number is shown. Each use is written in the audit, which the person may read.
    """
    from app.cli.explanation import told
    from app.cli.identifying import identify
    from app.officers import reading

    if (serial is None) == (document_type is None):
        raise click.UsageError("Give either --serial or --document-type.")
    services = base.services()
    moment = services.clock.now() if at is None else base.moment_of(at)
    whom: int | tuple[str, str] = serial or (str(document_type), click.prompt("Document number", err=True))
    explained = reading.explain(services, whom, moment, officer=identify(services, officer), reason=reason)
    click.echo("\n".join(told(explained, services.policy, moment, language)))


def _not_past(at: str | None, now: datetime) -> datetime:
    moment = now if at is None else base.moment_of(at)
    if moment < now:
        raise click.ClickException("The moment lies in the past: what is known of people is what is known now.")
    return moment


def _summary(tally: "Tally", policy: str, in_force: str, at: str) -> dict[str, Any]:
    return {
        "policy": policy,
        "in_force": in_force,
        "at": at,
        "people": tally.people,
        "changed": tally.changed,
        "due_anyway": tally.due,
        "notices": tally.notices,
        "notices_withheld": tally.withheld,
        "platform_asked": tally.asked,
        "states": [{"from": old.name, "to": new.name, "people": n} for (old, new), n in sorted(tally.states.items())],
        "rules": [{"from": old, "to": new, "people": n} for (old, new), n in sorted(tally.rules.items())],
        "ends": [{"rule": rule, "moved": moved, "people": n} for (rule, moved), n in sorted(tally.ends.items())],
    }


def _told(tally: "Tally", policy: str, in_force: str, at: str) -> str:
    lines = [
        f"Policy {policy} against {in_force}, as of {at}: of {tally.people} people {tally.changed} change color.",
        *_matrix(tally),
        *(f"{old} → {new}: {n}" for (old, new), n in sorted(tally.rules.items()) if old != new),
        *(f"{rule} stays and ends {moved}: {n}" for (rule, moved), n in sorted(tally.ends.items())),
        f"Notices: {tally.notices}, and {tally.withheld} withheld from holders who are not confirmed.",
        f"The platform would be asked about {tally.asked} people more.",
        f"Due by the clock at that moment anyway: {tally.due} people.",
        "This was a dry run: nothing was written.",
    ]
    return "\n".join(lines)


def _matrix(tally: "Tally") -> list[str]:
    """People by state, a row for each state by the policy in force, a column for each by the new one."""
    from app.codes.states import State

    states = [state for state in State if state is not State.EMPTY]
    rows = [["from \\ to", *(state.name for state in states)]]
    rows += [[old.name, *(str(tally.states[old, new] or "·") for new in states)] for old in states]
    width = max(len(cell) for row in rows for cell in row)
    return [f"{row[0]:<{width}}" + "".join(f"  {cell:>{width}}" for cell in row[1:]) for row in rows]

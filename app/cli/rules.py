"""Commands for the rules: simulate a policy, and explain a color."""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import base
from app.cli.evidence.choices import ACCESS_REASONS, DOCUMENT_TYPES
from app.cli.language import language, translate
from app.core.texts import LANGUAGES

if TYPE_CHECKING:
    from app.codes.simulation import SimulationProgress
    from app.codes.simulation_result import SimulationResult


@base.main.group(cls=base.Group)
def rules() -> None:
    """The rules and their policy."""


@rules.command("dry-run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--at", metavar="MOMENT", help="Decide as of this moment, such as 2026-12-01T00:00:00+08:00. [default: now]"
)
@click.option("--processes", type=click.IntRange(1, 64), help="Processes. [default: one for each core]")
@base.as_json
def dry_run(file: Path, at: str | None, processes: int | None, as_json: bool) -> None:
    """Compare the policy in FILE with the one in force over all citizens; write nothing.

    Both decide at the same moment on the same evidence. A text or number that begins later changes nothing yet.
    A file that would change past decisions is refused, with the next step.
    """
    from app.codes.simulation import simulate
    from app.core.clock import make_clock, rfc3339
    from app.core.settings import load_settings
    from app.rules import PolicyError, load_policy
    from app.rules.succession import find_conflicts

    settings = load_settings()
    in_force, proposed = load_policy(settings.rules.policy_file), load_policy(file)
    now = make_clock(settings.clock.file).now()
    moment = _not_past(at, now)
    if found := find_conflicts(in_force, proposed, now):
        raise PolicyError(f"{file} cannot follow the policy in force; correct it: {'; '.join(found)}.")
    result = _follow(simulate(settings.database.url, in_force, proposed, moment, processes or os.cpu_count() or 1))
    basis = proposed.version, in_force.version, rfc3339(moment)
    click.echo(json.dumps(_summary(result, *basis)) if as_json else translate(_describe(result, *basis)))
    if proposed == in_force:
        base.say(f"{file} is what is in force: compare a new file before rules.policy_file names it.", err=True)


def _follow(simulation: "Iterable[SimulationProgress]") -> "SimulationResult":
    """Return the last result of a simulation, with a progress bar on the terminal meanwhile."""
    from app.codes.simulation_result import SimulationResult

    result = SimulationResult()
    with base.progress_bar() as bar:
        task = bar.add_task(translate("evaluating"), total=None)
        for progress in simulation:
            bar.update(task, completed=progress.done, total=progress.total)
            result = progress.result
    return result


@rules.command("explain")
@click.option("--serial", type=click.IntRange(1, 2**62), help="Serial number of the code.")
@click.option(
    "--document-type",
    type=DOCUMENT_TYPES,
    metavar="TYPE",
    help="id-card, passport …; the number is prompted for, to stay out of the shell history.",
)
@click.option(
    "--at", metavar="MOMENT", help="Explain as of this moment, such as 2026-12-01T00:00:00+08:00. [default: now]"
)
@click.option("--language", "chosen", type=click.Choice(LANGUAGES), help="Language. [default: that of the locale]")
@click.option("--officer", required=True, help="User name of the officer; password and code are prompted for.")
@click.option(
    "--reason",
    type=ACCESS_REASONS,
    metavar="REASON",
    required=True,
    help="contact-tracing, case-review, quarantine-care, appeal, correction, citizen-request, oversight",
)
def explain_color(
    serial: int | None, document_type: str | None, at: str | None, chosen: str | None, **access: str
) -> None:
    """Explain a person's color: decision, rules, evidence, what is missing, and the next change by the clock.

    Shows no name and no number. Each use is recorded in the audit log, which the person may read.
    """
    from app.cli.explanation import explanation_lines
    from app.cli.identity import identify
    from app.review import record_access

    if (serial is None) == (document_type is None):
        raise click.UsageError("Give either --serial or --document-type.")
    services = base.services()
    moment = services.clock.now() if at is None else base.parse_moment(at)
    whom: int | tuple[str, str] = serial or (str(document_type), click.prompt(translate("Document number"), err=True))
    officer = identify(services, access["officer"])
    explanation = record_access.explain(services, whom, moment, officer=officer, reason=access["reason"])
    click.echo("\n".join(explanation_lines(explanation, services.policy, moment, chosen or language())))


def _not_past(at: str | None, now: datetime) -> datetime:
    from app.core.clock import rfc3339

    moment = now if at is None else base.parse_moment(at)
    if moment < now:
        raise click.ClickException(
            f"The moment lies in the past (it is {rfc3339(now)} now), but the evidence is that of now: "
            "choose a later one."
        )
    return moment


def _shown(number: int) -> int | str:
    """Return a number of people as everywhere: a few are hidden, and others are tens, so that no difference is few."""
    from app.core.suppression import round_down

    cell = round_down(number)
    return cell if isinstance(cell, int) else str(cell)


def _summary(result: "SimulationResult", policy: str, in_force: str, at: str) -> dict[str, Any]:
    return {
        "policy": policy,
        "in_force": in_force,
        "at": at,
        "people": _shown(result.people),
        "changed": _shown(result.changed),
        "due_anyway": _shown(result.due),
        "notices": _shown(result.notices),
        "notices_withheld": _shown(result.withheld),
        "platform_asked": _shown(result.asked),
        "states": [
            {"from": old.name, "to": new.name, "people": _shown(n)} for (old, new), n in sorted(result.states.items())
        ],
        "rules": [{"from": old, "to": new, "people": _shown(n)} for (old, new), n in sorted(result.rules.items())],
        "ends": [
            {"rule": rule, "moved": moved, "people": _shown(n)} for (rule, moved), n in sorted(result.ends.items())
        ],
    }


def _describe(result: "SimulationResult", policy: str, in_force: str, at: str) -> str:
    lines = [
        f"Policy {policy} against {in_force}, as of {at}: "
        f"of {_shown(result.people)} people {_shown(result.changed)} change color.",
        *_matrix(result),
        *(f"{old} → {new}: {_shown(n)}" for (old, new), n in sorted(result.rules.items()) if old != new),
        *(f"{rule} stays and ends {moved}: {_shown(n)}" for (rule, moved), n in sorted(result.ends.items())),
        f"Notices: {_shown(result.notices)}, and {_shown(result.withheld)} withheld from unconfirmed holders.",
        f"The platform would be asked about {_shown(result.asked)} more people.",
        f"Due by the clock at that moment anyway: {_shown(result.due)} people.",
        "This was a dry run: nothing was written.",
    ]
    return "\n".join(lines)


def _matrix(result: "SimulationResult") -> list[str]:
    """Return people by state: a row for each state by the policy in force, a column for each by the new one."""
    from rich.cells import cell_len

    from app.codes.states import State
    from app.core.texts import text

    states = [state for state in State if state is not State.EMPTY]
    words = {state: text("states", state.name, language()) for state in states}
    rows = [[translate("from \\ to"), *words.values()]]
    rows += [[words[old], *(str(_shown(result.states[old, new]) or "·") for new in states)] for old in states]
    width = max(cell_len(cell) for row in rows for cell in row)
    fill = {cell: " " * (width - cell_len(cell)) for row in rows for cell in row}
    return [row[0] + fill[row[0]] + "".join(f"  {fill[cell]}{cell}" for cell in row[1:]) for row in rows]

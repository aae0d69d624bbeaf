"""Commands for the end of the service: announce it, end it, and verify the report."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from app.cli import base
from app.cli.language import language, translate
from app.core.texts import text

_first = click.option("--officer", required=True, help="An administrator of the whole province.")
_second = click.option("--second", required=True, help="Another one, who decides with them.")


@base.main.group(cls=base.Group)
def service() -> None:
    """The end of the service."""


@service.command()
@click.option(
    "--on", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The last day, 14 days ahead at least."
)
@click.option("--text", "notice", help="A notice in your own words, which is shown with it.")
@_first
@_second
def announce(day: datetime, notice: str | None, officer: str, second: str) -> None:
    """Announce the last day of the service; everybody sees it within seconds."""
    from app.ending import deciding

    services = base.services()
    deciding.announce(services, _identify(services, officer, second), day.date(), notice)
    base.say(f"Announced: the last day of the service is {day.date()}.")


@service.command()
@_first
@_second
def withdraw(officer: str, second: str) -> None:
    """Withdraw the announcement: the service goes on."""
    from app.ending import deciding

    services = base.services()
    deciding.withdraw(services, _identify(services, officer, second))
    base.say("The announcement is withdrawn.")


@service.command()
def status() -> None:
    """Say whether the service goes on, is to end, or is ended."""
    from app.core.clock import rfc3339
    from app.core.settings import load_settings
    from app.ending import key_files, opening

    directory = load_settings().keys.directory
    tombstone = key_files.read_tombstone(directory) or {}
    if not tombstone.get("report"):  # with it nothing else is needed: the database may be gone
        with opening.open_ending(load_settings()) as ending:
            row = ending.installation()
        if row.ended_at is None:
            goes_on = "The service goes on; no end is announced."
            base.say(f"The announced last day is {row.ends_on}." if row.ends_on else goes_on)
            return
        tombstone = {"ended_at": rfc3339(row.ended_at)}
    base.say(f"The service was ended at {tombstone['ended_at']}.")
    left = [file for signing in (False, True) for file in key_files.list_files(directory, signing=signing)]
    if left or not tombstone.get("report"):
        base.say("Not everything is destroyed here: run `jixiang service end` again.")
    else:
        base.say("Everything here is destroyed. Save the report from /.well-known/jixiang-end.")


@service.command()
@click.option("--dry-run", is_flag=True, help="Show what would be destroyed, and destroy nothing.")
@click.option("--officer", help="An administrator of the whole province.")
@click.option("--second", help="Another one, who decides with them.")
def end(dry_run: bool, officer: str | None, second: str | None) -> None:
    """End the service for good: show no color any more, destroy data and keys, publish the signed report.

    When it breaks off, run it again, and once on every other machine that has a copy of the keys: it goes on, and asks
    nobody again.
    """
    from app.core.settings import load_settings
    from app.ending import opening, steps

    settings = load_settings()
    with opening.open_ending(settings) as ending:
        if ending.installation().ended_at is None:
            _show(steps.plan(ending), ending.installation().ends_on)
            if dry_run:
                base.say("This was a dry run: nothing was destroyed.")
                return
            _decide(settings, officer, second)
        elif dry_run:
            base.say("The service is ended already; without --dry-run what is left is destroyed.")
            return
        tombstone = steps.run(ending, lambda step: click.echo(f"- {step}", err=True))
    base.say(f"The service was ended at {tombstone['ended_at']}, and what it kept is destroyed. Still to do by hand:")
    for line in _BY_HAND:
        click.echo(f"- {translate(line)}")


_BY_HAND = (
    "On every other machine with a copy of the key directory: run `jixiang service end` there.",
    "Restart `jixiang web` on every machine: a process that ran before still has the keys in its memory.",
    "Destroy every other copy of the keys: in a safe, on paper, in backups of machines. A backup opens with them.",
    "Destroy the backups of the database, its standbys, and the archives of its write-ahead log.",
    "Destroy snapshots of disks and volumes that had the keys or the database.",
    "Save the report from /.well-known/jixiang-end and publish it elsewhere too; keep `jixiang web` running for it.",
    "Revoke the secrets at WeChat and at the national platform, and delete the files that the settings name for them.",
    "Remove the subscription templates and the mini-program at WeChat; then the DNS entries, when nobody asks them.",
)


def _show(plan: dict[str, Any], last_day: Any) -> None:
    """Print what would be destroyed."""
    base.say(f"The announced last day is {last_day}." if last_day else "No end of the service is announced.")
    for kind, tables in plan["rows"].items():
        click.echo(f"{text('ended', f'rows-{kind}', language())}: {sum(tables.values())}")
        for name, number in tables.items():
            click.echo(f"  {name}: {number}")
    base.say(f"Key files: {', '.join(plan['files'])}")
    base.say("All of our keys in Redis.")


def _decide(settings: Any, officer: str | None, second: str | None) -> None:
    """Let two decide, after the name of what they end was typed. Raises ClickException, Problem."""
    from sqlalchemy import make_url, select

    from app.ending import deciding
    from app.installation import Installation

    if officer is None or second is None:
        raise click.ClickException("Two have to decide this; name them with --officer and --second.")
    services = base.services()
    with services.sessions() as session:
        deciding.require_due(services, session, session.scalars(select(Installation)).one())
    name = make_url(settings.database.url).database or ""
    base.say(f"It is {services.clock.now().date()} by the clock here. Nothing of this can be undone.", err=True)
    typed = click.prompt(translate(f"Type the name of the database to end the service: {name}"), err=True)
    if typed != name:
        raise click.ClickException("That is another name, and nothing was done; check where you are.")
    deciding.end(services, _identify(services, officer, second))


def _identify(services: Any, officer: str, second: str) -> list[Any]:
    """Return two officers after password and code; the same one twice would use one code twice."""
    from app.cli.identity import identify
    from app.core.errors import Problem

    if officer == second:
        raise Problem("end-two-persons")
    return [identify(services, officer), identify(services, second, "second")]


@service.command("verify-report")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A key set or checkpoints, published before the end and kept: one of these keys has to have signed.",
)
def verify_report(file: Path, keys: Path | None) -> None:
    """Verify a saved report of the end, without configuration or server; exit 1 where it proves nothing."""
    from app.ending import report

    try:
        known = None if keys is None else report.known_keys(keys.read_bytes())
    except ValueError:
        raise click.ClickException(f"{keys} has no published keys; name a key set or checkpoints.") from None
    except OSError as error:
        raise click.ClickException(f"{keys} cannot be read ({error.strerror}); check its name and mode.") from None
    try:
        verified = report.verify(file.read_bytes(), known)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read ({error.strerror}); check its name and mode.") from None
    except report.ReportInvalid as invalid:
        raise click.ClickException(_FAULTS[invalid.fault]) from None
    rows = sum(sum(tables.values()) for tables in verified.content["rows"].values())
    base.say(f"The report is genuine: ended at {verified.content['ended_at']}, {rows} rows destroyed.")
    if known is None:
        base.say(f"It is signed with key {verified.kid}: compare that with a key set or checkpoint of before, --keys.")


_FAULTS = {
    "not-a-report": "This is no report of the end; save it again from /.well-known/jixiang-end.",
    "forged": "The report was changed, or not signed by this key; take it from /.well-known/jixiang-end again.",
    "unknown-key": "The report is signed with a key that was not published before: do not believe it; check --keys.",
}

"""Commands for the clock."""

import click

from app.cli import base


@base.main.group(cls=base.Group)
def clock() -> None:
    """The clock, which can be moved ahead outside production."""


@clock.command("show")
def show_clock() -> None:
    """Print the time of the system."""
    from app.core.clock import make_clock, rfc3339
    from app.core.settings import load_settings

    click.echo(rfc3339(make_clock(load_settings().clock.file).now()))


@clock.command("advance")
@click.argument("moment")
def advance_clock(moment: str) -> None:
    """Move the clock forward to MOMENT, such as 2026-12-01T00:00:00+08:00."""
    from app.core.clock import ShiftedClock, make_clock, rfc3339
    from app.core.settings import load_settings

    system = make_clock(load_settings().clock.file)
    if not isinstance(system, ShiftedClock):
        raise click.ClickException("This system runs on real time; set clock.file to move its clock.")
    wanted = base.parse_moment(moment)
    try:
        system.advance_to(wanted)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(rfc3339(system.now()))

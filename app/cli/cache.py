"""Commands for the color cache."""

import sys

import click
from rich.progress import Progress

from app.cli import base


@base.main.group(cls=base.Group)
def cache() -> None:
    """The color cache."""


@cache.command()
def warm() -> None:
    """Fill the cache from the database."""
    from app.codes.cache import loading

    services, count = base.services(), 0
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("warming", total=None)
        for progress in loading.load_cache(services.cache, services.sessions, services.policy):
            bar.update(task, completed=progress.done, total=progress.total)
            count = progress.codes
    click.echo(f"{count} records written.")


@cache.command()
@click.option("--repair", is_flag=True, help="Write again what differs.")
def verify(repair: bool) -> None:
    """Compare the cache with the database; exit 1 when they differ."""
    from app.codes.cache import loading

    services, differing = base.services(), []
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("verifying", total=None)
        for progress, serials in loading.verify_cache(services.cache, services.sessions, services.policy):
            bar.update(task, completed=progress.done, total=progress.total)
            differing += serials
    if differing and repair:
        loading.repair_cache(services.cache, services.sessions, services.policy, differing)
        click.echo(f"{len(differing)} records differed and were written again.")
    elif differing:
        raise click.ClickException(f"{len(differing)} records differ from the database; run with --repair.")
    else:
        click.echo("The cache agrees with the database.")

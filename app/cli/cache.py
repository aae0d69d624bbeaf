"""Commands for the color cache."""

import click

from app.cli import base
from app.cli.language import translate


@base.main.group(cls=base.Group)
def cache() -> None:
    """The color cache."""


@cache.command()
def warm() -> None:
    """Fill the cache from the database."""
    from app.codes.cache import loading

    services, count = base.services(), 0
    with base.progress_bar() as bar:
        task = bar.add_task(translate("warming"), total=None)
        for progress in loading.load_cache(services.cache, services.sessions, services.policy):
            bar.update(task, completed=progress.done, total=progress.total)
            count = progress.codes
    base.say(f"{count} records written.")


@cache.command()
@click.option("--repair", is_flag=True, help="Rewrite the records that differ.")
def verify(repair: bool) -> None:
    """Compare the cache with the database; exit 1 when they differ."""
    from app.codes.cache import loading

    services, differing = base.services(), []
    with base.progress_bar() as bar:
        task = bar.add_task(translate("verifying"), total=None)
        for progress, serials in loading.verify_cache(services.cache, services.sessions, services.policy):
            bar.update(task, completed=progress.done, total=progress.total)
            differing += serials
    if differing and repair:
        loading.repair_cache(services.cache, services.sessions, services.policy, differing)
        base.say(f"{len(differing)} records differed and were rewritten.")
    elif differing:
        raise click.ClickException(f"{len(differing)} records differ from the database; run with --repair.")
    else:
        base.say("The cache agrees with the database.")

"""Commands for what officers look at."""

import click

from app.cli import base


@base.main.group(cls=base.Group)
def figures() -> None:
    """What officers look at."""


@figures.command()
def count() -> None:
    """Count everything anew, three days back, as the worker does by itself."""
    from app.stations.counts import RETENTION_HOURS
    from app.statistics import counting
    from app.worker.statistics import count_colors, count_figures

    services = base.services()
    count_figures(services, dict.fromkeys(counting.RECOUNTED_HOURS, RETENTION_HOURS))
    count_colors(services)
    click.echo("Counted.")

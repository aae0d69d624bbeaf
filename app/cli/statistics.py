"""Commands for the statistics of the console."""

from app.cli import base


@base.main.group(cls=base.Group)
def figures() -> None:
    """The statistics of the console."""


@figures.command()
def count() -> None:
    """Recount the last three days, as the worker does by itself."""
    from app.stations.counts import RETENTION_HOURS
    from app.statistics import counting
    from app.worker.statistics import count_colors, count_figures

    services = base.services()
    count_figures(services, dict.fromkeys(counting.RECOUNTED_HOURS, RETENTION_HOURS))
    count_colors(services)
    base.say("Counted.")

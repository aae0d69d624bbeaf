"""Statistics that the worker keeps up to date: hourly counts of stations, figures for officers, colors of all codes."""

from collections.abc import Mapping

from app.runtime import Services
from app.stations import counts, rollup
from app.statistics import counting
from app.visits import alarms

_DELETED_AT_A_TIME = 5000


def roll_up_recent_counts(services: Services) -> None:
    """Store what stations have counted in the last seconds: more than that a restart of Redis cannot take away."""
    rollup.roll_up(services, rollup.recent_hours(services.clock.now()))


def roll_up_counts(services: Services) -> None:
    """Store what stations have counted in this hour and the last."""
    rollup.roll_up(services, rollup.last_hours(services.clock.now(), 2))


def roll_up_all_counts(services: Services) -> None:
    """Store counts that a stopped worker missed, with the alarms that they raise, and delete expired ones."""
    rollup.roll_up(services, rollup.last_hours(services.clock.now(), counts.RETENTION_HOURS))
    alarms.watch(services, counts.RETENTION_HOURS)
    deleted = _DELETED_AT_A_TIME
    while deleted >= _DELETED_AT_A_TIME:
        with services.begin() as session:
            deleted = rollup.delete_expired(session, services.clock.now(), _DELETED_AT_A_TIME)


def count_recent_figures(services: Services) -> None:
    """Count the figures for officers, for the hours that still change."""
    count_figures(services, counting.RECOUNTED_HOURS)


def recount_figures(services: Services) -> None:
    """Count three days anew, for what came late or a stopped worker missed, and delete expired figures."""
    count_figures(services, dict.fromkeys(counting.RECOUNTED_HOURS, counts.RETENTION_HOURS))
    with services.begin() as session:
        counting.delete_expired(session, services.clock.now())


def count_figures(services: Services, hours: Mapping[str, int]) -> None:
    """Count each of these figures for so many hours back, each hour in a transaction of its own."""
    with services.begin() as session:
        counting.summarize_indexes(session)
    for figure, number in hours.items():
        for hour in rollup.last_hours(services.clock.now(), number):
            with services.begin() as session:
                counting.count_hour(session, figure, hour, services.clock.now())


def count_colors(services: Services) -> None:
    """Count the codes by state, all as of one moment."""
    with services.begin() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        counting.count_colors(session, services.clock.now())

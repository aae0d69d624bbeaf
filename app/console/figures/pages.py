"""Figures: numbers of all people together, as charts, tables and files, and the state of the system."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from flask import Response, make_response, request
from redis import RedisError

from app.console.figures import charts
from app.console.figures.csv_export import make_csv
from app.console.pages import language, page, views
from app.core import queue, suppression, upstream
from app.core.clock import BEIJING
from app.core.suppression import SUPPRESSION_THRESHOLD, Cell
from app.core.texts import slugs, text
from app.core.upstream import Upstream, UpstreamStatus
from app.staff.context import begin_officer
from app.statistics import figures
from app.statistics.figures import DAY_SPANS, FIGURE_KINDS, HOUR_SPANS, Figure
from app.web import current_officer, get_services

# the sections of texts with the columns of a figure
_TEXT_SECTIONS: Final = {
    "colors": ("states",),
    "checks": ("states", "check-actions"),
    "notices": ("deliveries",),
    "appeals": ("appeal-times",),
}
_MAX_JOBS: Final = 10_000  # counted on a page


class Chart(NamedTuple):
    """One column as a picture, with its title and newest number."""

    title: str
    picture: str
    newest: Cell


@views.get("/figures")
def show_figures() -> Response:
    """Show the state of now: jobs, notices, appeals, WeChat and the platform."""
    with begin_officer(get_services(), current_officer()) as context:
        waiting = queue.count_waiting(context.session, _MAX_JOBS + SUPPRESSION_THRESHOLD)  # it is rounded down
        workers = queue.count_live_workers(context.session)
        oldest = figures.find_oldest_waiting_notice(context.session)
        notices = figures.load_figure(context, "notices")
        appeals = figures.count_open_appeals(context.session, context.me, context.now)
        resolved = figures.load_figure(context, "appeals")
    (jobs,) = suppression.suppress_table([list(waiting.values())]).cells  # a job of a notice is a person
    return page(
        "figures.html", names=list(FIGURE_KINDS), workers=workers, oldest=oldest, now=context.now,
        jobs=dict(zip(waiting, jobs, strict=True)), most_jobs=_MAX_JOBS,
        waiting=dict(zip(notices.columns, notices.table.down, strict=True))["waiting"], notices_as_of=notices.as_of,
        appeals=appeals, in_time=suppression.compute_percentage(*resolved.table.down[:2]), span=resolved.span,
        outside={part: _load_status(part) for part in Upstream},
    )  # fmt: skip


@views.get("/figures/<name>")
def show_figure(name: str) -> Response:
    """Show one figure over some days or hours."""
    figure = _load_figure(name)
    titles = [_title(name, column) for column in figure.columns]
    labels = [_format_time(figure, time, short=True) for time in figure.times]
    drawn = [
        Chart(title, charts.draw_bars(labels, cells, _color(name, column), language()), _newest(cells))
        for title, column, cells in zip(titles, figure.columns, zip(*figure.table.cells, strict=True), strict=True)
        if any(cells)
    ]
    return page(
        "figure.html", names=list(FIGURE_KINDS), name=name, figure=figure, titles=titles, charts=drawn,
        times=[_format_time(figure, time) for time in figure.times], spans=HOUR_SPANS if figure.by_hour else DAY_SPANS,
    )  # fmt: skip


@views.get("/figures/<name>/table.csv")
def download_figure(name: str) -> Response:
    """Download the numbers of a figure."""
    figure = _load_figure(name)
    table, all_, time_ = figure.table, text("figure", "all", language()), text("figure", "time", language())
    rows: list[Sequence[object]] = [[time_, *(_title(name, column) for column in figure.columns), all_]]
    for time, cells, sum_ in zip(figure.times, table.cells, table.across, strict=True):
        rows.append([_format_time(figure, time), *cells, sum_])
    if figure.flows:
        rows.append([all_, *table.down, table.all])
    response = make_response(make_csv(rows))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = f'attachment; filename="jixiang-{name}.csv"'
    return response


def _load_figure(name: str) -> Figure:
    with begin_officer(get_services(), current_officer()) as context:
        return figures.load_figure(context, name, request.args.get("span", type=int))


def _title(name: str, column: str) -> str:
    """Return the title of a column, or the column itself where texts have none."""
    if name == "decisions":
        policy = get_services().policy
        return policy.text(column, language()).title if column in policy.rules else column
    slug, _, number = column.partition("/")
    section = next((section for section in _TEXT_SECTIONS[name] if slug in slugs(section)), None)
    return column if section is None else f"{text(section, slug, language())} {number}".rstrip()


def _color(name: str, column: str) -> str:
    """Return the color of the codes that a column counts; empty where it counts something else."""
    if name == "decisions":
        return str(get_services().policy.colors.get(column) or "")
    return column if column in charts.COLORS else ""


def _format_time(figure: Figure, time: datetime, short: bool = False) -> str:
    """Format the day or hour of a row in Beijing time."""
    day, hour = ("%m-%d", "%H:00") if short else ("%Y-%m-%d", "%Y-%m-%d %H:00")
    return f"{time.astimezone(BEIJING):{hour if figure.by_hour else day}}"


def _newest(cells: Sequence[Cell]) -> Cell:
    return next((cell for cell in reversed(cells) if cell is not None), None)


def _load_status(part: Upstream) -> UpstreamStatus | None:
    """Return the last known status of a part; None when Redis is unreachable."""
    try:
        return upstream.read_status(get_services().redis, part)
    except RedisError:
        return None

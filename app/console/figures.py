"""What officers look at: numbers of all people together, as charts, as tables and as files, and how the parts are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from flask import Response, make_response, request
from redis import RedisError

from app.console import charts
from app.console.csv_export import make_csv
from app.console.pages import language, page, views
from app.core import queue, suppression, upstream
from app.core.clock import BEIJING
from app.core.suppression import Cell
from app.core.texts import slugs, text
from app.core.upstream import Upstream, UpstreamStatus
from app.statistics import figures
from app.statistics.figures import DAY_SPANS, FIGURE_KINDS, HOUR_SPANS, Figure
from app.web import current_officer, get_services

# the sections of words that have the columns of a figure
_TEXT_SECTIONS: Final = {
    "colors": ("states",),
    "checks": ("states", "check-actions"),
    "notices": ("deliveries",),
    "appeals": ("appeal-times",),
}
_MAX_JOBS: Final = 10_000  # counted on a page


class Chart(NamedTuple):
    """One column as a picture, with what it says in words."""

    title: str
    picture: str
    newest: Cell


@views.get("/figures")
def show_figures() -> Response:
    """How everything is now: jobs, notices, appeals, WeChat and the platform."""
    services, me, now = get_services(), current_officer(), get_services().clock.now()
    with services.sessions() as session:
        waiting = queue.count_waiting(session, _MAX_JOBS + 1)
        (jobs,) = suppression.suppress_table(
            [list(waiting.values())]
        ).cells  # a job of a notice is a person who is told
        workers = queue.count_live_workers(session)
        oldest = figures.find_oldest_waiting_notice(session)
        notices = figures.load_figure(session, services.policy, me, "notices", None, now)
        appeals = figures.count_open_appeals(session, me, now)
        settled = figures.load_figure(session, services.policy, me, "appeals", None, now)
    return page(
        "figures.html", names=list(FIGURE_KINDS), workers=workers, oldest=oldest, now=now,
        jobs=dict(zip(waiting, jobs, strict=True)), most_jobs=_MAX_JOBS,
        waiting=dict(zip(notices.columns, notices.table.down, strict=True))["waiting"], notices_as_of=notices.as_of,
        appeals=appeals, in_time=suppression.compute_percentage(*settled.table.down[:2]), span=settled.span,
        outside={part: _load_status(part) for part in Upstream},
    )  # fmt: skip


@views.get("/figures/<name>")
def show_figure(name: str) -> Response:
    """One figure over some days or hours."""
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
    """The numbers of a figure as a file."""
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
    services = get_services()
    with services.sessions() as session:
        span = request.args.get("span", type=int)
        return figures.load_figure(session, services.policy, current_officer(), name, span, services.clock.now())


def _title(name: str, column: str) -> str:
    """What a column counts, in words; what has none stands as it is written."""
    if name == "decisions":
        policy = get_services().policy
        return policy.text(column, language()).title if column in policy.rules else column
    slug, _, number = column.partition("/")
    section = next((section for section in _TEXT_SECTIONS[name] if slug in slugs(section)), None)
    return column if section is None else f"{text(section, slug, language())} {number}".rstrip()


def _color(name: str, column: str) -> str:
    """The color of the codes that a column counts; empty where it counts something else."""
    if name == "decisions":
        return str(get_services().policy.colors.get(column) or "")
    return column if column in charts.COLORS else ""


def _format_time(figure: Figure, time: datetime, short: bool = False) -> str:
    """The day or hour of a row, as Beijing has it."""
    day, hour = ("%m-%d", "%H:00") if short else ("%Y-%m-%d", "%Y-%m-%d %H:00")
    return f"{time.astimezone(BEIJING):{hour if figure.by_hour else day}}"


def _newest(cells: Sequence[Cell]) -> Cell:
    return next((cell for cell in reversed(cells) if cell is not None), None)


def _load_status(part: Upstream) -> UpstreamStatus | None:
    """What was heard of a part last; None when Redis cannot be asked."""
    try:
        return upstream.read_status(get_services().redis, part)
    except RedisError:
        return None

"""What officers look at: numbers of all people together, as charts, as tables and as files, and how the parts are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from flask import Response, make_response, request
from redis import RedisError

from app import outside, queue
from app.clock import BEIJING
from app.officers import figures, small_numbers
from app.officers.console import charts
from app.officers.console.frame import language, page, views
from app.officers.console.sheets import sheet
from app.officers.figures import DAYS, HOURS, KINDS, Figure
from app.officers.small_numbers import Cell
from app.outside import Heard, Part
from app.texts import slugs, text
from app.web import officer, services

# the sections of words that have the columns of a figure
_WORDS: Final = {
    "colors": ("states",),
    "checks": ("states", "deeds-of-stations"),
    "notices": ("deliveries",),
    "appeals": ("appeal-times",),
}
_MOST_JOBS: Final = 10_000  # counted on a page


class Chart(NamedTuple):
    """One column as a picture, with what it says in words."""

    title: str
    picture: str
    newest: Cell


@views.get("/figures")
def figures_page() -> Response:
    """How everything is now: jobs, notices, appeals, WeChat and the platform."""
    bag, me, now = services(), officer(), services().clock.now()
    with bag.sessions() as session:
        waiting = queue.waiting(session, _MOST_JOBS + 1)
        (jobs,) = small_numbers.publish([list(waiting.values())]).cells  # a job of a notice is a person who is told
        workers = queue.workers(session)
        oldest = figures.oldest_waiting(session)
        notices = figures.read(session, bag.policy, me, "notices", None, now)
        appeals = figures.open_appeals(session, me, now)
        settled = figures.read(session, bag.policy, me, "appeals", None, now)
    return page(
        "figures.html", names=list(KINDS), workers=workers, oldest=oldest, now=now,
        jobs=dict(zip(waiting, jobs, strict=True)), most_jobs=_MOST_JOBS,
        waiting=dict(zip(notices.columns, notices.table.down, strict=True))["waiting"], notices_as_of=notices.as_of,
        appeals=appeals, in_time=small_numbers.percent(*settled.table.down[:2]), span=settled.span,
        outside={part: _heard(part) for part in Part},
    )  # fmt: skip


@views.get("/figures/<name>")
def figure_page(name: str) -> Response:
    """One figure over some days or hours."""
    figure = _figure(name)
    titles = [_title(name, column) for column in figure.columns]
    labels = [_time(figure, time, short=True) for time in figure.times]
    drawn = [
        Chart(title, charts.bars(labels, cells, _color(name, column), language()), _newest(cells))
        for title, column, cells in zip(titles, figure.columns, zip(*figure.table.cells, strict=True), strict=True)
        if any(cells)
    ]
    return page(
        "figure.html", names=list(KINDS), name=name, figure=figure, titles=titles, charts=drawn,
        times=[_time(figure, time) for time in figure.times], spans=HOURS if figure.by_hour else DAYS,
    )  # fmt: skip


@views.get("/figures/<name>/table.csv")
def figure_table(name: str) -> Response:
    """The numbers of a figure as a file."""
    figure = _figure(name)
    table, all_, time_ = figure.table, text("figure", "all", language()), text("figure", "time", language())
    rows: list[Sequence[object]] = [[time_, *(_title(name, column) for column in figure.columns), all_]]
    for time, cells, sum_ in zip(figure.times, table.cells, table.across, strict=True):
        rows.append([_time(figure, time), *cells, sum_])
    if figure.flows:
        rows.append([all_, *table.down, table.all])
    response = make_response(sheet(rows))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = f'attachment; filename="jixiang-{name}.csv"'
    return response


def _figure(name: str) -> Figure:
    bag = services()
    with bag.sessions() as session:
        span = request.args.get("span", type=int)
        return figures.read(session, bag.policy, officer(), name, span, bag.clock.now())


def _title(name: str, column: str) -> str:
    """What a column counts, in words; what has none stands as it is written."""
    if name == "decisions":
        policy = services().policy
        return policy.text(column, language()).title if column in policy.rules else column
    slug, _, number = column.partition("/")
    section = next((section for section in _WORDS[name] if slug in slugs(section)), None)
    return column if section is None else f"{text(section, slug, language())} {number}".rstrip()


def _color(name: str, column: str) -> str:
    """The color of the codes that a column counts; empty where it counts something else."""
    if name == "decisions":
        return str(services().policy.colors.get(column) or "")
    return column if column in charts.COLORS else ""


def _time(figure: Figure, time: datetime, short: bool = False) -> str:
    """The day or hour of a row, as Beijing has it."""
    day, hour = ("%m-%d", "%H:00") if short else ("%Y-%m-%d", "%Y-%m-%d %H:00")
    return f"{time.astimezone(BEIJING):{hour if figure.by_hour else day}}"


def _newest(cells: Sequence[Cell]) -> Cell:
    return next((cell for cell in reversed(cells) if cell is not None), None)


def _heard(part: Part) -> Heard | None:
    """What was heard of a part last; None when Redis cannot be asked."""
    try:
        return outside.heard(services().redis, part)
    except RedisError:
        return None

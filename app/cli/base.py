"""Shared by all commands: the group, errors in one line, and the services for the duration of a command."""

import gc
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from app.cli.language import choose_catalog, in_chinese, language, translate
from app.core.errors import ConfigError, Problem, StartError
from app.core.texts import field_text, text

if TYPE_CHECKING:
    from rich.progress import Progress

_NO_ANSWER = "The input ended before a question was answered; nothing was done. Run it in a terminal, or see --help."


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn errors that a person can correct into one line on standard error, in the language of the locale."""
    try:
        yield
    except Problem as problem:
        raise click.ClickException(_words_of(problem)) from None
    except (ConfigError, StartError) as error:
        raise click.ClickException(translate(str(error))) from None
    except click.Abort as abort:
        if not isinstance(abort.__context__, EOFError):  # Ctrl-C, or a no
            raise
        raise click.ClickException(translate(_NO_ANSWER)) from None
    except click.ClickException as error:
        error.message = translate(error.message)  # type: ignore[misc] # its class has the exit code and the usage
        raise
    except click.exceptions.Exit:
        raise
    except Exception as error:
        if (refusal := _refusal_of(error)) is None:
            raise
        raise click.ClickException(translate(refusal)) from None


def _words_of(problem: Problem) -> str:
    """Return in one line what is wrong, every bad field, and what to do."""
    title, step = text("problems", problem.slug, language()), text("next-steps", problem.step, language())
    fields = "; ".join(f"{field.pointer} {field_text(field, language())}" for field in problem.fields)
    stop = "。" if language() == "zh" else ". "
    return f"{title}: {fields}{stop}{step}" if fields else f"{title}{stop}{step}"


def _refusal_of(error: Exception) -> str | None:
    """Return what an operator can do about an error of a server or of the policy; None when it is a bug of ours."""
    # what most commands never raise would be half of the time of `jixiang --help`
    import psycopg
    from redis import RedisError
    from sqlalchemy.exc import InternalError, OperationalError, ProgrammingError

    from app.rules import PolicyError

    match error:
        case PolicyError():
            return str(error)
        case RedisError():
            return "Redis is out of reach; check redis.url."
        case OperationalError() | psycopg.OperationalError():
            return _refusal_of_database(error) or "The database is out of reach; start it, or check database.url."
        case InternalError() | ProgrammingError():
            return _refusal_of_database(error)
    return None


def _refusal_of_database(error: Exception) -> str | None:
    """Return what an operator can do about an error of PostgreSQL by its code; None for other codes."""
    from app.installation import find_other_keys, is_end

    if told := find_other_keys(error):
        return told
    code = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    if code == "53100":
        return "The database cannot write: its disk is full; make room there."
    if is_end(error):
        return "The service is ended, and nothing is written any more; read `jixiang service status`."
    if code == "42P01":
        return "The database lacks our tables; run `jixiang db migrate`, or read `jixiang service status`."
    if code == "25006":
        return "The database is read-only; check database.url."
    return None


# what is imported stays: with Python's 700 a tenth of the start of a process is looking for garbage among it
_GC_THRESHOLD = 100_000


class Group(click.Group):
    """A group whose commands report errors in one line, in the language of the locale."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line, with Chinese texts where the locale is Chinese."""
        gc.set_threshold(_GC_THRESHOLD)
        choose_catalog()
        command = in_chinese(self) if language() == "zh" else self
        return click.Group.main(command, *args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with one_line_errors():
            return super().invoke(ctx)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="jixiang-code")
def main() -> None:
    """Jixiang Code 吉祥码: the health code of Jilin province."""
    from app.core.settings import renamed

    for outdated in renamed.given():
        click.echo(f"Warning 提示: {outdated}", err=True)


def services() -> Any:
    """Return the services of the settings, closed when the command ends."""
    from app.core.settings import load_settings
    from app.runtime import make_services

    services = make_services(load_settings())
    click.get_current_context().call_on_close(services.close)
    return services


def refuse_unusable_servers(settings: Any) -> list[str]:
    """Raise ConfigError when a server that answers cannot be used; return the settings of those that do not let us in.

    One that is away may come back, and one that refuses may be full or in the middle of a promotion.
    """
    from app.core import db, redis_client
    from app.core.keys import fingerprint, load_keys
    from app.core.settings import config_error
    from app.installation import check_keys
    from app.runtime import connect_redis

    keys = fingerprint(load_keys(settings.keys.directory))
    engine, redis = db.make_engine(settings.database.url, 1), connect_redis(settings)
    checks: list[tuple[str, Callable[[], object]]] = [
        ("database.url", partial(db.check_usable, engine)),
        ("keys.directory", partial(check_keys, settings.database.url, keys)),
        ("redis.url", partial(redis_client.check_usable, redis)),
    ]
    listening = db.make_engine(settings.database.listen_url, 1) if settings.database.listen_url else None
    if listening is not None:
        checks.append(("database.listen_url", partial(db.check_same, engine, listening)))
    mistakes, away = _try_servers(checks)
    for each in filter(None, (engine, listening)):
        each.dispose()
    redis.close()
    if mistakes:
        raise config_error(mistakes)
    return away


def _try_servers(checks: Iterable[tuple[str, Callable[[], object]]]) -> tuple[list[str], list[str]]:
    """Return the mistakes that checks find, and the settings of those that do not let us in."""
    from redis import RedisError
    from sqlalchemy.exc import SQLAlchemyError

    mistakes, away = [], []
    for name, check in checks:
        try:
            check()
        except ConfigError as error:
            mistakes.append(f"{name}: {error}")
        except (SQLAlchemyError, RedisError):
            away += [name] if name.endswith(".url") else []
    return mistakes, away


def progress_bar() -> "Progress":
    """Return a bar on standard error, which shows nothing off a terminal."""
    from rich.progress import Progress

    return Progress(disable=not sys.stderr.isatty())


def say(words: str, *, err: bool = False) -> None:
    """Print a text for people, in the language of the locale."""
    click.echo(translate(words), err=err)


def parse_moment(words: str) -> datetime:
    """Return a moment with its offset. Raises ClickException."""
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        raise click.ClickException(f"{words} is not a moment; write it as 2026-12-01T00:00:00+08:00") from None
    if moment.tzinfo is None:
        raise click.ClickException("Give the moment with its offset, such as +08:00.")
    return moment


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return translate("yes" if value else "no")
    return "" if value is None else str(value)


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[object]], as_json: bool) -> None:
    """Print a table for people, or one JSON object a line. Off a terminal the table is 200 columns wide."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if as_json:
        for row in rows:
            click.echo(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False))
    else:
        table = Table(*map(translate, columns))
        for row in rows:
            table.add_row(*(Text(_cell(value)) for value in row))
        Console(width=None if sys.stdout.isatty() else 200).print(table)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

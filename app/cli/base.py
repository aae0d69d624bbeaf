"""What all commands share: the group, mistakes in one line, and the services for the time of one command."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
from redis import RedisError
from sqlalchemy.exc import OperationalError

from app.core.errors import ConfigError, Problem, StartError
from app.core.settings import renamed
from app.core.texts import text
from app.rules import PolicyError


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a person can mend into one line on standard error."""
    try:
        yield
    except Problem as problem:
        fields = "; ".join(f"{field.pointer} {text('fields', field.slug, 'en')}" for field in problem.fields)
        title = text("problems", problem.slug, "en")
        raise click.ClickException(f"{title}: {fields}" if fields else title) from None
    except (ConfigError, StartError, PolicyError) as error:
        raise click.ClickException(str(error)) from None
    except OperationalError:
        raise click.ClickException("The database is out of reach; check database.url.") from None
    except RedisError:
        raise click.ClickException("Redis is out of reach; check redis.url.") from None


class Group(click.Group):
    """A group whose commands speak of mistakes in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        with one_line_errors():
            return super().invoke(ctx)


@click.group(cls=Group)
@click.version_option(package_name="jixiang-code")
def main() -> None:
    """Jixiang Code 吉祥码: the health code of Jilin province."""
    for outdated in renamed.given():
        click.echo(f"Warning 提示: {outdated}", err=True)


def services() -> Any:
    """The services of the settings, closed when the command ends."""
    from app.core.settings import load_settings
    from app.runtime import make_services

    services = make_services(load_settings())
    click.get_current_context().call_on_close(services.close)
    return services


def parse_moment(words: str) -> datetime:
    """A moment with its offset. Raises ClickException."""
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        raise click.ClickException(f"{words} is no moment; write it as 2026-12-01T00:00:00+08:00") from None
    if moment.tzinfo is None:
        raise click.ClickException("Give the moment with its offset, such as +08:00.")
    return moment


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[object]], as_json: bool) -> None:
    """A table for a person, or one JSON object a line. Where nobody looks the table is as wide as it needs to be."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if as_json:
        for row in rows:
            click.echo(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False))
    else:
        table = Table(*columns)
        for row in rows:
            table.add_row(*(Text("" if value is None else str(value)) for value in row))
        Console(width=None if sys.stdout.isatty() else 200).print(table)


as_json = click.option("--json", "as_json", is_flag=True, help="Print for a program to read.")

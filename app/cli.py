"""`jixiang …`: parse, call, print. Every mistake is one line and a non-zero exit.

Holds no rules: a command reads its options, calls a verb and prints what came of it.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from redis import RedisError
from rich.progress import Progress
from sqlalchemy.exc import OperationalError

from app.errors import ConfigError, Problem, StartError
from app.texts import text


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a person can mend into one line on standard error."""
    try:
        yield
    except Problem as problem:
        fields = "; ".join(f"{field.pointer} {text('fields', field.slug, 'en')}" for field in problem.fields)
        title = text("problems", problem.slug, "en")
        raise click.ClickException(f"{title}: {fields}" if fields else title) from None
    except (ConfigError, StartError) as error:
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


def _services() -> Any:
    from app.config import load_settings
    from app.services import make_services

    return make_services(load_settings())


as_json = click.option("--json", "as_json", is_flag=True, help="Print for a program to read.")


# --- running ---------------------------------------------------------------------------------------------------


@main.command()
@click.option("--directory", type=click.Path(path_type=Path), default=Path("var"), show_default=True)
@click.option("--port", default=8000, show_default=True, help="Of the web server; the sandboxes take the next two.")
def run(directory: Path, port: int) -> None:
    """Run everything on this machine: database, cache, web server, worker and both sandboxes."""
    from app.run import run_everything

    run_everything(directory, port)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True, help="Processes; one a core.")
@click.option("--threads", default=8, show_default=True, help="Requests that one process works on at a time.")
def web(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the API."""
    from app.config import load_settings
    from app.serving import serve

    load_settings()  # mistakes are told once, here, and not by every process
    serve("app:create_app", host, port, workers=workers, threads=threads)


@main.command()
@click.option("--concurrency", default=8, show_default=True, help="Jobs at a time.")
def worker(concurrency: int) -> None:
    """Work on the jobs: notices, verifications, what the clock brings."""
    from app import logs
    from app.config import load_settings
    from app.jobs import run_worker
    from app.services import make_services

    settings = load_settings()
    logs.set_up(settings.log.level)
    run_worker(make_services(settings), concurrency)


# --- setting up ------------------------------------------------------------------------------------------------


@main.group(cls=Group)
def db() -> None:
    """The database."""


@db.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from app.config import load_settings
    from app.migrate import migrate as run_migrations

    run_migrations(load_settings().database.url)
    click.echo("The database has the newest schema.")


@main.group(cls=Group)
def keys() -> None:
    """The key files."""


@keys.command("create")
def create_key_files() -> None:
    """Make the key files that are missing; never replaces one."""
    from app.config import load_settings
    from app.keys import create_keys
    from app.services import make_clock

    settings = load_settings()
    create_keys(settings.keys.directory, make_clock(settings).now())
    click.echo(f"The keys are in {settings.keys.directory}. Keep them safe: without them sealed data is lost.")


@keys.command("rotate")
@click.option("--begins", required=True, help="When the new key takes over, such as 2026-12-01T00:00:00+08:00")
def rotate_signing_key(begins: str) -> None:
    """Add a signing key that takes over at a moment to come; restart every web process before it begins."""
    from app.config import load_settings
    from app.keys import rotate
    from app.services import make_clock

    settings, moment = load_settings(), _moment(begins)
    if moment <= make_clock(settings).now():
        raise click.ClickException("The new key must begin in the future: stations have to learn of it first.")
    kid = rotate(settings.keys.directory, moment)
    click.echo(f"Key {kid} signs from {begins} on. Copy its file to every machine and restart the processes before.")


def _moment(text_: str) -> datetime:
    """A moment with its offset. Raises ClickException."""
    try:
        moment = datetime.fromisoformat(text_)
    except ValueError:
        raise click.ClickException(f"{text_} is no moment; write it as 2026-12-01T00:00:00+08:00") from None
    if moment.tzinfo is None:
        raise click.ClickException("Give the moment with its offset, such as +08:00.")
    return moment


@main.group(cls=Group)
def config() -> None:
    """The configuration."""


@config.command("check")
def check_configuration() -> None:
    """Read all settings, keys and secrets, and tell every mistake."""
    _services()
    click.echo("The configuration is in order.")


@main.group(cls=Group)
def stations() -> None:
    """Check stations."""


@stations.command("add-inspector")
@click.option("--station", required=True, help="The station's name; it is made when it is new.")
@click.option("--district", required=True)
@click.option("--username", required=True)
@click.password_option(help="Asked for when it is not given.")
def add_inspector(station: str, district: str, username: str, password: str) -> None:
    """Add an inspector to a station."""
    from app.audit import Actor
    from app.stations import accounts

    services = _services()
    with services.begin() as session:
        accounts.add_inspector(
            session,
            station=station,
            district=district,
            username=username.strip().lower(),
            password=password,
            actor=Actor("operator"),
            now=services.clock.now(),
        )
    click.echo(f"{username} may check codes at {station}.")


# --- evidence --------------------------------------------------------------------------------------------------


@main.group(cls=Group)
def evidence() -> None:
    """What health officers record."""


_day = click.DateTime(formats=["%Y-%m-%d"])


@evidence.command("record")
@click.option("--document-number", required=True, prompt=True, help="Of the person concerned.")
@click.option("--document-type", "document_type_name", default="id-card", show_default=True)
@click.option("--kind", required=True, help="contact, quarantine, suspected, confirmed, ruled-out, recovered, release")
@click.option("--exposed-on", type=_day, help="contact: the last day of exposure, YYYY-MM-DD")
@click.option("--first-day", type=_day, help="quarantine: its first day")
@click.option("--last-day", type=_day, help="quarantine: its last day")
@click.option("--authority", required=True, help="Who stands behind the entry.")
@click.option("--reference", required=True, help="The document that the entry rests on.")
@click.option("--officer", required=True, help="Who enters it; kept in the audit.")
@as_json
def record_evidence(as_json: bool, **options: Any) -> None:
    """Record a case, a contact, a quarantine or a release; the rules decide what color follows."""
    from app.officers.entering import enter

    outcome = enter(_services(), **options)
    if as_json:
        click.echo(json.dumps(outcome, ensure_ascii=False))
    else:
        click.echo(f"Recorded. The code is {outcome['state']} by {outcome['rule'] or 'no rule'}.")


# --- cache -----------------------------------------------------------------------------------------------------


@main.group(cls=Group)
def cache() -> None:
    """The color cache."""


@cache.command()
def warm() -> None:
    """Fill the cache from the database."""
    from app.codes import warming

    services, count = _services(), 0
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("warming", total=None)
        for progress in warming.warm(services.cache, services.sessions, services.policy):
            bar.update(task, completed=progress.done, total=progress.total)
            count = progress.codes
    click.echo(f"{count} records written.")


@cache.command()
@click.option("--repair", is_flag=True, help="Write again what differs.")
def verify(repair: bool) -> None:
    """Compare the cache with the database; exit 1 when they differ."""
    from app.codes import warming

    services, differing = _services(), []
    with Progress(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("verifying", total=None)
        for progress, serials in warming.verify(services.cache, services.sessions, services.policy):
            bar.update(task, completed=progress.done, total=progress.total)
            differing += serials
    if differing and repair:
        warming.rewrite(services.cache, services.sessions, services.policy, differing)
        click.echo(f"{len(differing)} records differed and were written again.")
    elif differing:
        raise click.ClickException(f"{len(differing)} records differ from the database; run with --repair.")
    else:
        click.echo("The cache agrees with the database.")


# --- clock -----------------------------------------------------------------------------------------------------


@main.group(cls=Group)
def clock() -> None:
    """The clock, which outside production can be moved ahead."""


@clock.command("show")
def show_clock() -> None:
    """What time it is for the system."""
    from app.clock import rfc3339
    from app.config import load_settings
    from app.services import make_clock

    click.echo(rfc3339(make_clock(load_settings()).now()))


@clock.command("advance")
@click.argument("moment")
def advance_clock(moment: str) -> None:
    """Move the clock forward to MOMENT, such as 2026-12-01T00:00:00+08:00."""
    from app.clock import ShiftedClock, rfc3339
    from app.config import load_settings
    from app.services import make_clock

    system = make_clock(load_settings())
    if not isinstance(system, ShiftedClock):
        raise click.ClickException("This system keeps real time: clock.file is not set.")
    wanted = _moment(moment)
    try:
        system.advance_to(wanted)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(rfc3339(system.now()))


# --- sandboxes and demonstration -------------------------------------------------------------------------------


@main.command("demo-people")
@click.option("--note", type=click.Path(path_type=Path), help="Also write the log-ins to this file.")
def demo_people(note: Path | None) -> None:
    """Make a few invented people and a station, to try everything with."""
    from app.demo_people import make_demo_people

    words = make_demo_people(_services())
    if note is not None:
        note.write_text(words, encoding="utf-8")
    click.echo(words)


@main.command()
@click.option("--directory", type=click.Path(path_type=Path), default=Path("var"), show_default=True)
@click.option("--port", default=8000, show_default=True)
def demo(directory: Path, port: int) -> None:
    """Play the whole story against the running system; exit 1, naming the step, when one does not come true."""
    from app.demo import run_demo

    if not run_demo(directory, port):
        raise SystemExit(1)


@main.group(cls=Group)
def wechat() -> None:
    """WeChat."""


@wechat.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8001, show_default=True)
def wechat_sandbox(host: str, port: int) -> None:
    """A WeChat of one's own, with its answers, error codes and phones."""
    from app.serving import serve

    serve("app.serving:wechat_sandbox", host, port, workers=1, threads=16)


@main.group(cls=Group)
def platform() -> None:
    """The national government service platform."""


@platform.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8002, show_default=True)
def platform_sandbox(host: str, port: int) -> None:
    """A national platform of one's own, with a switch to turn it off."""
    from app.serving import serve

    serve("app.serving:platform_sandbox", host, port, workers=1, threads=16)

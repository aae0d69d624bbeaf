"""Commands that run parts of the system, and what shows it."""

from pathlib import Path

import click

from app.cli import base

_port = click.IntRange(1, 65_535)
_first_port = click.option(
    "--port",
    type=click.IntRange(1, 65_532),
    default=8000,
    show_default=True,
    help="Of the web server; the sandboxes and the phones take the next three.",
)
_directory = click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Where the data is.",
)


@base.main.command()
@_directory
@_first_port
def run(directory: Path, port: int) -> None:
    """Run everything on this machine: database, cache, web server, worker, both sandboxes and the phones."""
    from app.local.run import run_everything

    run_everything(directory, port)


@base.main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=_port, default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True, help="Processes; one a core.")
def web(host: str, port: int, workers: int) -> None:
    """Serve the API."""
    from app.core.settings import load_settings
    from app.web.load_shedding import thread_count
    from app.web.serving import serve

    settings = load_settings()  # mistakes are told once, here, and not by every process
    serve("app:create_app", host, port, workers=workers, threads=thread_count(settings.web.max_concurrency))


@base.main.command()
@click.option("--concurrency", default=8, show_default=True, help="Jobs at a time.")
def worker(concurrency: int) -> None:
    """Work on the jobs: notices, verifications, what the clock brings."""
    from app.core.settings import load_settings
    from app.runtime import make_services
    from app.web import logs
    from app.worker.jobs import run_worker

    settings = load_settings()
    logs.configure(settings.log.level)
    run_worker(make_services(settings), concurrency)


@base.main.command()
@click.option("--port", type=_port, default=8003, show_default=True)
def phones(port: int) -> None:
    """Serve the window with two phones, for this machine alone: the mini-program against what runs here."""
    from app.core.settings import load_settings
    from app.local.passing_on import targets_of
    from app.web.serving import serve

    targets_of(load_settings())  # mistakes are told here, in one line
    serve("app.local.phones:from_settings", "127.0.0.1", port, workers=1, threads=16)


@base.main.command("demo-people")
@click.option("--note", type=click.Path(path_type=Path), help="Also write the log-ins to this file.")
def demo_people(note: Path | None) -> None:
    """Make a few invented people and a station, to try everything with."""
    from app.local.people import make_demo_people

    words = make_demo_people(base.services())
    if note is not None:
        note.write_text(words, encoding="utf-8")
    click.echo(words)


@base.main.command()
@_directory
@_first_port
def demo(directory: Path, port: int) -> None:
    """Play the whole story against the running system; exit 1, naming the step, when one does not come true."""
    from app.local.demo import run_demo

    if not run_demo(directory, port):
        raise SystemExit(1)


@base.main.command("demo-wechat")
@_directory
@_first_port
def demo_wechat(directory: Path, port: int) -> None:
    """Play what WeChat does to the running system: callbacks, repeats, trouble, replay; exits as demo does."""
    from app.local.demo import run_wechat_demo

    if not run_wechat_demo(directory, port):
        raise SystemExit(1)


@base.main.group(cls=base.Group)
def platform() -> None:
    """The national government service platform."""


@platform.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=_port, default=8002, show_default=True)
def platform_sandbox(host: str, port: int) -> None:
    """A national platform of one's own, with a switch to turn it off."""
    from app.web.serving import serve

    serve("app.web.serving:platform_sandbox", host, port, workers=1, threads=16)

"""`jixiang-dev …`: everything on this machine, invented people, and the demonstrations.

Holds no rules; every mistake is one line and a non-zero exit. A command imports what it needs when it runs.
"""

from pathlib import Path

import click

from app.cli import base
from app.cli.language import add_texts

add_texts(Path(__file__).with_name("zh.toml"))

_first_port = click.option(
    "--port",
    type=click.IntRange(1, 65_531),
    default=8000,
    show_default=True,
    help="Of the web server; the sandboxes and the phones take the next four.",
)
_directory = click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Where the data is.",
)


@click.group(cls=base.Group)
@click.version_option(package_name="jixiang-devstack")
def main() -> None:
    """Jixiang Code 吉祥码 on one machine, for developers."""


@main.command()
@_directory
@_first_port
def run(directory: Path, port: int) -> None:
    """Run everything on this machine: database, cache, web server, worker, sandboxes and phones."""
    from devstack.run import run_everything

    run_everything(directory, port)


@main.command()
@click.option("--port", type=click.IntRange(1, 55_530), default=7000, show_default=True, help="Of the first node.")
def cluster(port: int) -> None:
    """Run an empty Valkey Cluster on this machine, three masters with a replica each, until Ctrl-C."""
    import signal
    import tempfile

    from devstack.cluster import MASTERS, start_cluster
    from devstack.run import stoppable

    with (
        stoppable(),
        tempfile.TemporaryDirectory(prefix="jixiang-cluster-") as directory,
        start_cluster(Path(directory), range(port, port + 2 * MASTERS)) as running,
    ):
        click.echo(f"redis.url = {running.url}")
        signal.pause()


@main.command()
@click.option("--web", default="http://127.0.0.1:8000", show_default=True, help="The web server.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8003, show_default=True)
def phones(web: str, port: int) -> None:
    """Serve the window with two phones, for this machine alone: the mini-program against what runs here."""
    import os

    from app.core.settings import load_settings
    from app.web.server.serving import serve
    from devstack.forwarding import targets_of
    from devstack.phones import WEB

    targets_of(load_settings(), web)  # mistakes are shown here, in one line
    os.environ[WEB] = web  # for the process that serves, which starts afresh
    serve("devstack.phones:from_settings", "127.0.0.1", port, workers=1, threads=16)


@main.command()
@click.option("--note", type=click.Path(path_type=Path), help="Also write the log-ins to this file.")
def people(note: Path | None) -> None:
    """Make a few invented people and a station, to try everything with."""
    from devstack.people import make_demo_people

    words = make_demo_people(base.services())
    if note is not None:
        note.write_text(words, encoding="utf-8")
    click.echo(words)


@main.command()
def officers() -> None:
    """Make an invented officer for each role, and show how to log in with the code of now."""
    from devstack.officers import make_demo_officers

    base.say(make_demo_officers(base.services()))


@main.command()
@_directory
@_first_port
def demo(directory: Path, port: int) -> None:
    """Play the whole story against the running system; exit 1, naming the step, when one does not come true."""
    from devstack.demo import run_demo

    if not run_demo(directory, port):
        raise SystemExit(1)


@main.command("demo-wechat")
@_directory
@_first_port
def demo_wechat(directory: Path, port: int) -> None:
    """Play what WeChat does to the running system: callbacks, repeats, trouble, replay; exits as demo does."""
    from devstack.demo import run_wechat_demo

    if not run_wechat_demo(directory, port):
        raise SystemExit(1)


@main.command("demo-end")
def demo_end() -> None:
    """Play the end of the service on an installation of its own, which is gone afterwards; exits as demo does."""
    from devstack.demo import run_end_demo

    if not run_end_demo():
        raise SystemExit(1)


@main.command("demo-provinces")
def demo_provinces() -> None:
    """Play how two installations of their own recognise each other's codes; both are gone afterwards; exits as demo."""
    from devstack.demo import run_province_demo

    if not run_province_demo():
        raise SystemExit(1)

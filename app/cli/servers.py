"""Commands that run the two parts of the system: the web server and the worker."""

import errno
import socket

import click

from app.cli import base
from app.core.errors import StartError

_REASONS = {
    errno.EADDRINUSE: "another server listens there",
    errno.EACCES: "this user may only listen above port 1023",
    errno.EADDRNOTAVAIL: "it is no address of this machine",
}
_port = click.IntRange(1, 65_535)
_processes = click.IntRange(1, 256)


@base.main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_port, default=8000, show_default=True, help="Port to listen on.")
@click.option("--workers", type=_processes, default=2, show_default=True, help="Processes; one for each core.")
def web(host: str, port: int, workers: int) -> None:
    """Serve the API and the console."""
    from app.core.keys import is_ended
    from app.core.settings import load_settings
    from app.web.server.serving import serve

    settings = load_settings()  # mistakes are reported once, here, and not by every process
    if is_ended(settings.keys.directory):
        base.say("The service is ended: only that, and the report, is served.", err=True)
    else:
        base.refuse_unusable_servers(settings)
    _refuse_unusable_address(host, port)
    serve("app.server:create_server", host, port, workers=workers)


@base.main.command()
@click.option("--concurrency", type=_processes, default=8, show_default=True, help="Jobs at a time.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address of the metrics server.")
@click.option("--metrics-port", type=_port, help="Serve /metrics and /healthz of this worker there.")
def worker(concurrency: int, metrics_host: str, metrics_port: int | None) -> None:
    """Run the jobs: notices, verifications, and what is due by the clock."""
    from app.core import metrics
    from app.core.keys import is_ended
    from app.core.settings import load_settings, renamed
    from app.runtime import make_services
    from app.web import logs
    from app.worker.app import run_worker
    from app.worker.pulse import Pulse

    settings = load_settings()
    if is_ended(settings.keys.directory):  # with exit code 0: whoever supervises it need not start it again
        base.say("The service is ended: there is no work.", err=True)
        return
    if metrics_port is not None:
        _refuse_unusable_address(metrics_host, metrics_port)
    base.refuse_unusable_servers(settings)  # says it in a line, before the log begins
    logs.configure(settings.log.level)
    renamed.log_given()
    pulse = Pulse()
    if metrics_port is not None:
        metrics.serve(metrics_host, metrics_port, pulse.is_well)
    run_worker(make_services(settings), concurrency, pulse)


def _refuse_unusable_address(host: str, port: int) -> None:
    """Raise StartError when nobody can listen there, with the reason.

    Granian's processes share their port, and so would a second server that is started there by mistake: each gets some
    of the requests, and neither says anything.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what a server has left behind is no server
            probe.bind(address)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or error.strerror
        raise StartError(
            f"Nothing can listen at {host}, port {port} ({reason}); choose another --host or --port."
        ) from None

"""Commands that run the two parts of the system: the web server and the worker."""

import click

from app.cli import base

_port = click.IntRange(1, 65_535)


@base.main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_port, default=8000, show_default=True, help="Port to listen on.")
@click.option("--workers", default=2, show_default=True, help="Processes; one for each core.")
def web(host: str, port: int, workers: int) -> None:
    """Serve the API and the console."""
    from app.core.settings import load_settings
    from app.web.load_shedding import thread_count
    from app.web.serving import serve

    settings = load_settings()  # mistakes are reported once, here, and not by every process
    base.refuse_unusable_servers(settings)
    serve("app:create_app", host, port, workers=workers, threads=thread_count(settings.web.max_concurrency))


@base.main.command()
@click.option("--concurrency", default=8, show_default=True, help="Jobs at a time.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address of the metrics server.")
@click.option("--metrics-port", type=_port, help="Serve the metrics of this worker there, at /metrics.")
def worker(concurrency: int, metrics_host: str, metrics_port: int | None) -> None:
    """Run the jobs: notices, verifications, and what is due by the clock."""
    from app.core import metrics
    from app.core.settings import load_settings, renamed
    from app.runtime import make_services
    from app.web import logs
    from app.worker.app import run_worker

    settings = load_settings()
    logs.configure(settings.log.level)
    renamed.log_given()
    base.refuse_unusable_servers(settings)
    if metrics_port is not None:
        metrics.serve(metrics_host, metrics_port)
    run_worker(make_services(settings), concurrency)

"""`sms-sandbox`: serve until a signal."""

import os
import secrets
import signal
from pathlib import Path

import click
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from sms_sandbox import create_sandbox


@click.command()
@click.option("--secret-id", default="local", show_default=True, help="The id of the key that callers sign with.")
@click.option("--secret-file", type=click.Path(path_type=Path), help="Holds the key that callers sign with.")
@click.option("--state-file", type=click.Path(path_type=Path), help="Keeps messages and the switch over a restart.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65_535), default=8003, show_default=True)
@click.version_option(package_name="sms-sandbox")
def main(secret_id: str, secret_file: Path | None, state_file: Path | None, host: str, port: int) -> None:
    """An SMS gateway of your own, with its limits, reports and errors 本机上的短信沙箱.

    Without a secret file it makes a key up and prints it.
    """
    refuse_production()
    secret = _read(secret_file) if secret_file else secrets.token_hex(16)
    shown = f"its key is in {secret_file}" if secret_file else f"key {secret}"
    click.echo(f"http://{host}:{port}  secret id {secret_id}, {shown}")
    serve(create_sandbox(secret_id, secret, state_file=state_file), host, port)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise click.ClickException(f"无法读取 {file} cannot be read: {error.strerror}.") from None


def refuse_production() -> None:
    """Refuse to serve beside a system in production. Raises ClickException."""
    if os.environ.get("JIXIANG_ENVIRONMENT") == "production":
        raise click.ClickException(
            "A sandbox has no place in production 生产环境不可使用沙箱: unset JIXIANG_ENVIRONMENT."
        )


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Write nothing: every request has a phone number."""


def serve(app: Flask, host: str, port: int) -> None:
    """Serve in this process, one thread for each request, until SIGINT or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server = make_server(host, port, app, threaded=True, request_handler=_Quiet)
    except SystemExit:  # werkzeug has printed that the port is in use
        raise click.ClickException(
            f"端口 {port} 不可用 Port {port} cannot be used: choose another with --port."
        ) from None
    server.serve_forever()

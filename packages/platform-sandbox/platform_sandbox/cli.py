"""`platform-sandbox`: serve until a signal."""

import os
import secrets
import signal
from pathlib import Path

import click
from flask import Flask
from werkzeug.serving import make_server

from platform_sandbox import create_sandbox
from platform_sandbox.serving import RequestHandler


@click.command()
@click.option("--app-key", default="local", show_default=True, help="What callers send as X-App-Key.")
@click.option("--secret-file", type=click.Path(path_type=Path), help="Holds the secret that callers sign with.")
@click.option("--state-file", type=click.Path(path_type=Path), help="Keeps people and the switch over a restart.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65_535), default=8002, show_default=True)
@click.version_option(package_name="platform-sandbox")
def main(app_key: str, secret_file: Path | None, state_file: Path | None, host: str, port: int) -> None:
    """A national platform of your own, with a switch to turn it off 本机上的国家平台沙箱.

    Without a secret file it makes a secret up and prints it.
    """
    refuse_production()
    secret = _read(secret_file) if secret_file else secrets.token_hex(16)
    shown = f"its secret is in {secret_file}" if secret_file else f"secret {secret}"
    click.echo(f"http://{host}:{port}  app key {app_key}, {shown}")
    serve(create_sandbox(app_key, secret, state_file), host, port)


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


def serve(app: Flask, host: str, port: int) -> None:
    """Serve in this process, one thread for each request, until SIGINT or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server = make_server(host, port, app, threaded=True, request_handler=RequestHandler)
    except SystemExit:  # werkzeug has printed that the port is in use
        raise click.ClickException(
            f"端口 {port} 不可用 Port {port} cannot be used: choose another with --port."
        ) from None
    server.serve_forever()

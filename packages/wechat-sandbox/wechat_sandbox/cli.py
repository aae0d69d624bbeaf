"""`wechat-sandbox`: read the configuration, serve until a signal."""

import os
import secrets
import signal
from pathlib import Path

import click
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from wechat_sandbox import create_sandbox
from wechat_sandbox.configuration import ConfigurationError, load_configuration


@click.command()
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file: account, templates, callbacks.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65_535), default=8001, show_default=True)
@click.version_option(package_name="wechat-sandbox")
def main(file: Path | None, host: str, port: int) -> None:
    """A WeChat of your own, with its answers, error codes and phones 本机上的微信沙箱.

    Without an appid and a secret in the configuration it makes them up and prints them.
    """
    refuse_production()
    try:
        given = load_configuration(file)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from None
    appid, secret = given.appid or "wx" + secrets.token_hex(8), given.secret or secrets.token_hex(16)
    shown = f"appid {appid}, its secret is in {file}" if given.secret else f"appid {appid}, secret {secret}"
    click.echo(f"http://{host}:{port}  {shown}")
    options = given.model_dump(include={"state_file", "pages", "with_unionid"})
    options |= {"push": given.push, "official": given.official}
    serve(create_sandbox(appid, secret, templates=given.templates, **options), host, port)


def refuse_production() -> None:
    """Refuse to serve beside a system in production. Raises ClickException."""
    if os.environ.get("JIXIANG_ENVIRONMENT") == "production":
        raise click.ClickException(
            "A sandbox has no place in production 生产环境不可使用沙箱: unset JIXIANG_ENVIRONMENT."
        )


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Write nothing: WeChat's URLs carry secrets."""


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

"""`platform-sandbox`: serve until a signal."""

from pathlib import Path

import click

from platform_sandbox import create_sandbox
from platform_sandbox.serving import RequestHandler
from sandbox_kit.commands import read_secret, refuse_production, where_to_serve
from sandbox_kit.serving import serve


@click.command()
@click.option("--app-key", default="local", show_default=True, help="What callers send as X-App-Key.")
@click.option("--secret-file", type=click.Path(path_type=Path), help="Holds the secret that callers sign with.")
@click.option("--state-file", type=click.Path(path_type=Path), help="Keeps people and the switch over a restart.")
@where_to_serve(port=8002)
@click.version_option(package_name="platform-sandbox")
def main(app_key: str, secret_file: Path | None, state_file: Path | None, host: str, port: int) -> None:
    """A national platform of your own, with a switch to turn it off 本机上的国家平台沙箱.

    Without a secret file it makes a secret up and prints it.
    """
    refuse_production()
    secret = read_secret(secret_file)
    shown = f"its secret is in {secret_file}" if secret_file else f"secret {secret}"
    click.echo(f"http://{host}:{port}  app key {app_key}, {shown}")
    serve(create_sandbox(app_key, secret, state_file), host, port, RequestHandler)

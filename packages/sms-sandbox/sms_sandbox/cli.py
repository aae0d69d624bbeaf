"""`sms-sandbox`: serve until a signal."""

from pathlib import Path

import click

from sandbox_kit.commands import read_secret, refuse_production, where_to_serve
from sandbox_kit.serving import serve
from sms_sandbox import create_sandbox


@click.command()
@click.option("--secret-id", default="local", show_default=True, help="The id of the key that callers sign with.")
@click.option("--secret-file", type=click.Path(path_type=Path), help="Holds the key that callers sign with.")
@click.option("--state-file", type=click.Path(path_type=Path), help="Keeps messages and the switch over a restart.")
@where_to_serve(port=8003)
@click.version_option(package_name="sms-sandbox")
def main(secret_id: str, secret_file: Path | None, state_file: Path | None, host: str, port: int) -> None:
    """An SMS gateway of your own, with its limits, reports and errors 本机上的短信沙箱.

    Without a secret file it makes a key up and prints it.
    """
    refuse_production()
    secret = read_secret(secret_file)
    shown = f"its key is in {secret_file}" if secret_file else f"key {secret}"
    click.echo(f"http://{host}:{port}  secret id {secret_id}, {shown}")
    serve(create_sandbox(secret_id, secret, state_file=state_file), host, port)

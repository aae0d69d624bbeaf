"""`wechat-sandbox`: read the configuration, serve until a signal."""

import secrets
from pathlib import Path

import click

from sandbox_kit.commands import refuse_production, where_to_serve
from sandbox_kit.serving import serve
from wechat_sandbox import create_sandbox
from wechat_sandbox.configuration import ConfigurationError, load_configuration


@click.command()
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file: account, templates, callbacks.")
@where_to_serve(port=8001)
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

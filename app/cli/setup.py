"""Commands that set a system up: schema, keys, configuration, inspectors."""

import click

from app.cli import base


@base.main.group(cls=base.Group)
def db() -> None:
    """The database."""


@db.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from app.core.settings import load_settings
    from app.migrations.runner import migrate as run_migrations

    run_migrations(load_settings().database.url)
    click.echo("The database has the newest schema.")


@base.main.group(cls=base.Group)
def keys() -> None:
    """The key files."""


@keys.command("create")
def create_key_files() -> None:
    """Make the key files that are missing; never replaces one."""
    from app.core.keys import create_keys
    from app.core.settings import load_settings
    from app.runtime import make_clock

    settings = load_settings()
    create_keys(settings.keys.directory, make_clock(settings).now())
    click.echo(f"The keys are in {settings.keys.directory}. Keep them safe: without them sealed data is lost.")


@keys.command("rotate")
@click.option("--begins", required=True, help="When the new key takes over, such as 2026-12-01T00:00:00+08:00")
def rotate_signing_key(begins: str) -> None:
    """Add a signing key that takes over at a moment to come; restart every web process before it begins."""
    from app.core.keys import rotate
    from app.core.settings import load_settings
    from app.runtime import make_clock

    settings, moment = load_settings(), base.parse_moment(begins)
    if moment <= make_clock(settings).now():
        raise click.ClickException("The new key must begin in the future: stations have to learn of it first.")
    kid = rotate(settings.keys.directory, moment)
    click.echo(f"Key {kid} signs from {begins} on. Copy its file to every machine and restart the processes before.")


@keys.command("list")
@base.as_json
def list_signing_keys(as_json: bool) -> None:
    """The keys that sign tokens, the oldest first: signing, next, retired (still published) or gone. Never a secret."""
    from app.codes.tokens import CodeTokens
    from app.core.clock import rfc3339
    from app.core.keys import load_keys
    from app.core.settings import load_settings
    from app.runtime import make_clock

    settings = load_settings()
    tokens = CodeTokens(load_keys(settings.keys.directory), settings.tokens.life, settings.tokens.skew)
    rows = [
        (key.kid, rfc3339(key.since), None if key.until is None else rfc3339(key.until), standing)
        for key, standing in tokens.key_states(make_clock(settings).now())
    ]
    base.print_rows(["kid", "from", "until", "state"], rows, as_json)


@base.main.group(cls=base.Group)
def config() -> None:
    """The configuration."""


@config.command("check")
def check_configuration() -> None:
    """Read all settings, then the keys, secrets and policy that they name, and tell every mistake of these."""
    base.services()
    click.echo("The configuration is in order.")


@base.main.group(cls=base.Group)
def stations() -> None:
    """Check stations."""


@stations.command("add-inspector")
@click.option("--station", required=True, help="The station's name; it is made when it is new.")
@click.option("--district", required=True)
@click.option("--username", required=True)
@click.password_option(help="Asked for when it is not given.")
def add_inspector(station: str, district: str, username: str, password: str) -> None:
    """Add an inspector to a station."""
    from app.audit import Actor
    from app.stations import accounts
    from app.stations.accounts import NewInspector

    services = base.services()
    with services.begin() as session:
        new = NewInspector(station, district, username.strip().lower(), password)
        accounts.add_inspector(session, new, actor=Actor("operator"), now=services.clock.now())
    click.echo(f"{username} may check codes at {station}.")

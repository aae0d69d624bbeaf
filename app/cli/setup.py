"""Commands that set a system up: schema, keys, configuration, check stations and their inspectors."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

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
    base.say("The database has the newest schema.")


@base.main.group(cls=base.Group)
def keys() -> None:
    """The key files."""


@keys.command("create")
def create_key_files() -> None:
    """Create the key files of a new system; never replace one, nor add to a database that was filled with others."""
    from sqlalchemy.exc import SQLAlchemyError

    from app.core.clock import make_clock
    from app.core.keys import create_keys, holds_keys, refuse_ended
    from app.core.settings import load_settings
    from app.installation import check_keys

    settings = load_settings()
    refuse_ended(settings.keys.directory)
    if not holds_keys(settings.keys.directory):
        with suppress(SQLAlchemyError):  # nor need there be a database yet
            check_keys(settings.database.url, "")
    create_keys(settings.keys.directory, make_clock(settings.clock.file).now())
    base.say(f"The keys are in {settings.keys.directory}. Keep them safe: without them encrypted data is lost.")


@keys.command("adopt")
@click.confirmation_option(prompt="What the lost keys have encrypted stays lost, and nobody known is found. Go on?")
def adopt_keys() -> None:
    """Go on with other keys when some are lost for good: create those that are missing, and note them in the database.

    Stop every process first. A copy of the key directory is always better.
    """
    from sqlalchemy import select

    from app import audit
    from app.core.clock import make_clock
    from app.core.db import make_engine, make_session_factory
    from app.core.keys import create_keys, fingerprint, load_keys
    from app.core.settings import load_settings
    from app.installation import Installation

    settings = load_settings()
    now = make_clock(settings.clock.file).now()
    create_keys(settings.keys.directory, now, fill=True)
    noted = fingerprint(load_keys(settings.keys.directory))
    engine = make_engine(settings.database.url, 1)
    with make_session_factory(engine).begin() as session:
        session.scalars(select(Installation)).one().key_fingerprint = noted
        audit.append(session, audit.Actor("operator"), "keys-adopted", now, fingerprint=noted)
    engine.dispose()
    base.say("The database has these keys now. Copy them to every machine, and start the processes.")


@keys.command("rotate")
@click.option("--begins", required=True, help="When the new key takes over, such as 2026-12-01T00:00:00+08:00")
def rotate_signing_key(begins: str) -> None:
    """Add a signing key that takes over at a future moment; restart every web process before then."""
    from app.core.clock import make_clock
    from app.core.keys import rotate
    from app.core.settings import load_settings

    settings, moment = load_settings(), base.parse_moment(begins)
    if moment <= make_clock(settings.clock.file).now():
        raise click.ClickException("The new key must begin in the future: stations have to fetch it first.")
    kid = rotate(settings.keys.directory, moment)
    base.say(f"Key {kid} signs from {begins} on. Copy its file to every machine and restart the processes before then.")


@keys.command("list")
@base.as_json
def list_signing_keys(as_json: bool) -> None:
    """List the signing keys, oldest first: signing, next, retired (still published) or gone. Print no secret."""
    from app.core.clock import make_clock, rfc3339
    from app.core.keys import load_keys
    from app.core.settings import load_settings
    from app.runtime import make_code_tokens

    settings = load_settings()
    tokens = make_code_tokens(load_keys(settings.keys.directory), settings)
    rows = [
        (key.kid, rfc3339(key.since), None if key.until is None else rfc3339(key.until), state)
        for key, state in tokens.key_states(make_clock(settings.clock.file).now())
    ]
    base.print_rows(["kid", "from", "until", "state"], rows, as_json)


@base.main.group(cls=base.Group)
def config() -> None:
    """The configuration."""


@config.command("check")
def check_configuration() -> None:
    """Read all settings, then the keys, secrets and policy that they name, and report every mistake."""
    from app.core.db import explain_refusal
    from app.core.settings import config_error

    settings = base.services().settings
    away = base.refuse_unusable_servers(settings)
    if "database.url" in away and (reason := explain_refusal(settings.database.url)):
        raise config_error(
            [f"database.url: refused ({reason}): create the database, or correct its name, the user or the password"]
        )
    for name in away:
        base.say(f"{name}: out of reach now, so the server was not checked.", err=True)
    base.say("The configuration is in order." if not away else "What could be checked is in order.")


@base.main.group(cls=base.Group)
def stations() -> None:
    """Check stations."""


@stations.command("add-inspector")
@click.option("--station", required=True, help="Name of the station; created when it is new.")
@click.option("--district", required=True, help="District of the station, such as 长春市.")
@click.option("--username", required=True, help="User name of the inspector.")
def add_inspector(station: str, district: str, username: str) -> None:
    """Add an inspector to a station; their password is asked for, or taken from JIXIANG_NEW_PASSWORD."""
    from app.audit import Actor
    from app.cli.identity import ask_new_password
    from app.stations import accounts
    from app.stations.accounts import NewInspector

    services, new = base.services(), NewInspector(station, district, username)
    with services.sessions() as session:
        accounts.check_inspector(session, new)
    new = replace(new, password=ask_new_password())
    with services.begin() as session:
        added = accounts.add_inspector(session, new, actor=Actor("operator"), now=services.clock.now())
        username = added.username
    base.say(f"{username} may check codes at {station}.")


_inspector = click.option("--username", required=True, help="User name of the inspector.")


@stations.command("list-inspectors")
@base.as_json
def list_inspectors(as_json: bool) -> None:
    """List the inspectors with their stations."""
    from app.staff import inspectors
    from app.staff.context import OPERATOR, begin_as

    with begin_as(base.services(), OPERATOR) as context:
        rows = [
            (one.username, station.name, station.district, one.disabled_at is not None)
            for one, station in inspectors.list_inspectors(context)
        ]
    base.print_rows(["username", "station", "district", "closed"], rows, as_json)


@stations.command("disable-inspector")
@_inspector
def disable_inspector(username: str) -> None:
    """Close an inspector's account and end its sessions."""
    from app.staff import inspectors

    _act(username, inspectors.disable_inspector)
    base.say(f"{username} is closed.")


@stations.command("enable-inspector")
@_inspector
def enable_inspector(username: str) -> None:
    """Open an inspector's closed account again."""
    from app.staff import inspectors

    _act(username, inspectors.enable_inspector)
    base.say(f"{username} is open again.")


@stations.command("end-inspector-sessions")
@_inspector
def end_inspector_sessions(username: str) -> None:
    """End every session of an inspector, who can log in again."""
    from app.staff import inspectors

    _act(username, inspectors.end_sessions)
    base.say(f"The sessions of {username} have ended.")


@stations.command("reset-inspector-password")
@_inspector
def reset_inspector_password(username: str) -> None:
    """Set a password that an inspector must change when they log in, and print it once."""
    from app.staff import inspectors

    password = _act(username, inspectors.reset_password)
    base.say(f"Password of {username}, to be changed at the next log-in, shown only once:\n{password}")


@stations.command("move-inspector")
@_inspector
@click.option("--station", required=True, help="Name of the station, which exists.")
def move_inspector(username: str, station: str) -> None:
    """Move an inspector to another station, where they log in anew."""
    from app.staff import inspectors

    _act(username, lambda context, id_: inspectors.move_inspector(context, id_, station))
    base.say(f"{username} may check codes at {station}.")


def _act(username: str, act: Callable[[Any, int], Any]) -> Any:
    """Do something with an inspector, as an operator. Raises Problem."""
    from app.staff import inspectors
    from app.staff.context import OPERATOR, begin_as

    with begin_as(base.services(), OPERATOR) as context:
        return act(context, inspectors.find_by_username(context.session, username).id)

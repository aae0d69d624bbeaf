"""Commands about health officers: the first administrator is made here, and what nobody at the console can mend."""

import json
from typing import Any

import click

from app.cli import base

_username = click.option("--username", required=True)


@base.main.group(cls=base.Group)
def officers() -> None:
    """Health officers, who work at the console."""


@officers.command("add")
@_username
@click.option("--name", required=True, help="As it is shown on pages.")
@click.option(
    "--role", "roles", multiple=True, required=True, help="recorder, approver, appeals, auditor, administrator"
)
@click.option("--district", help="Such as 长春市; the whole province where none is given.")
@click.password_option(help="Asked for when it is not given.")
def add_officer(username: str, **given: Any) -> None:
    """Add an officer; prints the secret for their authenticator, this once."""
    from app.staff import officers as staff_officers

    services = base.services()
    with services.begin() as session:
        officer, secret = staff_officers.add_officer(
            session, services.encryption, username=username, **given, by=None, now=services.clock.now()
        )
    _show_secret(officer.username, secret)


@officers.command("list")
@base.as_json
def list_officers(as_json: bool) -> None:
    """List the officers with their roles and districts."""
    from app.staff import officers as staff_officers

    services = base.services()
    with services.sessions() as session:
        everybody = staff_officers.list_officers(session, None)
    if as_json:
        click.echo(json.dumps([_row(one) for one in everybody], ensure_ascii=False))
        return
    for one in everybody:
        closed = "  closed" if one.disabled_at else ""
        click.echo(f"{one.username}  {one.name}  {', '.join(one.roles)}  {one.district or 'whole province'}{closed}")


@officers.command("disable")
@_username
def disable_officer(username: str) -> None:
    """Close an account and end its sessions."""
    from app.staff import officers as staff_officers

    services = base.services()
    with services.begin() as session:
        officer = staff_officers.find_by_username(session, username)
        staff_officers.disable_officer(session, officer.id, by=None, now=services.clock.now())
    click.echo(f"{officer.username} is closed.")


@officers.command("end-sessions")
@_username
def end_sessions(username: str) -> None:
    """End every session of an officer, who may log in again."""
    from app.staff import officers as staff_officers

    services = base.services()
    with services.begin() as session:
        officer = staff_officers.find_by_username(session, username)
        number = staff_officers.end_sessions(session, officer.id, by=None, now=services.clock.now())
    click.echo(f"Sessions of {officer.username} that were ended: {number}")


@officers.command("reset-totp")
@_username
def reset_totp(username: str) -> None:
    """Make a new secret for an officer's authenticator; prints it, this once."""
    from app.staff import officers as staff_officers

    services = base.services()
    with services.begin() as session:
        officer = staff_officers.find_by_username(session, username)
        secret = staff_officers.reset_totp(session, services.encryption, officer.id, by=None, now=services.clock.now())
    _show_secret(officer.username, secret)


@officers.command("reset-password")
@_username
def reset_password(username: str) -> None:
    """Make a password for one log-in of an officer, who must change it there; prints it, this once."""
    from app.staff import officers as staff_officers

    services = base.services()
    with services.begin() as session:
        officer = staff_officers.find_by_username(session, username)
        password = staff_officers.reset_password(session, officer.id, by=None, now=services.clock.now())
    click.echo(f"The password of {officer.username}, to be changed at the next log-in, is shown this once:\n{password}")


def _row(officer: Any) -> dict[str, Any]:
    told = {name: getattr(officer, name) for name in ("username", "name", "roles", "district")}
    return {**told, "disabled": officer.disabled_at is not None}


def _show_secret(username: str, secret: str) -> None:
    from qrcode.main import QRCode

    from app.staff import totp

    address = totp.provisioning_uri(secret, username)
    picture: QRCode[Any] = QRCode(border=2)
    picture.add_data(address)
    click.echo(f"The authenticator of {username} scans this; it is shown this once:")
    picture.print_ascii(invert=True)
    click.echo(address)

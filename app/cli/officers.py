"""Commands about health officers and service windows: for the first administrator, and where nobody at the console can
help."""

import json
from dataclasses import replace
from typing import Any

import click

from app.cli import base
from app.cli.language import translate

_username = click.option("--username", required=True)


@base.main.group(cls=base.Group)
def officers() -> None:
    """Manage health officers, who work at the console."""


@officers.command("add")
@_username
@click.option("--name", required=True, help="The name shown on pages.")
@click.option(
    "--role", "roles", multiple=True, required=True, help="recorder, approver, appeals, auditor, administrator, clerk"
)
@click.option("--district", help="Such as 长春市; omit it for the whole province.")
def add_officer(username: str, **given: Any) -> None:
    """Add an officer, and print the secret for their authenticator once; an administrator sets the first password.

    While fewer than two administrators can log in, the password is set here too, which auditors are shown: it is asked
    for, or taken from JIXIANG_NEW_PASSWORD.
    """
    from app.cli.identity import ask_new_password, given_new_password
    from app.staff import officers as staff_officers
    from app.staff.context import OPERATOR, begin_as
    from app.staff.second_administrator import is_bootstrap

    new = staff_officers.NewOfficer(username, **given)
    with begin_as(base.services(), OPERATOR) as context:
        staff_officers.check_officer(context, new)
        is_asked = is_bootstrap(context, new.district)
    password = ask_new_password() if is_asked else given_new_password()
    with begin_as(base.services(), OPERATOR) as context:
        officer, secret = staff_officers.add_officer(context, replace(new, password=password))
    _show_secret(officer.username, secret)
    if password is None:
        base.say(f"An administrator sets the first password of {officer.username}, at the console.", err=True)


@officers.command("list")
@base.as_json
def list_officers(as_json: bool) -> None:
    """List the officers with their roles and districts."""
    from app.staff import officers as staff_officers
    from app.staff.context import OPERATOR, begin_as

    with begin_as(base.services(), OPERATOR) as context:
        everybody = staff_officers.list_officers(context)
    if as_json:
        click.echo(json.dumps([_row(one) for one in everybody], ensure_ascii=False))
        return
    for one in everybody:
        closed = translate("  closed") if one.disabled_at else ""
        district = one.district or translate("whole province")
        click.echo(f"{one.username}  {one.name}  {', '.join(one.roles)}  {district}{closed}")


@officers.command("disable")
@_username
def disable_officer(username: str) -> None:
    """Close an account and end its sessions."""
    from app.staff import officers as staff_officers
    from app.staff.context import OPERATOR, begin_as

    with begin_as(base.services(), OPERATOR) as context:
        officer = staff_officers.find_by_username(context.session, username)
        staff_officers.disable_officer(context, officer.id)
    base.say(f"{officer.username} is closed.")


@officers.command("end-sessions")
@_username
def end_sessions(username: str) -> None:
    """End every session of an officer, who can log in again."""
    from app.staff import officers as staff_officers
    from app.staff.context import OPERATOR, begin_as

    with begin_as(base.services(), OPERATOR) as context:
        officer = staff_officers.find_by_username(context.session, username)
        number = staff_officers.end_sessions(context, officer.id)
    base.say(f"Ended sessions of {officer.username}: {number}")


@officers.command("reset-totp")
@_username
def reset_totp(username: str) -> None:
    """Set a new secret for an officer's authenticator, and print it once."""
    from app.staff import credentials
    from app.staff import officers as staff_officers
    from app.staff.context import OPERATOR, begin_as

    with begin_as(base.services(), OPERATOR) as context:
        officer = staff_officers.find_by_username(context.session, username)
        secret = credentials.reset_totp(context, officer.id)
    _show_secret(officer.username, secret)


@officers.command("reset-password")
@_username
def reset_password(username: str) -> None:
    """Set a password that an officer must change at the next log-in, and print it once."""
    from app.staff import credentials
    from app.staff import officers as staff_officers
    from app.staff.context import OPERATOR, begin_as

    with begin_as(base.services(), OPERATOR) as context:
        officer = staff_officers.find_by_username(context.session, username)
        password = credentials.reset_password(context, officer.id)
    base.say(f"Password of {officer.username}, to be changed at the next log-in, shown only once:\n{password}")


_window_name = click.option("--name", required=True, help="The name that people read.")


@base.main.group(cls=base.Group)
def windows() -> None:
    """Manage service windows, where clerks serve people with their document in hand."""


@windows.command("add")
@_window_name
@click.option("--place", required=True, help="Its address.")
@click.option("--district", required=True, help="Such as 长春市.")
def add_window(**given: str) -> None:
    """Add a service window."""
    from app.staff.context import OPERATOR, begin_as
    from app.windows.administration import NewWindow, add_window

    with begin_as(base.services(), OPERATOR) as context:
        window = add_window(context, NewWindow(**given))
    base.say(f"{window.name} is open.")


@windows.command("list")
@base.as_json
def list_windows(as_json: bool) -> None:
    """List the service windows with the clerks who work there."""
    from app.staff.context import OPERATOR, begin_as
    from app.windows import administration

    with begin_as(base.services(), OPERATOR) as context:
        rows = [
            _window_row(one, administration.list_clerks(context, one)) for one in administration.list_windows(context)
        ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        closed = translate("  closed") if row["closed"] else ""
        click.echo(f"{row['name']}  {row['place']}  {row['district']}  {', '.join(row['clerks'])}{closed}")


@windows.command("assign")
@_window_name
@click.option("--username", required=True, help="Of an officer with the role clerk.")
def assign_clerk(name: str, username: str) -> None:
    """Have a clerk work at a service window, and no longer at another one."""
    from app.staff.context import OPERATOR, begin_as
    from app.windows import administration

    with begin_as(base.services(), OPERATOR) as context:
        window = administration.find_by_name(context, name)
        clerk = administration.assign_clerk(context, window.id, username)
    base.say(f"{clerk.username} works at {window.name}.")


@windows.command("close")
@_window_name
def close_window(name: str) -> None:
    """Close a service window for good; whoever works there works at none."""
    from app.staff.context import OPERATOR, begin_as
    from app.windows import administration

    with begin_as(base.services(), OPERATOR) as context:
        window = administration.find_by_name(context, name)
        administration.close_window(context, window.id)
    base.say(f"{window.name} is closed.")


def _window_row(window: Any, clerks: Any) -> dict[str, Any]:
    row = {name: getattr(window, name) for name in ("name", "place", "district")}
    return {**row, "clerks": [one.username for one in clerks], "closed": window.closed_at is not None}


def _row(officer: Any) -> dict[str, Any]:
    row = {name: getattr(officer, name) for name in ("username", "name", "roles", "district")}
    return {**row, "disabled": officer.disabled_at is not None}


def _show_secret(username: str, secret: str) -> None:
    from qrcode.main import QRCode

    from app.staff import totp

    address = totp.provisioning_uri(secret, username)
    picture: QRCode[Any] = QRCode(border=2)
    picture.add_data(address)
    base.say(f"Scan this with the authenticator of {username}; it is shown only once:")
    picture.print_ascii(invert=True)
    click.echo(address)

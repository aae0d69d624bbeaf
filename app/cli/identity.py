"""Passwords and one-time codes at the terminal: prompted for, and never arguments, which every process list shows.

A program passes them in the environment: JIXIANG_OFFICER_PASSWORD and JIXIANG_OFFICER_CODE, for the second officer
of an import JIXIANG_APPROVER_PASSWORD and JIXIANG_APPROVER_CODE, and for a third JIXIANG_AUDITOR_PASSWORD and
JIXIANG_AUDITOR_CODE; for the second administrator of an end of the service JIXIANG_SECOND_PASSWORD and
JIXIANG_SECOND_CODE; the password of a new account as JIXIANG_NEW_PASSWORD.
"""

import os
from typing import TYPE_CHECKING

import click

from app.cli.language import translate

if TYPE_CHECKING:
    from app.runtime import Services
    from app.staff.models import Officer


def identify(services: "Services", username: str, who: str = "officer") -> "Officer":
    """Return the officer with this user name, after password and code. Raises Problem `wrong-log-in`."""
    from app.entries import command_line
    from app.staff.sessions import Credentials

    password = _given(f"{who}_password") or click.prompt(
        translate(f"Password of {username}"), hide_input=True, err=True
    )
    code = _given(f"{who}_code") or click.prompt(translate(f"One-time code of {username}"), err=True)
    return command_line.identify(services, Credentials(username, password, code))


def given_new_password() -> str | None:
    """Return the password of a new account that the environment has, if any."""
    return _given("new_password")


def ask_new_password() -> str:
    """Return the password of a new account: from the environment, or typed twice."""
    return given_new_password() or click.prompt(translate("Password"), hide_input=True, confirmation_prompt=True)


def _given(name: str) -> str | None:
    return os.environ.get(f"JIXIANG_{name.upper()}")

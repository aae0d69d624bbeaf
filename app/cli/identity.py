"""Officers at the terminal say who they are: their password and a one-time code, asked for and never an argument.

A program gives them in the environment, which no list of processes shows: JIXIANG_OFFICER_PASSWORD and
JIXIANG_OFFICER_CODE, and for the second person at an import JIXIANG_APPROVER_PASSWORD and JIXIANG_APPROVER_CODE.
"""

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.runtime import Services
    from app.staff.models import Officer


def identify(services: "Services", username: str, who: str = "officer") -> "Officer":
    """The officer with this user name, whose password and code fit. Raises Problem `wrong-log-in`."""
    from app.entries import command_line
    from app.staff.sessions import Credentials

    password = _given(f"{who}_password") or click.prompt(f"Password of {username}", hide_input=True, err=True)
    code = _given(f"{who}_code") or click.prompt(f"One-time code of {username}", err=True)
    return command_line.identify(services, Credentials(username, password, code))


def _given(name: str) -> str | None:
    return os.environ.get(f"JIXIANG_{name.upper()}")

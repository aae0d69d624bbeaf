"""The group `jixiang evidence`, and options that its commands share."""

import click

from app.cli import base

day_option = click.DateTime(formats=["%Y-%m-%d"])
officer_option = click.option(
    "--officer", required=True, help="The officer's user name; password and code are prompted for."
)


@base.main.group(cls=base.Group)
def evidence() -> None:
    """Record, approve and import entries of health officers."""

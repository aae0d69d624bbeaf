"""Commands about partners: programs of others that ask about codes; two administrators decide about each."""

from typing import TYPE_CHECKING

import click

from app.cli import base

if TYPE_CHECKING:
    from app.runtime import Services
    from app.staff.models import Officer


@base.main.group("partner", cls=base.Group)
def partners() -> None:
    """Manage partners: programs of others that ask about a code which a person shows them."""


@partners.command("add")
@click.argument("id_", metavar="ID")
@click.option("--name", required=True, help="Whose program it is.")
@click.option("--interfaces", required=True, help="What it may ask, with commas: verification,query,correction")
@click.option("--rate", default="600 per minute", show_default=True, help="The most questions at each interface.")
@click.option("--plain", is_flag=True, help="It signs no bodies, as the envelope of the platform has it.")
@click.option("--officer", required=True, help="An administrator of the whole province.")
@click.option("--second", required=True, help="Another one, who decides with them.")
def add_partner(id_: str, officer: str, second: str, interfaces: str, **given: str | bool) -> None:
    """Add the partner ID, and print its secret, once; an id is never given again."""
    from app.partners import registry

    services = base.services()
    two = _two(services, officer, second)
    asked = [one.strip() for one in interfaces.split(",") if one.strip()]
    new = registry.NewPartner(id_, str(given["name"]), asked, str(given["rate"]), bool(given["plain"]))
    added = registry.add_partner(services, two, new)
    base.say(f"Partner {added.id} is added.")
    base.say("Its secret, shown only once; hand it over so that nobody else reads it:", err=True)
    click.echo(added.secret)


@partners.command("list")
@base.as_json
def list_partners(as_json: bool) -> None:
    """List the partners with what each may ask, also those that are revoked."""
    from app.core.clock import rfc3339
    from app.partners import registry

    with base.services().sessions() as session:
        rows = [
            (
                one.id, one.name, ",".join(one.interfaces), one.rate, one.plain, rfc3339(one.added_at),
                one.revoked_at is not None,
            )
            for one in registry.list_partners(session)
        ]  # fmt: skip
    base.print_rows(["partner", "name", "interfaces", "rate", "plain", "added", "revoked"], rows, as_json)


@partners.command("revoke")
@click.argument("id_", metavar="ID")
@click.option("--officer", required=True, help="An administrator of the whole province.")
@click.option("--second", required=True, help="Another one, who decides with them.")
def revoke_partner(id_: str, officer: str, second: str) -> None:
    """Revoke the partner ID for good: its next request is refused."""
    from app.partners import registry

    services = base.services()
    registry.revoke_partner(services, _two(services, officer, second), id_)
    base.say(f"Partner {id_} is revoked.")


def _two(services: "Services", officer: str, second: str) -> "list[Officer]":
    """Return two officers after passwords and codes. Raises Problem."""
    from app.cli.identity import identify
    from app.core.errors import Problem

    if officer == second:
        raise Problem("partner-two-persons")
    return [identify(services, officer), identify(services, second, "second")]

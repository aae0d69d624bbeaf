"""Commands about the devices of check stations."""

import click

from app.cli import base

DEVICE_KINDS = click.Choice(["gate", "scanner", "card-reader", "thermal", "bus"])


@base.main.group("device", cls=base.Group)
def devices() -> None:
    """Manage the devices of check stations: gates, scanners, card readers, thermal cameras and buses."""


@devices.command("add")
@click.option("--station", required=True, help="Name of the station.")
@click.option("--lane", required=True, help="The lane in which it stands: letters, digits, - or _.")
@click.option(
    "--kind", type=DEVICE_KINDS, metavar="KIND", required=True, help="gate, scanner, card-reader, thermal, bus"
)
@click.option("--public-key", default="", help="Its own, as `station-bridge key` printed it.")
@click.option("--shape", default="", help="For a terminal that only speaks its maker's: code-gun, signed-gate.")
def add_device(**given: str) -> None:
    """Add a device to a lane, and print its number; without a public key, its secret too, once."""
    from app.devices import registry
    from app.staff.context import OPERATOR, begin_as

    with begin_as(base.services(), OPERATOR) as context:
        added = registry.add_device(context, registry.NewDevice(**given))
        number = added.device.id
    base.say(f"Device {number} is added.")
    if added.secret:
        base.say("Its secret, shown only once; put it into a file that only the device reads:", err=True)
        click.echo(added.secret)


@devices.command("list")
@base.as_json
def list_devices(as_json: bool) -> None:
    """List the devices with their stations and lanes, and when each was last heard."""
    from app.core.clock import rfc3339
    from app.devices import heard, registry
    from app.staff.context import OPERATOR, begin_as

    services = base.services()
    at = heard.last_heard(services)
    with begin_as(services, OPERATOR) as context:
        rows = [
            (
                one.id, station.name, one.lane, one.kind, one.shape or "",
                rfc3339(at[one.id]) if one.id in at else None, one.revoked_at is not None,
            )
            for one, station in registry.list_devices(context)
        ]  # fmt: skip
    base.print_rows(["device", "station", "lane", "kind", "shape", "heard", "revoked"], rows, as_json)


@devices.command("revoke")
@click.argument("number", type=int)
def revoke_device(number: int) -> None:
    """Revoke a device for good: every process refuses its next request."""
    from app.devices import registry
    from app.staff.context import OPERATOR, begin_as

    with begin_as(base.services(), OPERATOR) as context:
        registry.revoke_device(context, number)
    base.say(f"Device {number} is revoked.")

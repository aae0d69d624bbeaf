"""The campaigns, by name, in the order in which they are run: the last ones move the clock, or tire the system."""

from collections.abc import Callable, Mapping
from typing import Final

from attack.campaigns import (
    accounts,
    commands,
    edges,
    entries,
    exhaustion,
    families,
    messages,
    races,
    routes,
    sessions,
    stations,
    timing,
    windows,
)
from attack.campaigns.parties import devices, follow_ups, partners, provinces, venues
from attack.tally import Tally
from attack.world import World

CAMPAIGNS: Final[Mapping[str, Callable[[World, Tally], None]]] = {
    "routes": routes.run,
    "sessions": sessions.run,
    "edges": edges.run,
    "races": races.run,
    "timing": timing.run,
    "stations": stations.run,
    "windows": windows.run,
    "accounts": accounts.run,
    "families": families.run,
    "venues": venues.run,
    "devices": devices.run,
    "partners": partners.run,
    "provinces": provinces.run,
    "follow-ups": follow_ups.run,
    "messages": messages.run,
    "exhaustion": exhaustion.run,
    "commands": commands.run,
    "entries": entries.run,
}

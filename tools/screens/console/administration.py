"""The pages of administrators, and those that each officer has."""

from typing import Final

from playwright.sync_api import Page

from app.codes.states import State
from app.runtime import Services
from app.stations import counts, rollup
from app.stations.counts import RECEIPT, SCAN, StationEvent
from app.visits import alarms
from devstack.demo.office import Desk
from tests.browser import chromium
from tests.officers.invented import make_figures
from tools.screens.console.page import go_on_as, log_in, open_page, take, with_services
from tools.screens.studio import Studio

# pages of the console, by the path that the demo's administrator opens; the log-in comes before
CONSOLE: Final = {
    "console-login": "login",
    "console-start": "",
    "console-account": "account",
    "console-password": "account/password",
    "console-officers": "officers",
    "console-officer": "officers/1",
    "console-officer-new": "officers/new",
    "console-inspectors": "inspectors",
    "console-inspector": "inspectors/1",
    "console-figures": "figures",
    "console-figures-colors": "figures/colors",
    "console-figures-decisions": "figures/decisions",
    "console-figures-checks": "figures/checks",
    "console-figures-notices": "figures/notices",
    "console-figures-appeals": "figures/appeals",
}


def console(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the pages of the console on a desktop screen, as PNG."""
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    address, pictures = f"{studio.system.place.web}/console", {}
    with_services(studio, make_figures)
    for name, path in CONSOLE.items():
        open_page(page, f"{address}/{path}?lang={language}")
        pictures[name] = take(page)
        if path == "login":
            log_in(page, "demo-administrator")
    page.context.close()
    return pictures


# of venues, in their administrator's order
VENUES: Final = ("console-venues", "console-venue-application", "console-venue")


def venues(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the pages of an administrator: all venues with an alarm of one, an application, and a venue."""
    manager = studio.person("manager")
    if studio.venue is None:
        studio.venue = studio.system.open_venue(manager, "示例商场")
    entrance = studio.venue["entrances"][0]["id"]
    studio.system.venue_code(manager, studio.venue)
    with_services(studio, lambda services: _scan_often(services, entrance))
    waiting = studio.system.apply_for_venue(studio.person("green"), "示例商场西店")
    administrator = Desk(studio.system.place.web, "demo-administrator")
    administrator.read("/console/")
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    go_on_as(page, administrator)
    open_page(page, f"{studio.system.place.web}/console/?lang={language}")
    pictures = {}
    for name, path in zip(VENUES, ("", f"/applications/{waiting}", f"/{studio.venue['id']}"), strict=True):
        open_page(page, f"{studio.system.place.web}/console/venues{path}")
        pictures[name] = take(page)
    page.context.close()
    return pictures


def _scan_often(services: Services, entrance: int) -> None:
    """Have a code scanned as often as one of which a photo goes round."""
    now = services.clock.now()
    for action in [SCAN] * 260 + [RECEIPT] * 7:
        counts.increment(services.redis, StationEvent(entrance, now, State.EMPTY, action))
    rollup.roll_up(services, rollup.last_hours(now, 1))
    alarms.watch(services)

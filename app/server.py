"""What the web server serves. Importing this module loads all of it, so that the processes of a server share it."""

from app import create_app
from app.api.fast_path import FastPath
from app.console import make_busy_page
from app.core.settings import Settings, load_settings, renamed
from app.ending.key_files import read_tombstone
from app.runtime import make_services
from app.web import logs
from app.web.ended import Ended, EndedApplication


def find_ended(settings: Settings) -> EndedApplication | None:
    """Return what is served where a tombstone is in the place of the keys."""
    if (tombstone := read_tombstone(settings.keys.directory)) is None:
        return None
    return EndedApplication(Ended(tombstone.get("ended_at", ""), tombstone.get("report")), settings.environment)


def create_server() -> FastPath | EndedApplication:
    """Return the fast path with Flask behind it, and begin to keep the cache lease, by the settings.

    Where a tombstone is in the place of the keys, the service is ended, and only that is answered.
    """
    settings = load_settings()
    logs.configure(settings.log.level)
    renamed.log_given()
    if (ended := find_ended(settings)) is not None:
        return ended
    services = make_services(settings)
    services.lease.start()
    return FastPath(create_app(services), services, make_busy_page(settings.environment))

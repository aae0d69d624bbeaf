"""What the web server serves. Importing this module loads all of it, so that the processes of a server share it."""

from app import create_app
from app.api.fast_path import FastPath
from app.console import make_busy_page
from app.core.settings import load_settings, renamed
from app.runtime import make_services
from app.web import logs


def create_server() -> FastPath:
    """Return the fast path with Flask behind it, and begin to keep the cache lease, by the settings."""
    settings = load_settings()
    logs.configure(settings.log.level)
    renamed.log_given()
    services = make_services(settings)
    services.lease.start()
    return FastPath(create_app(services), services, make_busy_page(settings.environment))

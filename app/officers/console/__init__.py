"""The console: pages for health officers under `/console`, drawn here and working without a script.

`frame` is what all pages share; each other module is one page or a few that belong together. docs/console.md tells
how a page is added.
"""

from flask import Flask

from app.officers.console import (  # noqa: F401 - bring their pages
    account,
    administration,
    appeals,
    auditing,
    contacts,
    figures,
    frame,
    proposing,
    signing_in,
    start,
)
from app.officers.console.busy import busy_page

__all__ = ["busy_page", "init_app"]


def init_app(app: Flask) -> None:
    """Serve the console."""
    frame.init_app(app)

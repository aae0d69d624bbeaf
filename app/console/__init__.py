"""The console: pages for health officers under `/console`, rendered here, working without a script.

All pages share `pages.py` and `forms.py`; each other module has one page or a few that belong together.
docs/how-to/add-a-console-page.md says how to add one.
"""

from flask import Flask

from app.console import (
    accounts,
    appeals,
    audit,
    corrections,
    entries,
    exposures,
    figures,
    pages,
    start,
    venues,
    windows,
)
from app.console.busy_page import make_busy_page

__all__ = ["init_app", "make_busy_page"]

# imported to register their routes
PAGES = (accounts, appeals, audit, corrections, entries, exposures, figures, start, venues, windows)


def init_app(app: Flask) -> None:
    """Serve the console."""
    pages.init_app(app)

"""The console: pages for health officers under `/console`, drawn here and working without a script.

`frame` is what all pages share; each other module is one page or a few that belong together. docs/console.md tells
how a page is added.
"""

from flask import Flask

from app.console import account, appeals, audit, contacts, entries, figures, login, officers, pages, start
from app.console.busy_page import make_busy_page

__all__ = ["init_app", "make_busy_page"]

# imported so that their routes are registered
PAGES = (account, appeals, audit, contacts, entries, figures, login, officers, start)


def init_app(app: Flask) -> None:
    """Serve the console."""
    pages.init_app(app)

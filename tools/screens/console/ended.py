"""What is at the address of the console after the end of the service."""

from typing import Final

from playwright.sync_api import Page

from app.core.clock import rfc3339
from app.ending.report import sign, to_text
from app.ending.tables import DESTROYED
from app.web.ended import Ended, answer
from tests.browser import chromium
from tools.make_vectors import NOW, invented_keys
from tools.screens.console.page import take
from tools.screens.studio import Studio

# after the end of the service
ENDED: Final = ("console-ended",)


def ended(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield what is at the address of the console after the end of the service, with an invented report."""
    rows = {kind: {name: 1000 + 7 * place for place, name in enumerate(names)} for kind, names in DESTROYED.items()}
    key, now = invented_keys().signing[0], rfc3339(NOW)
    files = ["document.key", "pseudonym.key", "sealing.key", f"{key.kid}.pem"]
    content = {"rows": rows, "keys": {"files": files}, "chain": {"entries": 48_213, "hash": "5e" * 32}}
    report = to_text(sign(key, content), [])
    shown = answer(Ended(now, report), "GET", "/console/", {"accept-language": language})
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    page.set_content(shown.body.decode())
    pictures = {ENDED[0]: take(page)}
    page.context.close()
    return pictures

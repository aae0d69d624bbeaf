"""The auditor's pages."""

from datetime import timedelta
from typing import Final

from playwright.sync_api import Page
from sqlalchemy import select, update

from app.audit import CLOCK, append
from app.codes.paper import cards
from app.codes.paper.models import PaperCard, PaperScan
from app.review.scanned_cards import SCANNED_OFTEN
from app.runtime import Services
from app.worker.monitoring import verify_audit
from tests.browser import chromium
from tests.browser.system import id_number
from tools.screens.console.page import log_in, open_page, with_services
from tools.screens.studio import Studio

# the auditors' pages, by path
AUDIT: Final = {
    "console-entries": "entries",
    "console-entry": "entries/4",  # sixty people, held
    "console-audit": "audit?still=yes",
    "console-audit-entries": "audit/events?officer=demo-recorder&act=entry-recorded",
    "console-audit-cards": "audit/cards",
    "console-audit-chain": "audit/chain",
}


def audit(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the auditor's pages after somebody recorded too many people at once, as PNG."""
    if not studio.alarmed:
        _raise_alarms(studio)
    with_services(studio, verify_audit)  # as each night, whatever the hour is now
    studio.system.card(studio.person("green"))
    with_services(studio, _copy_card)
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    address, pictures = f"{studio.system.place.web}/console", {}
    open_page(page, f"{address}/login?lang={language}")
    log_in(page, "demo-auditor")
    for name, path in AUDIT.items():
        open_page(page, f"{address}/{path}")
        whole = name != "console-entry"  # sixty lines
        pictures[name] = page.screenshot(animations="disabled", full_page=whole)
    page.context.close()
    return pictures


def _raise_alarms(studio: Studio) -> None:
    """Record one urgent case, and then a hundred people in two lists, which are held."""
    page: Page = chromium.unused(studio.browser, 1280, 800).new_page()
    address, today = f"{studio.system.place.web}/console", studio.system.now().date()
    open_page(page, f"{address}/login?lang=zh")
    log_in(page, "demo-recorder")
    order = {"place": "示例银行", "first_day": str(today), "last_day": str(today + timedelta(days=14))}
    for kind, people, more in (("confirmed", 1, {}), ("quarantine", 60, order), ("quarantine", 40, order)):
        open_page(page, f"{address}/entries/new?kind={kind}")
        page.locator("[name=numbers]").fill("\n".join(id_number() for _ in range(people)))
        stated = {"authority": "示例市疾病预防控制中心", "reference": f"示例疾控〔{today.year}〕{people}号", **more}
        for name, words in stated.items():
            page.locator(f"[name={name}]").fill(words)
        page.locator("[name=urgent]").set_checked(kind == "confirmed")
        for _ in ("look", "save"):
            with page.expect_navigation():
                page.locator("main form .button").first.click()
    page.context.close()
    studio.alarmed = True


def _copy_card(services: Services) -> None:
    """Have the newest card scanned as often as one that was copied."""
    now = services.clock.now()
    with services.begin() as session:
        card = session.scalars(select(PaperCard).order_by(PaperCard.id.desc())).first()
        assert card is not None
        cards.count_scan(session, card, now)
        session.execute(update(PaperScan).where(PaperScan.card_id == card.id).values(scans=87, wrong_tails=3))
        append(session, CLOCK, SCANNED_OFTEN, now, serial=card.serial, scans=services.settings.paper.many_scans_a_day)

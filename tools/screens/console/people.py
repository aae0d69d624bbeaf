"""The pages about one person: at a service window, a correction of a document, an appeal."""

from typing import Final

from playwright.sync_api import Page

from devstack.demo.office import Desk
from tests.browser import chromium
from tools.screens.console.page import go_on_as, log_in, open_page, send, take
from tools.screens.studio import Studio

# of a service window, in its clerk's order
WINDOW: Final = ("console-window", "console-window-visit")


def window(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the pages of a clerk: who is here, and the visit of a person with an invitation of their family."""
    person = studio.person("green")
    studio.system.invite(studio.person("mother"), person)
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    go_on_as(page, studio.clerk())
    open_page(page, f"{studio.system.place.web}/console/window?lang={language}")
    pictures = {WINDOW[0]: take(page)}
    page.locator("[name=number]").first.fill(person.number)
    page.locator("[name=name]").first.fill("示例甲")
    send(page, "main form .button >> nth=0")
    pictures[WINDOW[1]] = take(page)
    page.context.close()
    return pictures


# of a correction of a document, in its officers' order
CORRECTIONS: Final = ("console-corrections", "console-correction")


def corrections(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the pages on which an officer sees which documents are to be corrected, and one of them."""
    person, clerk = studio.person("yellow"), studio.clerk()
    sought = {"type": "id-card", "number": person.number, "name": person.name}
    visit = clerk.send("/console/window", **sought).partition("?")[0]
    clerk.send(f"{visit}/document", new_type="passport", new_number="E01234567", reason="other-kind")
    officer = Desk(studio.system.place.web, "demo-approver")
    officer.read("/console/")
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    go_on_as(page, officer)
    open_page(page, f"{studio.system.place.web}/console/?lang={language}")
    open_page(page, f"{studio.system.place.web}/console/corrections")
    pictures = {CORRECTIONS[0]: take(page)}
    page.locator("tbody a").last.click()
    pictures[CORRECTIONS[1]] = take(page)
    page.context.close()
    return pictures


# of an appeal, in its officer's order
APPEALS: Final = (
    "console-appeals", "console-appeal", "console-appeal-look", "console-appeal-settled", "console-appeals-settled",
)  # fmt: skip


def appeals(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the pages of an appeals officer, as PNG: the list, one appeal, the preview of its color, the answer."""
    for holder in ("red", "orange", "yellow"):
        studio.system.appeal(
            studio.person(holder), "我没有去过示例商场，当天在家，附小区出入记录。", b"%PDF-1.4\n%%EOF"
        )
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    open_page(page, f"{studio.system.place.web}/console/login?lang={language}")
    log_in(page, "demo-appeals")
    open_page(page, f"{studio.system.place.web}/console/appeals")
    pictures = {APPEALS[0]: take(page)}
    page.locator("tbody a").nth(1).click()
    pictures[APPEALS[1]] = take(page)
    page.locator("select[name=withdraw]").first.select_option(index=1)
    for name in APPEALS[2:4]:
        send(page, "form[action$='/overturn'] button")
        pictures[name] = take(page)
    open_page(page, f"{studio.system.place.web}/console/appeals/resolved")
    pictures[APPEALS[4]] = take(page)
    page.context.close()
    return pictures

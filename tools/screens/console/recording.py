"""The pages of a recorder: contacts, follow-ups, exposure notices."""

from datetime import timedelta
from typing import Final

from playwright.sync_api import Page

from devstack.demo.office import Desk, Office
from devstack.demo.transcript import Transcript
from tests.browser import chromium
from tests.browser.system import id_number
from tools.screens.console.page import go_on_as, open_page, send, take
from tools.screens.studio import Studio

# of a list of contacts, in a recorder's order
CONTACTS: Final = (
    "console-entry-kind", "console-entry-new", "console-cases", "console-contacts", "console-look", "console-signing",
)  # fmt: skip


def contacts(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the pages of a list of contacts: with its errors, before it is saved, and as its approver sees it."""
    office = Office(studio.system.place.web, Transcript())
    office.case_number()
    known = studio.system.of_color(f"screen-contact-{width}-{language}", "orange")
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    go_on_as(page, office.recorder)
    kind, new, cases, brought, looked_at, signing = CONTACTS
    pictures = {}
    for name, path in ((kind, "entries/new?"), (new, "entries/new?kind=contact&"), (cases, "cases?")):
        open_page(page, f"{office.web}/console/{path}lang={language}")
        pictures[name] = take(page)
    page.locator("td a").first.click()
    _fill_contacts(page, f"{studio.system.now() - timedelta(days=2):%Y-%m-%d}")
    people = [known.number, *(id_number() for _ in range(3))]
    for name, lines in ((brought, [*people[:2], people[2][:-1], f"{people[3]},昨天"]), (looked_at, people)):
        page.locator("#numbers").fill("\n".join(lines))
        send(page, "form.panel button")
        pictures[name] = take(page)
    send(page, "form.panel button")
    go_on_as(page, office.approver)
    open_page(page, page.url.partition("?")[0])
    pictures[signing] = take(page)
    page.context.close()
    return pictures


def _fill_contacts(page: Page, day: str) -> None:
    """Fill in what all contacts of a list have in common."""
    filled = {
        "exposed_on": day,
        "place": "示例商场",
        "authority": "示例市疾病预防控制中心",
        "reference": "示例流调〔2026〕3号",
    }
    for name, value in filled.items():
        page.locator(f"#{name}").fill(value)


# of follow-ups, in a recorder's order
_PATIENCE: Final = 60  # seconds, for what the worker does
FOLLOW_UPS: Final = ("console-follow-ups", "console-follow-up")
_OF_HOSPITAL: Final = {"zh": "医院", "en": "ospital"}


def follow_ups(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the list of follow-ups with a code that was checked, and that of a hospital, once the worker has them."""
    office = Office(studio.system.place.web, Transcript())
    person = studio.system.of_color(f"screen-patient-{width}-{language}", "green")
    office.record(person.number, "confirmed")
    studio.system.check_document(person)
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    go_on_as(page, office.recorder)
    for _ in range(_PATIENCE):
        open_page(page, f"{studio.system.place.web}/console/follow-ups?lang={language}")
        if page.locator("section[aria-labelledby=alerts] table").count():
            break
        studio.system.check_document(person)
        page.wait_for_timeout(1_000)
    pictures = {FOLLOW_UPS[0]: take(page)}
    page.locator("section[aria-labelledby=open] tbody tr", has_text=_OF_HOSPITAL[language]).locator("a").first.click()
    pictures[FOLLOW_UPS[1]] = take(page)
    page.context.close()
    return pictures


EXPOSURES: Final = ("console-exposures",)


def exposures(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the page of exposure notices, with one that waits for another officer; of the next language the same."""
    if studio.venue is None:
        studio.venue = studio.system.open_venue(studio.person("manager"), "示例商场")
    recorder = Desk(studio.system.place.web, "demo-recorder")
    recorder.read("/console/")
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    go_on_as(page, recorder)
    open_page(page, f"{studio.system.place.web}/console/exposures?lang={language}")
    if not page.locator("[aria-labelledby=open] time").count():
        yesterday = f"{studio.system.now() - timedelta(days=1):%Y-%m-%d}"
        for field, words in {"venue": "示例商场", "day": yesterday, "begins": "9", "ends": "11"}.items():
            page.locator(f"#{field}").fill(words)
        send(page, "form[aria-labelledby=propose] .button")
    picture = take(page)
    page.context.close()
    return {EXPOSURES[0]: picture}

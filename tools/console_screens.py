"""The pages of the console by role, for the pictures in docs/screens."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from playwright.sync_api import Page
from sqlalchemy import select, update

from app.audit import CLOCK, append
from app.codes.paper import cards
from app.codes.paper.models import PaperCard, PaperScan
from app.codes.states import State
from app.core.clock import SystemClock, rfc3339
from app.core.settings import load_settings
from app.ending.report import sign, to_text
from app.ending.tables import DESTROYED
from app.review.scanned_cards import SCANNED_OFTEN
from app.runtime import Services, make_services
from app.staff import totp
from app.stations import counts, rollup
from app.stations.counts import RECEIPT, SCAN, StationEvent
from app.visits import alarms
from app.web.ended import Ended, answer
from app.worker.monitoring import verify_audit
from devstack.demo.office import Desk, Office
from devstack.demo.transcript import Transcript
from devstack.officers import SECRET
from devstack.people import PASSWORD
from tests.browser import chromium
from tests.browser.system import id_number
from tests.officers.invented import make_figures
from tools.make_vectors import NOW, invented_keys
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
    _with_services(studio, make_figures)
    for name, path in CONSOLE.items():
        _open(page, f"{address}/{path}?lang={language}")
        pictures[name] = _take(page)
        if path == "login":
            _log_in(page, "demo-administrator")
    page.context.close()
    return pictures


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
    _with_services(studio, verify_audit)  # as each night, whatever the hour is now
    studio.system.card(studio.person("green"))
    _with_services(studio, _copy_card)
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    address, pictures = f"{studio.system.place.web}/console", {}
    _open(page, f"{address}/login?lang={language}")
    _log_in(page, "demo-auditor")
    for name, path in AUDIT.items():
        _open(page, f"{address}/{path}")
        whole = name != "console-entry"  # sixty lines
        pictures[name] = page.screenshot(animations="disabled", full_page=whole)
    page.context.close()
    return pictures


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
    page.context.add_cookies(office.recorder.cookies())
    kind, new, cases, brought, looked_at, signing = CONTACTS
    pictures = {}
    for name, path in ((kind, "entries/new?"), (new, "entries/new?kind=contact&"), (cases, "cases?")):
        _open(page, f"{office.web}/console/{path}lang={language}")
        pictures[name] = _take(page)
    page.locator("td a").first.click()
    _fill_contacts(page, f"{studio.system.now() - timedelta(days=2):%Y-%m-%d}")
    people = [known.number, *(id_number() for _ in range(3))]
    for name, lines in ((brought, [*people[:2], people[2][:-1], f"{people[3]},昨天"]), (looked_at, people)):
        page.locator("#numbers").fill("\n".join(lines))
        _send(page, "form.panel button")
        pictures[name] = _take(page)
    _send(page, "form.panel button")
    page.context.add_cookies(office.approver.cookies())
    _open(page, page.url.partition("?")[0])
    pictures[signing] = _take(page)
    page.context.close()
    return pictures


# of a service window, in its clerk's order
WINDOW: Final = ("console-window", "console-window-visit")


def window(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the pages of a clerk: who is here, and the visit of a person with an invitation of their family."""
    person = studio.person("green")
    studio.system.invite(studio.person("mother"), person)
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    page.context.add_cookies(studio.clerk().cookies())
    _open(page, f"{studio.system.place.web}/console/window?lang={language}")
    pictures = {WINDOW[0]: _take(page)}
    page.locator("[name=number]").first.fill(person.number)
    page.locator("[name=name]").first.fill("示例甲")
    _send(page, "main form .button >> nth=0")
    pictures[WINDOW[1]] = _take(page)
    page.context.close()
    return pictures


# of follow-ups, in a recorder's order
_PATIENCE: Final = 60  # seconds, for what the worker does
FOLLOW_UPS: Final = ("console-follow-ups", "console-follow-up")
_OF_HOSPITAL: Final = {"zh": "医院", "en": "ospital"}


def follow_ups(studio: "Studio", language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the list of follow-ups with a code that was checked, and that of a hospital, once the worker has them."""
    office = Office(studio.system.place.web, Transcript())
    person = studio.system.of_color(f"screen-patient-{width}-{language}", "green")
    office.record(person.number, "confirmed")
    studio.system.check_document(person)
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    page.context.add_cookies(office.recorder.cookies())
    for _ in range(_PATIENCE):
        _open(page, f"{studio.system.place.web}/console/follow-ups?lang={language}")
        if page.locator("section[aria-labelledby=alerts] table").count():
            break
        studio.system.check_document(person)
        page.wait_for_timeout(1_000)
    pictures = {FOLLOW_UPS[0]: _take(page)}
    page.locator("section[aria-labelledby=open] tbody tr", has_text=_OF_HOSPITAL[language]).locator("a").first.click()
    pictures[FOLLOW_UPS[1]] = _take(page)
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
    page.context.add_cookies(officer.cookies())
    _open(page, f"{studio.system.place.web}/console/?lang={language}")
    _open(page, f"{studio.system.place.web}/console/corrections")
    pictures = {CORRECTIONS[0]: _take(page)}
    page.locator("tbody a").last.click()
    pictures[CORRECTIONS[1]] = _take(page)
    page.context.close()
    return pictures


def _with_services(studio: Studio, act: Callable[[Services], object]) -> None:
    os.environ["JIXIANG_CONFIG"] = str(studio.system.place.config)
    services = make_services(load_settings())
    act(services)
    services.close()


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


def _open(page: Page, address: str) -> None:
    """Raises AssertionError when the page is a refusal, which would be a picture as good as any."""
    answer = page.goto(address)
    assert answer is not None and answer.ok, f"{address}: {answer and answer.status}"


def _take(page: Page) -> bytes:
    return page.screenshot(animations="disabled", full_page=True)


def _send(page: Page, button: str) -> None:
    with page.expect_navigation():
        page.locator(button).click()


# of venues, in their administrator's order
VENUES: Final = ("console-venues", "console-venue-application", "console-venue")


def venues(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the pages of an administrator: all venues with an alarm of one, an application, and a venue."""
    manager = studio.person("manager")
    if studio.venue is None:
        studio.venue = studio.system.open_venue(manager, "示例商场")
    entrance = studio.venue["entrances"][0]["id"]
    studio.system.venue_code(manager, studio.venue)
    _with_services(studio, lambda services: _scan_often(services, entrance))
    waiting = studio.system.apply_for_venue(studio.person("green"), "示例商场西店")
    administrator = Desk(studio.system.place.web, "demo-administrator")
    administrator.read("/console/")
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    page.context.add_cookies(administrator.cookies())
    _open(page, f"{studio.system.place.web}/console/?lang={language}")
    pictures = {}
    for name, path in zip(VENUES, ("", f"/applications/{waiting}", f"/{studio.venue['id']}"), strict=True):
        _open(page, f"{studio.system.place.web}/console/venues{path}")
        pictures[name] = _take(page)
    page.context.close()
    return pictures


def _scan_often(services: Services, entrance: int) -> None:
    """Have a code scanned as often as one of which a photo goes round."""
    now = services.clock.now()
    for action in [SCAN] * 260 + [RECEIPT] * 7:
        counts.increment(services.redis, StationEvent(entrance, now, State.EMPTY, action))
    rollup.roll_up(services, rollup.last_hours(now, 1))
    alarms.watch(services)


EXPOSURES: Final = ("console-exposures",)


def exposures(studio: "Studio", language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield the page of exposure notices, with one that waits for another officer; of the next language the same."""
    if studio.venue is None:
        studio.venue = studio.system.open_venue(studio.person("manager"), "示例商场")
    recorder = Desk(studio.system.place.web, "demo-recorder")
    recorder.read("/console/")
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    page.context.add_cookies(recorder.cookies())
    _open(page, f"{studio.system.place.web}/console/exposures?lang={language}")
    if not page.locator("[aria-labelledby=open] time").count():
        yesterday = f"{studio.system.now() - timedelta(days=1):%Y-%m-%d}"
        for field, words in {"venue": "示例商场", "day": yesterday, "begins": "9", "ends": "11"}.items():
            page.locator(f"#{field}").fill(words)
        _send(page, "form[aria-labelledby=propose] .button")
    picture = _take(page)
    page.context.close()
    return {EXPOSURES[0]: picture}


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
    _open(page, f"{studio.system.place.web}/console/login?lang={language}")
    _log_in(page, "demo-appeals")
    _open(page, f"{studio.system.place.web}/console/appeals")
    pictures = {APPEALS[0]: _take(page)}
    page.locator("tbody a").nth(1).click()
    pictures[APPEALS[1]] = _take(page)
    page.locator("select[name=withdraw]").first.select_option(index=1)
    for name in APPEALS[2:4]:
        _send(page, "form[action$='/overturn'] button")
        pictures[name] = _take(page)
    _open(page, f"{studio.system.place.web}/console/appeals/resolved")
    pictures[APPEALS[4]] = _take(page)
    page.context.close()
    return pictures


# after the end of the service
ENDED: Final = ("console-ended",)


def _copy_card(services: Services) -> None:
    """Have the newest card scanned as often as one that was copied."""
    now = services.clock.now()
    with services.begin() as session:
        card = session.scalars(select(PaperCard).order_by(PaperCard.id.desc())).first()
        assert card is not None
        cards.count_scan(session, card, now)
        session.execute(update(PaperScan).where(PaperScan.card_id == card.id).values(scans=87, wrong_tails=3))
        append(session, CLOCK, SCANNED_OFTEN, now, serial=card.serial, scans=services.settings.paper.many_scans_a_day)


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
    pictures = {ENDED[0]: _take(page)}
    page.context.close()
    return pictures


def _raise_alarms(studio: Studio) -> None:
    """Record one urgent case, and then a hundred people in two lists, which are held."""
    page: Page = chromium.unused(studio.browser, 1280, 800).new_page()
    address, today = f"{studio.system.place.web}/console", studio.system.now().date()
    _open(page, f"{address}/login?lang=zh")
    _log_in(page, "demo-recorder")
    order = {"place": "示例银行", "first_day": str(today), "last_day": str(today + timedelta(days=14))}
    for kind, people, more in (("confirmed", 1, {}), ("quarantine", 60, order), ("quarantine", 40, order)):
        _open(page, f"{address}/entries/new?kind={kind}")
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


def _log_in(page: Page, username: str) -> None:
    """Log in; a code that the same officer has used elsewhere is good no more, so that the next one is waited for."""
    used = ""
    while not page.locator("nav").count():
        while (code := totp.code_at(SECRET, SystemClock().now())) == used:
            page.wait_for_timeout(500)
        page.locator("#username").fill(username)
        page.locator("#password").fill(PASSWORD)
        page.locator("#code").fill(code)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        used = code


def everything(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """Yield every page of the console."""
    # the alarms of the audit hold what the same officer records afterwards
    scenes = (console, contacts, window, corrections, venues, exposures, follow_ups, audit, appeals, ended)
    return {name: picture for scene in scenes for name, picture in scene(studio, language, width).items()}

"""Make the pictures in docs/screens, of the mini-program and the console: `make screens`.

Also as `python -m tools.make_screens`.

Starts the whole system in a directory of its own and takes every page and every state of the code as a user sees them.
With `--all DIRECTORY` it also takes all of them on three screens in both languages, for looking at.
Needs what the tests of the mini-program need: Node, Chromium and fonts-noto-cjk.
"""

import argparse
import io
import os
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from app.clock import SystemClock
from app.config import load_settings
from app.local.demo.office import Office
from app.local.demo.transcript import Transcript
from app.local.officers import OFFICERS, SECRET
from app.local.people import PASSWORD
from app.officers import codes
from app.services import make_services
from tests.browser import chromium, story
from tests.browser.answers import broken
from tests.browser.inspector import Inspector
from tests.browser.running import ROOT, build_miniprogram
from tests.browser.system import Person, System, id_number, token_of_another_system
from tests.officers.invented import make_figures

SCREENS: Final = ROOT / "docs" / "screens"
LARGEST: Final = 80_000  # bytes of a picture
_COLORS = (128, 64, 32, 16)  # of a palette, fewer when a picture is too large
_USUAL = (390, 844)
_ALL = ((360, 640), _USUAL, (768, 1024))
_SHARP = 2  # pixels of a picture for one of the screen
_LANGUAGES = ("zh", "en")
_SCAN = {"zh": ("输入内容", "确定"), "en": ("Type the text", "OK")}
_MEASURE = {"zh": "登记体温", "en": "Register temperature"}
_ADD = {"zh": "添加图片", "en": "Add a picture"}
_SAID = "示例：那天我没有去过示例商场。"
_SAID_AGAIN = "示例：那天我整天在家，附上示例小区的出入登记。"


class Scene(NamedTuple):
    """A page as somebody sees it: who holds the phone, and what they do before the picture is taken."""

    page: str
    holder: str = ""  # a state of the code, `person` before a declaration, `appealing`, `inspector`, or nobody known
    act: "Callable[[Inspector, Studio, str], object] | None" = None
    step: int = 0  # of a declaration that has been begun


class Studio:
    """The system, and the people in the pictures, each made once."""

    def __init__(self, system: System, browser: Browser) -> None:
        self.system, self.browser = system, browser
        self._people: dict[str, Person] = {}
        self._numbers = count(1)
        self.alarmed = False  # whether somebody has entered too many people at once

    def person(self, holder: str) -> Person:
        if holder not in self._people:
            self._people[holder] = self._made(holder, f"screen-{holder}-{next(self._numbers)}")
        return self._people[holder]

    def _made(self, holder: str, name: str) -> Person:
        if holder == "person":
            return self.system.person(name)
        person = self.system.of_color(name, "orange" if holder == "appealing" else holder)
        if holder == "yellow":
            self.system.subscribe(person)
        if holder == "appealing":
            self.system.uphold(self.system.appeal(person, _SAID))
            self.system.appeal(person, _SAID_AGAIN)
        return person

    def storage(self, scene: Scene, settings: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {"settings": settings}
        if scene.holder == "inspector":
            return {**kept, **self.system.inspector()}
        person = self.person(scene.holder)
        if scene.step:
            answers = {"step": scene.step, "ill": "no", "symptoms": [], "contact": "no", "contactOn": ""}
            now = int(self.system.now().timestamp() * 1000)
            kept["declaration.draft"] = {"username": person.username, "answers": answers, "at": now}
        return {**kept, **person.storage}

    def take(
        self, scene: Scene, language: str, large: bool = False, size: tuple[int, int] = _USUAL, scale: float = _SHARP
    ) -> bytes:
        """The picture of a scene, as PNG."""
        context = chromium.unused(self.browser, *size, scale=scale)
        away = self.system.platform_away() if scene.holder == "unverified" else nullcontext()
        with away:
            settings = {"language": language, "large": large}
            storage = self.storage(scene, settings) if scene.holder else {"settings": settings}
            name = self.person(scene.holder).phone if scene.holder not in ("", "inspector") else f"screen-{language}"
            phone = Inspector(context.new_page(), self.system.address, name).keep(storage)
            if scene.act is _go_stale:
                phone.page.clock.install()
            phone.open(scene.page).is_settled()
            if scene.act:
                scene.act(phone, self, language)
            phone.page.wait_for_load_state("networkidle")
            picture = phone.page.screenshot(animations="disabled")
        context.close()
        if scene.holder == "unverified":
            del self._people[scene.holder]  # the platform has been asked meanwhile
        return picture


def _go_stale(phone: Inspector, studio: Studio, language: str) -> None:
    phone.answers("", broken)
    phone.lets_pass(78)
    phone.page.locator(".last").wait_for()


def _scan(holder: str) -> Callable[[Inspector, Studio, str], Inspector]:
    def scan(phone: Inspector, studio: Studio, language: str) -> Inspector:
        phone.scan(studio.system.token(studio.person(holder)), _SCAN[language])
        phone.page.locator(".verdict").wait_for()
        return phone

    return scan


def _scan_offline(phone: Inspector, studio: Studio, language: str) -> None:
    phone.online(False)
    _scan("green")(phone, studio, language)


def _type_temperature(phone: Inspector, studio: Studio, language: str) -> None:
    _scan("yellow")(phone, studio, language)
    phone.tap(_MEASURE[language])
    for digit in "365":
        phone.page.get_by_role("dialog").get_by_role("button", name=digit, exact=True).click()


def _scan_foreign(phone: Inspector, studio: Studio, language: str) -> None:
    phone.scan(token_of_another_system(), _SCAN[language])
    phone.page.locator(".refused").wait_for()


def _write_appeal(phone: Inspector, studio: Studio, language: str) -> None:
    with phone.page.expect_file_chooser() as dialog:
        phone.tap(_ADD[language])
    dialog.value.set_files(SCREENS / "home.png")
    phone.page.locator(".words").fill(_SAID_AGAIN)
    phone.page.locator(".words").blur()
    phone.page.locator(".thumb img").wait_for()


SCENES: Final = {
    "home": Scene("home", "green"),
    "home-guest": Scene("home"),
    "code-green": Scene("code", "green"),
    "code-yellow": Scene("code", "yellow"),
    "code-orange": Scene("code", "orange"),
    "code-red": Scene("code", "red"),
    "code-unverified": Scene("code", "unverified"),
    "code-not_declared": Scene("code", "person"),
    "code-offline": Scene("code", "green", _go_stale),
    "declare": Scene("declare", "person"),
    "declare-2": Scene("declare", "person", step=2),
    "declare-3": Scene("declare", "person", step=3),
    "history": Scene("history", "yellow"),
    "notices": Scene("notices", "yellow"),
    "appeals": Scene("appeals", "appealing"),
    "appeal": Scene("appeal", "orange", _write_appeal),
    "access": Scene("access", "appealing"),
    "subscriptions": Scene("subscriptions", "yellow"),
    "register": Scene("register"),
    "login": Scene("login"),
    "station-login": Scene("station-login"),
    "station": Scene("station", "inspector"),
    "station-pass": Scene("station", "inspector", _scan("green")),
    "station-measure": Scene("station", "inspector", _scan("yellow")),
    "station-stop": Scene("station", "inspector", _scan("orange")),
    "station-offline": Scene("station", "inspector", _scan_offline),
    "station-keypad": Scene("station", "inspector", _type_temperature),
    "station-refused": Scene("station", "inspector", _scan_foreign),
}


def stage(studio: Studio) -> bytes:
    """The window with both phones, in the middle of the story: a fever has been found, and the message is there."""
    page: Page = chromium.unused(studio.browser, 1440, 900).new_page()
    page.goto(studio.system.address)
    left, right = story.phones_of(page)
    story.get_a_code(page, left)
    story.find_a_fever(right)
    page.locator("#messages .notice").first.click()
    left.shows_code("黄码")
    return page.screenshot(animations="disabled")


# pages of the console, by the path that the demo's administrator opens; the log-in is seen before
CONSOLE: Final = {
    "console-login": "login",
    "console-start": "",
    "console-account": "account",
    "console-password": "account/password",
    "console-officers": "officers",
    "console-officer": "officers/1",
    "console-officer-new": "officers/new",
    "console-figures": "figures",
    "console-figures-colors": "figures/colors",
    "console-figures-checks": "figures/checks",
}


def console(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """The pages of the console at a desk, as PNG."""
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    address, pictures = f"{studio.system.place.web}/console", {}
    os.environ["JIXIANG_CONFIG"] = str(studio.system.place.config)
    services = make_services(load_settings())
    make_figures(services)
    services.close()
    for name, path in CONSOLE.items():
        page.goto(f"{address}/{path}?lang={language}")
        pictures[name] = page.screenshot(animations="disabled", full_page=True)
        if path == "login":
            _log_in(page, list(OFFICERS)[-1])
    page.context.close()
    return pictures


# the auditors' pages, by path
AUDIT: Final = {
    "console-audit": "audit?still=yes",
    "console-audit-entries": "audit/entries?officer=demo-recorder&act=proposal-proposed",
    "console-audit-chain": "audit/chain",
}


def audit(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """What an auditor has before them after somebody has entered too many people at once, as PNG."""
    if not studio.alarmed:
        _raise_alarms(studio)
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    address, pictures = f"{studio.system.place.web}/console", {}
    page.goto(f"{address}/login?lang={language}")
    _log_in(page, "demo-auditor")
    for name, path in AUDIT.items():
        page.goto(f"{address}/{path}")
        pictures[name] = page.screenshot(animations="disabled", full_page=True)
    page.context.close()
    return pictures


# of a list of contacts, in the order in which a recorder sees them
CONTACTS: Final = ("console-cases", "console-contacts", "console-look")


def contacts(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """A list of contacts on its way: brought with mistakes, and looked at before it is saved."""
    office = Office(studio.system.place.web, Transcript())
    office.case_number()
    known = studio.system.of_color(f"screen-contact-{width}-{language}", "orange")
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    page.context.add_cookies(office.recorder.cookies())
    page.goto(f"{office.web}/console/cases?lang={language}")
    cases, brought, looked_at = CONTACTS
    pictures = {cases: page.screenshot(animations="disabled", full_page=True)}
    page.locator("td a").first.click()
    today = f"{studio.system.now() - timedelta(days=2):%Y-%m-%d}"
    filled = {
        "exposed_on": today,
        "place": "示例商场",
        "authority": "示例市疾病预防控制中心",
        "reference": "示例流调〔2026〕3号",
    }
    for name, value in filled.items():
        page.locator(f"#{name}").fill(value)
    people = [known.number, *(id_number() for _ in range(3))]
    for name, lines in ((brought, [*people[:2], people[2][:-1], f"{people[3]},昨天"]), (looked_at, people)):
        page.locator("#lines").fill("\n".join(lines))
        with page.expect_navigation():
            page.locator("form.panel button").click()
        pictures[name] = page.screenshot(animations="disabled", full_page=True)
    page.context.close()
    return pictures


# of an appeal, in the order in which its officer sees them
APPEALS: Final = ("console-appeals", "console-appeal", "console-appeal-look", "console-appeal-settled")


def appeals(studio: Studio, language: str = "zh", width: int = 1280) -> dict[str, bytes]:
    """What an appeals officer has before them, as PNG: the list, one appeal, what its color would be, the answer."""
    for holder in ("red", "orange", "yellow"):
        studio.system.appeal(
            studio.person(holder), "我没有去过示例商场，当天在家，附小区出入记录。", b"%PDF-1.4\n%%EOF"
        )
    page: Page = chromium.unused(studio.browser, width, 800).new_page()
    page.goto(f"{studio.system.place.web}/console/login?lang={language}")
    _log_in(page, "demo-appeals")
    pictures = {}

    def take(name: str) -> None:
        pictures[name] = page.screenshot(animations="disabled", full_page=True)

    page.goto(f"{studio.system.place.web}/console/appeals")
    take(APPEALS[0])
    page.locator("tbody a").nth(1).click()
    take(APPEALS[1])
    page.locator("select[name=withdraw]").first.select_option(index=1)
    for name in APPEALS[2:]:
        with page.expect_navigation():
            page.locator("form[action$='/mend'] button").click()
        take(name)
    page.context.close()
    return pictures


def _raise_alarms(studio: Studio) -> None:
    """A recorder enters one case that is urgent, and then a hundred people in two lists, which are held."""
    page: Page = chromium.unused(studio.browser, 1280, 800).new_page()
    address, today = f"{studio.system.place.web}/console", studio.system.now().date()
    page.goto(f"{address}/login?lang=zh")
    _log_in(page, "demo-recorder")
    order = {"place": "示例银行", "first_day": str(today), "last_day": str(today + timedelta(days=14))}
    for kind, people, more in (("confirmed", 1, {}), ("quarantine", 60, order), ("quarantine", 40, order)):
        page.goto(f"{address}/entries/new")
        page.locator("#kind").select_option(kind)
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
    page.locator("#username").fill(username)
    page.locator("#password").fill(PASSWORD)
    page.locator("#code").fill(codes.code(SECRET, SystemClock().now()))
    page.keyboard.press("Enter")
    page.locator("nav").wait_for()


def small(picture: bytes) -> bytes:
    """The same picture with a palette, as few colors as it takes to be small enough."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colors in _COLORS:
        packed = io.BytesIO()
        image.quantize(colors, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() < LARGEST:
            break
    return packed.getvalue()


def make(studio: Studio, everything: Path | None) -> None:
    SCREENS.mkdir(exist_ok=True)
    pictures = {name: studio.take(scene, "zh") for name, scene in SCENES.items()}
    pictures["code-en"] = studio.take(SCENES["code-green"], "en")
    pictures["code-large"] = studio.take(SCENES["code-green"], "zh", large=True)
    pictures["stage"] = stage(studio)
    pictures |= console(studio) | audit(studio) | appeals(studio) | contacts(studio)
    for name, picture in pictures.items():
        (SCREENS / f"{name}.png").write_bytes(small(picture))
    for old in SCREENS.glob("*.png"):
        if old.stem not in pictures:
            old.unlink()
    print(f"{len(pictures)} pictures in {SCREENS.relative_to(ROOT)}")
    if everything:
        make_all(studio, everything)


def make_all(studio: Studio, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, scene in SCENES.items():
        for language in _LANGUAGES:
            for size in _ALL:
                for large in (False, True):
                    picture = studio.take(scene, language, large, size, scale=1)
                    file = f"{name}-{size[0]}-{language}{'-large' if large else ''}.png"
                    (directory / file).write_bytes(picture)
    print(f"All pages on all screens are in {directory}")


def main() -> None:
    arguments = argparse.ArgumentParser(description="Make the pictures in docs/screens.")
    arguments.add_argument("--all", type=Path, metavar="DIRECTORY", help="also every page on every screen, to look at")
    everything = arguments.parse_args().all
    refused = chromium.missing() or build_miniprogram()
    if refused:
        raise SystemExit(f"The mini-program cannot be shown: {refused}")
    with tempfile.TemporaryDirectory(prefix="jixiang-screens-") as place:
        system = System(Path(place) / "var")
        system.start()
        try:
            with sync_playwright() as playwright:
                make(Studio(system, chromium.launch(playwright)), everything)
        finally:
            system.stop()


if __name__ == "__main__":
    main()

"""Make the pictures in docs/screens, of the mini-program and the console: `make screens`.

Also as `python -m tools.make_screens`.

Starts the whole system in a directory of its own and takes every page and every state of the code as a user sees them.
With `--all DIRECTORY` it also takes all of them on three screens in both languages, for looking at.
Needs what the tests of the mini-program need: Node, Chromium and fonts-noto-cjk.
"""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from devstack.demo.office import Desk
from devstack.demo.places.window_story import CLERK
from tests.browser import chromium, story
from tests.browser.answers import a_statement, broken, refused
from tests.browser.inspector import Inspector
from tests.browser.phone import comes_true
from tests.browser.running import ROOT, build_miniprogram
from tests.browser.system import Person, System, token_of_another_system
from tools import console_screens
from tools.small_pictures import small

SCREENS: Final = ROOT / "docs" / "screens"
_USUAL = (390, 844)
_ALL = ((360, 640), _USUAL, (768, 1024))
_PATIENCE = 60  # seconds, for what the worker does
_SHARP = 2  # pixels of a picture for one of the screen
_LANGUAGES = ("zh", "en")
_SCAN = {"zh": ("输入内容", "确定"), "en": ("Type the text", "OK")}
_MEASURE = {"zh": "登记体温", "en": "Register temperature"}
_TAIL = {"zh": ("证件号码后四位", "查验"), "en": ("Last four characters of the document", "Check")}
_GET_CARD = {"zh": "办理纸质码", "en": "Get a card"}
_CAMERA = {"zh": "连续扫码", "en": "Keep scanning"}
_DOCUMENT = {"zh": "对方没有手机", "en": "No phone?"}
_SEEN = {"zh": "查验点查验了您的证件", "en": "A station checked your document"}
_ADD = {"zh": "添加图片", "en": "Add a picture"}
_SAID = "示例：那天我没有去过示例商场。"
_SAID_AGAIN = "示例：那天我整天在家，附上示例小区的出入登记。"


class Scene(NamedTuple):
    """A page in a situation: the person with the phone, and their actions before the picture is taken."""

    page: str
    holder: str = ""  # a state of the code, `person` before a declaration, `appealing`, `inspector`, or nobody known
    act: "Callable[[Inspector, Studio, str], object] | None" = None
    step: int = 0  # of a declaration in progress
    agreed: bool = True  # to what is done with personal data


class Reader(NamedTuple):
    """How the person reads: the settings of the mini-program."""

    language: str = "zh"
    large: bool = False
    contrast: bool = False


_USUAL_READER = Reader()


class Studio:
    """The system, and the people in the pictures, each made once."""

    def __init__(self, system: System, browser: Browser) -> None:
        self.system, self.browser = system, browser
        self._people: dict[str, Person] = {}
        self._numbers = count(1)
        self.has_family = False  # whether the mother has one
        self.venue: dict[str, Any] | None = None  # of the manager
        self.has_recovered = False  # whether an account was recovered at a window
        self._clerk: Desk | None = None
        self.alarmed = False  # whether an entry of too many people at once was recorded

    def clerk(self) -> Desk:
        """The clerk, logged in once: a one-time code works once."""
        self._clerk = self._clerk or Desk(self.system.place.web, CLERK)
        return self._clerk

    def person(self, holder: str) -> Person:
        if holder not in self._people:
            self._people[holder] = self._made(holder, f"screen-{holder}-{next(self._numbers)}")
        return self._people[holder]

    def _made(self, holder: str, name: str) -> Person:
        if holder == "person":
            return self.system.person(name)
        color = {"appealing": "orange", "mother": "green", "recovered": "green", "manager": "green"}.get(holder, holder)
        person = self.system.of_color(name, color, "示例母" if holder == "mother" else "示例甲")
        if holder == "yellow":
            self.system.subscribe(person)
        if holder == "appealing":
            self.system.check_document(person)
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
            owner = " ".join(person.account[key] for key in ("username", "name", "document_number"))
            kept["declaration.draft"] = {"owner": owner, "answers": answers, "at": now}
        return {**kept, **person.storage}

    def take(
        self, scene: Scene, reader: Reader = _USUAL_READER, size: tuple[int, int] = _USUAL, scale: float = _SHARP
    ) -> bytes:
        """Return the picture of a scene, as PNG."""
        context = chromium.unused(self.browser, *size, scale=scale)
        away = self.system.platform_away() if scene.holder == "unverified" else nullcontext()
        with away:
            settings = reader._asdict()
            storage = self.storage(scene, settings) if scene.holder else {"settings": settings}
            name = (
                self.person(scene.holder).phone
                if scene.holder not in ("", "inspector")
                else f"screen-{reader.language}"
            )
            phone = Inspector(context.new_page(), self.system.address, name).keep(storage, agreed=scene.agreed)
            if scene.act is _go_stale:
                phone.page.clock.install()
            phone.open(scene.page).is_settled()
            if scene.act:
                scene.act(phone, self, reader.language)
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


def _find_fever_offline(phone: Inspector, studio: Studio, language: str) -> None:
    _scan_offline(phone, studio, language)
    phone.tap(_MEASURE[language])
    keypad = phone.page.get_by_role("dialog")
    for digit in "382":
        keypad.get_by_role("button", name=digit, exact=True).click()
    keypad.get_by_role("button").last.click()
    phone.page.locator(".does-stop").wait_for()


def _scan_with_camera(phone: Inspector, studio: Studio, language: str) -> None:
    phone.tap(_CAMERA[language])
    phone.shows_to_camera(studio.system.token(studio.person("green")))
    phone.page.locator(".verdict").wait_for()


def _type_temperature(phone: Inspector, studio: Studio, language: str) -> None:
    _scan("yellow")(phone, studio, language)
    phone.tap(_MEASURE[language])
    for digit in "365":
        phone.page.get_by_role("dialog").get_by_role("button", name=digit, exact=True).click()


def _scan_foreign(phone: Inspector, studio: Studio, language: str) -> None:
    phone.scan(token_of_another_system(), _SCAN[language])
    phone.page.locator(".refused").wait_for()


def _scan_other_province(phone: Inspector, studio: Studio, language: str) -> None:
    phone.answers("/api/v1/checks", a_statement)
    phone.scan(token_of_another_system(), _SCAN[language])
    phone.page.locator(".statement").wait_for()
    phone.answers_again()


def _open_document(phone: Inspector, studio: Studio, language: str) -> None:
    person = studio.person("green")
    phone.tap(_DOCUMENT[language])
    number, name = phone.page.get_by_role("dialog").locator("input").all()
    number.fill(person.number)
    name.fill(person.name)
    name.blur()


def _check_document(phone: Inspector, studio: Studio, language: str) -> None:
    _open_document(phone, studio, language)
    phone.page.get_by_role("dialog").get_by_role("button").last.click()
    phone.page.locator(".verdict").wait_for()


def _find_nobody(phone: Inspector, studio: Studio, language: str) -> None:
    _open_document(phone, studio, language)
    phone.page.get_by_role("dialog").locator("input").last.fill("示例他人")
    phone.page.get_by_role("dialog").get_by_role("button").last.click()
    phone.page.locator(".does-ask").wait_for()


def _read_checks(phone: Inspector, studio: Studio, language: str) -> None:
    phone.becomes(_SEEN[language])


def _write_appeal(phone: Inspector, studio: Studio, language: str) -> None:
    with phone.page.expect_file_chooser() as dialog:
        phone.tap(_ADD[language])
    dialog.value.set_files(SCREENS / "home.png")
    phone.page.locator(".words").fill(_SAID_AGAIN)
    phone.page.locator(".words").blur()
    phone.page.locator(".thumb img").wait_for()


def _bind_another(phone: Inspector, studio: Studio, language: str) -> None:
    studio.system.bind(studio.person("green"), "screen-other-wechat")
    phone.open_again()


def _live_as_a_family(phone: Inspector, studio: Studio, language: str) -> None:
    """A grandmother in quarantine, a green child, and a sister who asks."""
    system, holder = studio.system, studio.person("mother")
    if not studio.has_family:
        system.tie(holder, system.of_color("screen-grandmother", "orange", "示例祖母"))
        system.add_child(holder, "示例孩")
        sister = system.of_color("screen-sister", "green", "示例姐")
        system.tie(sister, holder)
        studio.has_family = True
    phone.open_again()
    phone.page.locator(".member").nth(1).click()
    phone.page.locator(".opened .qr").scroll_into_view_if_needed()
    phone.page.evaluate("window.scrollTo(0, 0)")


def _be_invited(phone: Inspector, studio: Studio, language: str) -> None:
    studio.system.invite(studio.person("green"), studio.person("mother"))
    phone.open_again()
    phone.page.locator(".asked").first.wait_for()


def _manage_a_venue(phone: Inspector, studio: Studio, language: str) -> None:
    _opened_venue(studio)
    phone.open_again()
    phone.page.locator(".heading").first.wait_for()


def _open_venue(phone: Inspector, studio: Studio, language: str) -> None:
    phone.open("venue", id=str(_opened_venue(studio)["id"])).is_settled()
    phone.page.locator(".inspector").first.wait_for()


def _scan_a_poster(phone: Inspector, studio: Studio, language: str) -> None:
    code = studio.system.venue_code(studio.person("manager"), _opened_venue(studio))
    phone.page.locator(".button").first.click()
    phone.scans(code, _SCAN[language])
    phone.page.locator(".qr img").wait_for()


def _opened_venue(studio: Studio) -> dict[str, Any]:
    """A mall with somebody at work at an entrance, and another application."""
    if studio.venue is None:
        system, manager = studio.system, studio.person("manager")
        studio.venue = system.open_venue(manager, "示例商场")
        system.start_shift(manager, studio.venue, "gate-one")
        system.apply_for_venue(manager, "示例商场二店")
    return studio.venue


def _get_card(phone: Inspector, studio: Studio, language: str) -> None:
    phone.tap(_GET_CARD[language])
    phone.page.locator(".heading").first.wait_for()


def _be_followed_up(phone: Inspector, studio: Studio, language: str) -> None:
    """The worker opens the follow-ups some seconds after the code has turned red; then they are on the screen."""
    for _ in range(_PATIENCE):
        phone.open_again()
        phone.page.locator(".panel").first.wait_for()
        if phone.page.locator(".follow-up").count():
            break
        phone.page.wait_for_timeout(1_000)
    phone.page.locator(".follow-up").first.scroll_into_view_if_needed()
    phone.page.evaluate("window.scrollTo(0, 0)")


def _be_recovered(phone: Inspector, studio: Studio, language: str) -> None:
    """A clerk recovers the account; the phone that was bound shows it when it is opened again."""
    person = studio.person("recovered")
    if not studio.has_recovered:
        clerk = studio.clerk()
        visit = clerk.send("/console/window", type="id-card", number=person.number, name="示例甲").partition("?")[0]
        clerk.send(f"{visit}/recover", password="Screen-5c1d9e-2", again="Screen-5c1d9e-2")  # noqa: S106
        studio.has_recovered = True
    phone.open_again()
    phone.page.locator(".panel").first.wait_for()


def _scan_card(phone: Inspector, studio: Studio, language: str) -> None:
    phone.open("station")
    _check_card(phone, *studio.system.card(studio.person("green")), language)


def _check_card(phone: Inspector, token: str, tail: str, language: str) -> None:
    phone.scan(token, _SCAN[language])
    label, check = _TAIL[language]
    phone.type(label, tail)
    phone.send(check)
    phone.page.locator(".verdict").wait_for()


def _scan_card_offline(phone: Inspector, studio: Studio, language: str) -> None:
    phone.open("station").is_settled()
    comes_true(phone.page, "Object.keys(localStorage).some((key) => key.endsWith('/revoked.cose'))")
    token, tail = studio.system.card(studio.person("green"))
    phone.online(False)
    _check_card(phone, token, tail, language)


def _end(phone: Inspector, studio: Studio, language: str) -> None:
    """Show the page again after the end of the service."""
    phone.answers("", refused(410, "service-ended", "吉祥码服务已结束"))
    phone.dies()
    phone.page.get_by_text("结束").first.wait_for()


def _end_station(phone: Inspector, studio: Studio, language: str) -> None:
    _end(phone, studio, language)
    phone.is_at("station-login")


SCENES: Final = {
    "home": Scene("home", "green"),
    "home-guest": Scene("home"),
    "home-ended": Scene("home", "green", _end),
    "code-green": Scene("code", "green"),
    "code-yellow": Scene("code", "yellow"),
    "code-orange": Scene("code", "orange"),
    "code-red": Scene("code", "red", _be_followed_up),
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
    "access": Scene("access", "appealing", _read_checks),
    "subscriptions": Scene("subscriptions", "yellow"),
    "register": Scene("register"),
    "register-consent": Scene("register", agreed=False),
    "login": Scene("login"),
    "password": Scene("password", "person"),
    "bindings": Scene("bindings", "green", _bind_another),
    "family": Scene("family", "mother", _live_as_a_family),
    "family-asked": Scene("family", "mother", _be_invited),
    "family-add": Scene("family-add", "green"),
    "paper": Scene("paper", "green", _get_card),
    "mydata": Scene("mydata", "green"),
    "name": Scene("name", "green"),
    "document": Scene("document", "green"),
    "recovery": Scene("recovery", "recovered", _be_recovered),
    "privacy": Scene("privacy", "person"),
    "erase": Scene("erase", "person"),
    "visit": Scene("visit", "green", _scan_a_poster),
    "venues": Scene("venues", "manager", _manage_a_venue),
    "venue": Scene("venue", "manager", _open_venue),
    "venue-apply": Scene("venue-apply", "green"),
    "station-login": Scene("station-login"),
    "station": Scene("station", "inspector"),
    "station-pass": Scene("station", "inspector", _scan("green")),
    "station-measure": Scene("station", "inspector", _scan("yellow")),
    "station-stop": Scene("station", "inspector", _scan("orange")),
    "station-offline": Scene("station", "inspector", _scan_offline),
    "station-fever": Scene("station", "inspector", _find_fever_offline),
    "station-camera": Scene("station", "inspector", _scan_with_camera),
    "station-keypad": Scene("station", "inspector", _type_temperature),
    "paper-check": Scene("paper-check", "inspector", _scan_card),
    "paper-check-offline": Scene("paper-check", "inspector", _scan_card_offline),
    "station-refused": Scene("station", "inspector", _scan_foreign),
    "station-other-province": Scene("station", "inspector", _scan_other_province),
    "station-ended": Scene("station", "inspector", _end_station),
    "station-document": Scene("station", "inspector", _open_document),
    "station-document-pass": Scene("station", "inspector", _check_document),
    "station-document-nobody": Scene("station", "inspector", _find_nobody),
}


# scenes once more, as others read them
OTHER_READERS = {
    "code-en": ("code-green", Reader("en")),
    "code-large": ("code-green", Reader(large=True)),
    "home-ko": ("home", Reader("ko")),
    "code-ko": ("code-orange", Reader("ko")),
    "privacy-ko": ("privacy", Reader("ko")),
    "code-contrast": ("code-green", Reader(contrast=True)),
    "declare-contrast": ("declare-3", Reader(contrast=True)),
}


def stage(studio: Studio) -> bytes:
    """Return the window with both phones in the middle of the story: after a fever, with the message."""
    page: Page = chromium.unused(studio.browser, 1440, 900).new_page()
    page.goto(studio.system.address)
    left, right = story.phones_of(page)
    story.get_a_code(page, left)
    story.find_a_fever(right)
    page.locator("#messages .notice").first.click()
    left.shows_code("黄码")
    return page.screenshot(animations="disabled")


def make(studio: Studio, everything: Path | None) -> None:
    SCREENS.mkdir(exist_ok=True)
    pictures = {name: studio.take(scene) for name, scene in SCENES.items()}
    pictures |= {name: studio.take(SCENES[scene], reader) for name, (scene, reader) in OTHER_READERS.items()}
    pictures["stage"] = stage(studio)
    pictures |= console_screens.everything(studio)
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
                    picture = studio.take(scene, Reader(language, large), size, scale=1)
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

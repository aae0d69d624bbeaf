"""Make the pictures in docs/screens, of the mini-program and the console: `make screens`.

Also as `python -m tools.make_screens`.

Starts the whole system in a directory of its own and takes every page and every state of the code as a user sees them.
With `--all DIRECTORY` it also takes all of them on three screens in both languages, for looking at.
Needs what the tests of the mini-program need: Node, Chromium and fonts-noto-cjk.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

from tests.browser import chromium, story
from tests.browser.answers import broken
from tests.browser.inspector import Inspector
from tests.browser.running import ROOT, build_miniprogram
from tests.browser.system import System
from tools.screens import console
from tools.screens.station_acts import (
    SCAN,
    check_document,
    end,
    end_station,
    find_fever_offline,
    find_nobody,
    open_document,
    scan,
    scan_card,
    scan_card_offline,
    scan_foreign,
    scan_offline,
    scan_other_province,
    scan_with_camera,
    type_temperature,
)
from tools.screens.studio import SAID_AGAIN, USUAL, Reader, Scene, Studio
from tools.small_pictures import small

SCREENS: Final = ROOT / "docs" / "screens"
_ALL = ((360, 640), USUAL, (768, 1024))
_PATIENCE = 60  # seconds, for what the worker does
_LANGUAGES = ("zh", "en")
_GET_CARD = {"zh": "办理纸质码", "en": "Get a card"}
_SEEN = {"zh": "查验点查验了您的证件", "en": "A station checked your document"}
_ADD = {"zh": "添加图片", "en": "Add a picture"}


def _go_stale(phone: Inspector, studio: Studio, language: str) -> None:
    phone.answers("", broken)
    phone.lets_pass(78)
    phone.page.locator(".last").wait_for()


def _read_checks(phone: Inspector, studio: Studio, language: str) -> None:
    phone.becomes(_SEEN[language])


def _write_appeal(phone: Inspector, studio: Studio, language: str) -> None:
    with phone.page.expect_file_chooser() as dialog:
        phone.tap(_ADD[language])
    dialog.value.set_files(SCREENS / "home.png")
    phone.page.locator(".words").fill(SAID_AGAIN)
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
    phone.scans(code, SCAN[language])
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


SCENES: Final = {
    "home": Scene("home", "green"),
    "home-guest": Scene("home"),
    "home-ended": Scene("home", "green", end),
    "code-green": Scene("code", "green"),
    "code-yellow": Scene("code", "yellow"),
    "code-orange": Scene("code", "orange"),
    "code-red": Scene("code", "red", _be_followed_up),
    "code-unverified": Scene("code", "unverified"),
    "code-not_declared": Scene("code", "person"),
    "code-offline": Scene("code", "green", _go_stale, time_passes=True),
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
    "station-pass": Scene("station", "inspector", scan("green")),
    "station-measure": Scene("station", "inspector", scan("yellow")),
    "station-stop": Scene("station", "inspector", scan("orange")),
    "station-offline": Scene("station", "inspector", scan_offline),
    "station-fever": Scene("station", "inspector", find_fever_offline),
    "station-camera": Scene("station", "inspector", scan_with_camera),
    "station-keypad": Scene("station", "inspector", type_temperature),
    "paper-check": Scene("paper-check", "inspector", scan_card),
    "paper-check-offline": Scene("paper-check", "inspector", scan_card_offline),
    "station-refused": Scene("station", "inspector", scan_foreign),
    "station-other-province": Scene("station", "inspector", scan_other_province),
    "station-ended": Scene("station", "inspector", end_station),
    "station-document": Scene("station", "inspector", open_document),
    "station-document-pass": Scene("station", "inspector", check_document),
    "station-document-nobody": Scene("station", "inspector", find_nobody),
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
    pictures |= console.everything(studio)
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

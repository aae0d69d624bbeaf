"""The world that a journey is walked in: a build that `make run` has started, and everybody in it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import pyotp
from playwright.sync_api import Browser, BrowserContext, Page

from devstack.officers import SECRET
from devstack.people import PASSWORD
from tests.browser import chromium
from tests.browser.inspector import Inspector
from tests.browser.phone import SHOWN
from tests.browser.running import ROOT
from tests.browser.system import Person, System
from tools.journeys.hand import Hand

_STEP: Final = 30  # seconds of a one-time code
_INSTALLED: Final = 900  # seconds until a fresh checkout is installed and runs


class Build(System):
    """A checkout, started by its own `make run`, in a directory of its own."""

    def __init__(self, checkout: Path, directory: Path) -> None:
        super().__init__(directory)
        self.checkout, self.is_older = checkout, checkout != ROOT

    def start(self) -> None:
        """Set it up where needed, start it, and wait until both the web and the national platform are heard."""
        place = (f"DIRECTORY={self.place.directory}", f"PORT={self.place.port}")
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                ["make", "-C", self.checkout, "run", *place],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
                start_new_session=True,
            )
        end = time.monotonic() + _INSTALLED
        while "is running" not in self._said():
            assert self._process.poll() is None and time.monotonic() < end, self._said()
            time.sleep(0.1)
        self._platform_is_heard()

    def stop(self) -> None:
        """As Ctrl-C does, which every process in front of the terminal gets."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.wait(60)

    def file_appeal(self, person: Person) -> None:
        """Let somebody have appealed; by HTTP alone, which an older build answers as well."""
        self._call(
            "POST", "/api/v1/appeals", {"text": "示例：那天我没有去过示例商场。", "attachments": []}, person.session
        )


class Walk:
    """One walk: the build, its language, and the hands that it needs."""

    def __init__(self, world: "World", language: str, round_: int) -> None:
        self.world, self.build, self.language, self.round = world, world.build, language, round_
        self.hand: Hand | None = None
        self.device: Inspector | None = None
        self._contexts: list[BrowserContext] = []

    @property
    def before(self) -> bool:
        """Whether this is the older build, which has other steps."""
        return self.build.is_older

    def name(self, kind: str) -> str:
        """Return a name in WeChat that nobody had before."""
        return self.world.name(kind)

    def phone(self, person: Person | None = None, *, agreed: bool = True, **storage: object) -> Hand:
        """Give somebody a phone with the mini-program; nothing is open yet."""
        context = chromium.unused(self.world.browser)
        self._contexts.append(context)
        name = person.phone if person else self.name("phone")
        self.device = Inspector(context.new_page(), self.build.address, name)
        kept = {key.replace("_", "."): value for key, value in storage.items()}
        settings = {"language": self.language, "large": False}
        self.device.keep({"settings": settings, **(person.storage if person else {}), **kept}, agreed=agreed)
        self.hand = Hand(self.device.page, SHOWN)
        return self.hand

    def open(self, page: str) -> Hand:
        """Open the mini-program at a page, and wait until it is all there."""
        assert self.device and self.hand
        self.device.open(page).is_settled()
        return self.hand.start_over()

    def desk(self, username: str) -> Hand:
        """Sit an officer, who has logged in, at the start page of the console."""
        page = self.world.log_in(username)
        page.goto(f"{self.build.place.web}/console/?lang={self.language}")
        self.hand = Hand(page)
        return self.hand

    def end(self) -> None:
        for context in self._contexts:
            context.close()


class Journey(NamedTuple):
    """A journey: its slug, whose it is, its name in both languages, and how it is walked."""

    slug: str
    who: str
    zh: str
    en: str
    walk: Callable[[Walk], None]


class World:
    """A running build, a browser, and the officers who have logged in."""

    def __init__(self, build: Build, browser: Browser) -> None:
        self.build, self.browser = build, browser
        self._desks: dict[str, Page] = {}
        self._number = 0

    def name(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._number}"

    def new_desk(self) -> Page:
        """Return the console's log-in page in a browser of its own."""
        page = chromium.unused(self.browser, 1280, 800).new_page()
        page.goto(f"{self.build.place.web}/console/login")
        return page

    def log_in(self, username: str) -> Page:
        """Return the desk of an officer who has logged in, now or before."""
        if username not in self._desks:
            page = self._desks[username] = self.new_desk()
            for name, words in zip(
                ("username", "password", "code"), (username, PASSWORD, one_time_code()), strict=True
            ):
                page.locator(f"#{name}").fill(words)
            page.keyboard.press("Enter")
            page.locator("nav").wait_for()
        return self._desks[username]

    def keep_desk(self, username: str, page: Page) -> None:
        """Keep the desk of an officer who has just logged in: a one-time code counts once."""
        self._desks[username] = page


def one_time_code() -> str:
    """Return what the authenticator shows now; near its end, what it shows next."""
    left = _STEP - time.time() % _STEP
    if left < 3:
        time.sleep(left)
    return pyotp.TOTP(SECRET).now()

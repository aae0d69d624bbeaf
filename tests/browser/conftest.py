"""Phones for the tests of this folder: one system and one browser for all, a new phone for each test."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import chromium
from tests.browser.inspector import Inspector
from tests.browser.phone import Phone, watch
from tests.browser.running import build_miniprogram
from tests.browser.system import Person, System
from tests.browser.windows import Windows

MEASURED: list[str] = []  # told at the end of a run
_names = count(1)


@pytest.fixture(scope="package")
def built() -> None:
    """The mini-program built for the browser, with what the tests take from its packages."""
    lacking = chromium.missing()
    if lacking:
        pytest.skip(f"nothing was tried in a browser: {lacking}")
    refused = build_miniprogram()
    if refused:
        pytest.fail(refused, pytrace=False)


@pytest.fixture(scope="package")
def system(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system, as a user gets it."""
    running = System(tmp_path_factory.mktemp("browser") / "var")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def browser(built: None) -> Iterator[Browser]:
    # a package's own: while Playwright's loop runs, other tests could not run theirs
    with sync_playwright() as playwright:
        started = chromium.launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="package")
def windows(browser: Browser, system: System) -> Iterator[Windows]:
    made = Windows(browser, system.address)
    yield made
    made.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    fresh = chromium.unused(browser)
    yield fresh
    fresh.close()


@pytest.fixture
def phones(windows: Windows, system: System) -> Iterator[Callable[..., Phone]]:
    """Makes phones; at the end none of them may have had an error that the test did not expect."""
    made: list[Phone] = []

    def make(
        person: Person | None = None, kind: type[Phone] = Phone, *, agreed: bool = True, **storage: object
    ) -> Phone:
        name = person.phone if person else f"phone-{next(_names)}"
        phone = kind(windows.take(), system.address, name)
        made.append(phone)
        kept = {key.replace("_", "."): value for key, value in storage.items()}
        return phone.keep({**(person.storage if person else {}), **kept}, agreed=agreed)

    yield make
    faults = [fault for phone in made for fault in phone.faults]
    for phone in made:
        phone.put_away()
    windows.give_back(spoiled=any(phone.is_spoiled for phone in made))
    assert faults == []


@pytest.fixture
def phone(phones: Callable[..., Phone]) -> Phone:
    """A new phone, whose owner has not registered."""
    return phones()


@pytest.fixture
def inspector(phones: Callable[..., Inspector], system: System) -> Inspector:
    """A phone at the station, whose owner has logged in; not opened yet."""
    return phones(kind=Inspector, **system.inspector())


@pytest.fixture
def person(system: System) -> Person:
    """Somebody who has registered."""
    return system.person(f"person-{next(_names)}")


@pytest.fixture
def declared(system: System) -> Person:
    """Somebody whose code is green."""
    return system.declared(f"person-{next(_names)}")


@pytest.fixture
def stage(context: BrowserContext, system: System) -> Iterator[Page]:
    """The window with both phones; at the end neither it nor they may have had an error."""
    page, faults = context.new_page(), list[str]()
    watch(page, faults)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(system.address)
    yield page
    assert faults == []


@pytest.fixture
def measured() -> list[str]:
    """Lines for the end of the run."""
    return MEASURED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MEASURED:
        terminalreporter.section("measured in the browser")
        for line in MEASURED:
            terminalreporter.line(line)

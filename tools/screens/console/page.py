"""What a scene of the console does with a page."""

import os
from collections.abc import Callable

from playwright.sync_api import Page

from app.core.clock import SystemClock
from app.core.settings import load_settings
from app.runtime import Services, make_services
from app.staff import totp
from devstack.demo.office import Desk
from devstack.officers import SECRET
from devstack.people import PASSWORD
from tools.screens.studio import Studio


def open_page(page: Page, address: str) -> None:
    """Raises AssertionError when the page is a refusal, which would be a picture as good as any."""
    answer = page.goto(address)
    assert answer is not None and answer.ok, f"{address}: {answer and answer.status}"


def take(page: Page) -> bytes:
    """Return the whole page as PNG."""
    return page.screenshot(animations="disabled", full_page=True)


def send(page: Page, button: str) -> None:
    """Press a button that sends a form, and wait for what answers."""
    with page.expect_navigation():
        page.locator(button).click()


def log_in(page: Page, username: str) -> None:
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


def go_on_as(page: Page, desk: Desk) -> None:
    """Let the page go on in the session of a desk."""
    session = desk.browser.cookies
    page.context.add_cookies([{"name": one.name, "value": str(one.value), "url": desk.web} for one in session])


def with_services(studio: Studio, act: Callable[[Services], object]) -> None:
    """Act on the running system, past its pages."""
    os.environ["JIXIANG_CONFIG"] = str(studio.system.place.config)
    services = make_services(load_settings())
    act(services)
    services.close()

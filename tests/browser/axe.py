"""What axe-core finds on a screen that keeps somebody from using it."""

from typing import Any

from playwright.sync_api import Page

from tests.browser.phone import Phone
from tests.browser.running import RUNTIME

_AXE = RUNTIME / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = ("serious", "critical")


def faults(phone: Phone) -> list[str]:
    """The serious and critical faults of what is shown now: rule, element, and what is wrong with it."""
    return faults_of(phone.page)


def faults_of(page: Page) -> list[str]:
    """The same for any page."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(_AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations)"
    )
    return [
        f"{fault['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for fault in found
        for node in fault["nodes"]
        if fault["impact"] in _SERIOUS
    ]

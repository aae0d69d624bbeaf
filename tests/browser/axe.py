"""What keeps somebody from using a screen: what axe-core finds, and what can only be reached by scrolling sideways."""

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


_ENHANCED = """() => {
    const contrastRatio = { normal: { expected: 7 }, large: { expected: 7 } };
    axe.configure({ checks: [{ id: 'color-contrast-enhanced', options: { contrastRatio } }] });
    const rules = { 'color-contrast-enhanced': { enabled: true } };
    return axe.run(document.getElementById('phone'), { runOnly: ['color-contrast-enhanced'], rules })
        .then(({ violations, incomplete, passes }) => {
            const nodes = [...violations, ...incomplete].flatMap((rule) => rule.nodes);
            const bad = nodes.map(({ html, any }) => `${html.slice(0, 120)} ${any[0].message}`);
            return { bad, good: passes.flatMap((rule) => rule.nodes).length };
        });
}"""


def pale(phone: Phone) -> list[str]:
    """Every text with less than 7:1 between it and what is behind it, large ones too, or of which that is not known."""
    if not phone.page.evaluate("Boolean(window.axe)"):
        phone.page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = phone.page.evaluate(_ENHANCED)
    assert found["good"], "some text was measured"
    bad: list[str] = found["bad"]
    return bad


def sideways(page: Page) -> list[str]:
    """What is wider than its place: nobody should have to scroll to the side."""
    found: list[str] = page.evaluate("""() => [...document.querySelectorAll('html, main, main *')].filter((one) =>
        one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline' && one.clientWidth
        && !/INPUT|SELECT/.test(one.tagName)
    ).map((one) => `${one.tagName} ${one.className} ${one.textContent}`.slice(0, 90))""")
    return found

"""The pages of the mini-program, and the screens that they are tried on."""

import json

from playwright.sync_api import expect

from tests.browser.phone import SHOWN, Phone
from tests.browser.running import MINIPROGRAM

PAGES = [path.split("/")[1] for path in json.loads((MINIPROGRAM / "app.json").read_text())["pages"]]
SCREENS = ((360, 640), (390, 844), (768, 1024))
# what can be used on a page, beside what is switched off
_CONTROLS = (
    "button:not([disabled]), [role=link], [role=switch], input:not([disabled]), select, textarea, [tabindex='0']"
)
_MARK_CONTROLS = """(page, controls) => {
    const all = [...page.querySelectorAll(controls)].filter((one) => one.getClientRects().length);
    all.forEach((one) => { one.wanted = true; });
    return all.length;
}"""
_SHOWS_FOCUS = """() => {
    const one = document.activeElement;
    if (!one.wanted || one.reached) return 0;
    one.reached = true;
    const { outlineStyle, boxShadow } = getComputedStyle(one);
    const seen = outlineStyle !== 'none' || boxShadow !== 'none';
    return seen || one.matches('[type=radio], [type=checkbox], picker *') ? 1 : 0;
}"""


def make_large(phone: Phone, *, large: bool = True) -> Phone:
    """Have the page in large type, or in the normal one again."""
    return choose(phone, "large", chosen=large)


def choose(phone: Phone, look: str, *, chosen: bool = True) -> Phone:
    """Have the page in a look, `large` or `contrast`, or without it again."""
    phone.page.evaluate(
        """look => {
            window.phone.wx.setStorageSync('settings', { ...window.phone.wx.getStorageSync('settings'), ...look });
            window.phone.page().reword();
        }""",
        {look: chosen},
    )
    expect(phone.page.locator(f"{SHOWN} .page.{look}")).to_have_count(int(chosen))
    return phone


def mark_controls(phone: Phone) -> int:
    """Mark what can be used on the page; return how much that is."""
    return int(phone.page.locator(SHOWN).evaluate(_MARK_CONTROLS, _CONTROLS))


def reach_by_tab(phone: Phone, wanted: int) -> int:
    """Press Tab until all that is marked had the focus; return how much of it showed that."""
    reached = 0
    for _ in range(3 * (wanted + 3)):
        if reached == wanted:
            break
        phone.page.keyboard.press("Tab")
        reached += phone.page.evaluate(_SHOWS_FOCUS)
    return reached

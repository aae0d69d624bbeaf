"""The pages of the mini-program, and the screens that they are tried on."""

import json

from playwright.sync_api import expect

from tests.browser.phone import SHOWN, Phone
from tests.browser.running import MINIPROGRAM

PAGES = [path.split("/")[1] for path in json.loads((MINIPROGRAM / "app.json").read_text())["pages"]]
SCREENS = ((360, 640), (390, 844), (768, 1024))


def choose_look(phone: Phone, look: str) -> None:
    """Choose `large` or `contrast`, where the phone is now."""
    phone.page.evaluate(
        """(look) => {
            window.phone.wx.setStorageSync('settings', { ...window.phone.wx.getStorageSync('settings'), [look]: true });
            window.phone.page().reword();
        }""",
        look,
    )
    expect(phone.page.locator(f"{SHOWN} .page.{look}")).to_be_visible()

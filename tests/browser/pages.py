"""The pages of the mini-program, and the screens that they are tried on."""

import json

from playwright.sync_api import expect

from tests.browser.phone import SHOWN, Phone
from tests.browser.running import MINIPROGRAM

PAGES = [path.split("/")[1] for path in json.loads((MINIPROGRAM / "app.json").read_text())["pages"]]
SCREENS = ((360, 640), (390, 844), (768, 1024))


def make_large(phone: Phone) -> None:
    phone.page.evaluate("""() => {
        window.phone.wx.setStorageSync('settings', { ...window.phone.wx.getStorageSync('settings'), large: true });
        window.phone.page().reword();
    }""")
    expect(phone.page.locator(f"{SHOWN} .page.large")).to_be_visible()

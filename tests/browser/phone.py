"""A phone with the mini-program, and what its owner does: open a page, tap, type, look.

Everything goes by what a user perceives: words, labels, roles and pictures. Waits for it, and never sleeps.
"""

import io
import json
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

import zxingcpp
from PIL import Image
from playwright.sync_api import ConsoleMessage, Error, FrameLocator, Locator, Page, Request, expect

SHOWN = ".page-place:not([hidden])"  # the page on top
PASSED_ON = re.compile(r"/(api|\.well-known|wechat-sandbox|platform-sandbox)/")
_PRIVACY = Path(__file__).parents[2] / "miniprogram_stub/utils/privacy.js"
_ROLES = ("button", "link", "radio", "checkbox", "switch", "tab")
RUNS_OUT = """(page) => [...page.querySelectorAll('*')].filter((one) => {
    if (one.closest('.running, .said') || !one.getClientRects().length) return false;
    const { left, right } = one.getBoundingClientRect();
    const clipped = one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== 'visible';
    return left < -0.5 || right > innerWidth + 0.5 || (clipped && !/INPUT|SELECT/.test(one.tagName));
}).map((one) => `${one.tagName} ${one.className} ${one.textContent}`.slice(0, 80))"""


def privacy_version() -> str:
    """The version of the privacy notice in the mini-program."""
    found = re.search(r"VERSION = '([\d-]+)'", _PRIVACY.read_text(encoding="utf-8"))
    assert found
    return found[1]


def comes_true(page: Page, expression: str) -> None:
    """Wait until an expression of a page is true.

    `wait_for_function` asks from within the page from the second time on, where its Content-Security-Policy forbids
    to evaluate a string: it works for what is true at once and fails for what is not.
    """
    for _ in range(600):
        if page.evaluate(f"Boolean({expression})"):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"still not true: {expression}")


class Phone:
    """One phone, in a page of the browser or in a frame of the stage."""

    def __init__(self, page: Page, address: str, name: str, frame: FrameLocator | None = None) -> None:
        self.page, self.address, self.name = page, address, name
        self.root: Page | FrameLocator = frame or page
        self.calls: list[str] = []  # to the API: "GET /api/v1/code"
        self.sounds: list[str] = []  # that were asked for
        self.faults: list[str] = []  # errors of the mini-program
        self._open: set[Request] = set()  # sent, and not answered yet
        self.is_spoiled = False  # its window is of no use to another one
        self._ends = ExitStack()
        if frame is None:
            self._ends.callback(watch(page, self.faults))
            page.on("request", self._sent)
            page.on("requestfinished", self._answered)
            page.on("requestfailed", self._answered)
            self._ends.callback(page.remove_listener, "request", self._sent)
            self._ends.callback(page.remove_listener, "requestfinished", self._answered)
            self._ends.callback(page.remove_listener, "requestfailed", self._answered)

    def put_away(self) -> None:
        """Leave the window to another phone."""
        self._ends.close()

    def _sent(self, request: Request) -> None:
        self._open.add(request)
        path = urlsplit(request.url).path
        if path.startswith(("/api/", "/.well-known/")):
            self.calls.append(f"{request.method} {path}")
        elif path.startswith("/sounds/"):
            self.sounds.append(path)

    def _answered(self, request: Request) -> None:
        self._open.discard(request)

    # --- open

    def open(self, page: str, **query: str) -> Self:
        """Start the mini-program at a page: "code" is pages/code/code."""
        self.page.bring_to_front()  # what is behind another phone is drawn once a second
        self.page.goto(self.url(page, **query))
        return self

    def url(self, page: str, **query: str) -> str:
        asked = {"phone": self.name, "start": f"pages/{page}/{page}", **query}
        return f"{self.address}/phone.html?{urlencode(asked, quote_via=quote)}"

    def keep(self, storage: dict[str, Any], *, agreed: bool = True) -> Self:
        """Have this in the phone's storage before the mini-program starts for the first time.

        Its owner has agreed to what is done with personal data, unless the test is about that.
        """
        consent = {"privacy.agreed": privacy_version()} if agreed else {}
        values = {
            f"phone:{self.name}:{key}": json.dumps({"value": value}) for key, value in {**consent, **storage}.items()
        }
        values |= {f"wechat:{self.name}:privacy": json.dumps({"value": True})} if agreed else {}
        return self.begins_with(f"""if (!localStorage.getItem('kept:{self.name}')) {{
            Object.entries({json.dumps(values)}).forEach(([key, value]) => localStorage.setItem(key, value));
            localStorage.setItem('kept:{self.name}', 'yes');
        }}""")

    def begins_with(self, script: str) -> Self:
        """Have this done first whenever the mini-program is started."""
        self._ends.enter_context(self.page.add_init_script(script))
        return self

    def kept(self, key: str) -> Any:
        """What the mini-program has stored."""
        return self.page.evaluate("key => window.phone.wx.getStorageSync(key)", key)

    def open_again(self) -> None:
        self.page.reload()
        self.is_settled()

    def dies(self) -> None:
        """The mini-program is gone and started anew where it was."""
        self.page.reload()

    def has_called(self, *calls: str) -> None:
        """Wait until exactly these calls were made since the start, or since `calls` was cleared."""
        for _ in range(600):
            if len(self.calls) >= len(calls):
                break
            self.page.wait_for_timeout(50)
        assert self.calls == list(calls)

    def go_back(self) -> None:
        self.root.get_by_role("button", name="返回 Back").click()

    # --- tap and type

    def tap(self, words: str) -> None:
        """Tap what has this name or begins with it."""
        self.control(words).click()

    def wechat(self, words: str) -> None:
        """Tap what WeChat itself offers, over the page."""
        self.root.get_by_role("dialog").get_by_role("button", name=words, exact=True).click()

    def scans(self, text: str, words: tuple[str, str] = ("输入内容", "确定")) -> Self:
        """Have WeChat's scanner, which is open, find a code with this text."""
        typing, done = words
        self.root.get_by_role("button", name=typing).click()
        self.root.get_by_role("textbox", name=typing).fill(text)
        self.root.get_by_role("button", name=done).click()
        return self

    def sends_declaration(self, reminder: str = "拒绝") -> None:
        """Tap the button of the last step, and answer WeChat's question about reminders."""
        self.tap("提交申报")
        self.wechat(reminder)

    def control(self, words: str) -> Locator:
        name = re.compile(rf"^\s*{re.escape(words)}")
        first, *others = (self.root.get_by_role(role, name=name) for role in _ROLES)  # type: ignore[arg-type]
        for other in others:
            first = first.or_(other)
        return first.filter(visible=True).first

    def presses(self, key: str, words: str, within: str = "") -> None:
        """Go to what has this name by Tab, as often as it takes, and press a key on it."""
        wanted = self.control(words)
        if within:
            wanted = self.page.get_by_role(within).get_by_role("button", name=words, exact=True)  # type: ignore[arg-type]
        expect(wanted).to_be_visible()
        for _ in range(60):
            if wanted.evaluate("one => document.activeElement === one"):  # the page may have drawn it anew meanwhile
                break
            self.page.keyboard.press("Tab")
        else:
            raise AssertionError(f"{words} is not reached by Tab")
        self.page.keyboard.press(key)

    def button(self, words: str) -> Locator:
        """The button with exactly this name: the last one, for a form's own stands at its end."""
        return self.root.locator(SHOWN).get_by_role("button", name=words, exact=True).last

    def send(self, words: str) -> None:
        """Tap the form's own button."""
        self.button(words).click()

    def field(self, label: str) -> Locator:
        return self.root.locator(SHOWN).get_by_label(label, exact=True)

    def type(self, label: str, text: str) -> None:
        self.field(label).fill(text)

    def choose(self, label: str, choice: str) -> None:
        self.field(label).select_option(choice)

    # --- look

    def see(self, *words: str) -> Self:
        """Wait until all of this is to be read, on the page or over it."""
        for word in words:
            expect(self.root.get_by_text(word).filter(visible=True).first).to_be_visible()
        return self

    def becomes(self, *words: str) -> None:
        """Look again and again until all of this is to be read: what others do takes its time."""
        for _ in range(120):
            self.open_again()
            if all(word in self.text() for word in words):
                return
            self.page.wait_for_timeout(250)
        self.see(*words)

    def misses(self, *words: str) -> Self:
        """Wait until none of this is to be read."""
        for word in words:
            expect(self.root.get_by_text(word).filter(visible=True)).to_have_count(0)
        return self

    def is_at(self, page: str) -> Self:
        expect(self.root.locator(f'{SHOWN} > [is="pages/{page}/{page}"]')).to_be_visible()
        return self

    def title(self, words: str) -> Self:
        expect(self.root.locator("#title")).to_have_text(words)
        return self

    def is_settled(self) -> Self:
        """Wait until the page has what it fetches at its start."""
        page = self.root.locator(f"{SHOWN} > [is]")
        expect(page).to_be_visible()
        for name, place in (("home", ".entries"), ("station", ".counts")):
            if page.get_attribute("is") == f"pages/{name}/{name}":
                expect(page.locator(place).first).to_be_visible()
        self.misses("正在获取…", "One moment…", "불러오는 중…")
        return self

    def text(self) -> str:
        """Everything that can be read on the page."""
        return self.root.locator(SHOWN).inner_text()

    def everything_told(self) -> list[str]:
        """Each line that eyes or ears get of the page: words, labels, placeholders, names of pictures, choices."""
        labels: list[str] = self.root.locator(SHOWN).evaluate(
            """(page) => [...page.querySelectorAll('*')].flatMap((one) =>
                ['aria-label', 'placeholder', 'alt', 'title'].map((name) => one.getAttribute(name)).filter(Boolean))"""
        )
        return [*self.text().splitlines(), *labels, *self.root.locator("#title").all_inner_texts()]

    def runs_out_on(self, screens: Iterable[tuple[int, int]]) -> list[str]:
        """What stands beyond the left or right edge of one of the screens, or is cut off in its own place."""
        found = []
        for width, height in screens:
            self.page.set_viewport_size({"width": width, "height": height})
            found += [f"{width}: {one}" for one in self.root.locator(SHOWN).evaluate(RUNS_OUT)]
        return found

    def field_says(self, label: str, words: str) -> None:
        """Wait until the sentence stands in the field's own place, and the field looks wrong."""
        place = self.root.locator(f"{SHOWN} .field").filter(has=self.page.get_by_label(label, exact=True))
        expect(place.get_by_role("alert")).to_contain_text(words)

    @property
    def code(self) -> Locator:
        """The picture of the QR code."""
        return self.root.locator(f"{SHOWN} .qr img")

    def shows_code(self, word: str) -> Self:
        """Wait until a code in this color's frame is there, with its word."""
        expect(self.root.locator(f"{SHOWN} .card .word")).to_have_text(word)
        expect(self.code).to_be_visible()
        return self

    def scanned(self) -> str:
        """What a scanner reads on the screen, once the picture is drawn."""
        self.code.evaluate("picture => picture.decode()")
        formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
        found = zxingcpp.read_barcodes(Image.open(io.BytesIO(self.code.screenshot())), formats=formats)
        assert len(found) == 1, "one QR code is to be read"
        return str(found[0].text)

    # --- the network

    def answers(self, path: str, route: Any) -> None:
        """From now on a call to this path, or to any of the API, is answered so: by a function that gets a Route."""
        self.page.route(re.compile(rf"{re.escape(path)}(\?|$)" if path else r"/(api|\.well-known)/"), route)

    def answers_again(self) -> None:
        self.page.unroute_all()

    def online(self, on: bool) -> None:
        self.page.evaluate("on => window.phone.setOnline(on)", on)

    # --- time

    def stops_time(self) -> Self:
        """From the next start on the page's time passes only as the test says."""
        self.page.clock.install()
        self.is_spoiled = True  # nothing gives a browser its time back
        return self

    def lets_pass(self, seconds: int) -> None:
        """Let the page's time pass, second by second; what was asked before is answered before, unless it never is."""
        patience = 20
        for _ in range(seconds):
            while self._open and patience:
                self.page.wait_for_timeout(50)
                patience -= 1
            self.page.clock.run_for(1000)


def watch(page: Page, faults: list[str]) -> Callable[[], None]:
    """Note errors of the page's code and its missing files; a refusal by the API is for the page to tell.

    Returns what ends it.
    """

    def heard(message: ConsoleMessage) -> None:
        refused = PASSED_ON.match(urlsplit(message.location.get("url", "")).path)
        if message.type == "error" and not refused:
            faults.append(message.text)

    def failed(error: Error) -> None:
        faults.append(str(error))

    def end() -> None:
        page.remove_listener("console", heard)
        page.remove_listener("pageerror", failed)

    page.on("console", heard)
    page.on("pageerror", failed)
    return end


def chinese(texts: Iterable[str]) -> list[str]:
    """Those with a Chinese character in them."""
    return [text for text in texts if re.search(r"[\u3400-\u9fff\u3001\u3002\uff00-\uffef]", text)]

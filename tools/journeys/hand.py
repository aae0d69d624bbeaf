"""A person's hand and eye at one page: taps, fills in, reads; taps, fields, swipes and seconds are counted.

Words are written as "中文|English", with more alternatives where an older build says it otherwise. Only what is visible
is tapped, and only words that are on the page are read. What the world does between (WeChat's camera, an officer far
away) goes past the hand, and is not counted.
"""

import math
import re
import time
from collections.abc import Callable
from typing import Self

from playwright.sync_api import FilePayload, FrameLocator, Locator, Page, expect

_ROLES = ("button", "link", "radio", "checkbox", "switch", "tab")
_SWIPE = 0.8  # of the height of the screen


class Hand:
    """One person at one page, or at one phone in it. `place` is where forms are: on a phone, the page on top."""

    def __init__(self, page: Page, place: str = "body", frame: FrameLocator | None = None) -> None:
        self.page, self._place = page, place
        self.root: Page | FrameLocator = frame or page
        self.start_over()

    def start_over(self) -> Self:
        """Count from here on: what came before was the way to the start of the journey."""
        self.taps = self.fields = self.swipes = 0
        self._began = self._ended = 0.0
        return self

    @property
    def seconds(self) -> float:
        """From the first tap to the last words that were read."""
        return self._ended - self._began

    def begin(self) -> Self:
        """Let the time run before the first tap: the page itself is opened in it."""
        self._began = time.monotonic()
        return self

    @staticmethod
    def words(words: str, shape: str = "({})") -> re.Pattern[str]:
        """Return the pattern of words in either language."""
        return re.compile(shape.format("|".join(re.escape(one) for one in words.split("|"))))

    # --- tap

    def tap(self, words: str) -> Self:
        """Tap what begins with these words."""
        name = self.words(words, r"^\s*({})")
        first, *others = (self.root.get_by_role(role, name=name) for role in _ROLES)  # type: ignore[arg-type]
        for other in others:
            first = first.or_(other)
        return self.press(first.filter(visible=True).first)

    def send(self, words: str) -> Self:
        """Tap the form's own button, which has exactly this name and stands last."""
        name = self.words(words, "^({})$")
        return self.press(self.root.locator(self._place).get_by_role("button", name=name).last)

    def answer(self, words: str) -> Self:
        """Tap this in what lies over the page."""
        name = self.words(words, "^({})$")
        return self.press(self.root.get_by_role("dialog").get_by_role("button", name=name))

    def press(self, wanted: Locator) -> Self:
        self._reach(wanted)
        self._moves(wanted.click)
        self.taps += 1
        return self

    # --- fill in

    def fill(self, label: str, text: str) -> Self:
        """Fill in a field; each counts as one, however long it is."""
        return self.fill_in(self._field(label), text)

    def fill_in(self, field: Locator, text: str) -> Self:
        self._reach(field)
        return self._fills(lambda: field.fill(text))

    def choose(self, label: str, choice: str | int) -> Self:
        """Choose from a list, by the words or by the place."""
        field = self._field(label)
        self._reach(field)
        if isinstance(choice, int):
            return self._fills(lambda: field.select_option(index=choice))
        words = self.words(choice, "^({})$")
        value = field.locator("option").filter(has_text=words).get_attribute("value")
        return self._fills(lambda: field.select_option(value))

    def bring(self, label: str, file: FilePayload) -> Self:
        """Choose a file."""
        return self._fills(lambda: self._field(label).set_input_files(file))

    def type_on_keypad(self, digits: str) -> Self:
        """Type a number on a keypad of the page: one field."""
        pad = self.root.get_by_role("dialog")

        def type_all() -> None:
            for digit in digits:
                pad.get_by_role("button", name=digit, exact=True).click()

        return self._fills(type_all)

    # --- read

    def read(self, words: str) -> Self:
        """Wait for these words, and swipe to where they are."""
        return self.reach(self.root.get_by_text(self.words(words)).filter(visible=True).first)

    def reach(self, wanted: Locator) -> Self:
        """Wait until this is there, and swipe to it: the end of a journey, or of a step of it."""
        self._reach(wanted, whole=True)
        self._ended = time.monotonic()
        return self

    def _field(self, label: str) -> Locator:
        return self.root.locator(self._place).get_by_label(self.words(label, "^({})$")).filter(visible=True).first

    def _reach(self, wanted: Locator, whole: bool = False) -> None:
        """Swipe until the middle is on the screen, where a finger goes, or all of it, to be read."""
        expect(wanted).to_be_visible()
        box, size = wanted.bounding_box(), self.page.viewport_size
        if box and size:
            height = min(box["height"], size["height"])
            low, high = (box["y"] + height, box["y"]) if whole else (box["y"] + height / 2,) * 2
            beyond = max(low - size["height"], -high, 0)
            self.swipes += math.ceil(beyond / (_SWIPE * size["height"]))
            wanted.scroll_into_view_if_needed()

    def _moves(self, act: Callable[[], object]) -> None:
        self._began = self._began or time.monotonic()
        act()

    def _fills(self, act: Callable[[], object]) -> Self:
        self._moves(act)
        self.fields += 1
        return self

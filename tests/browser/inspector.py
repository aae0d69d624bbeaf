"""The phone of an inspector at a check station, and what its owner does there."""

from typing import Self

from playwright.sync_api import expect

from tests.browser.phone import SHOWN, Phone


class Inspector(Phone):
    """A phone that scans and measures."""

    def scan(self, text: str, words: tuple[str, str] = ("输入内容", "确定")) -> Self:
        """Scan a code with this text."""
        self.page.bring_to_front()
        self.root.locator(f"{SHOWN} .actions").get_by_role("button").last.click()
        return self.scans(text, words)

    def scan_in_english(self, text: str) -> Self:
        return self.scan(text, ("Type the text", "OK"))

    def measure(self, digits: str) -> Self:
        """Register a temperature on the keypad: 375 is 37.5."""
        self.tap("登记体温")
        for digit in digits:
            self.root.get_by_role("dialog").get_by_role("button", name=digit, exact=True).click()
        self.root.get_by_role("dialog").get_by_role("button", name="登记", exact=True).click()
        return self

    def verdict(self, title: str, word: str = "") -> Self:
        """Wait until the big answer is this, with the word of the color."""
        expect(self.root.locator(f"{SHOWN} .action-title")).to_have_text(title)
        if word:
            expect(self.root.locator(f"{SHOWN} .verdict .word")).to_have_text(word)
        return self

    def looks(self, name: str) -> Self:
        """Wait until the big answer has the look of a state, or of an action where the state says something else."""
        expect(self.root.locator(f"{SHOWN} .result.{name}")).to_be_visible()
        return self

    def shows_to_camera(self, text: str) -> Self:
        """Hold a code with this text before the camera of the page."""
        camera = self.root.locator(f"{SHOWN} camera")
        camera.evaluate("(camera, text) => camera.dispatchEvent(new CustomEvent('sees', { detail: text }))", text)
        return self

    def leave(self) -> Self:
        """End the shift."""
        self.tap("退出")
        self.root.get_by_role("dialog").get_by_role("button", name="退出").click()
        return self.is_at("home")

    def counts(self) -> list[int]:
        """Today's numbers: passed, to measure, stopped, measured."""
        numbers = self.root.locator(f"{SHOWN} .counts .number")
        expect(numbers).to_have_count(4)
        return [int(text) for text in numbers.all_inner_texts()]

    def heard(self, *sounds: str) -> Self:
        """Wait until just these sounds have been asked for; the page and its sounds come in no fixed order."""
        wanted = [f"/sounds/{sound}.wav" for sound in sounds]
        for _ in range(600):
            if len(self.sounds) >= len(wanted):
                break
            self.page.wait_for_timeout(50)
        assert self.sounds == wanted
        return self

"""Windows of the browser in which one phone follows another: to open one anew takes longer than most tests."""

from contextlib import suppress

from playwright.sync_api import Browser, BrowserContext, CDPSession, Error, Page

from tests.browser import chromium

SIZE = (390, 844)


class Windows:
    """Gives out windows, and has each as good as new before it is given out again."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self._browser, self._origin = browser, origin
        self._context: BrowserContext | None = None
        self._storage: CDPSession | None = None
        self._free: list[Page] = []
        self._taken: list[Page] = []

    def take(self) -> Page:
        """A window in which nothing is shown yet."""
        if self._context is None:
            self._context = chromium.unused(self._browser, *SIZE)
        page = self._free.pop() if self._free else self._context.new_page()
        if self._storage is None:
            self._storage = self._context.new_cdp_session(page)
        self._taken.append(page)
        return page

    def give_back(self, *, spoiled: bool) -> None:
        """Have all that were taken as good as new, or closed where nothing does that, as when time stood still."""
        if not spoiled:
            with suppress(Error):  # of a window that has crashed
                self._clean()
                return
        self.close()

    def close(self) -> None:
        """Close all of them, with everything that they know."""
        if self._context is not None:
            self._context.close()
        self._context, self._storage = None, None
        self._free, self._taken = [], []

    def _clean(self) -> None:
        assert self._context is not None and self._storage is not None
        for page in self._context.pages:
            if page not in [*self._free, *self._taken]:
                page.close()  # what a phone has opened
        for page in self._taken:
            page.unroute_all()
            page.goto("about:blank")
            page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
        self._storage.send("Storage.clearDataForOrigin", {"origin": self._origin, "storageTypes": "all"})
        self._free, self._taken = [*self._free, *self._taken], []

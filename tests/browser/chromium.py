"""The browser that the phones are in: Debian's Chromium, or another that is installed, never one that is downloaded."""

import shutil

from playwright.sync_api import Browser, BrowserContext, Playwright, expect

PATIENCE = 30_000  # milliseconds: what a user should see comes at once, on a machine with nothing else to do
# The headless shell first: the same engine without the browser's own windows, at half the processor time.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# The pages behind the address bar, which each window would load into a process of its own though nobody sees them;
# and, since Chromium heeds this flag once, what Playwright 1.65 switches off.
_FEATURES_OFF = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(_FEATURES_OFF)}",
)


def missing() -> str:
    """What this machine lacks to run the mini-program in a browser, and how to get it; '' when nothing."""
    if _program() is None:
        return "install Chromium (Debian: apt-get install chromium-headless-shell fonts-noto-cjk)"
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "install Node 18 or later with npm (Debian: apt-get install nodejs npm)"
    return ""


def launch(playwright: Playwright) -> Browser:
    expect.set_options(timeout=PATIENCE)
    return playwright.chromium.launch(executable_path=_program(), args=list(_FLAGS))


def unused(browser: Browser, width: int = 390, height: int = 844, scale: float = 1) -> BrowserContext:
    """A browser that knows nothing yet, far from Beijing: times on the screen must be Beijing's all the same."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        locale="zh-CN",
        timezone_id="America/Los_Angeles",
    )
    context.set_default_timeout(PATIENCE)
    return context


def _program() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)

#!/usr/bin/env bash
# Chromium 156 (Debian's package, which must be installed), playwright 1.65.2
#
# Browser tests give each test a phone of its own: a new context of one headless browser, with one page.
# Guess: a headless window has no address bar, so a context costs the renderer of its page and nothing else.
# Really: for each window Chromium starts one more renderer (--top-chrome-webui) and loads two pages of the address bar
#   into it, chrome://omnibox-popup.top-chrome/ and its omnibox_popup_aim.html, which nobody can ever see. It takes about
#   as much time and CPU as the page itself. Playwright switches AimEnabled off, which is not enough: these are
#   WebUIOmniboxPopup, WebUIOmniboxAimPopup and WebUIOmniboxFullPopup. Chromium heeds the last --disable-features only,
#   so an own flag must name again what Playwright's names.
# Why it matters: a suite of 240 phones, on a machine of two cores, spent more than a minute on drawing address bars.
set -euo pipefail
export LC_ALL=C
program=$(command -v chromium) || { echo "chromium is not installed"; exit 1; }
"$program" --version 2>/dev/null | sed 's/ built on.*//'
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q playwright==1.65.2 2>/dev/null
cat > "$folder/count.py" <<'PY'
import sys
import time

from playwright.sync_api import sync_playwright

PAGES = "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,AimEnabled"


def bars(*flags):
    with sync_playwright() as playwright:
        args = ["--no-sandbox", "--disable-gpu", *flags]
        browser = playwright.chromium.launch(executable_path=sys.argv[1], args=args)
        page = browser.new_context().new_page()
        page.goto("data:text/html,<h1>phone")
        time.sleep(2)
        session = browser.new_browser_cdp_session()
        targets = session.send("Target.getTargets", {"filter": [{}]})["targetInfos"]
        browser.close()
    return sorted(target["url"] for target in targets if "top-chrome" in target["url"])


plain, without = bars(), bars(f"--disable-features={PAGES}")
print("as Playwright starts it:", plain)
print("with our flag:", without)
sys.exit(not (len(plain) == 2 and not without))
PY
"$folder/venv/bin/python" "$folder/count.py" "$program" 2>/dev/null || { echo "changed"; exit 1; }

"""The page that verifies a pasted code: opened as a file, it says what the code says and sends nothing."""

import json
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium
from tests.browser.axe import faults_of
from tests.support.npm import installed

ROOT = Path(__file__).parents[2]
HOME = ROOT / "packages/jixiang-verifier-js"
TOKENS = json.loads((ROOT / "tests/vectors/tokens.json").read_text(encoding="utf-8"))
CARDS = json.loads((ROOT / "tests/vectors/papers.json").read_text(encoding="utf-8"))
GREEN = next(vector for vector in TOKENS["vectors"] if vector["expect"].get("state") == "GREEN")


@pytest.fixture(scope="module")
def address() -> str:
    done = subprocess.run(
        [installed(HOME), "page/build.mjs"], cwd=HOME, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return (HOME / "built/verify.html").as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Page:
    context = chromium.unused(browser)
    page = context.new_page()
    page.goto(address)
    return page


def verify(page: Page, text: str, keys: str, at: str = "") -> None:
    page.get_by_label("公布的密钥").fill(keys)
    page.get_by_label("码的文本").fill(text)
    page.get_by_label("时间").fill(at)
    page.get_by_role("button", name="验证").click()


def test_it_says_the_color_of_a_code_and_why_another_is_refused(page: Page) -> None:
    keys = json.dumps(TOKENS["key_sets"][GREEN["keys"]])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    verify(page, GREEN["text"] + "\n", keys, GREEN["at"])
    answer = page.get_by_role("status")
    expect(answer).to_contain_text("绿码 Green")
    expect(answer).to_contain_text("2020-03-20 12:00:00")
    verify(page, GREEN["text"], keys)
    expect(answer).to_contain_text("expired: This is over")
    card = CARDS["vectors"][0]
    verify(page, card["text"], json.dumps(CARDS["key_set"]), card["at"])
    expect(answer).to_contain_text("A card on paper, no color")
    assert asked == [], "nothing is sent"
    assert faults_of(page) == []


@pytest.mark.parametrize(
    ("keys", "at", "says"),
    [("", "", "不是 JSON"), ("{}", "", "jixiang-keys"), ('{"keys": []}', "yesterday", "时间无法识别")],
)
def test_what_it_cannot_use_is_named(page: Page, keys: str, at: str, says: str) -> None:
    verify(page, GREEN["text"], keys, at)
    expect(page.get_by_role("status")).to_contain_text(says)


def test_its_policy_forbids_every_connection(page: Page) -> None:
    said = page.evaluate("""new Promise((resolve) => {
        document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
        fetch('http://127.0.0.1:9/').catch(() => setTimeout(resolve, 1000, 'the connection was tried'));
    })""")
    assert said == "connect-src"

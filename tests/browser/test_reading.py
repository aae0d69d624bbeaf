"""For who reads another language, sees little or nothing, or wants the code and nothing else."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.axe import pale
from tests.browser.phone import SHOWN, Phone, comes_true
from tests.browser.system import Person, System

# a browser with three voices, which says nothing and notes what it was to say
VOICES = """
    window.spoken = [];
    const voices = ['zh-CN', 'en-US', 'ko-KR'].map((lang) => ({ lang }));
    const speak = (one) => { window.spoken.push([one.lang, one.text]); setTimeout(() => one.onend(), 0); };
    Object.defineProperty(window, 'speechSynthesis', { value: { getVoices: () => voices, speak, cancel() {} } });
"""
SAID = {
    "zh": ("现在的吉祥码：绿码。", "数据核验通过", "朗读", "zh-CN"),
    "en": ("The code now: Green.", "Data verified", "Read aloud", "en-US"),
    "ko": ("지금 길상코드: 초록코드.", "데이터 확인됨", "소리 내어 읽기", "ko-KR"),
}


def said(phone: Phone) -> Locator:
    """What a screen reader says by itself."""
    return phone.page.locator(f"{SHOWN} .said")


def renew(phone: Phone) -> None:
    with phone.page.expect_response("**/api/v1/code"):
        phone.page.evaluate("window.phone.pullDown()")
    comes_true(phone.page, "!document.querySelector('.page-place[pulled]')")


@pytest.mark.parametrize("language", SAID)
def test_state_and_reason_are_for_the_ears_and_are_read_aloud_where_there_is_a_voice(
    language: str, phones: Callable[..., Phone], declared: Person
) -> None:
    state, reason, button, voice = SAID[language]
    phone = phones(declared, settings={"language": language})
    phone.begins_with(VOICES)
    phone.open("code").is_settled()
    expect(said(phone)).to_contain_text(state)
    expect(said(phone)).to_contain_text(reason)
    expect(said(phone)).to_have_attribute("role", "status")
    expect(said(phone)).to_have_attribute("aria-live", "polite")
    phone.tap(button)
    comes_true(phone.page, "window.spoken.length")
    assert phone.page.evaluate("window.spoken[0][0]") == voice
    comes_true(phone.page, f"window.spoken.map(([, text]) => text).join('').trim() === {said_text(phone)!r}")
    phone.see(button)


def said_text(phone: Phone) -> str:
    return (said(phone).text_content() or "").strip()


def test_without_a_voice_no_button_is_offered_and_the_state_is_said_once_for_each_change(
    phones: Callable[..., Phone], system: System
) -> None:
    person = system.declared("is-heard")
    phone = phones(person).open("code").shows_code("绿码").misses("朗读")
    phone.page.evaluate("""() => {
        window.changes = 0;
        const told = { childList: true, characterData: true, subtree: true };
        new MutationObserver(() => { window.changes += 1; }).observe(document.querySelector('.said'), told);
    }""")
    renew(phone)
    phone.shows_code("绿码")
    assert phone.page.evaluate("window.changes") == 0, "a renewal is no news"
    system.measure(person, 38.1)
    renew(phone)
    phone.shows_code("黄码")
    expect(said(phone)).to_contain_text("现在的吉祥码：黄码。 现场体温异常。")


def test_who_has_chosen_so_opens_with_the_code_and_comes_back_to_the_home_page(
    phones: Callable[..., Phone], declared: Person, phone: Phone
) -> None:
    mine = phones(declared).open("home").is_settled()
    mine.tap("打开时直接显示吉祥码")
    expect(mine.page.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    mine.open("home").is_at("code").shows_code("绿码")
    mine.go_back()
    mine.is_at("home").see("人人有码、码上行动")
    mine.tap("打开时直接显示吉祥码")
    mine.open("home").is_settled().is_at("home")
    phone.open("home").is_settled().misses("打开时直接显示吉祥码")


def test_korean_is_there_by_its_own_name_and_says_that_nobody_has_reviewed_it(
    phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones(declared).open("home").is_settled()
    phone.tap("한국어")
    phone.title("길림성 온라인 행정서비스 홀").see("누구나 코드, 코드로 움직여요", "기계 번역(감수 전)")
    assert phone.page.evaluate("document.documentElement.lang") == "ko"
    phone.open("privacy").see("기계 번역(감수 전)", "누가 처리합니까")
    phone.tap("중국어 원문 보기")
    phone.see("谁在处理").misses("누가 처리합니까")
    phone.tap("번역 보기")
    phone.see("누가 처리합니까")
    phone.open("home").is_settled().tap("中文")
    phone.title("吉林省网上办事大厅").misses("기계 번역(감수 전)")


@pytest.mark.parametrize("state", ["green", "yellow", "orange", "red"])
def test_a_phone_that_wants_contrast_gets_it_and_a_code_keeps_its_color_word_and_mark(
    state: str, phones: Callable[..., Phone], system: System
) -> None:
    phone = phones(system.of_color(f"contrast-{state}", state))
    phone.page.emulate_media(contrast="more")
    phone.open("code").is_settled()
    assert pale(phone) == []
    phone.page.emulate_media(forced_colors="active")
    card = phone.page.locator(f"{SHOWN} .card.state-{state}")
    shown = card.evaluate("one => getComputedStyle(one).backgroundColor")
    named = {"green": "rgb(0, 82, 42)", "yellow": "rgb(255, 216, 77)"}
    named |= {"orange": "rgb(255, 154, 61)", "red": "rgb(157, 11, 16)"}
    assert shown == named[state]
    expect(card.locator(".word")).to_be_visible()
    expect(card.locator(".mark img")).to_have_attribute("src", f"images/state-{state}.svg")

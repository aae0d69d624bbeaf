"""查看吉祥码: the code in its frame, alive and renewed, and gone when it cannot be."""

import statistics
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.answers import broken
from tests.browser.axe import faults
from tests.browser.pages import SCREENS
from tests.browser.phone import SHOWN, Phone, comes_true
from tests.browser.system import Person, System

CODE = "GET /api/v1/code"
STARTS = 5  # of which the middle time is told
# notes when the picture of the QR code has been drawn, in milliseconds since the navigation began
WATCH = """
    const look = () => {
        const picture = document.querySelector('.qr img');
        if (picture && picture.complete && picture.naturalWidth) window.codeShown = performance.now();
        else requestAnimationFrame(look);
    };
    look();
"""


@pytest.mark.parametrize(
    ("state", "word", "action", "advice"),
    [
        ("green", "绿码", "pass", "下一步"),
        ("yellow", "黄码", "measure", "现场"),
        ("orange", "橙码", "stop", "隔离"),
        ("red", "红码", "stop", "确诊"),
    ],
)
def test_each_color_has_its_frame_mark_word_and_reason(
    state: str, word: str, action: str, advice: str, phones: Callable[..., Phone], system: System
) -> None:
    phone = phones(system.of_color(f"is-{state}", state)).open("code").shows_code(word)
    expect(phone.page.locator(f"{SHOWN} .card.state-{state}")).to_be_visible()
    expect(phone.page.locator(f"{SHOWN} .card .mark img")).to_have_attribute("src", f"images/state-{state}.svg")
    expect(phone.code).to_have_attribute("alt", f"吉祥码，请对准扫码设备：{word}")
    phone.see(advice, "北京时间", "来源")
    assert system.check(phone.scanned()) == action


def test_a_long_name_in_one_word_stays_on_the_screen(phones: Callable[..., Phone], system: System) -> None:
    """As of whoever has letters that are not ASCII in their name: all but the first is masked, blanks too."""
    person = system.of_color("long-name", "green")
    phone = phones(person, citizen_account={**person.account, "name": "É" + "*" * 59})
    assert phone.open("code").shows_code("绿码").runs_out_on(((320, 640), *SCREENS)) == []


def test_unverified_shows_a_code_without_color_and_says_that_it_means_nothing(
    phones: Callable[..., Phone], person: Person, system: System
) -> None:
    with system.platform_away():
        system.declare(person)
        phone = phones(person).open("code").shows_code("未核验").see("未核验不代表健康状况", "还需要")
        expect(phone.page.locator(f"{SHOWN} .card.state-unverified")).to_be_visible()
        assert system.check(phone.scanned()) == "measure"
        assert faults(phone) == [], "everybody can read that"


def test_before_the_first_declaration_there_is_the_way_to_it(phones: Callable[..., Phone], person: Person) -> None:
    phone = phones(person).open("code").see("申报后即可查看吉祥码", "约一分钟完成").misses("完成一次健康申报")
    expect(phone.code).to_have_count(0)
    phone.tap("健康申报")
    phone.is_at("declare")


def test_the_code_names_its_holder_by_a_masked_name_only(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("code").shows_code("绿码").see("示**")
    told = "\n".join(phone.everything_told())
    assert declared.name not in told and declared.number not in told and phone.scanned() not in told


def test_opening_it_cold_takes_one_request(phones: Callable[..., Phone], declared: Person, measured: list[str]) -> None:
    times = []
    phone = phones(declared)
    phone.begins_with(WATCH)
    for _ in range(STARTS):
        phone.calls.clear()
        phone.open("code").shows_code("绿码")
        assert phone.calls == [CODE]
        comes_true(phone.page, "window.codeShown")
        times.append(phone.page.evaluate("window.codeShown / 1000"))
    middle, longest = statistics.median(times), max(times)
    measured.append(f"time to code: {middle:.2f} s from navigation to QR code, longest of {STARTS} {longest:.2f} s")


def test_the_time_is_beijings_and_ticks(phones: Callable[..., Phone], declared: Person, system: System) -> None:
    phone = phones(declared)
    phone.stops_time()
    phone.open("code").shows_code("绿码")
    time = phone.page.locator(f"{SHOWN} .time")
    shown = time.inner_text()
    assert abs(datetime.fromisoformat(f"{shown}+08:00") - system.now()) < timedelta(minutes=1)
    seen = {shown}
    for _ in range(3):
        phone.lets_pass(1)
        expect(time).not_to_have_text(shown)
        seen.add(time.inner_text())
    assert len(seen) >= 3


def test_it_is_renewed_before_it_ends_without_a_gap(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared)
    phone.stops_time()
    phone.open("code").shows_code("绿码")
    first = phone.scanned()
    phone.lets_pass(30)
    assert phone.calls == [CODE], "not before it is due"
    with phone.page.expect_response("**/api/v1/code"):
        phone.lets_pass(16)
    expect(phone.code).to_be_visible()
    phone.misses("这个码已过期")
    second = phone.scanned()
    assert second != first
    assert phone.calls == [CODE, CODE]
    with phone.page.expect_response("**/api/v1/code"):
        phone.lets_pass(46)
    assert phone.scanned() not in (first, second)


def test_a_code_that_cannot_be_renewed_goes_and_its_age_is_told_until_it_comes_back(
    phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones(declared)
    phone.stops_time()
    phone.open("code").shows_code("绿码")
    minute = phone.page.locator(f"{SHOWN} .time").inner_text()[:16]
    phone.answers("/api/v1/code", broken)
    phone.lets_pass(48)
    expect(phone.code).to_be_visible()
    phone.lets_pass(30)
    phone.see("无法连接服务", "最近一次显示", "绿码", "截至", "请勿以此通行")
    expect(phone.code).to_have_count(0)
    expect(phone.page.locator(f"{SHOWN} .last")).to_contain_text(minute)
    phone.answers_again()
    phone.lets_pass(12)
    phone.shows_code("绿码").misses("无法连接服务", "最近一次显示")


def test_a_color_that_has_changed_is_there_with_the_next_renewal(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    phone = phones(declared)
    phone.stops_time()
    phone.open("code").shows_code("绿码")
    system.measure(declared, 37.5)
    phone.lets_pass(46)
    phone.shows_code("黄码").see("下一步")
    system.measure(declared, 36.5)
    phone.lets_pass(46)
    phone.shows_code("绿码")


def test_pulling_the_page_down_renews_the_code(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("code").shows_code("绿码")
    first = phone.scanned()
    with phone.page.expect_response("**/api/v1/code"):
        phone.page.evaluate("window.phone.wx.startPullDownRefresh({})")
    comes_true(phone.page, "!document.querySelector('.page-place[pulled]')")
    assert phone.shows_code("绿码").scanned() != first


def test_a_red_code_never_says_that_its_holder_may_pass_and_beside_it_stands_who_takes_care(
    phones: Callable[..., Phone], system: System
) -> None:
    """Their declaration is verified as well: that stands below, without its advice. Then they are followed up."""
    phone = phones(system.of_color("red-and-verified", "red")).open("code").shows_code("红码")
    phone.see("新冠肺炎确诊病例", "数据核验通过", "登记有误可申请纠错").misses("可凭码通行")
    expect(phone.page.locator(f"{SHOWN} .panel", has_text="数据核验通过")).to_contain_text("不决定现在的颜色")
    expect(phone.page.locator(f"{SHOWN} .panel", has_text="新冠肺炎确诊病例")).not_to_contain_text("不决定")
    expect(phone.page.locator(f"{SHOWN} .advice")).to_have_count(1)
    system.keep_follow_ups()
    phone.becomes("谁来照看您")
    panel = phone.page.locator(f"{SHOWN} .panel", has=phone.page.locator(".follow-up"))
    expect(panel.locator(".follow-up")).to_contain_text(
        ["工作人员将联系医院收治您", "请在家中或现住处等候"]  # of the hospital, then of the community
    )
    phone.shows_code("红码")
    assert faults(phone) == [], "everybody can read that"


def test_no_code_is_left_on_a_page_that_was_covered(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("code").shows_code("绿码")
    first = phone.scanned()
    phone.tap("变码记录")
    phone.is_at("history")
    assert phone.page.locator(".page-place[hidden] .qr img").count() == 0
    phone.go_back()
    phone.is_at("code").shows_code("绿码")
    assert phone.scanned() != first


def test_the_screen_is_bright_while_the_code_is_shown_and_as_before_afterwards(
    phones: Callable[..., Phone], declared: Person
) -> None:
    brightness = "window.phone.wx.getScreenBrightness({}).then(({ value }) => value)"
    phone = phones(declared).open("home").see("您好，示**")
    phone.page.evaluate("window.phone.wx.setScreenBrightness({ value: 0.4 })")
    phone.tap("查看吉祥码")
    phone.shows_code("绿码")
    assert phone.page.evaluate(brightness) == 1
    phone.tap("变码记录")
    phone.is_at("history")
    assert phone.page.evaluate(brightness) == 0.4
    phone.go_back()
    phone.shows_code("绿码")
    assert phone.page.evaluate(brightness) == 1
    phone.go_back()
    phone.is_at("home")
    assert phone.page.evaluate(brightness) == 0.4


def test_in_english_and_large_type_the_code_says_the_same(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared, settings={"language": "en", "large": True}).open("code").shows_code("Green")
    expect(phone.code).to_have_attribute("alt", "Jixiang code, hold it to the scanner: Green")
    phone.see("What to do", "Beijing time")
    assert phone.scanned().isascii()

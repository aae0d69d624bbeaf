"""What a citizen sees when the session, the network or the server lets them down, and the way out of it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.browser.answers import broken, html, huge, overloaded, senseless, silent
from tests.browser.phone import Phone
from tests.browser.system import Person, System

CODE = "GET /api/v1/code"
LOGIN = "POST /api/v1/wechat/login"
ATTEMPTS = 3  # at most, for one call: the first and two more
BUDGET = 6  # further attempts of one phone in a minute


def test_a_session_that_was_ended_elsewhere_is_replaced_without_a_word(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    phone = phones(declared)
    system.log_out(declared)
    phone.open("code").shows_code("绿码")
    assert phone.calls == [CODE, LOGIN, CODE]
    assert phone.kept("citizen.session") != declared.session
    phone.calls.clear()
    phone.tap("变码记录")
    phone.see("核验")
    assert LOGIN not in phone.calls


def test_a_session_that_ends_while_the_code_is_shown_is_replaced_at_its_renewal(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    phone = phones(declared)
    phone.stops_time()
    phone.open("code").shows_code("绿码")
    system.log_out(declared)
    phone.lets_pass(46)
    phone.has_called(CODE, CODE, LOGIN, CODE)
    phone.shows_code("绿码").misses("请先登录")


@pytest.mark.parametrize("page", ["code", "declare", "history", "notices", "appeals", "appeal", "access"])
def test_who_has_not_registered_is_shown_both_ways_in(page: str, phone: Phone) -> None:
    phone.open(page).see("请先注册或用账号登录").tap("注册")
    phone.is_at("register")
    phone.open(page).see("请先注册或用账号登录").tap("登录")
    phone.is_at("login")


@pytest.mark.parametrize("page", ["code", "history", "notices", "subscriptions", "appeals", "appeal", "access"])
def test_a_server_that_is_away_is_told_with_a_button_that_works_when_it_is_back(
    page: str, phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones(declared)
    phone.stops_time()
    phone.answers("", broken)
    phone.open(page)
    phone.lets_pass(5)
    phone.see("无法连接服务", "请检查网络后重试")
    assert len(phone.calls) <= ATTEMPTS
    phone.answers_again()
    phone.tap("重试")
    phone.misses("无法连接服务")
    phone.is_settled()


def test_a_server_that_has_too_much_to_do_is_asked_three_times_and_not_before_it_allows(
    phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones(declared)
    phone.stops_time()
    phone.answers("/api/v1/code", overloaded(2))
    phone.open("code").see("正在获取")
    phone.lets_pass(1)
    assert phone.calls == [CODE]
    phone.lets_pass(8)
    phone.see("服务暂时不可用")
    assert phone.calls == [CODE] * ATTEMPTS


def test_a_server_that_says_a_minute_is_left_alone_for_a_minute(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared)
    phone.stops_time()
    phone.answers("/api/v1/code", overloaded(60))
    phone.open("code").see("服务暂时不可用", "重试")
    phone.lets_pass(55)
    assert phone.calls == [CODE]
    phone.answers_again()
    phone.lets_pass(70)
    phone.shows_code("绿码")


def test_a_phone_whose_owner_taps_on_and_on_is_no_storm(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared)
    phone.stops_time()
    phone.answers("/api/v1/notices", broken)
    phone.open("notices")
    taps = 6
    for _ in range(taps):
        phone.lets_pass(4)
        phone.see("无法连接服务").tap("重试")
    phone.lets_pass(4)
    phone.see("无法连接服务")
    assert len(phone.calls) <= 1 + taps + BUDGET


def test_many_phones_do_not_come_again_at_one_moment(phones: Callable[..., Phone], declared: Person) -> None:
    """The waits of a phone are spread by chance: two starts do not wait alike."""
    phone = phones(declared)
    phone.begins_with(
        "window.waits = []; const set = window.setTimeout;"
        "window.setTimeout = (act, wait, ...more) => { window.waits.push(wait); return set(act, wait, ...more); }"
    )
    seen = []
    for _ in range(2):
        phone.answers("/api/v1/code", overloaded(30))
        phone.open("code").see("服务暂时不可用")
        seen.append(phone.page.evaluate("window.waits.filter((wait) => wait >= 30000)"))
    assert seen[0] and seen[1] and seen[0] != seen[1]


@pytest.mark.parametrize(
    ("answer", "title", "way"),
    [
        (html, "收到的不是本服务的回答", "请打开浏览器登录，或改用移动网络"),
        (huge, "收到的内容过大", "请改用其他网络后重试"),
    ],
)
def test_what_is_not_our_answer_has_its_own_message_and_way_out(
    answer: Callable[[Route], None], title: str, way: str, phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones(declared)
    phone.answers("/api/v1/code", answer)
    phone.open("code").see(title, way)
    assert phone.calls == [CODE], "asking again does not help"
    phone.answers_again()
    phone.tap("重试")
    phone.shows_code("绿码").misses(title)


def test_the_same_in_english(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared, settings={"language": "en", "large": False})
    phone.answers("/api/v1/code", html)
    phone.open("code").see("What answered was not this service", "open the browser", "Try again")


def test_a_server_that_does_not_answer_at_all_is_given_up(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared)
    phone.stops_time()
    phone.answers("/api/v1/notices", silent)
    phone.open("notices").see("正在获取")
    phone.lets_pass(32)
    phone.see("服务没有及时回答", "网络可能较慢")
    assert len(phone.calls) <= ATTEMPTS
    phone.answers_again()
    phone.tap("重试")
    phone.see("数据核验通过").misses("服务没有及时回答")


def test_a_refusal_that_makes_no_sense_does_not_break_the_page(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared)
    phone.answers("/api/v1/code", senseless)
    phone.open("code").see("操作未能完成")
    expect(phone.control("重试")).to_be_visible()

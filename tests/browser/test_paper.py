"""A card on paper: got, opened and reported lost on a phone, and checked at a station with the document."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.inspector import Inspector
from tests.browser.phone import Phone, comes_true
from tests.browser.system import Person, System


def test_a_card_is_got_opened_and_reported_lost(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("home").see("您好，示**")
    phone.tap("纸质码")
    phone.is_at("paper").see("须与证件同时出示").tap("办理纸质码")
    phone.see("有效期至").see("今日被扫次数 0")
    with phone.page.expect_popup():
        phone.tap("打开并打印")
    phone.tap("补办新卡")
    phone.see("原卡当即作废").wechat("取消")
    phone.tap("挂失")
    phone.see("不能恢复").wechat("挂失")
    phone.see("办理纸质码").misses("打开并打印")
    phone.tap("办理纸质码")
    phone.see("有效期至")


@pytest.fixture
def card(system: System, declared: Person) -> str:
    """The text on the card of somebody whose code is green."""
    return system.card(declared)[0]


def test_an_inspector_checks_a_card_with_the_document_and_measures(
    inspector: Inspector, declared: Person, card: str
) -> None:
    inspector.open("station").scan(card).is_at("paper-check").type("证件号码后四位", "000A")
    inspector.send("查验")
    inspector.see("证件号码后四位与此纸质码不符", "请核对证件上的号码")
    inspector.type("证件号码后四位", declared.number[-4:].lower())
    inspector.send("查验")
    inspector.verdict("放行", "绿码").type("体温（℃）", "38.2")
    inspector.send("登记体温")
    inspector.verdict("测温", "黄码").type("体温（℃）", "60")
    inspector.send("登记体温")
    expect(inspector.page.get_by_text(re.compile("体温应为|超出允许范围")).first).to_be_visible()
    inspector.go_back()
    inspector.is_at("station").see("请扫描对方的吉祥码")


def test_without_network_a_card_is_asked_of_the_list_and_what_was_measured_is_sent_later(
    inspector: Inspector, declared: Person, card: str, system: System
) -> None:
    inspector.open("station").is_settled()
    comes_true(inspector.page, "Object.keys(localStorage).some((key) => key.endsWith('/revoked.cose'))")
    inspector.online(False)
    inspector.scan(card).is_at("paper-check").type("证件号码后四位", "17")
    inspector.send("查验")
    inspector.see("应为证件号码的后四位").type("证件号码后四位", declared.number[-4:])
    inspector.send("查验")
    inspector.verdict("测温", "离线，颜色未知").looks("does-measure").see("作废清单截至", "请核对证件")
    inspector.type("体温（℃）", "38.2")
    inspector.send("登记体温")
    inspector.verdict("劝返").see("体温异常")
    assert system.state(declared) == "GREEN", "nobody has told the server yet"
    inspector.go_back()
    inspector.is_at("station").see("2 条待补报").online(True)
    inspector.see("已补报 2").misses("条待补报")
    assert system.state(declared) == "YELLOW"

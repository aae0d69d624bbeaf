"""What a citizen is told: reminders of WeChat and their balance, the inbox, and the record with its evidence."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from devstack.people import STATION
from tests.browser.phone import SHOWN, Phone
from tests.browser.system import Person, System


def test_each_yes_to_wechat_is_one_message_more(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("subscriptions").see("还可收到 0 条")
    switch = phone.page.locator(f"{SHOWN}").get_by_role("switch", name="变码提醒")
    expect(switch).to_have_attribute("aria-checked", "false")
    phone.tap("打开提醒")
    phone.see("申请向你发送以下服务通知").wechat("允许")
    phone.see("还可收到 1 条")
    expect(switch).to_have_attribute("aria-checked", "true")
    phone.tap("再增加一条")
    phone.wechat("允许")
    phone.see("还可收到 2 条")
    phone.dies()
    phone.see("还可收到 2 条")


def test_a_no_to_wechat_is_respected_and_its_consequence_told(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("subscriptions")
    phone.tap("打开提醒")
    phone.wechat("拒绝")
    phone.see("您没有同意，颜色变化时只能在“消息”里看到", "还可收到 0 条")


def test_an_answer_that_is_always_kept_is_not_asked_again(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("subscriptions")
    phone.tap("打开提醒")
    phone.page.get_by_role("checkbox", name="总是保持以上选择").check()
    phone.wechat("允许")
    phone.see("还可收到 1 条").tap("再增加一条")
    phone.see("还可收到 2 条")
    expect(phone.page.get_by_role("dialog")).to_have_count(0)


def test_reminders_that_are_off_in_wechat_are_not_asked_about(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    system.switch_messages_off(declared.phone)
    phone = phones(declared).open("subscriptions")
    phone.tap("打开提醒")
    expect(phone.page.locator(f"{SHOWN}").get_by_role("alert")).to_be_visible()
    expect(phone.page.get_by_role("dialog")).to_have_count(0)
    phone.see("还可收到 0 条").tap("在微信中管理提醒")
    phone.page.get_by_role("dialog").get_by_role("checkbox").check()
    phone.wechat("确定")
    phone.tap("打开提醒")
    phone.wechat("允许")
    phone.see("还可收到 1 条")


def test_text_messages_are_switched_off_and_on(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("subscriptions").see("短信通知", "短信不含颜色、姓名和链接")
    switch = phone.page.locator(f"{SHOWN}").get_by_role("switch", name="短信通知")
    for state in ("true", "false"):
        expect(switch).to_have_attribute("aria-checked", state)
        switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    phone.dies()
    expect(switch).to_have_attribute("aria-checked", "true")


def test_the_inbox_has_every_change_and_says_which_way_it_went(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    phone = phones(declared).open("notices")
    system.measure(declared, 37.5)
    phone.becomes("黄码", "短信已发送")
    system.subscribe(declared)
    system.measure(declared, 36.5)
    phone.becomes("绿码", "微信已发送")


def test_the_record_names_reason_evidence_and_source_of_each_change_and_no_ids(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    system.measure(declared, 37.9)
    phone = phones(declared).open("history").see("数据核验通过", "国家政务服务平台")
    entry = phone.page.locator(f"{SHOWN} .panel").first
    expect(entry).to_contain_text("现场测温 37.9 ℃")
    expect(entry).to_contain_text(STATION)
    expect(entry).to_contain_text("现场体温异常")
    assert not re.search(r"[A-Z]{2,}-|declaration|S\d|[0-9a-f]{8}", phone.text())
    expect(entry.locator(".state-yellow")).to_be_visible()


def test_before_anything_was_decided_the_lists_say_so(phones: Callable[..., Phone], person: Person) -> None:
    phone = phones(person)
    phone.open("history").see("还没有判定记录")
    phone.open("notices").see("还没有消息")
    phone.tap("订阅提醒")
    phone.is_at("subscriptions")


def test_a_long_record_comes_in_parts(phones: Callable[..., Phone], declared: Person, system: System) -> None:
    for celsius in (37.5, 36.5) * 25:  # with the first decision, one more than the server gives at once
        system.measure(declared, celsius)
    phone = phones(declared).open("history").see("更早的记录")
    panels = phone.page.locator(f"{SHOWN} .panel")
    first = panels.count()
    phone.button("更早的记录").evaluate("button => button.click()")  # at the end of the page it comes by itself
    phone.misses("更早的记录")
    assert panels.count() > first
    expect(panels.last).to_contain_text("等待平台核验")

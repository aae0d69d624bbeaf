"""For those who do not see the screen or cannot touch it: axe-core finds nothing serious, and the keyboard does all.

Each page by itself is in `test_pages.py`.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from devstack.people import INSPECTOR, PASSWORD
from tests.browser.axe import faults
from tests.browser.inspector import Inspector
from tests.browser.phone import SHOWN, Phone
from tests.browser.system import Person, System


@pytest.mark.parametrize("state", ["green", "orange", "red"])
def test_the_other_colors_have_none(
    state: str, phones: Callable[..., Phone], inspector: Inspector, system: System
) -> None:
    person = system.of_color(f"accessible-{state}", state)
    phone = phones(person).open("code").is_settled()
    assert faults(phone) == []
    inspector.open("station").is_settled()
    inspector.scan(system.token(person))
    expect(inspector.page.locator(f"{SHOWN} .result.state-{state}")).to_be_visible()
    assert faults(inspector) == []


def test_what_comes_up_on_the_way_has_none(
    phone: Phone,
    phones: Callable[..., Phone],
    inspector: Inspector,
    person: Person,
    declared: Person,
    system: System,
) -> None:
    phone.open("home").see("三步拥有吉祥码")
    assert faults(phone) == []
    phone.open("code").see("请先注册")
    assert faults(phone) == []
    phone.open("register").tap("手动填写手机号")
    phone.tap("同时设置用户名和密码")
    phone.send("注册")
    phone.see("有内容填写不正确")
    assert faults(phone) == []
    declaring = phones(person).open("declare")
    declaring.tap("有症状，请选择")
    declaring.tap("下一步")
    declaring.see("请至少选择一项症状")
    assert faults(declaring) == []
    declaring.tap("咳嗽")
    declaring.tap("下一步")
    declaring.tap("有")
    assert faults(declaring) == []
    declaring.tap("没有")
    declaring.see("请核对")
    assert faults(declaring) == []
    inspector.open("station").is_settled()
    inspector.scan("你好").see("这不是吉祥码")
    assert faults(inspector) == []
    inspector.scan(system.token(declared)).verdict("放行").tap("登记体温")
    expect(inspector.page.get_by_role("dialog")).to_be_visible()
    assert faults(inspector) == []


def test_a_code_is_got_with_the_keyboard_alone(phones: Callable[..., Phone], person: Person) -> None:
    phone = phones(person).open("home").see("健康申报")
    phone.presses("Enter", "健康申报")
    phone.is_at("declare").see("目前有没有以下症状？")
    phone.presses("Space", "没有任何症状")
    phone.see("最近是否接触过").presses("Space", "没有")
    phone.see("请核对").presses("Space", "我已阅读并同意")
    phone.presses("Enter", "提交申报")
    phone.presses("Enter", "拒绝")
    phone.is_at("code").shows_code("绿码")
    phone.presses("Enter", "变码记录")
    phone.is_at("history").presses("Enter", "返回 Back")
    phone.is_at("code").presses("Enter", "订阅变码提醒")
    phone.is_at("subscriptions").see("还可收到 0 条")
    phone.presses("Enter", "打开提醒")
    phone.presses("Enter", "允许")
    phone.see("还可收到 1 条")


def test_an_inspector_works_with_the_keyboard_alone(
    phones: Callable[..., Inspector], declared: Person, system: System
) -> None:
    phone = phones(kind=Inspector)
    phone.open("station-login").see("请使用单位发放的查验员账号")
    phone.field("用户名").focus()
    phone.page.keyboard.type(INSPECTOR)
    phone.page.keyboard.press("Tab")
    phone.page.keyboard.type(PASSWORD)
    phone.presses("Enter", "登录")
    phone.is_at("station").presses("Enter", "扫码")
    phone.presses("Enter", "输入内容")
    phone.page.keyboard.type(system.token(declared))
    phone.presses("Enter", "确定")
    phone.verdict("放行", "绿码").presses("Enter", "登记体温")
    for key in ("3", "6", "6", "登记"):
        phone.presses("Enter", key, within="dialog")
    phone.verdict("放行", "绿码").presses("Enter", "下一位")
    phone.page.keyboard.press("Escape")
    expect(phone.page.get_by_role("dialog")).to_have_count(0)
    phone.verdict("放行", "绿码")

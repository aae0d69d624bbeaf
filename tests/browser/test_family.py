"""家人: one phone shows the codes of others, after they have agreed on theirs, until one of them ends it."""

from collections.abc import Callable

import pytest

from tests.browser.phone import Phone
from tests.browser.system import Person, System


@pytest.fixture
def mother(system: System) -> Person:
    return system.of_color("family-mother", "green", "示例母")


def test_an_invitation_is_answered_on_the_other_phone_and_the_code_is_shown_and_ended(
    phones: Callable[..., Phone], mother: Person, declared: Person, system: System
) -> None:
    phone = phones(declared).open("family").see("还没有家人")
    phone.tap("邀请家人")
    phone.is_at("family-add")
    phone.type("姓名", mother.name)
    phone.type("证件号码", mother.number)
    phone.send("发送邀请")
    phone.see("邀请已发送").tap("返回家人")
    other = phones(mother).open("family").see("家人邀请", "示**", "0000")
    other.tap("同时同意由其代我进行健康申报")
    other.send("同意")
    other.becomes("可代为申报")
    phone.open("family").see("示**", "绿码", "代为健康申报")
    assert system.check(phone.scanned()) == "pass"
    phone.tap("代为健康申报")
    phone.is_at("declare").tap("有症状，请选择")
    phone.tap("咳嗽"), phone.tap("下一步"), phone.tap("没有")
    phone.see("我受本人同意").tap("我已阅读并同意")
    phone.sends_declaration()
    phone.is_at("family").see("黄码")
    other.open("family").tap("结束")
    other.wechat("结束")
    other.see("没有人可以出示您的码")
    phone.open("family").see("还没有家人")


def test_a_guardian_adds_a_child(phones: Callable[..., Phone], declared: Person, system: System) -> None:
    number = system.know_child(declared, "示例孩")
    phone = phones(declared).open("family").see("还没有家人")
    phone.tap("添加 14 岁以下的孩子")
    phone.is_at("family-add").see("您须是孩子的监护人")
    phone.type("姓名", "示例孩")
    phone.type("证件号码", number)
    phone.send("添加")
    phone.see("同意后才能添加").tap("我是孩子的监护人")
    phone.send("添加")
    phone.is_at("family").see("示**", "尚未进行健康申报", "代为健康申报")

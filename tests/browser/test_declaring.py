"""The health declaration: step by step, kept as a draft, and what is wrong told at its place."""

import time
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.answers import broken, refused_field
from tests.browser.phone import Phone
from tests.browser.system import Person, System

DECLARATIONS = "POST /api/v1/declarations"


def answer(phone: Phone, *answers: str) -> None:
    """Give the answers of one step and go on; an answer that needs no more words does so by itself."""
    for words in answers:
        phone.tap(words)
    if not answers or not answers[-1].startswith("没有"):
        phone.tap("下一步")


def test_a_declaration_without_symptoms_turns_the_code_green(phones: Callable[..., Phone], person: Person) -> None:
    phone = phones(person).open("declare").see("目前有没有以下症状？")
    answer(phone, "没有任何症状")
    phone.see("最近是否接触过确诊或疑似病例？")
    answer(phone, "没有")
    phone.see("请核对", "我保证以上内容属实").tap("我已阅读并同意")
    phone.sends_declaration()
    phone.is_at("code").shows_code("绿码")
    phone.page.reload()
    phone.is_at("declare").misses("已恢复您上次没有提交的内容")


def test_symptoms_turn_it_yellow_with_the_reason(phones: Callable[..., Phone], person: Person, system: System) -> None:
    phone = phones(person).open("declare")
    answer(phone, "有症状，请选择", "发热", "咳嗽")
    answer(phone, "没有")
    phone.see("发热", "咳嗽").tap("我已阅读并同意")
    phone.sends_declaration()
    phone.is_at("code").shows_code("黄码").see("下一步")
    assert system.state(person) == "YELLOW"


def test_a_contact_turns_it_orange_until_the_observation_is_over(
    phones: Callable[..., Phone], person: Person, system: System
) -> None:
    phone = phones(person).open("declare")
    answer(phone, "没有任何症状")
    phone.tap("有")
    yesterday = system.now().date().isoformat()
    phone.type("最后一次接触的日期", yesterday)
    phone.tap("下一步")
    phone.see("请核对", yesterday).tap("我已阅读并同意")
    phone.sends_declaration()
    phone.is_at("code").shows_code("橙码").see("至 ")


def test_nothing_is_answered_beforehand_and_each_step_says_what_it_needs(
    phones: Callable[..., Phone], person: Person
) -> None:
    phone = phones(person).open("declare")
    phone.tap("下一步")
    phone.see("请选择有没有症状").tap("有症状，请选择")
    phone.tap("下一步")
    phone.see("请至少选择一项症状").tap("没有任何症状")
    phone.misses("请至少选择一项症状")
    phone.see("最近是否接触过").tap("下一步")
    phone.see("请选择有没有接触").tap("有")
    phone.tap("下一步")
    phone.see("请填写最后一次接触的日期").tap("没有")
    phone.see("请核对").tap("提交申报")
    phone.see("同意后才能提交")
    assert DECLARATIONS not in phone.calls


def test_one_can_go_back_and_change_an_answer(phones: Callable[..., Phone], person: Person, system: System) -> None:
    phone = phones(person).open("declare")
    answer(phone, "有症状，请选择", "咳嗽")
    answer(phone, "没有")
    phone.tap("修改症状")
    phone.see("目前有没有以下症状？")
    assert phone.control("咳嗽").is_checked()
    answer(phone, "没有任何症状")
    phone.tap("上一步")
    answer(phone)
    answer(phone)
    phone.misses("咳嗽")
    phone.tap("我已阅读并同意")
    phone.sends_declaration()
    phone.is_at("code")
    assert system.state(person) == "GREEN"


def test_a_draft_is_kept_when_the_phone_dies(phones: Callable[..., Phone], person: Person) -> None:
    phone = phones(person).open("declare")
    answer(phone, "有症状，请选择", "腹泻")
    phone.tap("没有")
    phone.see("请核对").dies()
    phone.see("已恢复您上次没有提交的内容", "请核对", "腹泻").tap("重新填写")
    phone.see("目前有没有以下症状？").misses("已恢复您上次没有提交的内容")
    phone.dies()
    phone.see("目前有没有以下症状？").misses("已恢复您上次没有提交的内容", "腹泻")


def test_a_draft_is_nobody_elses(phones: Callable[..., Phone], person: Person, declared: Person) -> None:
    now = int(time.time() * 1000)
    draft = {
        "owner": f"{declared.username} 示** 229",
        "at": now,
        "answers": {"step": 2, "ill": "yes", "symptoms": ["cough"]},
    }
    phone = phones(person, declaration_draft=draft).open("declare").see("目前有没有以下症状？")
    phone.misses("已恢复您上次没有提交的内容")
    assert phone.kept("declaration.draft") == ""


def test_consent_is_asked_anew_for_a_draft(phones: Callable[..., Phone], person: Person) -> None:
    phone = phones(person).open("declare")
    answer(phone, "没有任何症状")
    answer(phone, "没有")
    phone.tap("我已阅读并同意")
    phone.dies()
    phone.see("请核对")
    assert not phone.control("我已阅读并同意").is_checked()


def test_what_the_server_refuses_stands_at_its_field_in_its_step(phones: Callable[..., Phone], person: Person) -> None:
    phone = phones(person).open("declare")
    answer(phone, "没有任何症状")
    phone.tap("有")
    # a day that the phone does not offer: earlier than the server goes back
    day = phone.field("最后一次接触的日期")
    day.evaluate("field => field.removeAttribute('min')")
    day.fill("2019-01-01")
    phone.tap("下一步")
    phone.see("请核对").tap("我已阅读并同意")
    phone.sends_declaration()
    place = phone.page.locator(".day").get_by_role("alert")
    expect(place).to_be_visible()
    phone.see("最近是否接触过")
    assert "2019" not in place.inner_text()


def test_the_phone_may_send_it_again_when_the_server_was_away(
    phones: Callable[..., Phone], person: Person, system: System
) -> None:
    phone = phones(person).open("declare")
    answer(phone, "没有任何症状")
    answer(phone, "没有")
    phone.tap("我已阅读并同意")
    phone.answers("/api/v1/declarations", broken)
    phone.sends_declaration()
    phone.see("无法连接服务", "请检查网络后重试")
    assert phone.calls.count(DECLARATIONS) == 1, "a declaration is not sent again by itself"
    phone.answers_again()
    phone.sends_declaration()
    phone.is_at("code").shows_code("绿码")


def test_a_second_tap_is_no_second_declaration(phones: Callable[..., Phone], person: Person) -> None:
    phone = phones(person).open("declare")
    answer(phone, "没有任何症状")
    answer(phone, "没有")
    phone.tap("我已阅读并同意")
    phone.button("提交申报").dblclick()
    phone.wechat("拒绝")
    phone.is_at("code")
    assert phone.calls.count(DECLARATIONS) == 1


def test_a_refusal_of_a_field_that_the_page_does_not_know_is_told_all_the_same(
    phones: Callable[..., Phone], person: Person
) -> None:
    phone = phones(person).open("declare")
    answer(phone, "没有任何症状")
    answer(phone, "没有")
    phone.tap("我已阅读并同意")
    phone.answers("/api/v1/declarations", refused_field("/what"))
    phone.sends_declaration()
    phone.see("有内容填写不正确", "请核对")


def test_what_the_platform_knows_otherwise_stands_at_its_own_place_on_the_screen(
    phones: Callable[..., Phone], person: Person
) -> None:
    phone = phones(person)
    phone.page.set_viewport_size({"width": 375, "height": 500})
    phone.open("declare")
    answer(phone, "没有任何症状")
    answer(phone, "没有")
    phone.see("申报人", "手机号 138").tap("我已阅读并同意")
    phone.answers("/api/v1/declarations", refused_field("/phone", "identity-mismatch", "与国家平台的登记不一致"))
    phone.sends_declaration()
    place = phone.page.locator(".field-wrong")
    expect(place).to_have_count(1)
    expect(place).to_contain_text("手机号")
    expect(place.get_by_role("alert")).to_have_text("不对")
    expect(place).to_be_in_viewport()
    phone.see("与国家平台的登记不一致", "请核对").tap("核对后重新注册")
    phone.is_at("register")

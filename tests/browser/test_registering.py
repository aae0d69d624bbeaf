"""Registration and log-in, with what is wrong told at its field."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from devstack.people import PASSWORD
from tests.browser.phone import Phone
from tests.browser.system import Person, id_number


def fill(phone: Phone, **different: str) -> str:
    """Fill the form in as an invented person; returns the document's number."""
    number = different.get("证件号码", id_number())
    form = {
        "用户名": f"r{number[6:17]}",
        "密码": PASSWORD,
        "姓名": "示例松",
        "证件号码": number,
        "手机号": "13800000000",
    }
    for label, text in {**form, **different}.items():
        phone.type(label, text)
    return number


def test_a_newcomer_registers_and_goes_on_to_declare(phone: Phone) -> None:
    phone.open("home").see("三步拥有吉祥码").tap("注册")
    phone.is_at("register")
    fill(phone)
    phone.send("注册")
    phone.is_at("declare").see("目前有没有以下症状？")
    assert phone.kept("citizen.account")["name"] == "示**"


@pytest.mark.parametrize(
    ("label", "wrong", "told"),
    [
        ("用户名", "Ab", "太短"),
        ("密码", "short", "太短"),
        ("证件号码", "229999198506070010", "校验"),
        ("证件号码", "22999919851332001X", "出生日期"),
        ("手机号", "12", "太短"),
    ],
)
def test_what_the_server_refuses_stands_at_its_field(phone: Phone, label: str, wrong: str, told: str) -> None:
    phone.open("register")
    fill(phone, **{label: wrong})
    phone.send("注册")
    phone.field_says(label, told)
    fill(phone)
    phone.send("注册")
    phone.is_at("declare")


def test_what_was_typed_is_still_there_after_a_refusal(phone: Phone) -> None:
    phone.open("register")
    fill(phone, 密码="short")
    phone.send("注册")
    phone.field_says("密码", "太短")
    assert phone.field("姓名").input_value() == "示例松"


def test_nothing_that_was_typed_is_kept_on_the_phone(phone: Phone) -> None:
    phone.open("register")
    number = fill(phone)
    phone.send("注册")
    phone.is_at("declare")
    stored = phone.page.evaluate("JSON.stringify(localStorage)")
    assert number not in stored and PASSWORD not in stored


def test_another_document_is_chosen_by_its_name(phone: Phone) -> None:
    phone.open("register").choose("证件类型", "护照")
    fill(phone, 证件号码=f"E{id_number()[9:17]}", 用户名="passport0holder")
    phone.send("注册")
    phone.is_at("declare")


def test_wechat_gives_the_number_when_the_person_allows_it(phone: Phone) -> None:
    phone.open("register")
    fill(phone)
    phone.tap("使用微信手机号")
    phone.see("申请获取并验证你的手机号").page.get_by_role("button", name="允许").click()
    phone.see("已授权微信手机号")
    expect(phone.field("手机号")).to_have_count(0)
    phone.send("注册")
    phone.is_at("declare")


def test_who_refuses_wechat_types_the_number(phone: Phone) -> None:
    phone.open("register").tap("使用微信手机号")
    phone.see("申请获取并验证你的手机号").page.get_by_role("button", name="拒绝").click()
    expect(phone.field("手机号")).to_be_visible()
    phone.misses("已授权微信手机号")


def test_who_lives_in_two_accounts_is_told(phones: Callable[..., Phone], person: Person) -> None:
    phone = phones().open("register")
    fill(phone, 证件号码=person.number, 用户名="another0name")
    phone.send("注册")
    expect(phone.page.get_by_role("alert").first).to_be_visible()
    phone.is_at("register")


def test_a_second_tap_on_a_slow_network_registers_once(phone: Phone) -> None:
    phone.open("register")
    fill(phone)
    button = phone.button("注册")
    button.dblclick()
    phone.is_at("declare")
    assert phone.calls.count("POST /api/v1/accounts") == 1


def test_an_account_is_opened_on_a_new_phone_by_name_and_password(
    phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones().open("home").see("三步拥有吉祥码")
    phone.tap("登录")
    phone.type("用户名", declared.username)
    phone.type("密码", PASSWORD)
    phone.send("登录")
    phone.is_at("code").shows_code("绿码")
    phone.go_back()
    phone.is_at("home").see("您好，示**")


def test_a_password_is_changed_and_other_phones_have_to_log_in(phones: Callable[..., Phone], person: Person) -> None:
    phone, other = phones(person).open("password"), phones().open("login")
    other.type("用户名", person.username)
    other.type("密码", PASSWORD)
    other.send("登录")
    other.is_at("code")
    for current, fresh, label, told in (
        ("not-the-password", "kite-Harbor-73", "当前密码", "当前密码不正确"),
        (PASSWORD, PASSWORD, "新密码", "不能与当前密码相同"),
        (PASSWORD, "password1", "新密码", "容易猜到"),
    ):
        phone.type("当前密码", current)
        phone.type("新密码", fresh)
        phone.send("修改密码")
        phone.field_says(label, told)
    phone.type("新密码", "kite-Harbor-73")
    phone.send("修改密码")
    phone.see("密码已修改")
    phone.open("code").see("完成一次健康申报后即可获得吉祥码")
    assert "kite-Harbor-73" not in phone.page.evaluate("JSON.stringify(localStorage)")
    other.open("code").is_settled()  # asks, is refused, and logs in with WeChat: as nobody
    other.open("home").see("三步拥有吉祥码")


def test_a_wrong_password_is_told_and_the_right_one_still_works(phones: Callable[..., Phone], person: Person) -> None:
    phone = phones().open("login")
    phone.type("用户名", person.username)
    phone.type("密码", "not-the-password")
    phone.send("登录")
    phone.see("用户名或密码")
    phone.type("密码", PASSWORD)
    phone.send("登录")
    phone.is_at("code").see("完成一次健康申报后即可获得吉祥码")

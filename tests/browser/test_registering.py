"""Registration in few taps, log-in, and user name and password, with what is wrong told at its field."""

from collections.abc import Callable

from playwright.sync_api import expect

from devstack.people import PASSWORD
from tests.browser.phone import Phone
from tests.browser.system import Person, System, id_number

TAPS = """window.taps = 0; document.addEventListener('click', (event) => {
    // the click that a label passes on to its box, and that of a key, are not of a finger
    if (event.isTrusted && event.pointerType) window.taps += 1;
}, true);"""


def fill(phone: Phone, **different: str) -> str:
    """Open all that can be filled in, and do so as an invented person; returns the document's number."""
    number = different.get("证件号码", id_number())
    form = {
        "用户名": f"r{number[6:17]}",
        "密码": PASSWORD,
        "姓名": "示例松",
        "证件号码": number,
        "手机号": "13800000000",
    }
    for label, opens in (("手机号", "手动填写手机号"), ("用户名", "同时设置用户名和密码")):
        if not phone.field(label).count():
            phone.tap(opens)
    for label, text in {**form, **different}.items():
        phone.type(label, text)
    return number


def test_a_newcomer_has_a_green_code_and_a_reminder_after_nine_taps(phones: Callable[..., Phone]) -> None:
    phone = phones(agreed=False)
    phone.begins_with(TAPS)
    phone.open("home").see("三步拥有吉祥码").tap("注册")
    phone.is_at("register").tap("同意并继续")
    expect(phone.field("姓名")).to_be_focused()
    phone.page.keyboard.type("示例松")
    phone.page.keyboard.press("Enter")  # 下一项 of WeChat's keyboard
    expect(phone.field("证件号码")).to_be_focused()
    phone.page.keyboard.type(id_number())
    phone.tap("使用微信手机号注册")
    phone.wechat("允许")
    phone.is_at("declare").tap("没有任何症状")
    phone.see("最近是否接触过").tap("没有")
    phone.see("请核对").tap("我已阅读并同意")
    phone.sends_declaration("允许")
    phone.is_at("code").shows_code("绿码")
    assert phone.page.evaluate("window.taps") == 9
    assert phone.kept("citizen.account")["name"] == "示**"
    phone.tap("订阅变码提醒")
    phone.see("还可收到 1 条")


def test_user_name_and_password_may_be_chosen_at_once_as_well(phones: Callable[..., Phone]) -> None:
    phone, other = phones().open("register"), phones().open("login")
    number = fill(phone)
    phone.send("注册")
    phone.is_at("declare").see("目前有没有以下症状？")
    other.type("用户名", f"r{number[6:17]}")
    other.type("密码", PASSWORD)
    other.send("登录")
    other.is_at("code")


def test_who_registered_without_a_password_is_offered_one_and_logs_in_with_it(phones: Callable[..., Phone]) -> None:
    phone, other = phones().open("register"), phones().open("login")
    phone.type("姓名", "示例松")
    phone.type("证件号码", id_number())
    phone.tap("使用微信手机号注册")
    phone.wechat("允许")
    phone.is_at("declare")
    phone.open("home").see("您还没有用户名和密码").tap("设置用户名和密码")
    phone.is_at("password").title("设置用户名和密码").send("设置")
    phone.field_says("用户名", "请填写用户名")
    phone.field_says("密码", "请填写密码")
    phone.type("用户名", "chosen.later")
    phone.type("密码", PASSWORD)
    phone.send("设置")
    phone.see("已设置").open("home").see("修改密码").misses("您还没有用户名和密码")
    other.type("用户名", "chosen.later")
    other.type("密码", PASSWORD)
    other.send("登录")
    other.is_at("code").see("申报后即可查看吉祥码")


def test_everything_that_is_wrong_stands_at_its_field_at_once_and_the_first_is_on_the_screen(phone: Phone) -> None:
    phone.page.set_viewport_size({"width": 375, "height": 500})
    phone.open("register")
    fill(phone, 姓名="", 用户名="Ab", 密码="short", 证件号码="229999198506070010", 手机号="12")
    phone.send("注册")
    for label, told in (
        ("姓名", "请填写姓名"),
        ("证件号码", "校验"),
        ("手机号", "请填写 11 位手机号"),
        ("用户名", "用户名为 4–32 位"),
        ("密码", "密码至少 8 位"),
    ):
        phone.field_says(label, told)
    expect(phone.field("姓名")).to_be_in_viewport()
    assert phone.field("手机号").input_value() == "12", "what was typed is still there"
    fill(phone)
    phone.send("注册")
    phone.is_at("declare")


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


def test_wechat_gives_the_number_once_also_when_something_else_is_wrong(phone: Phone) -> None:
    phone.open("register").type("姓名", "示例松")
    phone.tap("使用微信手机号注册")
    phone.wechat("允许")
    phone.see("已授权微信手机号").field_says("证件号码", "请填写证件号码")
    expect(phone.field("手机号")).to_have_count(0)
    phone.type("证件号码", id_number())
    phone.send("注册")
    phone.is_at("declare")


def test_who_refuses_wechat_types_the_number(phone: Phone) -> None:
    phone.open("register").tap("使用微信手机号注册")
    phone.see("申请获取并验证你的手机号").wechat("拒绝")
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
    phone.open("code").see("申报后即可查看吉祥码")
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
    phone.is_at("code").see("申报后即可查看吉祥码")


def test_another_wechat_that_opens_the_account_is_seen_and_unbound(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    system.bind(declared, f"{declared.phone}-elsewhere")
    phone = phones(declared).open("home").see("您好，示**")
    phone.tap("绑定的微信")
    phone.is_at("bindings").see("另一个微信", "本微信", "注册账号时的微信")
    phone.tap("解除绑定")
    phone.see("该微信不再打开您的账号").wechat("取消")
    phone.see("另一个微信").tap("解除绑定")
    phone.wechat("解除绑定")
    phone.misses("另一个微信").see("本微信")
    phone.open("code").shows_code("绿码")
    assert not system.is_logged_in(declared.session), "the session of before has ended"

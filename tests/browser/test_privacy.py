"""Consent before personal data leaves the phone, and the deletion of the account in the mini-program."""

from collections.abc import Callable

from playwright.sync_api import expect

from devstack.people import PASSWORD
from tests.browser.phone import Phone, privacy_version
from tests.browser.system import Person, System


def test_a_newcomer_reads_and_agrees_before_there_is_a_form(phones: Callable[..., Phone]) -> None:
    phone = phones(agreed=False).open("register").see("使用个人信息前，请您阅读", "监护人阅读并同意")
    expect(phone.field("姓名")).to_have_count(0)
    phone.tap("个人信息处理说明")
    phone.is_at("privacy").see("监护人须知", f"版本 {privacy_version()}").go_back()
    phone.is_at("register").tap("微信《用户隐私保护指引》")
    phone.wechat("确定")
    phone.tap("不同意")
    phone.is_at("home").tap("注册")
    phone.see("使用个人信息前").tap("同意并继续")
    expect(phone.field("姓名")).to_be_visible()
    phone.tap("使用微信手机号")
    phone.see("申请获取并验证你的手机号").wechat("拒绝")
    assert "POST /api/v1/accounts" not in phone.calls
    phone.dies()
    expect(phone.field("姓名")).to_be_visible()


def test_an_account_is_deleted_and_the_phone_is_that_of_a_newcomer(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    phone = phones(declared).open("home").see("您好，示**")
    phone.tap("注销账号")
    phone.is_at("erase").see("隔离等防控措施继续有效").type("密码", "not-the-password")
    phone.send("注销账号")
    phone.see("注销后不能撤回").wechat("注销")
    phone.field_says("密码", "密码不正确")
    phone.type("密码", PASSWORD)
    phone.send("注销账号")
    phone.wechat("再想想")
    phone.is_at("erase").tap("用微信确认并注销")
    phone.wechat("注销")
    phone.see("账号已注销，姓名、手机号").wechat("知道了")
    phone.is_at("home").see("三步拥有吉祥码")
    assert not system.is_logged_in(declared.session)
    assert phone.kept("privacy.agreed") == ""
    phone.open("erase").see("将立即删除").tap("登录")
    phone.is_at("login")

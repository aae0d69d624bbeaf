"""A citizen takes their data along as a file, and corrects name and document, in the mini-program."""

from collections.abc import Callable

from devstack.people import PASSWORD
from tests.browser.phone import Phone
from tests.browser.system import Person, id_number


def test_the_data_are_taken_along_as_pdf_and_as_json(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("mydata").see("关于您的全部数据")
    phone.type("密码", "not-the-password")
    phone.send("用密码确认")
    phone.field_says("密码", "密码不正确")
    phone.type("密码", PASSWORD)
    phone.send("用密码确认")
    phone.see("已导出")
    with phone.page.expect_popup():
        phone.tap("打开")
    phone.tap("导出 JSON（便于其他程序读取）")
    phone.misses("已导出").tap("用微信确认")
    phone.see("已导出").tap("发送到聊天（如文件传输助手）")
    assert phone.calls.count("POST /api/v1/accounts/me/export.pdf") == 2
    assert phone.calls.count("POST /api/v1/accounts/me/export") == 1
    phone.tap("谁看过我的记录")
    phone.is_at("access").tap("查看您本人和系统的操作")
    phone.see("导出您的全部数据")


def test_a_name_is_corrected_on_the_word_of_the_platform(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("mydata")
    phone.tap("更正姓名")
    phone.is_at("name").type("姓名", "1")
    phone.type("密码", PASSWORD)
    phone.send("更正")
    phone.field_says("姓名", "姓名")
    phone.type("姓名", "示例改名了")
    phone.type("密码", PASSWORD)
    phone.send("更正")
    phone.is_at("mydata")
    phone.open("home").see("您好，示****")


def test_another_document_is_asked_for_and_what_became_of_it_is_shown(
    phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones(declared).open("mydata")
    phone.tap("更正证件")
    phone.is_at("document").see("现登记的证件号码")
    phone.type("新证件号码", "1")
    phone.type("密码", PASSWORD)
    phone.send("申请更正")
    phone.field_says("新证件号码", "18 位")
    phone.type("新证件号码", id_number())
    phone.type("密码", PASSWORD)
    phone.send("申请更正")
    phone.see("正在核对", "由两名工作人员核对").misses("申请更正")

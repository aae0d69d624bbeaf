"""A citizen who holds their color to be wrong says so, sees what becomes of it, and sees who looked at their record."""

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Request, expect

from tests.browser.answers import broken, refused, silent
from tests.browser.axe import faults
from tests.browser.pages import SCREENS, make_large
from tests.browser.phone import SHOWN, Phone
from tests.browser.system import Person, System

APPEALS = "/api/v1/appeals"
SAID = "那天我没有去过示例商场。\n我整天在家。"


@pytest.fixture
def orange(system: System, declared: Person) -> Person:
    """Somebody whom the platform holds to be a contact."""
    return system.of_color(f"appealing-{declared.phone}", "orange")


def picture(name: str = "示例.png", width: int = 40) -> FilePayload:
    file = io.BytesIO()
    Image.effect_noise((width, width), 90).save(file, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": file.getvalue()}


def document(content: bytes = b"%PDF-1.4\n%%EOF", name: str = "示例证明.pdf") -> FilePayload:
    return {"name": name, "mimeType": "application/pdf", "buffer": content}


def add(phone: Phone, words: str, *files: FilePayload) -> None:
    """Choose files in the browser's own dialog."""
    with phone.page.expect_file_chooser() as dialog:
        phone.tap(words)
    dialog.value.set_files(list(files))


def filed(phone: Phone, said: str = SAID) -> Phone:
    """Write and send."""
    phone.type("哪里不对？", said)
    phone.send("提交申请")
    return phone


# --- filing ---------------------------------------------------------------------------------------------------------


def test_an_appeal_goes_from_the_code_with_a_picture_and_a_document(
    phones: Callable[..., Phone], orange: Person
) -> None:
    phone = phones(orange).open("code").shows_code("橙码")
    phone.tap("颜色有误？")
    phone.is_at("appeal").see("24 小时内答复", "0 / 500")
    add(phone, "添加图片", picture())
    add(phone, "从聊天中选择 PDF", document())
    phone.see("图片 1", "示例证明.pdf", "1 KB")
    expect(phone.page.locator(f"{SHOWN} .thumb img")).to_have_js_property("naturalWidth", 40)
    filed(phone).is_at("appeals").see("正在办理", "最迟答复 2", "那天我没有去过示例商场。")
    phone.misses("申请纠错")
    phone.open("appeal").see("您有一件纠错申请正在办理").tap("查看我的纠错申请")
    phone.is_at("appeals")


def test_only_a_code_with_a_color_can_be_appealed_from_its_page(
    phones: Callable[..., Phone], person: Person, system: System
) -> None:
    with system.platform_away():
        system.declare(person)
        phone = phones(person).open("code").shows_code("未核验")
        phone.misses("颜色有误？")
        phone.open("history").see("等待平台核验").misses("颜色有误？")


def test_the_record_leads_to_an_appeal_of_the_newest_decision_alone(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    system.measure(declared, 37.9)
    phone = phones(declared).open("history").see("现场测温")
    expect(phone.page.get_by_role("link", name="颜色有误？")).to_have_count(1)
    phone.tap("颜色有误？")
    phone.is_at("appeal").go_back()
    phone.is_at("history").tap("纠错申请")
    phone.is_at("appeals").see("您还没有申请过纠错").tap("申请纠错")
    phone.is_at("appeal")


def test_the_text_ends_at_its_bound_and_the_page_counts(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("appeal").see("0 / 500")
    phone.send("提交申请")
    phone.field_says("哪里不对？", "请写明哪里不对")
    field = phone.field("哪里不对？")
    field.fill("字" * 499)
    field.press_sequentially("一二三")
    phone.see("500 / 500")
    assert field.input_value() == "字" * 499 + "一"
    phone.misses("请写明哪里不对")


def test_three_files_are_enough_a_large_one_is_not_taken_and_each_can_be_removed(
    phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones(declared).open("appeal")
    add(phone, "添加图片", picture(), {**picture(), "buffer": bytes(2 * 1024 * 1024 + 1)})
    phone.see("超过 2 MB 的文件没有添加", "图片 1").misses("图片 2")
    add(phone, "添加图片", picture(), picture())
    phone.misses("添加图片", "从聊天中选择 PDF", "超过 2 MB 的文件没有添加")
    phone.tap("移除 2")
    phone.see("添加图片").misses("图片 3")


def test_a_photo_that_is_too_large_is_made_smaller_on_the_phone(phones: Callable[..., Phone], orange: Person) -> None:
    file = io.BytesIO()
    Image.effect_noise((3200, 2400), 30).save(file, "JPEG", quality=95)
    assert len(file.getvalue()) > 2 * 1024 * 1024
    phone = phones(orange).open("appeal")
    add(phone, "添加图片", {"name": "示例.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()})
    phone.see("图片 1").misses("超过 2 MB 的文件没有添加")
    expect(phone.page.locator(f"{SHOWN} .thumb img")).to_have_js_property("naturalWidth", 2000)
    filed(phone).is_at("appeals").see("正在办理")


def test_what_is_no_picture_is_refused_at_its_place_and_the_text_stays(
    phones: Callable[..., Phone], orange: Person
) -> None:
    phone = phones(orange).open("appeal")
    add(phone, "添加图片", picture())
    add(phone, "从聊天中选择 PDF", document(b"no document"))
    filed(phone).see("有内容填写不正确")
    row = phone.page.locator(f"{SHOWN} .file")
    expect(row.last.get_by_role("alert")).to_have_text("附件应为 JPEG、PNG 图片或 PDF 文件")
    expect(row.first.get_by_role("alert")).to_have_count(0)
    assert phone.field("哪里不对？").input_value() == SAID
    phone.tap("移除 2")
    phone.send("提交申请")
    phone.is_at("appeals").see("正在办理")


def test_while_it_is_sent_the_page_says_how_much_and_a_second_tap_does_nothing(
    phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones(declared).open("appeal").is_settled()
    sizes: list[int] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sizes.append(len(request.post_data or ""))

    phone.page.on("request", note)
    phone.answers(APPEALS, silent)
    large = picture(width=1100)
    add(phone, "添加图片", large)
    filed(phone).see("正在发送 1.", "请不要离开此页")
    expect(phone.button("提交申请")).to_be_disabled()
    expect(phone.field("哪里不对？")).to_be_disabled()
    assert len(sizes) == 1 and sizes[0] > len(large["buffer"]) * 4 / 3


# --- refusals -------------------------------------------------------------------------------------------------------


def test_who_has_not_declared_is_led_to_a_declaration(phones: Callable[..., Phone], person: Person) -> None:
    phone = filed(phones(person).open("appeal"))
    phone.see("尚未进行健康申报", "申报并确认身份后，即可申请纠错").tap("健康申报")
    phone.is_at("declare")


def test_a_second_appeal_is_told_that_the_first_is_open(
    phones: Callable[..., Phone], orange: Person, system: System
) -> None:
    phone = phones(orange).open("appeal").see("0 / 500")
    system.appeal(orange, "示例")
    filed(phone).see("您已有一件纠错申请正在办理").tap("查看我的纠错申请")
    phone.is_at("appeals").see("正在办理")


def test_after_three_in_a_week_the_page_says_from_when_on(
    phones: Callable[..., Phone], orange: Person, system: System
) -> None:
    for _ in range(3):
        system.uphold(system.appeal(orange, "示例"))
    filed(phones(orange).open("appeal")).see("七天内最多申请三次纠错", "可再次申请的最早时间 20")


def test_what_is_too_large_for_the_server_is_told_with_the_way_out(
    phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones(declared).open("appeal").see("0 / 500")
    phone.answers(APPEALS, refused(413, "too-large", "发送的内容过大"))
    filed(phone).see("发送的内容过大", "请移除部分附件")


def test_without_network_what_was_written_stays_and_goes_later(phones: Callable[..., Phone], orange: Person) -> None:
    phone = phones(orange).open("appeal").see("0 / 500")
    phone.answers(APPEALS, broken)
    filed(phone).see("无法连接服务", "查看我的纠错申请")
    assert phone.calls.count(f"POST {APPEALS}") == 1, "nobody appeals twice by a repetition"
    assert phone.field("哪里不对？").input_value() == SAID
    phone.answers_again()
    phone.send("提交申请")
    phone.is_at("appeals").see("正在办理")


# --- answers and looks ----------------------------------------------------------------------------------------------


def test_an_answer_quotes_the_record_in_the_language_of_the_reader(
    phones: Callable[..., Phone], orange: Person, system: System
) -> None:
    system.uphold(system.appeal(orange, SAID))
    phone = phones(orange).open("appeals").see("已答复：原判定无误", "国家政务服务平台的结果未变", "示例疾控 2020-009")
    phone.see("申请纠错")
    phone.page.evaluate("window.phone.wx.setStorageSync('settings', { language: 'en', large: false })")
    phone.open_again()
    phone.see("Answered: the decision was right", "Evidence: contact", "About the decision of")


def test_a_mended_record_turns_the_color_and_the_citizen_sees_who_did_it(
    phones: Callable[..., Phone], orange: Person, system: System
) -> None:
    system.overturn(system.appeal(orange, SAID))
    phone = phones(orange).open("appeals").see("已答复：依据已更正", "录入的不是您本人")
    phone.open("access").see("受理纠错：已更正依据", "撤销一条依据", "录入的不是您本人", "工作人员")
    phone.misses("示例受理员")
    assert system.state(orange) != "ORANGE"


def test_others_who_acted_are_told_first_with_role_and_place_and_own_deeds_apart(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    system.measure(declared, 37.9)
    phone = phones(declared).open("access").see("登记一条依据")
    panels = phone.page.locator(f"{SHOWN} .panel")
    expect(panels).to_have_count(2)
    expect(panels.nth(1)).to_contain_text("查验员 · 长春市")
    phone.misses("注册账号").tap("查看您本人和系统的操作")
    phone.see("注册账号", "国家政务服务平台")
    expect(panels.last).to_contain_text("注册账号")


def test_a_long_list_of_looks_comes_in_parts(phones: Callable[..., Phone], declared: Person, system: System) -> None:
    for celsius in (37.5, 36.5) * 13:  # each is recorded and decided
        system.measure(declared, celsius)
    phone = phones(declared).open("access").see("更早的记录")
    panels = phone.page.locator(f"{SHOWN} .panel")
    expect(panels).to_have_count(50)
    # without going to the end of the page, where it comes by itself
    phone.button("更早的记录").evaluate("button => button.click()")
    expect(panels).to_have_count(52)
    phone.misses("更早的记录")


# --- for everybody --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_form_with_files_and_an_answer_have_no_serious_fault_and_fit_every_screen(
    language: str, phones: Callable[..., Phone], orange: Person, system: System
) -> None:
    system.uphold(system.appeal(orange, SAID))
    phone = phones(orange, settings={"language": language, "large": False}).open("appeal").is_settled()
    words = {"zh": ("添加图片", "提交申请"), "en": ("Add a picture", "Send")}[language]
    add(phone, words[0], picture(), {**picture(), "buffer": bytes(2 * 1024 * 1024 + 1)})
    phone.send(words[1])
    expect(phone.page.locator(f"{SHOWN} .wrong")).to_have_count(2)
    for page in ("appeal", "appeals", "access"):
        if page != "appeal":
            phone.open(page).is_settled()
        assert faults(phone) == []
        make_large(phone)
        assert faults(phone) == []
        assert phone.runs_out_on(SCREENS) == []

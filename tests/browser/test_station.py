"""An inspector at work with network: what to do is said, heard and counted, and bad codes are told apart."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from devstack.people import INSPECTOR, PASSWORD, STATION
from tests.browser.inspector import Inspector
from tests.browser.phone import SHOWN, Phone
from tests.browser.system import Person, System, token_of_another_system

CHECK = "POST /api/v1/checks"


@pytest.fixture
def inspector(inspector: Inspector) -> Inspector:
    """A phone at the station, ready to scan."""
    return inspector.open("station").is_settled()


def test_an_inspector_logs_in_and_is_at_the_station(phone: Phone) -> None:
    phone.open("home").tap("查验员入口")
    phone.is_at("station-login").type("用户名", INSPECTOR)
    phone.type("密码", "not-the-password")
    phone.send("登录")
    phone.see("用户名或密码").type("密码", PASSWORD)
    phone.send("登录")
    phone.is_at("station").see(STATION, "在线", "请扫描对方的吉祥码")


@pytest.mark.parametrize(
    ("state", "word", "title", "sound"),
    [
        ("green", "绿码", "放行", "pass"),
        ("yellow", "黄码", "测温", "measure"),
        ("orange", "橙码", "劝返", "stop"),
        ("red", "红码", "不得通行", "stop"),
    ],
)
def test_each_color_says_what_to_do_in_words_color_and_sound_and_is_counted(
    state: str, word: str, title: str, sound: str, inspector: Inspector, system: System
) -> None:
    person = system.of_color(f"checked-{state}", state)
    inspector.dies()
    inspector.is_settled()
    before = inspector.counts()
    inspector.scan(system.token(person)).verdict(title, word)
    expect(inspector.page.locator(f"{SHOWN} .result.state-{state}")).to_be_visible()
    inspector.heard(sound)
    column = ["pass", "measure", "stop"].index(sound)
    after = [number + (at == column) for at, number in enumerate(before)]
    expect(inspector.page.locator(f"{SHOWN} .counts .number")).to_have_text([str(number) for number in after])
    inspector.dies()
    inspector.is_settled()
    assert inspector.counts() == after, "the server has counted the same"


def test_an_unverified_person_is_measured_and_passes_with_a_normal_temperature(
    inspector: Inspector, person: Person, system: System
) -> None:
    with system.platform_away():
        system.declare(person)
        inspector.scan(system.token(person)).verdict("测温", "未核验").see("不代表健康异常")
        inspector.measure("366").verdict("放行")


def test_a_fever_stops_and_turns_the_code_yellow_and_a_normal_temperature_green(
    inspector: Inspector, declared: Person, system: System
) -> None:
    measured = inspector.counts()[3]
    inspector.scan(system.token(declared)).verdict("放行", "绿码")
    inspector.measure("375").verdict("劝返", "黄码").looks("does-stop")
    assert system.state(declared) == "YELLOW"
    inspector.measure("365").verdict("放行", "绿码")
    assert system.state(declared) == "GREEN"
    assert inspector.counts()[3] == measured + 2


def test_an_orange_person_stays_stopped_however_normal_the_temperature_is(inspector: Inspector, system: System) -> None:
    person = system.of_color("orange-and-cool", "orange")
    inspector.scan(system.token(person)).verdict("劝返", "橙码").measure("365").verdict("劝返", "橙码")
    inspector.looks("state-orange")


def test_the_keypad_takes_no_temperature_that_nobody_has(
    inspector: Inspector, declared: Person, system: System
) -> None:
    inspector.scan(system.token(declared)).verdict("放行").tap("登记体温")
    keypad = inspector.page.get_by_role("dialog")
    done = keypad.get_by_role("button", name="登记", exact=True)
    for digit in "500":
        keypad.get_by_role("button", name=digit, exact=True).click()
    inspector.see("50.0", "请输入 34.0–43.0")
    expect(done).to_be_disabled()
    for _ in range(3):
        keypad.get_by_role("button", name="删除").click()
    inspector.see("--.-")
    for digit in "37":
        keypad.get_by_role("button", name=digit, exact=True).click()
    done.click()
    inspector.verdict("放行")


def test_the_keypad_can_be_left_without_a_temperature(inspector: Inspector, declared: Person, system: System) -> None:
    inspector.scan(system.token(declared)).verdict("放行").tap("登记体温")
    inspector.page.get_by_role("dialog").get_by_role("button", name="取消").click()
    expect(inspector.page.get_by_role("dialog")).to_have_count(0)
    inspector.verdict("放行")


def test_the_camera_checks_one_code_after_another_and_each_showing_once(
    inspector: Inspector, declared: Person, system: System
) -> None:
    token, red = system.token(declared), system.token(system.of_color("seen-red", "red"))
    inspector.tap("连续扫码")
    inspector.calls.clear()
    for _ in range(3):
        inspector.shows_to_camera(token)
    inspector.verdict("放行", "绿码").tap("登记体温")
    inspector.shows_to_camera(red)  # while somebody is measured
    inspector.page.get_by_role("dialog").get_by_role("button", name="取消").click()
    inspector.verdict("放行", "绿码")
    inspector.shows_to_camera("你好").see("这不是吉祥码")
    inspector.shows_to_camera(red + "\r\n").verdict("不得通行", "红码")
    assert inspector.calls.count(CHECK) == 2
    inspector.tap("结束连续扫码")
    expect(inspector.page.locator("camera")).to_have_count(0)
    inspector.verdict("不得通行", "红码")


def test_a_camera_that_may_not_be_used_is_told(inspector: Inspector) -> None:
    inspector.tap("连续扫码")
    inspector.page.evaluate("window.phone.page().blind()")
    inspector.see("无法使用摄像头", "请在微信设置中允许使用相机")
    expect(inspector.page.locator("camera")).to_have_count(0)


@pytest.mark.parametrize("text", ["你好", "https://example.com/JX1:", "JX1:", "x" * 3000])
def test_what_is_no_code_of_ours_is_told(text: str, inspector: Inspector) -> None:
    inspector.scan(text).see("这不是吉祥码", "请让对方打开小程序的“查看吉祥码”，再扫一次")
    inspector.heard("stop")
    inspector.tap("重新扫码")
    expect(inspector.page.get_by_role("dialog")).to_be_visible()


def test_a_code_of_another_system_is_told(inspector: Inspector) -> None:
    inspector.scan(token_of_another_system()).see("此码不是本系统签发", "否则不得放行")


def test_a_code_that_has_ended_is_told(inspector: Inspector, declared: Person, system: System) -> None:
    token = system.token(declared)
    system.advance(minutes=2)
    inspector.scan(token).see("此码已过期", "截图很快失效")
    inspector.scan(system.token(declared)).verdict("放行", "绿码").misses("此码已过期")


def test_a_scanner_that_is_closed_leaves_everything_as_it_was(
    inspector: Inspector, declared: Person, system: System
) -> None:
    inspector.scan(system.token(declared)).verdict("放行", "绿码")
    inspector.tap("下一位")
    inspector.page.get_by_role("button", name="关闭").click()
    inspector.verdict("放行", "绿码")


def test_nothing_of_a_person_is_left_once_the_page_is_left(
    inspector: Inspector, declared: Person, system: System
) -> None:
    token = system.token(declared)
    inspector.scan(token).verdict("放行", "绿码").dies()
    inspector.see("请扫描对方的吉祥码").misses("绿码")
    assert token not in inspector.page.evaluate("JSON.stringify(localStorage)")


def test_a_session_that_has_ended_leads_to_the_log_in(inspector: Inspector, declared: Person, system: System) -> None:
    system.log_inspector_out(inspector.kept("station.session"))
    inspector.scan(system.token(declared))
    inspector.is_at("station-login")
    inspector.type("用户名", INSPECTOR)
    inspector.type("密码", PASSWORD)
    inspector.send("登录")
    inspector.is_at("station").see(STATION)


def test_the_language_and_the_size_are_switched_at_the_station(
    inspector: Inspector, declared: Person, system: System
) -> None:
    inspector.tap("English")
    inspector.title("Check").see("Scan the person’s Jixiang code").tap("Large type")
    inspector.see("Normal type").scan_in_english(system.token(declared))
    inspector.verdict("Pass", "Green")


def test_leaving_is_asked_first_and_is_not_under_the_thumb_of_who_scans(
    inspector: Inspector, declared: Person, system: System
) -> None:
    inspector.scan(system.token(declared)).verdict("放行")
    scan, leave = (inspector.button(name).bounding_box() for name in ("下一位", "退出"))
    assert scan and leave and leave["y"] + leave["height"] < scan["y"] - 300
    inspector.tap("退出")
    inspector.see("再次查验须重新登录").page.get_by_role("dialog").get_by_role("button", name="取消").click()
    inspector.is_at("station").verdict("放行")


def test_leaving_ends_the_shift(inspector: Inspector, system: System) -> None:
    session = inspector.kept("station.session")
    inspector.leave()
    assert inspector.kept("station.session") == "" and session
    inspector.open("station").is_at("station-login")


def read_document(inspector: Inspector, number: str, name: str) -> Inspector:
    """Have a reader type a document: each part ends with Enter."""
    inspector.tap("对方没有手机？证件查验")
    expect(inspector.field("证件号码")).to_be_focused()
    inspector.page.keyboard.type(number)
    inspector.page.keyboard.press("Enter")
    expect(inspector.field("姓名")).to_be_focused()
    inspector.page.keyboard.insert_text(name)
    inspector.page.keyboard.press("Enter")
    return inspector


def test_a_document_is_checked_for_somebody_without_a_phone_who_reads_it_later(
    inspector: Inspector, phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    before = inspector.counts()
    read_document(inspector, declared.number, declared.name).verdict("放行", "绿码").heard("pass")
    inspector.measure("375").verdict("劝返", "黄码").looks("does-stop")
    assert system.state(declared) == "YELLOW"
    after = [before[0] + 1, *before[1:3], before[3] + 1]
    expect(inspector.page.locator(f"{SHOWN} .counts .number")).to_have_text([str(number) for number in after])
    assert declared.number not in inspector.page.evaluate("JSON.stringify(localStorage)")
    phone = phones(declared)
    phone.open("access")
    phone.becomes("查验点查验了您的证件", STATION)


def test_a_reader_that_ends_parts_with_a_tab_fills_both_fields(inspector: Inspector, declared: Person) -> None:
    inspector.tap("对方没有手机？证件查验")
    inspector.type("证件号码", f"{declared.name}\t{declared.number}\t")
    expect(inspector.field("姓名")).to_have_value(declared.name)
    expect(inspector.field("证件号码")).to_have_value(declared.number)
    inspector.page.get_by_role("dialog").get_by_role("button", name="查验", exact=True).click()
    inspector.verdict("放行", "绿码")


def test_whoever_is_not_found_is_asked_for_the_code(inspector: Inspector, declared: Person) -> None:
    read_document(inspector, declared.number, "示例他人").verdict("请出示码", "未查到").looks("does-ask")
    inspector.see("到服务窗口办理").misses("登记体温")


def test_a_number_that_no_document_has_is_told_at_its_field(inspector: Inspector, declared: Person) -> None:
    read_document(inspector, "229999", declared.name).see("证件查验", "证件号码")
    expect(inspector.page.locator(f"{SHOWN} .field-wrong .wrong")).to_be_visible()
    inspector.type("证件号码", declared.number)
    inspector.page.keyboard.press("Enter")
    inspector.verdict("放行", "绿码")


def test_without_network_a_document_cannot_be_checked_and_the_page_says_what_can(
    inspector: Inspector, declared: Person
) -> None:
    inspector.online(False)
    read_document(inspector, declared.number, declared.name).see("没有网络，无法按证件查验", "离线也可查验")

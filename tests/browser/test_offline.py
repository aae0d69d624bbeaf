"""An inspector without network: codes are verified by the published keys, and what was done is sent later."""

from collections.abc import Callable

import pytest

from devstack.people import STATION
from tests.browser.answers import broken
from tests.browser.inspector import Inspector
from tests.browser.phone import comes_true
from tests.browser.system import Person, System, token_of_another_system

BATCH = "POST /api/v1/checks/offline"
DAY = 24 * 60 * 60 * 1000  # milliseconds


@pytest.fixture
def inspector(inspector: Inspector) -> Inspector:
    """A phone at the station that had network until just now."""
    inspector.stops_time()
    inspector.open("station").is_settled()
    comes_true(inspector.page, "window.phone.wx.getStorageSync('station.keys')")
    return inspector


def test_a_code_is_verified_without_network_and_says_so(inspector: Inspector, declared: Person, system: System) -> None:
    token = system.token(declared)
    minute = system.now().strftime("%H:%M")
    inspector.online(False)
    inspector.see("离线")
    inspector.calls.clear()
    inspector.scan(token).verdict("放行", "绿码").see("离线，码的时间", "1 条待补报")
    inspector.heard("pass")
    assert any(minute in line for line in inspector.text().splitlines() if "离线，码的时间" in line)


@pytest.mark.parametrize(("state", "title"), [("yellow", "测温"), ("orange", "劝返"), ("red", "不得通行")])
def test_other_colors_are_judged_as_with_network(state: str, title: str, inspector: Inspector, system: System) -> None:
    token = system.token(system.of_color(f"offline-{state}", state))
    inspector.online(False)
    inspector.scan(token).verdict(title).see("离线，码的时间")


def test_a_server_that_does_not_answer_is_like_no_network(
    inspector: Inspector, declared: Person, system: System
) -> None:
    token = system.token(declared)
    inspector.answers("", broken)
    inspector.scan(token)
    inspector.lets_pass(5)
    inspector.verdict("放行", "绿码").see("离线，码的时间", "1 条待补报")


def test_bad_codes_are_told_apart_without_network(inspector: Inspector, declared: Person, system: System) -> None:
    token = system.token(declared)
    inspector.online(False)
    inspector.scan("你好").see("这不是吉祥码")
    inspector.scan(token_of_another_system()).see("此码不是本系统签发")
    inspector.lets_pass(75)
    inspector.scan(token).see("此码已过期")
    inspector.misses("条待补报")


def test_what_was_done_survives_the_phone_and_is_sent_when_the_network_is_back(
    inspector: Inspector, declared: Person, system: System
) -> None:
    passed = inspector.counts()[0]
    token = system.token(declared)
    inspector.online(False)
    inspector.scan(token).verdict("放行").see("1 条待补报")
    inspector.answers("", broken)
    inspector.dies()
    inspector.see("1 条待补报")
    inspector.answers_again()
    inspector.calls.clear()
    inspector.tap("立即补报")
    inspector.see("已补报 1").misses("条待补报")
    assert inspector.calls.count(BATCH) == 1
    inspector.is_settled()
    assert inspector.counts()[0] == passed + 1


def test_a_temperature_taken_without_network_arrives_as_evidence(
    inspector: Inspector, declared: Person, system: System
) -> None:
    token = system.token(declared)
    inspector.online(False)
    inspector.scan(token).verdict("放行", "绿码").looks("state-green")
    inspector.measure("376").verdict("劝返", "绿码").looks("does-stop").see("体温异常", "2 条待补报")
    inspector.scan(token).verdict("劝返", "绿码").looks("does-stop")
    assert system.state(declared) == "GREEN", "nobody has told the server yet"
    inspector.online(True)
    inspector.see("已补报 2", "在线").misses("条待补报")
    assert system.state(declared) == "YELLOW"


def test_the_same_code_twice_within_a_minute_is_one_person(
    inspector: Inspector, declared: Person, system: System
) -> None:
    token = system.token(declared)
    inspector.online(False)
    inspector.scan(token).see("1 条待补报")
    inspector.scan(token).verdict("放行").see("1 条待补报")


def test_what_the_server_does_not_take_is_told_and_does_not_block_the_rest(
    inspector: Inspector, declared: Person, system: System
) -> None:
    old = {
        "id": "0b0e7a52-0000-4000-8000-000000000001",
        "token": system.token(declared),
        "at": "2020-01-01T08:00:00+08:00",
        "celsius": None,
        "station": STATION,
    }
    inspector.page.evaluate("entry => window.phone.wx.setStorageSync('station.queue', [entry])", old)
    inspector.dies()
    inspector.see("1 条未被接受").misses("条待补报")


def test_without_keys_nobody_is_judged(phones: Callable[..., Inspector], declared: Person, system: System) -> None:
    inspector = phones(kind=Inspector, **system.inspector())
    inspector.answers("", broken)
    inspector.open("station").see("请扫描对方的吉祥码")
    inspector.online(False)
    inspector.scan(system.token(declared)).see("没有网络，本机也没有核验公钥", "请连接一次网络")


def test_keys_of_the_day_before_yesterday_are_not_trusted(
    inspector: Inspector, declared: Person, system: System
) -> None:
    inspector.online(False)
    inspector.page.evaluate(
        """age => {
            const kept = window.phone.wx.getStorageSync('station.keys');
            window.phone.wx.setStorageSync('station.keys', { ...kept, at: kept.at - age });
        }""",
        DAY + 60_000,
    )
    inspector.scan(system.token(declared)).see("本机的核验公钥已超过 24 小时", "请连接一次网络以更新公钥")


def test_leaving_with_unsent_work_asks_first(inspector: Inspector, declared: Person, system: System) -> None:
    token = system.token(declared)
    inspector.online(False)
    inspector.scan(token).see("1 条待补报")
    inspector.tap("退出")
    inspector.see("退出后将无法补报").page.get_by_role("dialog").get_by_role("button", name="取消").click()
    inspector.is_at("station").see("1 条待补报")
    inspector.leave()
    assert not inspector.kept("station.queue")


def test_in_english_the_page_says_offline_as_of(inspector: Inspector, declared: Person, system: System) -> None:
    token = system.token(declared)
    inspector.tap("English")
    inspector.online(False)
    inspector.see("offline").scan_in_english(token).verdict("Pass", "Green").see("offline, as of", "1 to be sent")

"""What the phones of the tests are shown in: the next one finds nothing of the one before it."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.answers import broken
from tests.browser.phone import Phone
from tests.browser.system import System
from tests.browser.windows import SIZE, Windows


def test_a_window_is_as_good_as_new_for_the_next_phone_and_closed_once_its_time_stood_still(
    browser: Browser, system: System
) -> None:
    windows = Windows(browser, system.address)
    first = Phone(windows.take(), system.address, "first").keep({"noted": "示例"}).begins_with("window.begun = true")
    first.open("home").see("人人有码、码上行动")
    first.answers("", broken)
    first.runs_out_on([(768, 1024)])
    first.put_away()
    windows.give_back(spoiled=False)

    second = Phone(windows.take(), system.address, "second").keep({})
    assert second.page is first.page and second.page.viewport_size == {"width": SIZE[0], "height": SIZE[1]}
    second.open("home").see("人人有码、码上行动").misses("显示的是上次打开时的内容", "无法连接服务")
    assert second.page.evaluate("[localStorage.length > 0, JSON.stringify(localStorage).includes('first')]") == [
        True,
        False,
    ]
    assert second.page.evaluate("window.begun") is None
    assert "GET /api/v1/home" in second.calls and first.calls.count("GET /api/v1/home") == 1
    second.stops_time().put_away()
    windows.give_back(spoiled=second.is_spoiled)
    assert windows.take() is not first.page and first.page.is_closed()
    windows.close()


def test_time_is_stopped_by_phones_which_say_so() -> None:
    files = [file for file in Path(__file__).parent.glob("*.py") if file.name not in ("phone.py", "test_windows.py")]
    assert len(files) > 20
    assert [file.name for file in files if "clock.install" in file.read_text(encoding="utf-8")] == []

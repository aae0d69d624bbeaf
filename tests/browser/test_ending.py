"""The end of the service on a phone: announced before, and afterwards no color is left, with network or without."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Route

from tests.browser.answers import refused
from tests.browser.inspector import Inspector
from tests.browser.phone import Phone
from tests.browser.system import Person

COLORS = ("绿码", "黄码", "橙码", "红码")
ENDED = refused(410, "service-ended", "吉祥码服务已结束")


def announcing(route: Route) -> None:
    """The server's own answer, with an announcement in it."""
    answer = route.fetch()
    ending = {
        "ends_on": "2026-12-31",
        "title": "吉祥码服务将于 2026-12-31 结束",
        "advice": "请导出数据。",
        "notice": "谢谢",
    }
    body: dict[str, Any] = {**answer.json(), "ending": ending}
    route.fulfill(response=answer, body=json.dumps(body))


def test_the_announced_end_is_on_the_pages_that_people_open(
    phones: Callable[..., Phone], declared: Person, inspector: Inspector
) -> None:
    phone = phones(declared)
    phone.answers("/api/v1/home", announcing)
    phone.open("home").see("吉祥码服务将于 2026-12-31 结束", "请导出数据。", "谢谢")
    phone.open("code").see("绿码", "吉祥码服务将于 2026-12-31 结束")
    inspector.answers("/api/v1/stations/today", announcing)
    inspector.open("station").see("吉祥码服务将于 2026-12-31 结束")


def test_after_the_end_no_color_is_left_on_a_phone(phones: Callable[..., Phone], declared: Person) -> None:
    phone = phones(declared).open("code").see("绿码")
    phone.tap("领取离线码（12 小时）")
    phone.see("离线时自动显示")
    phone.answers("", ENDED)
    phone.open_again()
    phone.open("code").see("吉祥码服务已结束", "不再有颜色").misses(*COLORS)
    phone.online(False)
    phone.open_again()
    phone.open("code").see("吉祥码服务已结束").misses(*COLORS)
    phone.open("home").see("吉祥码服务已结束").misses("查看吉祥码", *COLORS)
    assert phone.kept("code.strip") in (None, "")


def test_after_the_end_a_station_without_network_lets_nobody_pass(
    inspector: Inspector, phones: Callable[..., Phone], declared: Person
) -> None:
    token = phones(declared).open("code").shows_code("绿码").scanned()
    inspector.open("station").is_settled()
    inspector.answers("", ENDED)
    inspector.dies()
    inspector.see("登录", "吉祥码服务已结束").misses("放行")
    inspector.online(False)
    inspector.open("station").misses("放行", token)
    assert inspector.kept("station.keys") in (None, "")

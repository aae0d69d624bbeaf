"""Codes for the hours without network: taken on demand, shown while there is none, and as of when."""

from collections.abc import Callable

from tests.browser.inspector import Inspector
from tests.browser.phone import Phone
from tests.browser.system import Person, System


def test_a_strip_is_shown_without_network_and_passes_a_station_that_has_none_either(
    phones: Callable[..., Phone], inspector: Inspector, declared: Person, system: System
) -> None:
    phone = phones(declared).open("code").see("绿码")
    phone.tap("领取离线码（12 小时）")
    phone.see("离线时自动显示").open("home").see("您好")
    phone.online(False)
    phone.tap("查看吉祥码")
    phone.is_at("code").see("离线，截至", "绿码")
    token = phone.kept("code.strip")["strip"][0]["token"]
    inspector.open("station").is_settled()
    inspector.online(False)
    inspector.scan(token).verdict("放行", "绿码").see("离线，截至")
    system.measure(declared, 37.9)
    phone.online(True)
    phone.open("code").see("黄码").misses("离线，截至")

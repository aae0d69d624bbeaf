"""我的场所: somebody applies, manages the venue, and cuts the phone off that an inspector has lost."""

from collections.abc import Callable

from tests.browser.inspector import Inspector
from tests.browser.phone import Phone
from tests.browser.system import Person, System


def test_a_venue_is_applied_for_with_what_was_typed_and_can_be_withdrawn(
    phones: Callable[..., Phone], declared: Person
) -> None:
    phone = phones(declared).open("home")
    phone.tap("我的场所")
    phone.is_at("venues").tap("申请场所")
    phone.is_at("venue-apply")
    fields = {
        "场所名称": "示例书店",
        "地址": "示例大街 8 号",
        "统一社会信用代码": "91220101MA00000001",
        "入口": "南门、北门",
    }
    for label, words in fields.items():
        phone.type(label, words)
    phone.send("提交申请")
    phone.see("统一社会信用代码不正确")
    phone.type("统一社会信用代码", "91220101MA00000000")
    phone.send("提交申请")
    phone.see("已提交").tap("返回")
    phone.is_at("venues").see("示例书店", "待审批").tap("撤回")
    phone.see("示例书店 · 已撤回")


def test_a_manager_adds_an_inspector_ends_a_lost_phone_and_reads_counts(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    venue = system.open_venue(declared, "示例影院")
    lost = system.start_shift(declared, venue, "gate-cinema")
    assert system.check_at(lost, system.token(declared)) == 200
    phone = phones(declared).open("venues").see("示例影院")
    phone.tap("管理")
    phone.is_at("venue").see("示例影院", "gate-cinema · 正常", "已登录")
    phone.tap("结束登录")
    phone.page.get_by_text("已登录").wait_for(state="hidden")
    assert system.check_at(lost, system.token(declared)) == 401
    phone.type("用户名", "gate-second")
    phone.send("添加")
    phone.see("密码（只显示一次）", "gate-second · 待首次登录")
    phone.tap("查验次数")
    phone.see("1 至 9 写作“<10”", "东门", "西门")


def test_a_visitor_scans_the_poster_and_the_inspector_the_receipt_once(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    venue = system.open_venue(declared, "示例书城")
    session = system.start_shift(declared, venue, "gate-books")
    code = system.venue_code(declared, venue)
    visitor = phones(declared).open("home")
    visitor.tap("扫场所码")
    visitor.is_at("visit").tap("扫场所码")
    visitor.scans(code).shows_code("绿码").see("示例书城 · 东门")
    receipt = visitor.scanned()
    gate = phones(kind=Inspector, station_session=session, station_name="示例书城 东门").open("station").is_settled()
    gate.scan(receipt).verdict("放行", "绿码")
    gate.scan(receipt).see("此到访凭证已查验过")
    visitor.open("visit").see("示例书城 · 东门").misses("到访凭证：请在 60 秒内").tap("删除")
    visitor.see("暂无到访记录")
    manager = phones(declared).open("venue", id=str(venue["id"])).see("示例书城")
    manager.tap("场所码")
    manager.see("有效期至", "打开打印", "生成场所码")

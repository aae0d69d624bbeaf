"""The story that a newcomer plays in the window with two phones, in parts: a code, a fever."""

from playwright.sync_api import Page

from tests.browser.inspector import Inspector
from tests.browser.phone import Phone


def phones_of(stage: Page) -> tuple[Phone, Inspector]:
    """The citizen's and the inspector's, once the inspector is at work."""
    left = Phone(stage, "", "citizen", stage.frame_locator("#citizen iframe"))
    right = Inspector(stage, "", "inspector", stage.frame_locator("#inspector iframe"))
    right.see("请扫描对方的吉祥码")
    return left, right


def take_the_phone_of(stage: Page, username: str) -> None:
    stage.get_by_role("button", name=username, exact=True).click()


def want_messages(left: Phone) -> None:
    """On the page of reminders: say yes to WeChat."""
    left.is_at("subscriptions").tap("打开提醒")
    left.wechat("允许")
    left.see("还可收到 1 条").go_back()


def declare(left: Phone) -> None:
    """Declare that there is nothing, and see the green code."""
    left.is_at("declare").tap("没有任何症状")
    left.see("最近是否接触过").tap("没有")
    left.see("请核对").tap("我已阅读并同意")
    left.sends_declaration("允许")
    left.is_at("code").shows_code("绿码")


def get_a_code(stage: Page, left: Phone) -> None:
    """What demo-new does first: wants messages and declares."""
    take_the_phone_of(stage, "demo-new")
    left.see("您好，示***").tap("订阅提醒")
    want_messages(left)
    left.is_at("home").tap("健康申报")
    declare(left)


def find_a_fever(right: Inspector) -> None:
    """Scan the other phone, and measure."""
    right.tap("扫码")
    right.verdict("放行", "绿码").measure("375").verdict("劝返", "黄码")


def find_it_gone(right: Inspector) -> None:
    right.tap("下一位")
    right.verdict("测温", "黄码").measure("365").verdict("放行", "绿码")

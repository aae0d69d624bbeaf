"""The journeys of a clerk at a service window: somebody is present, document in hand."""

from tests.browser.system import Person, id_number
from tools.journeys.hand import Hand
from tools.journeys.world import Journey, Walk

CLERK = "demo-clerk"
_NAME = "示例甲"
_NEW_PASSWORD = "kite-Harbor-73"  # noqa: S105 # of an invented person


def _look_up(walk: Walk, number: str, name: str = _NAME) -> Hand:
    """From the start page of the console to the visit, or to what the window says of nobody known."""
    hand = walk.desk(CLERK)
    menu = hand.page.get_by_role("navigation").get_by_role("link", name=hand.words("窗口办理|My window"))
    hand.press(menu.first).fill("证件号码|Number of the document", number).fill("姓名|Name", name)
    return hand.tap("查找|Look up")


def _visited(walk: Walk, person: Person) -> Hand:
    return _look_up(walk, person.number, person.name)


def register(walk: Walk) -> None:
    hand = _look_up(walk, id_number()).tap("已向本人宣读|I have read this out").send("注册|Register")
    hand.read("已注册，请继续申报|Registered. Go on")


def declare(walk: Walk) -> None:
    hand = _visited(walk, walk.build.person(walk.name("at-window"), _NAME))
    hand.tap("没有|No").tap("已向本人宣读|I have read this out").tap("健康申报|Declare")
    hand.read("申报已记录|The declaration is recorded")


def unlock(walk: Walk) -> None:
    hand = _visited(walk, walk.build.person(walk.name("locked-out"), _NAME))
    hand.tap("解除登录等待|End the log-in delay").read("已解除登录等待|The waiting is over")


def recover(walk: Walk) -> None:
    hand = _visited(walk, walk.build.person(walk.name("lost-phone"), _NAME))
    hand.fill("新密码|New password", _NEW_PASSWORD).fill("再次输入新密码|New password again", _NEW_PASSWORD)
    hand.tap("找回账号|Recover the account").read("账号已找回|The account is recovered")


def print_card(walk: Walk) -> None:
    hand = _visited(walk, walk.build.declared(walk.name("card-at-window")))
    button = hand.page.get_by_role("button", name=hand.words("打印纸质码|Print a card"))
    with hand.page.expect_download() as download:
        hand.press(button)
    assert download.value.suggested_filename.endswith(".pdf")
    hand.reach(button)


JOURNEYS = (
    Journey("window-register", "clerk", "为到场的人注册", "register who is present", register),
    Journey("window-declare", "clerk", "为到场的人申报", "declare for who is present", declare),
    Journey("window-unlock", "clerk", "解除登录等待", "end a log-in delay", unlock),
    Journey("window-recover", "clerk", "找回账号", "recover an account", recover),
    Journey("window-card", "clerk", "打印纸质码", "print a card on paper", print_card),
)

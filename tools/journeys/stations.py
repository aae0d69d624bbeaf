"""The journeys of an inspector, on a phone at a check station."""

from playwright.sync_api import expect

from devstack.people import INSPECTOR, PASSWORD
from tests.browser.phone import SHOWN, comes_true
from tools.journeys.hand import Hand
from tools.journeys.world import Journey, Walk

_PASS, _STOP = "放行|Pass", "劝返|不得通行|禁止通行|Stop"


def _at_work(walk: Walk) -> Hand:
    """Take a phone whose holder has logged in, with the published keys."""
    walk.phone(**{name.replace(".", "_"): value for name, value in walk.build.inspector().items()})
    hand = walk.open("station")
    comes_true(hand.page, "window.phone.wx.getStorageSync('station.keys')")
    return hand


def _point_at(walk: Walk, token: str) -> None:
    """Hold WeChat's scanner before a code: nothing that a hand does on this phone."""
    assert walk.device
    typing, done = ("输入内容", "确定") if walk.language == "zh" else ("Type the text", "OK")
    page = walk.device.page
    page.get_by_role("button", name=typing).click()
    page.get_by_role("textbox", name=typing).fill(token)
    page.get_by_role("button", name=done).click()


def _verdict(hand: Hand, words: str) -> Hand:
    return hand.reach(hand.page.locator(f"{SHOWN} .action-title", has_text=hand.words(words)))


def _green(walk: Walk) -> str:
    return walk.build.token(walk.build.declared(walk.name("is-checked")))


def _scan(walk: Walk, hand: Hand, token: str, verdict: str = _PASS, button: str = "扫码|Scan") -> Hand:
    hand.press(hand.page.locator(f"{SHOWN} .actions").get_by_role("button", name=hand.words(button, "^({})$")))
    _point_at(walk, token)
    return _verdict(hand, verdict)


def log_in(walk: Walk) -> None:
    walk.phone()
    hand = walk.open("home").tap("查验员入口|For inspectors")
    hand.fill("用户名|User name", INSPECTOR).fill("密码|Password", PASSWORD)
    hand.send("登录|Log in").read("请扫描对方的吉祥码|Scan the person")


def check_by_button(walk: Walk) -> None:
    first, second = _green(walk), _green(walk)
    hand = _scan(walk, _at_work(walk), first)
    before = hand.page.locator(f"{SHOWN} .counts .number").first.inner_text()
    _scan(walk, hand, second, button="下一位|Next person")
    expect(hand.page.locator(f"{SHOWN} .counts .number").first).to_have_text(str(int(before) + 1))


def check_continuously(walk: Walk) -> None:
    first, second = _green(walk), walk.build.token(walk.build.of_color(walk.name("is-stopped"), "orange"))
    hand = _at_work(walk).tap("连续扫码|Keep scanning")
    assert walk.device
    walk.device.shows_to_camera(first)
    _verdict(hand, _PASS)
    walk.device.shows_to_camera(second)
    _verdict(hand, _STOP)


def measure(walk: Walk) -> None:
    token = _green(walk)
    hand = _scan(walk, _at_work(walk), token)
    hand.start_over().tap("登记体温|Register temperature").type_on_keypad("366").answer("登记|Register")
    hand.reach(hand.page.locator(f"{SHOWN} .counts .count", has_text=hand.words("测温|measured")).last)
    _verdict(hand, _PASS)


def fever_again(walk: Walk) -> None:
    """Without network, find a fever, and scan the same code again: it must stay stopped."""
    token = _green(walk)
    hand = _at_work(walk)
    assert walk.device
    walk.device.online(False)
    _scan(walk, hand, token).tap("登记体温|Register temperature").type_on_keypad("382").answer("登记|Register")
    _verdict(hand, _STOP)
    _scan(walk, hand, token, _STOP, "下一位|Next person")


def check_offline(walk: Walk) -> None:
    token = _green(walk)
    hand = _at_work(walk)
    assert walk.device
    walk.device.online(False)
    _scan(walk, hand, token).read("离线，码的时间|offline, as of")
    walk.device.online(True)
    send = hand.page.get_by_role("button", name=hand.words("立即补报|立即补传|Send now"))
    said = hand.page.get_by_text(hand.words("已补报|已补传|Sent:")).filter(visible=True)
    expect(send.or_(said).first).to_be_visible()
    hand.page.wait_for_timeout(1000)  # it may be sent by itself
    if not said.count():
        hand.tap("立即补报|立即补传|Send now")
    hand.read("已补报|已补传|Sent:")


def check_document(walk: Walk) -> None:
    person = walk.build.declared(walk.name("shows-document"))
    hand = _at_work(walk).tap("对方没有手机？证件查验|No phone? Check a document")
    dialog = hand.root.get_by_role("dialog")
    for label, words in (("证件号码|Number", person.number), ("姓名|Name", person.name)):
        hand.fill_in(dialog.get_by_label(hand.words(label, "^({})$")), words)
    _verdict(hand.answer("查验|Check"), _PASS)


def check_card(walk: Walk) -> None:
    card, tail = walk.build.card(walk.build.declared(walk.name("shows-card")))
    hand = _at_work(walk)
    hand.press(hand.page.locator(f"{SHOWN} .actions").get_by_role("button", name=hand.words("扫码|Scan", "^({})$")))
    _point_at(walk, card)
    hand.fill("证件号码后四位|Last four characters of the document", tail).send("查验|Check")
    _verdict(hand, _PASS)


def leave(walk: Walk) -> None:
    hand = _at_work(walk).tap("退出|Log out")
    if not walk.before:
        hand.answer("退出|Log out|确定|OK")
    hand.reach(hand.page.locator(f"{SHOWN} .greeting"))


JOURNEYS = (
    Journey("station-login", "inspector", "查验员登录", "log in", log_in),
    Journey("check", "inspector", "查验两人（逐次扫码）", "check two people, by the button", check_by_button),
    Journey(
        "check-camera", "inspector", "查验两人（连续扫码）", "check two people, with the camera on", check_continuously
    ),
    Journey("temperature", "inspector", "登记体温", "register a temperature", measure),
    Journey(
        "fever-again", "inspector", "离线：发热后再扫同一个码", "without network: a feverish code again", fever_again
    ),
    Journey("check-offline", "inspector", "离线查验，之后补报", "check without network, submit later", check_offline),
    Journey("check-document", "inspector", "证件查验", "check by document", check_document),
    Journey("check-card", "inspector", "查验纸质码", "check a card on paper", check_card),
    Journey("station-leave", "inspector", "退出", "log out", leave),
)

"""The journeys of a citizen, on a phone."""

from collections.abc import Callable

from devstack.people import PASSWORD
from tests.browser.phone import SHOWN
from tests.browser.system import id_number
from tools.journeys import officers
from tools.journeys.hand import Hand
from tools.journeys.world import Journey, Walk

_SAID = "示例：那天我没有去过示例商场。"
_NEW_PASSWORD = "kite-Harbor-73"  # noqa: S105 # of an invented person
_SYMPTOMS = "目前有没有以下症状|Do you have any of these symptoms"


def _shows(hand: Hand, word: str) -> Hand:
    """Wait for the code, with its word."""
    hand.reach(hand.page.locator(f"{SHOWN} .card .word", has_text=hand.words(word)))
    return hand.reach(hand.page.locator(f"{SHOWN} .qr img"))


def _fill_in_who(walk: Walk) -> Hand:
    """From the home page of a newcomer until the phone number."""
    walk.phone(agreed=False)
    hand = walk.open("home").tap("注册|Register")
    if walk.before:
        hand.fill("用户名|User name", walk.name("newcomer")).fill("密码|Password", PASSWORD)
    else:
        hand.tap("同意并继续|Agree and go on")
    return hand.fill("姓名|Name", "示例松").fill("证件号码|Number of the document", id_number())


def register_by_wechat(walk: Walk) -> None:
    hand = (
        _fill_in_who(walk)
        .tap("使用微信手机号|Register with my WeChat number|Use my WeChat number")
        .answer("允许|Allow")
    )
    if walk.before:
        hand.send("注册|Register")
    hand.read(_SYMPTOMS)


def register_by_typing(walk: Walk) -> None:
    hand = _fill_in_who(walk)
    if not walk.before:
        hand.tap("手动填写手机号|Type a number")
    hand.fill("手机号|Phone", "13800000000").send("注册|Register").read(_SYMPTOMS)


def _declare(walk: Walk, *symptoms: str) -> Hand:
    walk.phone(walk.build.person(walk.name("declares")))
    hand = walk.open("home").tap("健康申报|Declare my health").read(_SYMPTOMS)
    if symptoms:
        hand.tap("有症状|Yes, some")
        for symptom in symptoms:
            hand.tap(symptom)
    else:
        hand.tap("没有任何症状|None of them")
    if symptoms or walk.before:
        hand.tap("下一步|Next")
    hand.read("最近是否接触过|Have you met").tap("没有|No")
    if walk.before:
        hand.tap("下一步|Next")
    hand.read("请核对|Please check").tap("我已阅读并同意|I have read this").tap("提交申报|Send")
    return hand if walk.before else hand.answer("允许|Allow")


def declare_nothing(walk: Walk) -> None:
    _shows(_declare(walk), "绿码|Green")


def declare_a_cough(walk: Walk) -> None:
    _shows(_declare(walk, "咳嗽|Cough"), "黄码|Yellow")


def show_the_code(walk: Walk) -> None:
    walk.phone(walk.build.declared(walk.name("shows")))
    assert walk.device and walk.hand
    walk.hand.begin()
    walk.device.open("home")
    _shows(walk.hand.tap("查看吉祥码|Show my Jixiang code"), "绿码|Green")


def open_with_the_code(walk: Walk) -> None:
    """For who has chosen that the mini-program opens with the code."""
    settings = {"language": walk.language, "large": False, "openCode": True}
    walk.phone(walk.build.declared(walk.name("opens")), settings=settings)
    assert walk.device and walk.hand
    walk.hand.begin()
    walk.device.open("home")
    _shows(walk.hand, "绿码|Green")


def next_step(state: str, word: str) -> Callable[[Walk], None]:
    """Return the walk of somebody who wants to know what to do, with a code of this state."""

    def walk_it(walk: Walk) -> None:
        walk.phone(walk.build.of_color(walk.name(state), state))
        hand = walk.open("home").tap("查看吉祥码|Show my Jixiang code")
        _shows(hand, word).reach(hand.page.locator(f"{SHOWN} .advice").first)

    return walk_it


def next_step_unverified(walk: Walk) -> None:
    person = walk.build.person(walk.name("unverified"))
    with walk.build.platform_away():
        walk.build.declare(person)
        walk.phone(person)
        hand = walk.open("home").tap("查看吉祥码|Show my Jixiang code")
        _shows(hand, "未核验|Unverified").reach(hand.page.locator(f"{SHOWN} .advice").first)


def appeal(walk: Walk) -> None:
    walk.phone(walk.build.of_color(walk.name("appeals"), "orange"))
    hand = walk.open("home").tap("查看吉祥码|Show my Jixiang code").tap("颜色有误|Is this color wrong")
    hand.fill("哪里不对？|What is wrong?", _SAID).send("提交申请|Send").read("正在办理|Being looked at")


def read_the_answer(walk: Walk) -> None:
    person = walk.build.of_color(walk.name("is-answered"), "orange")
    officers.answer_appeal_of(walk, person)
    walk.phone(person)
    walk.open("home").tap("纠错申请|My appeals").read("已答复|Answered: ")


def who_looked(walk: Walk) -> None:
    person = walk.build.of_color(walk.name("was-seen"), "orange")
    officers.answer_appeal_of(walk, person)
    walk.phone(person)
    walk.open("home").tap("谁看过我的记录|Who saw my record").read("受理纠错|(appeals)|settles appeals")


def subscribe(walk: Walk) -> None:
    walk.phone(walk.build.declared(walk.name("subscribes")))
    hand = walk.open("home").tap("订阅提醒|Reminders").tap("打开提醒|Switch on").answer("允许|Allow")
    hand.read("还可收到 1|Messages to come: 1")


def change_password(walk: Walk) -> None:
    walk.phone(walk.build.declared(walk.name("changes")))
    hand = walk.open("home").tap("修改密码|Change my password")
    hand.fill("当前密码|Current password", PASSWORD).fill("新密码|New password", _NEW_PASSWORD)
    hand.send("修改密码|Change my password").read("密码已修改|Password changed")


def forgotten_password(walk: Walk) -> None:
    walk.phone()
    walk.open("home").tap("登录|Log in").read("忘记密码|Forgotten the password")


def erase(walk: Walk) -> None:
    walk.phone(walk.build.declared(walk.name("leaves")))
    hand = walk.open("home").tap("注销账号|Delete my account").tap("用微信确认并注销|Confirm with WeChat")
    hand.answer("注销|Delete")
    hand.reach(hand.root.get_by_role("dialog").get_by_role("heading", name=hand.words("已注销|Deleted")))


def switch_language(walk: Walk) -> None:
    walk.phone()
    other = "Jilin Service Hall" if walk.language == "zh" else "吉林省网上办事大厅"
    hand = walk.open("home").tap("English|中文")
    hand.reach(hand.page.locator("#title", has_text=other))


JOURNEYS = (
    Journey(
        "register-wechat", "citizen", "首次注册（微信手机号）", "register, with the phone of WeChat", register_by_wechat
    ),
    Journey(
        "register-typed", "citizen", "首次注册（手动填写手机号）", "register, with a phone typed in", register_by_typing
    ),
    Journey("declare", "citizen", "健康申报：没有症状和接触", "declare: no symptom, no contact", declare_nothing),
    Journey("declare-symptom", "citizen", "健康申报：一项症状", "declare: one symptom", declare_a_cough),
    Journey("code", "citizen", "打开小程序到亮码", "open the mini-program, show the code", show_the_code),
    Journey("code-at-once", "citizen", "打开时直接显示吉祥码", "open with the code", open_with_the_code),
    *(
        Journey(
            f"next-{state}",
            "citizen",
            f"{word}：下一步做什么",
            f"{state}: what to do next",
            next_step(state, f"{word}|{state.title()}"),
        )
        for state, word in (("green", "绿码"), ("yellow", "黄码"), ("orange", "橙码"), ("red", "红码"))
    ),
    Journey("next-unverified", "citizen", "未核验：下一步做什么", "unverified: what to do next", next_step_unverified),
    Journey("appeal", "citizen", "申请纠错", "appeal", appeal),
    Journey("read-answer", "citizen", "看纠错的答复", "read the answer to an appeal", read_the_answer),
    Journey("who-looked", "citizen", "谁看过我的记录", "see who looked at the record", who_looked),
    Journey("subscribe", "citizen", "订阅提醒", "subscribe to notices", subscribe),
    Journey("change-password", "citizen", "修改密码", "change the password", change_password),
    Journey(
        "forgotten-password", "citizen", "忘记密码：找到办法", "forgotten password: find the way", forgotten_password
    ),
    Journey("erase", "citizen", "注销账号", "erase the account", erase),
    Journey("language", "citizen", "切换语言", "switch the language", switch_language),
)

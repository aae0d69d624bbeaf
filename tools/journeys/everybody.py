"""The journeys of people who need more than a phone of their own: families, cards on paper, a document, their data."""

from devstack.people import PASSWORD
from tests.browser.phone import SHOWN
from tests.browser.system import id_number
from tools.journeys.hand import Hand
from tools.journeys.world import Journey, Walk


def _reads_message(hand: Hand, words: str) -> None:
    """Wait for a heading that says that it is done."""
    hand.reach(hand.page.locator(f"{SHOWN} .heading", has_text=hand.words(words)).first)


def invite(walk: Walk) -> None:
    mother = walk.build.declared(walk.name("mother"))
    walk.phone(walk.build.declared(walk.name("invites")))
    hand = walk.open("home").tap("家人|Family").tap("邀请家人|Invite somebody")
    hand.fill("姓名|Name", mother.name).fill("证件号码|Document number", mother.number)
    _reads_message(hand.send("发送邀请|Send the invitation"), "邀请已发送|The invitation is sent")


def accept(walk: Walk) -> None:
    mother = walk.build.declared(walk.name("accepts"))
    walk.build.invite(walk.build.declared(walk.name("invited")), mother)
    walk.phone(mother)
    hand = walk.open("home").tap("家人|Family").tap("同时同意由其代我进行健康申报|They may also declare")
    hand.send("同意|Accept").read("可代为申报|may declare for you")


def show_a_family(walk: Walk) -> None:
    daughter, mother = (walk.build.declared(walk.name(who)) for who in ("daughter", "grandmother"))
    walk.build.tie(daughter, mother)
    walk.phone(daughter)
    hand = walk.open("home").tap("家人|Family").read("绿码|Green")
    hand.reach(hand.page.locator(f"{SHOWN} .opened img.qr, {SHOWN} .opened .qr img").first)


def add_child(walk: Walk) -> None:
    guardian = walk.build.declared(walk.name("guardian"))
    number = walk.build.know_child(guardian, "示例孩")
    walk.phone(guardian)
    hand = walk.open("home").tap("家人|Family").tap("添加 14 岁以下的孩子|Add a child under 14")
    hand.fill("姓名|Name", "示例孩").fill("证件号码|Document number", number)
    hand.tap("我是孩子的监护人|I am a guardian").send("添加|Add").read("代为健康申报|Declare for them")


def get_card(walk: Walk) -> None:
    walk.phone(walk.build.declared(walk.name("prints")))
    hand = walk.open("home").tap("纸质码|Card on paper").tap("办理纸质码|Get a card")
    _reads_message(hand, "有效期至|Valid until")


def lose_card(walk: Walk) -> None:
    person = walk.build.declared(walk.name("loses"))
    walk.build.card(person)
    walk.phone(person)
    hand = walk.open("home").tap("纸质码|Card on paper").tap("挂失|Report lost").answer("挂失|Report lost")
    hand.reach(hand.root.get_by_role("button", name=hand.words("办理纸质码|Get a card")).filter(visible=True).first)


def take_data(walk: Walk) -> None:
    walk.phone(walk.build.declared(walk.name("takes")))
    hand = walk.open("home").tap("我的数据|My data").tap("用微信确认|Confirm by WeChat")
    _reads_message(hand, "已导出|Exported")


def correct_name(walk: Walk) -> None:
    walk.phone(walk.build.declared(walk.name("corrects")))
    hand = walk.open("home").tap("我的数据|My data").tap("更正姓名|Correct my name").fill("姓名|Name", "示例改名")
    hand.fill("密码|Password", PASSWORD).send("更正|Correct").read("导出系统保存的关于您|Take along everything")


def correct_document(walk: Walk) -> None:
    walk.phone(walk.build.declared(walk.name("renews")))
    hand = walk.open("home").tap("我的数据|My data").tap("更正证件|Correct my document")
    hand.fill("新证件号码|Number of the new document", id_number()).fill("密码|Password", PASSWORD)
    _reads_message(hand.send("申请更正|Ask for it"), "正在核对|证件已更正|Being checked|The document is corrected")


JOURNEYS = (
    Journey("family-invite", "citizen", "邀请家人", "invite somebody into the family", invite),
    Journey("family-accept", "citizen", "同意家人出示自己的码", "accept an invitation", accept),
    Journey("family-show", "citizen", "出示家人的码", "show the code of the family", show_a_family),
    Journey("family-child", "citizen", "添加孩子", "add a child", add_child),
    Journey("paper-get", "citizen", "办理纸质码", "get a card on paper", get_card),
    Journey("paper-lost", "citizen", "挂失纸质码", "report a card lost", lose_card),
    Journey("data-export", "citizen", "导出我的数据", "take one's data along", take_data),
    Journey("name-correct", "citizen", "更正姓名", "correct one's name", correct_name),
    Journey("document-correct", "citizen", "更正证件", "correct one's document", correct_document),
)

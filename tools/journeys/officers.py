"""The journeys of an officer, at the console."""

import io
from datetime import timedelta

import openpyxl

from devstack.people import PASSWORD
from tests.browser.system import Person, id_number
from tools.journeys.hand import Hand
from tools.journeys.world import Journey, Walk, one_time_code

RECORDER, APPROVER, APPEALS, AUDITOR = "demo-recorder", "demo-approver", "demo-appeals", "demo-auditor"
_LOG_INS = (RECORDER, APPROVER, AUDITOR, APPEALS)
_SAVED = "已保存|Saved"
_IN_EFFECT = "已生效。|In effect.|It counts now."
_ADD, _NEXT, _SAVE = "新增录入|New entry|新的录入", "下一步：核对|Next: ", "保存|Save"
_KINDS = {"quarantine": "隔离|Quarantine", "confirmed": "确诊病例|Confirmed case", "release": "解除隔离|Release"}


def _day(walk: Walk, days: int) -> str:
    return f"{walk.build.now() + timedelta(days=days):%Y-%m-%d}"


def _stated(walk: Walk, kind: str) -> dict[str, str]:
    """What an entry of this kind states beside its people, by label."""
    number = walk.name(kind)
    stated = {"出具机构|Authority": "示例市疾病预防控制中心", "文书编号|Document reference": f"示例疾控 {number} 号"}
    if kind == "quarantine":
        stated |= {
            "地点或单位|Place or employer": f"示例酒店 {number}",
            "隔离开始日期|First day of quarantine": _day(walk, 0),
            "隔离结束日期|Last day of quarantine": _day(walk, 14),
        }
    return stated


def _record(walk: Walk, hand: Hand, kind: str, people: list[str], **different: str) -> Hand:
    """From the start page to the saved entry."""
    stated = {**_stated(walk, kind), **different}
    if walk.before:
        hand.tap("录入与审批|Entries").tap(_ADD).choose("内容|What is recorded", _KINDS[kind])
    else:
        hand.tap(_ADD).tap(_KINDS[kind])
    hand.fill("证件号码|Document numbers", "\n".join(people))
    for label, words in stated.items():
        hand.fill(label, words)
    return hand.tap(_NEXT).send(_SAVE)


def _recorded(walk: Walk, kind: str, people: list[str], **different: str) -> str:
    """Let somebody have recorded this; returns the address of the entry."""
    hand = _record(walk, walk.desk(RECORDER), kind, people, **different).read(_SAVED)
    return hand.page.url.partition("?")[0]


def _approved(walk: Walk, address: str) -> None:
    hand = walk.desk(APPROVER)
    hand.page.goto(address)
    hand.tap("批准，使其生效|Approve").read(_IN_EFFECT)


def _open_number(hand: Hand, address: str) -> Hand:
    """Tap the number of an entry in a list."""
    return hand.press(hand.page.get_by_role("link", name=address.rpartition("/")[2], exact=True).first)


def _log_in(walk: Walk) -> None:
    username = _LOG_INS[walk.round]
    page = walk.world.new_desk()
    page.goto(f"{page.url}?lang={walk.language}")
    code = one_time_code()
    walk.hand = hand = Hand(page)
    hand.fill("用户名|User name", username).fill("密码|Password", PASSWORD)
    hand.fill("动态验证码|One-time code", code).send("登录|Log in").read("您好，|Welcome, ")
    walk.world.keep_desk(username, page)


def record_one(walk: Walk) -> None:
    _record(walk, walk.desk(RECORDER), "quarantine", [id_number()]).read(_SAVED)


def _workbook(walk: Walk, people: int) -> bytes:
    """A list as a tracing team keeps it: a title, columns of its own, a total below."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    sheet.append(["示例市密切接触者名单"])
    sheet.append(["序号", "姓名", "证件号码", "最后接触日期"])
    for number in range(1, people + 1):
        sheet.append([number, f"示例{number}", id_number(), _day(walk, -2)])
    sheet.append(["合计", people])
    book.save(content)
    return content.getvalue()


def record_list(walk: Walk) -> None:
    _approved(walk, _recorded(walk, "confirmed", [id_number()]))
    content, place, hand = _workbook(walk, 12), f"示例商场 {walk.name('place')}", walk.desk(RECORDER)
    hand.tap("病例|Cases").tap("录入密接名单|Add a list of contacts|Bring a list")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    hand.bring(
        "或上传文件|Or a file|或上传 CSV 文件|Or a CSV file", {"name": "名单.xlsx", "mimeType": kind, "buffer": content}
    )
    hand.fill("地点或单位|Place or employer", place)
    hand.fill("出具机构|Authority", "示例市疾病预防控制中心").fill("文书编号|Document reference", "示例流调 3 号")
    hand.tap(_NEXT).send(_SAVE).read(_SAVED)


def sign(walk: Walk) -> None:
    address = _recorded(walk, "quarantine", [id_number()])
    hand = walk.desk(APPROVER)
    hand.tap("录入与审批|Entries" if walk.before else "待审批的录入|Entries to approve")
    _open_number(hand, address).tap("批准，使其生效|Approve").read(_IN_EFFECT)


def clear_hold(walk: Walk) -> None:
    address = _recorded(walk, "quarantine", [id_number() for _ in range(60)])
    hand = walk.desk(AUDITOR)
    if walk.before:
        hand.tap("录入与审批|Entries")
    else:
        hand.tap("因人数预警暂停|Held entries to clear")
    _open_number(hand, address).choose("理由|Reason", 1).tap("放行至审批|Clear the hold; |Let it go")
    hand.read("已放行|Hold cleared|Let go; it waits")


def _answer(walk: Walk, hand: Hand) -> None:
    """Answer the newest appeal: the decision was right."""
    hand.tap("纠错申请|Appeals" if walk.before else "待办的纠错申请|Appeals to answer")
    numbers = hand.page.locator("tbody a").all_inner_texts()
    hand.press(hand.page.get_by_role("link", name=max(numbers, key=int), exact=True))
    hand.tap("经核对，原文书与所录依据一致|We compared the evidence|We compared the record")
    hand.tap("答复：维持原判定|Answer: ").read("已答复|Answered")


def answer_appeal_of(walk: Walk, person: Person) -> None:
    """Let an officer have answered the appeal of somebody, for a walk that begins after it."""
    walk.build.file_appeal(person)
    _answer(walk, walk.desk(APPEALS))


def answer_appeal(walk: Walk) -> None:
    answer_appeal_of(walk, walk.build.of_color(walk.name("appeals"), "orange"))


def release(walk: Walk) -> None:
    person, reference = id_number(), f"示例疾控 {walk.name('order')} 号"
    label = "文书编号|Document reference"
    _approved(walk, _recorded(walk, "quarantine", [person], **{label: reference}))
    _record(walk, walk.desk(RECORDER), "release", [person], **{label: reference}).read(_IN_EFFECT)


def find_work(walk: Walk) -> None:
    _recorded(walk, "quarantine", [id_number()])
    hand = walk.desk(APPROVER)
    hand.tap("录入与审批|Entries" if walk.before else "待审批的录入|Entries to approve")
    hand.read("等待您审批|Waiting for your approval|Wait for your approval")


def statistics(walk: Walk) -> None:
    walk.desk(AUDITOR).tap("数据|Figures").tap("各状态人数|Codes by state").read(
        "每日最后一次统计时|Codes by state at the last count|How many codes were"
    )


# lists come late: of more than sixty people in an hour each entry is held, and waits for no approver
JOURNEYS = (
    Journey("officer-login", "officer", "登录管理台", "log in at the console", _log_in),
    Journey("find-work", "officer", "找到待办", "find the work to do", find_work),
    Journey("record-one", "officer", "录入一人（隔离）", "record one person (quarantine)", record_one),
    Journey("sign", "officer", "审批一条录入", "approve an entry", sign),
    Journey("release", "officer", "解除一人的隔离", "release one person", release),
    Journey("record-list", "officer", "上传 12 人的 .xlsx 密接名单", "record a list of 12, from .xlsx", record_list),
    Journey("answer-appeal", "officer", "答复一件纠错申请", "answer an appeal", answer_appeal),
    Journey("statistics", "officer", "看统计", "see the statistics", statistics),
    Journey("clear-hold", "officer", "放行被暂停的录入", "clear the hold of an entry", clear_hold),
)

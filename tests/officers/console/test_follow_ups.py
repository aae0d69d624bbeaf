"""What follows a red code, as its officers click through it and its person reads it."""

from collections.abc import Callable

import pytest

from app.codes import ledger
from app.follow_ups import keeping
from app.runtime import Services
from app.stations import alerts
from tests.support.desk import Desk, text_of
from tests.support.forms import STATED, page_of, save
from tests.support.people import Phone, Station

Desks = Callable[..., Desk]
LIST = "/console/follow-ups"


@pytest.fixture
def red(recorder: Desk, approver: Desk, green_citizen: Phone, console: Services) -> Phone:
    approver.sign(f"{page_of(save(recorder, green_citizen.document, kind='confirmed', **STATED))}/approve")
    keeping.keep(console)
    return green_citizen


def steps(person: Phone, language: str = "zh-CN") -> dict[str, str]:
    """What the person reads of what comes next, by who takes care of them."""
    headers = {"Authorization": f"Bearer {person.session}", "Accept-Language": language}
    shown = person.client.get("/api/v1/code", headers=headers).json["follow_ups"]  # type: ignore[index]
    return {one["recipient"]: one["text"] for one in shown}


def test_red_is_handed_over_received_and_admitted_and_the_person_reads_each_step(
    red: Phone, recorder: Desk, approver: Desk, console: Services, station: Station
) -> None:
    assert "等候" in steps(red)["hospital"] and set(steps(red)) == {"hospital", "community"}
    listed = recorder.get(LIST)
    assert "示例甲" not in listed.text and red.document[-4:] not in text_of(listed)
    (hospital,) = [f"{LIST}/{id_}" for id_ in (1, 2) if "医院名称" in recorder.get(f"{LIST}/{id_}").text]
    wrong = recorder.send(hospital, {"act": "hand-over", "receiver": " "})
    assert (wrong.status_code, "mistake" in wrong.text) == (422, True)
    assert recorder.send(hospital, {"act": "hand-over", "receiver": "示例医院"}).status_code == 303
    assert approver.send(hospital, {"act": "admit", "reference": "示例 1"}).status_code == 409
    assert approver.send(hospital, {"act": "receive"}).status_code == 303
    assert steps(red)["hospital"].startswith("医院已接收：示例医院。")
    assert recorder.send(hospital, {"act": "admit", "reference": "示例入院 1"}).status_code == 303
    assert steps(red, "ko")["hospital"].startswith("示例医院에 입원했습니다")
    assert "治愈" in text_of(recorder.get(hospital))
    seen = recorder.send(f"{hospital}/person")
    assert "示例甲" in text_of(seen) and red.document in text_of(seen)
    reads = red.get("/api/v1/record/access?whose=others").json["entries"]  # type: ignore[index]
    assert (reads[0]["what"]["words"], reads[0]["why"]["words"]) == ("查阅您的记录", "隔离管理与服务")
    assert "登记您入院" in [one["what"]["words"] for one in reads]
    station.check(red.code()["token"])
    alerts.store_waiting(console)
    page = text_of(recorder.get(LIST))
    assert "12:00–13:00 长春市 1" in page and "示例查验点" not in page


def test_an_officer_of_another_district_finds_nothing(red: Phone, desk: Desks) -> None:
    elsewhere = desk("recorder", "approver", username="else-1", district="吉林市")
    assert "GJ-" not in elsewhere.get(LIST).text and STATED["reference"] not in elsewhere.get(LIST).text
    for answer in (
        elsewhere.get(f"{LIST}/1"),
        elsewhere.send(f"{LIST}/1", {"act": "hand-over", "receiver": "示例医院"}),
        elsewhere.send(f"{LIST}/1/person"),
    ):
        assert (answer.status_code, "示例甲" in text_of(answer)) == (404, False)
    assert elsewhere.send(f"{LIST}/1", {"act": "end"}).status_code == 404


def test_a_holder_who_is_not_confirmed_reads_nothing_of_it(red: Phone, console: Services) -> None:
    with console.begin() as session:
        ledger.lock_code(session, 1).confirmed_at = None
    answer = red.get("/api/v1/code").json
    assert answer["follow_ups"] == []  # type: ignore[index]


def test_the_person_is_notified_once_for_both(
    red: Phone, recorder: Desk, approver: Desk, work: Callable[[], None]
) -> None:
    for _ in range(5):
        red.subscribe()
    work()
    before = len(red.messages())
    for id_ in (1, 2):
        recorder.send(f"{LIST}/{id_}", {"act": "hand-over", "receiver": "示例机构"})
        approver.send(f"{LIST}/{id_}", {"act": "receive"})
    work()
    new = red.messages()[before:]
    assert len(new) == 1 and "已移交" in str(new[0])

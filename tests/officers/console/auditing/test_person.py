"""The events about one person; each look at them is one of these."""

import re
from collections.abc import Callable

from sqlalchemy import select

from app.audit import AuditEvent
from app.runtime import Services
from tests.support.auditing import ENTRIES, URGENT, Desks, enter, ids, look, section
from tests.support.desk import Desk, text_of
from tests.support.forms import save
from tests.support.people import Phone, as_pasted, id_number


def reads(console: Services) -> list[tuple[str, str | None, int | None, str | None, object]]:
    with console.sessions() as session:
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.action.in_(["record-read", "record-sought"])).order_by(AuditEvent.id)
        )
        return [(row.action, row.role, row.serial, row.reason, row.detail.get("what")) for row in rows]


def test_the_events_about_a_person_are_shown_and_the_access_is_one_of_them(
    auditor: Desk, citizen: Phone, console: Services
) -> None:
    answer = look(auditor, as_pasted(citizen.document))
    found = section(answer.text, "found")
    for word in ("吉祥码编号 1 的记录", "注册账号", "查阅个人记录", "监督检查", "aud-1"):
        assert word in found, word
    assert citizen.document not in answer.text
    assert reads(console) == [("record-read", "auditor", 1, "oversight", "access")]
    seen = citizen.get("/api/v1/record/access").json["entries"][0]  # type: ignore[index]
    assert (seen["what"]["action"], seen["who"]["role"]) == ("record-read", "auditor")


def test_without_a_search_events_name_nobody_and_say_no_color(
    auditor: Desk, citizen: Phone, phone: Callable[..., Phone]
) -> None:
    phone("示例乙").become_green()
    for path in (ENTRIES, f"{ENTRIES}?act=decided", f"{ENTRIES}?act=evidence-recorded"):
        found = section(auditor.get(path).text, "found")
        about = re.findall(r'<td data-label="涉及人员">(.*?)</td>', found)
        assert set(about) - {"—"} == {"人员 1", "人员 2"}, path
        assert "GREEN" not in found and not re.search("[0-9a-f]{8}-", found), path
    assert "GREEN" in section(look(auditor, citizen.document).text, "found")


def test_a_person_is_found_by_the_serial_of_an_entry_too(auditor: Desk, citizen: Phone, console: Services) -> None:
    assert "注册账号" in look(auditor, "1", kind="serial").text
    assert [read[:3] for read in reads(console)] == [("record-read", "auditor", 1)]
    for number in ("one", "-1", "9" * 19, "１"):
        assert look(auditor, number, kind="serial").status_code == 422
    assert look(auditor, "999", kind="serial").status_code == 404


def test_a_question_about_nobody_is_entered_and_a_wrong_one_is_told_without_the_number(
    auditor: Desk, citizen: Phone, console: Services
) -> None:
    nobody = look(auditor, id_number(999))
    assert (nobody.status_code, "没有这个吉祥码" in text_of(nobody)) == (404, True)
    assert reads(console) == [("record-sought", "auditor", None, "oversight", "access")]
    for number, kind, reason in (
        ("220000200001010000", "id-card", "oversight"),
        (citizen.document, "id-card", "curiosity"),
        (id_number(999), "id-card", "curiosity"),
        (citizen.document, "library-card", "oversight"),
    ):
        answer = look(auditor, number, reason, kind)
        assert (answer.status_code, number in answer.text) == (422, False)
    assert len(reads(console)) == 1


def test_each_page_about_a_person_is_an_access(auditor: Desk, citizen: Phone, console: Services) -> None:
    enter(console, 60, serial=1)
    first = look(auditor, citizen.document, "appeal").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', first[first.rindex("<form") :]))
    assert (hidden["document_type"], hidden["number"], hidden["reason"]) == ("serial", "1", "appeal")
    second = auditor.send("/console/audit/person", {name: hidden[name] for name in hidden if name != "form"}).text
    assert len(ids(first)) == 50
    assert ids(second)[0] < ids(first)[-1]
    assert [read[3] for read in reads(console)] == ["appeal", "appeal"]


def test_an_auditor_of_a_district_sees_of_a_person_what_its_officers_did(
    recorder: Desk, desk: Desks, citizen: Phone
) -> None:
    save(recorder, citizen.document, **URGENT)
    near, away = (desk("auditor", username=f"aud-{n}", district=where) for n, where in ((8, "长春市"), (9, "吉林市")))
    assert "登记依据" in section(look(near, citizen.document).text, "found")
    seen = section(look(away, citizen.document).text, "found")
    assert "登记依据" not in seen and "注册账号" not in seen and "查阅个人记录" in seen

"""A list of contacts of a case at the console: checked whole, looked at, one entry, and a second person."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.audit import AuditEvent
from app.citizens import lookup
from app.citizens.documents import DocumentType
from app.codes.models import EvidenceRow
from app.core.texts import text
from app.entries.models import Entry, EntrySubject
from app.runtime import Services
from tests.support.codes import everything
from tests.support.desk import Desk, text_of
from tests.support.forms import STATED, OpenCase, page_of, save
from tests.support.people import Phone, as_pasted, id_number
from tests.support.sheets import filled_in, xlsx

Desks = Callable[..., Desk]
NEW = "/console/entries/new"
LIST = {"kind": "contact", "exposed_on": "2020-03-19", "place": "示例商场", **STATED}


def bring(desk: Desk, case: OpenCase, lines: str, looked: bool = True, **filled: Any) -> TestResponse:
    stated = {**LIST, "case": case.number, **({"previewed": "yes"} if looked else {}), **filled}
    return desk.send(NEW, {**stated, "numbers": lines})


def looks_at(services: Services, document: str) -> int:
    """How often an officer's access to this person is in the audit."""
    with services.sessions() as session:
        serial = lookup.find_serial(session, services.encryption, DocumentType.ID_CARD, document)
        rows = session.scalars(select(AuditEvent).filter_by(action="record-read", serial=serial))
        return len(rows.all())


def days_of(services: Services) -> list[str]:
    """The days of contact in the evidence that counts."""
    with services.sessions() as session:
        rows = session.scalars(select(EvidenceRow).where(EvidenceRow.kind == "contact"))
        return sorted(row.facts["exposed_on"] for row in rows)


def test_a_list_becomes_one_entry_which_turns_nobody_before_another_person_approves_it(
    recorder: Desk, approver: Desk, case: OpenCase, green_citizens: list[Phone], console: Services
) -> None:
    first, second, _ = green_citizens
    entry = page_of(bring(recorder, case, f"{first.document}\n{second.document},2020-03-15\n{id_number(501)}"))
    assert (first.color(), second.color()) == ("GREEN", "GREEN")
    assert recorder.send(f"{entry}/approve").status_code == 403
    assert "2020-03-15" in text_of(approver.get(entry))
    assert approver.sign(f"{entry}/approve").location.endswith("done=entry-applied")
    assert (first.color(), second.color()) == ("ORANGE", "ORANGE")
    assert days_of(console) == ["2020-03-15", "2020-03-19", "2020-03-19"], "each has their own day"
    with console.sessions() as session:
        kinds = session.execute(select(Entry.kind, Entry.people).order_by(Entry.id)).all()
    assert [tuple(row) for row in kinds] == [("confirmed", 1), ("contact", 3)]


def test_the_preview_shows_who_is_known_what_repeats_and_what_would_change_and_writes_nothing(
    recorder: Desk, approver: Desk, case: OpenCase, green_citizens: list[Phone], console: Services
) -> None:
    known, green, _ = green_citizens
    approver.sign(f"{page_of(bring(recorder, case, f'{known.document},2020-03-15'))}/approve")
    before = {name: rows for name, rows in everything(console).items() if name not in ("audit", "officer_sessions")}
    lines = f"{green.document}\n{as_pasted(known.document)},2020-03-15\n{id_number(502)}"
    look = bring(recorder, case, lines, looked=False)
    told = text_of(look)
    assert look.status_code == 200
    assert "其中 <10 人此前没有记录" in told
    assert "其中 <10 人的已有记录与本次内容重复或矛盾" in told
    assert text("overlaps", "same-again", "zh") in told
    assert re.search(r"绿码 → 橙码 <10 人", told)
    assert re.search(r"未申报 → 橙码 <10 人", told)
    shown = re.sub(r'<input type="hidden"[^>]*>', "", look.text, flags=re.DOTALL)
    assert green.document not in shown
    after = {name: rows for name, rows in everything(console).items() if name not in ("audit", "officer_sessions")}
    assert after == before
    assert green.color() == "GREEN"


LOST = "229999198501017000"  # has the right check digit
ROWS = [
    ("示例街道密接名单",),
    ("姓名", "证件号码", "末次接触时间"),
    ("示例丙", id_number(503), 43908),
    ("示例丁", LOST, ""),
]


def test_a_workbook_is_previewed_as_it_was_read_saved_from_the_page_and_shown_to_who_signs(
    recorder: Desk, approver: Desk, case: OpenCase, console: Services
) -> None:
    answer = recorder.send(NEW, {**LIST, "case": case.number, "file": (io.BytesIO(xlsx(ROWS)), "名单.xlsx")})
    told = text_of(answer)
    assert "表头在第 2 行" in told and "末次接触时间 最后接触日期" in told
    assert "未读取的列：A 姓名" in told and "未读取的行：第 1 行" in told
    assert f"第 4 行： {text('remarks', 'rounded-number', 'zh')}" in told
    assert "示例丙" not in answer.text, "no names come back"
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    entry = page_of(recorder.send(NEW, {name: value for name, value in again.items() if name != "form"}))
    assert text("remarks", "rounded-number", "zh") in text_of(approver.get(entry))
    with console.sessions() as session:
        subjects = session.scalars(select(EntrySubject).where(EntrySubject.exposed_on.is_not(None)))
        assert sorted((one.line, str(one.exposed_on)) for one in subjects) == [(3, "2020-03-18"), (4, "2020-03-19")]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_an_empty_list_can_be_downloaded_and_brought_filled_in(recorder: Desk, case: OpenCase, kind: str) -> None:
    sent = recorder.get(f"/console/entries/template.{kind}?kind=contact")
    assert sent.headers["Content-Disposition"].startswith("attachment")
    line = (id_number(505), "2020-03-18")
    content = filled_in(sent.data, [line]) if kind == "xlsx" else sent.data + ",".join(line).encode()
    page_of(recorder.send(NEW, {**LIST, "case": case.number, "previewed": "yes", "file": (io.BytesIO(content), kind)}))


def test_what_is_wrong_with_the_form_and_with_the_list_is_told_together(recorder: Desk, case: OpenCase) -> None:
    told = text_of(bring(recorder, case, f"{BAD}\n{id_number(507)}", place=""))
    assert text("fields", "required", "zh") in told and text("fields", "no-headings", "zh") not in told
    assert text("fields", "id-card-number", "zh") in told


def test_a_pasted_sheet_has_tabs_and_who_stands_in_it_twice_has_the_later_day(
    recorder: Desk, case: OpenCase, console: Services
) -> None:
    lines = f"{id_number(505)}\t2020-03-17\n{id_number(505)}\t2020-03-18\n{id_number(505)}\t2020-03-16"
    page_of(bring(recorder, case, lines, exposed_on=""))
    with console.sessions() as session:
        assert str(session.scalars(select(EntrySubject.exposed_on).order_by(EntrySubject.entry_id)).all()[-1]) == (
            "2020-03-18"
        )


BAD = id_number(506)[:-1] + "?"
MISTAKES: dict[str, tuple[str, dict[str, str], list[tuple[str, str]]]] = {
    "every wrong line": (
        f"{id_number(507)}\n{BAD}\n\n{id_number(508)},19.3.2020\n{id_number(509)},2020-03-21",
        {},
        [("2", "id-card-number"), ("4", "date-form"), ("5", "date-in-future")],
    ),
    "no day of their own, nor of all": (
        f"{id_number(507)},2020-03-18\n{id_number(508)}",
        {"exposed_on": ""},
        [("2", "required")],
    ),
    "a kind in the list": (f"document_number,kind\n{id_number(507)},confirmed", {}, [("2", "not-of-entry")]),
    "a serial": ("document_number,serial\n1,1", {}, [("1", "not-of-entry")]),
    "the same in many lines": (f"{id_number(507)},1\n\n{BAD},2020-03-19\n{BAD},2", {}, [("1, 4", "date-form")]),
    "1001 lines": ("\n".join([id_number(507)] * 1001), {}, [("1001", "list-too-long")]),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_every_mistake_is_told_by_its_line_never_by_number_and_nothing_is_written(
    recorder: Desk, case: OpenCase, console: Services, what: str
) -> None:
    lines, changes, expected = MISTAKES[what]
    with console.sessions() as session:
        before = session.scalars(select(Entry.id)).all()
    answer = bring(recorder, case, lines, **changes)
    assert answer.status_code == 422
    told = re.sub(r"<textarea.*?</textarea>", "", answer.text, flags=re.DOTALL)
    for line, slug in expected:
        assert re.search(rf"第 {line} 行.*{re.escape(text('fields', slug, 'zh'))}", told), told
    assert BAD not in told and id_number(507) not in told
    with console.sessions() as session:
        assert session.scalars(select(Entry.id)).all() == before


@pytest.mark.parametrize(
    ("change", "mistake"),
    [({"authority": ""}, "required"), ({"place": ""}, "required")],  # of the content of a line, and of the entry
)
def test_what_holds_for_the_whole_list_is_told_beside_its_field(
    recorder: Desk, case: OpenCase, change: dict[str, str], mistake: str
) -> None:
    answer = bring(recorder, case, id_number(510), **change)
    assert answer.status_code == 422
    assert text("fields", mistake, "zh") in text_of(answer)
    assert id_number(510) in answer.text, "nothing has to be pasted twice"


def test_a_thousand_lines_fit_and_are_held_for_an_auditor(recorder: Desk, case: OpenCase) -> None:
    people = [f"{id_number(n)},2020-03-19" for n in (501, *range(501, 1500))]
    assert len(people) == 1000
    entry = page_of(bring(recorder, case, "\n".join(people)))
    assert text("alarms", "of-one-entry", "zh") in text_of(recorder.get(entry))


def test_lists_of_one_officer_are_counted_together(recorder: Desk, case: OpenCase) -> None:
    page_of(bring(recorder, case, "\n".join(id_number(n) for n in range(520, 560)), place="示例甲地"))
    entry = page_of(bring(recorder, case, "\n".join(id_number(n) for n in range(560, 590)), place="示例乙地"))
    assert text("alarms", "of-one-officer-in-an-hour", "zh") in text_of(recorder.get(entry))


def test_a_case_is_no_contact_of_itself_and_one_that_has_ended_takes_no_list(
    recorder: Desk, case: OpenCase, phone: Callable[..., Phone]
) -> None:
    looked = looks_at(recorder.services, id_number(500))
    answer = bring(recorder, case, id_number(500))
    assert (answer.status_code, text("fields", "own-contact", "zh") in text_of(answer)) == (422, True)
    assert looks_at(recorder.services, id_number(500)) == looked + 1, "the refusal tells who the case is"
    assert "录入密接名单" in text_of(recorder.get("/console/cases"))
    page_of(save(recorder, id_number(500), kind="ruled-out", **STATED))
    assert recorder.get(case.page).status_code == 404
    assert text("fields", "no-such-case", "zh") in text_of(bring(recorder, case, id_number(511)))


def test_another_district_finds_no_such_case(desk: Desks, case: OpenCase) -> None:
    elsewhere = desk("recorder", username="else-1", district="吉林市")
    assert elsewhere.get(case.page).status_code == 404
    assert text("fields", "no-such-case", "zh") in text_of(bring(elsewhere, case, id_number(512)))

"""Recording, approving, holding and letting go at the console, as its officers click through it."""

import io
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.audit import CLOCK, AuditEvent
from app.core.texts import text
from app.entries import workflow
from app.entries.models import Case
from app.runtime import Services
from app.staff.context import begin_as
from tests.support.clock import StandingClock
from tests.support.desk import Desk, text_of
from tests.support.forms import ORDER, STATED, page_of, save
from tests.support.people import Phone, as_pasted, id_number
from tests.support.sheets import filled_in, xlsx

Desks = Callable[..., Desk]


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def test_an_entry_is_previewed_saved_and_approved_by_another_person(
    recorder: Desk, approver: Desk, citizen: Phone
) -> None:
    look = recorder.send("/console/entries/new", {**ORDER, "numbers": as_pasted(citizen.document)})
    assert look.status_code == 200
    assert "绿码" in text_of(look)
    shown = re.sub(r'<input type="hidden"[^>]*>', "", look.text)
    assert citizen.document not in shown, "only masked, but for the hidden field of the form"
    assert citizen.color() == "GREEN"
    entry = page_of(save(recorder, citizen.document, **ORDER))
    assert "待审批" in text_of(recorder.get(entry))
    assert "批准" not in text_of(recorder.get(entry))
    assert "等待您审批" in text_of(approver.get("/console/entries"))
    assert approver.sign(f"{entry}/approve").location.endswith("done=entry-applied")
    assert citizen.color() == "ORANGE"


def test_the_page_of_an_entry_says_only_what_is_so(recorder: Desk, citizen: Phone) -> None:
    entry = page_of(save(recorder, citizen.document, **ORDER))
    assert "已保存，等待另一人审批" in text_of(recorder.get(f"{entry}?done=entry-waiting"))
    assert 'href="/console/entries/new?kind=quarantine">再录一条' in recorder.get(entry).text
    for done in ("entry-applied", "password-changed"):
        answer = recorder.get(f"{entry}?done={done}")
        assert (answer.status_code, answer.location) == (303, entry)


def test_a_second_click_saves_nothing_more_and_shows_the_entry(
    recorder: Desk, approver: Desk, citizen: Phone, clock: StandingClock
) -> None:
    assert page_of(save(recorder, citizen.document, **ORDER)) == page_of(save(recorder, citizen.document, **ORDER))
    ill = page_of(save(recorder, id_number(7), kind="confirmed", **STATED))
    approver.sign(f"{ill}/approve")
    clock.advance(minutes=1)
    out = [page_of(save(recorder, id_number(7), kind="ruled-out", **STATED)) for _ in range(2)]
    assert out[0] == out[1]


def test_who_is_not_ill_by_the_record_is_reported_at_the_preview(recorder: Desk, citizen: Phone) -> None:
    look = recorder.send("/console/entries/new", {"kind": "recovered", **STATED, "numbers": citizen.document})
    assert (look.status_code, text("fields", "no-diagnosis", "zh") in text_of(look)) == (422, True)
    answer = save(recorder, f"{citizen.document}\n{id_number(3)}", kind="recovered", **STATED)
    assert (answer.status_code, citizen.color()) == (422, "GREEN")


def test_an_urgent_entry_is_not_renewed_by_its_recorder(
    recorder: Desk, citizen: Phone, console: Services, clock: StandingClock
) -> None:
    page_of(save(recorder, citizen.document, **ORDER, urgent="yes"))
    clock.advance(hours=24)
    with begin_as(console, CLOCK) as context:
        workflow.lapse_overdue(context)
    recorder.ensure_logged_in()
    answer = save(recorder, citizen.document, **ORDER, urgent="yes")
    assert (answer.status_code, text("fields", "urgent-before", "zh") in text_of(answer)) == (422, True)
    assert citizen.color() == "GREEN"


def test_who_recorded_it_cannot_approve_it_by_any_address(desk: Desks, citizen: Phone) -> None:
    both = desk("recorder", "approver", "auditor", username="both-1")
    entry = page_of(save(both, citizen.document, **ORDER))
    answer = both.sign(f"{entry}/approve")
    assert answer.status_code == 403
    assert text("problems", "two-persons", "zh") in text_of(answer)
    assert citizen.color() == "GREEN"


def test_what_overlaps_is_shown_before_saving(recorder: Desk, citizen: Phone) -> None:
    save(recorder, citizen.document, **ORDER)
    look = recorder.send("/console/entries/new", {**ORDER, "numbers": f"{citizen.document}\n{id_number(77)}"})
    assert text("overlaps", "waiting-already", "zh") in text_of(look)
    assert "其中 <10 人此前没有记录" in text_of(look)


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"first_day": "morgen"}, "date-form"),
        ({"last_day": "2020-03-01"}, "date-order"),  # of what holds for any entry: tests/officers/test_evidence.py
        ({"numbers": " \n"}, "required"),
        ({"numbers": "220000200001010002"}, "number-check-digit"),
        ({"numbers": "220000200001010000"}, "number-rounded"),
        ({"last_day": "2062-04-03"}, "order-too-long"),
        ({"kind": "confirmed", "first_day": "", "last_day": "", "numbers": f"{id_number(1)}\n{id_number(2)}"}, None),
    ],
)
def test_a_form_that_is_not_in_order_comes_back_with_its_mistakes_and_saves_nothing(
    recorder: Desk, citizen: Phone, change: dict[str, str], mistake: str | None
) -> None:
    answer = save(recorder, **{"numbers": citizen.document, **ORDER, **change})
    assert answer.status_code == 422
    if mistake:
        assert text("fields", mistake, "zh") in text_of(answer)
    assert 'value="示例〔2020〕1号"' in answer.text, "nothing has to be typed twice"
    assert "暂无" in text_of(recorder.get("/console/entries"))


def test_an_entry_begins_with_its_kind_and_has_the_fields_of_that_kind_alone(recorder: Desk, citizen: Phone) -> None:
    def fields(kind: str) -> set[str]:
        page = recorder.get(f"/console/entries/new?kind={kind}").text
        return set(re.findall(r'<(?:input|textarea|select)[^>]*? name="(\w+)"', page)) - {"form", "kind"}

    always = {"document_type", "numbers", "authority", "reference"}
    assert fields("contact") == always | {"file", "place", "case", "exposed_on", "urgent"}
    assert fields("quarantine") == always | {"file", "place", "first_day", "last_day", "urgent"}
    assert fields("confirmed") == fields("suspected") == always | {"urgent"}
    assert fields("release") == fields("ruled-out") == fields("recovered") == always | {"file"}
    assert fields("") == fields("purple") == set()
    answer = save(recorder, citizen.document, **{**ORDER, "kind": "purple"})
    assert answer.status_code == 422 and text("fields", "not-a-choice", "zh") in text_of(answer)
    assert 'href="/console/entries/new?kind=quarantine"' in answer.text


def test_script_in_an_entry_is_shown_as_text(recorder: Desk, citizen: Phone) -> None:
    script = "<script>alert(1)</script>"
    entry = page_of(save(recorder, citizen.document, **{**ORDER, "place": script}))
    assert script not in recorder.get(entry).text
    assert "&lt;script&gt;" in recorder.get(entry).text


@pytest.mark.parametrize(("kind", "ends"), [("ruled-out", True), ("recovered", False)])
def test_a_case_its_contacts_and_what_ends_with_it(
    kind: str,
    ends: bool,
    recorder: Desk,
    approver: Desk,
    green_citizens: list[Phone],
    clock: StandingClock,
    console: Services,
) -> None:
    infected, contact, _ = green_citizens
    case = page_of(save(recorder, infected.document, kind="confirmed", **STATED))
    approver.sign(f"{case}/approve")
    assert infected.color() == "RED"
    with console.sessions() as session:
        number = session.scalars(select(Case.number)).one()
    assert number in text_of(recorder.get("/console/cases"))
    met = {"kind": "contact", "exposed_on": "2020-03-19", "place": "示例商场", "case": number, **STATED}
    approver.sign(f"{page_of(save(recorder, contact.document, **met))}/approve")
    assert contact.color() == "ORANGE"
    clock.advance(minutes=1)
    hint = text("kind-hints", kind, "zh")
    assert hint in text_of(recorder.get("/console/entries/new")) and ("病例随之结束" in hint) is ends
    save(recorder, infected.document, kind=kind, **STATED)
    assert (contact.color() == "GREEN") is ends
    assert ("已结束" in text_of(recorder.get("/console/cases"))) is ends


def test_a_long_list_is_held_and_an_auditor_clears_the_hold_with_a_reason(
    recorder: Desk, approver: Desk, desk: Desks
) -> None:
    people = "\n".join(id_number(number) for number in range(51))
    entry = page_of(save(recorder, people, **ORDER))
    assert text("alarms", "of-one-entry", "zh") in text_of(recorder.get(entry))
    assert approver.sign(f"{entry}/approve").status_code == 409
    auditor = desk("auditor", username="aud-1")
    assert "等待您放行" in text_of(auditor.get("/console/entries"))
    assert '<a href="#clear-hold">' in auditor.get(entry).text, "the form is below fifty people"
    assert auditor.sign(f"{entry}/clear-hold", {"reason": "because"}).status_code == 422
    assert auditor.sign(f"{entry}/clear-hold", {"reason": "outbreak"}).status_code == 303
    assert approver.sign(f"{entry}/approve").location.endswith("done=entry-applied")


def test_another_district_finds_no_such_entry(recorder: Desk, desk: Desks, citizen: Phone) -> None:
    entry = page_of(save(recorder, citizen.document, **ORDER))
    elsewhere = desk("approver", "auditor", username="else-1", district="吉林市")
    for answer in (elsewhere.get(entry), elsewhere.send(f"{entry}/approve")):
        assert answer.status_code == 404


def test_each_access_to_a_person_is_in_the_audit_with_role_and_reason(
    recorder: Desk, approver: Desk, citizen: Phone, console: Services
) -> None:
    entry = page_of(save(recorder, citizen.document, **ORDER))
    approver.get(entry)
    with console.sessions() as session:
        reads = session.scalars(select(AuditEvent).where(AuditEvent.action == "record-read")).all()
    assert [(row.role, row.reason) for row in reads] == [("approver", "signing")]
    assert all(row.serial for row in reads)


def test_that_something_could_be_lowered_is_an_access_also_without_a_preview(
    recorder: Desk, approver: Desk, citizen: Phone, clock: StandingClock, console: Services
) -> None:
    """A form that says at once that it was previewed reveals that there is a contact or a quarantine to end."""
    approver.sign(f"{page_of(save(recorder, citizen.document, **ORDER))}/approve")
    clock.advance(minutes=1)
    page_of(save(recorder, citizen.document, kind="release", **STATED))
    with console.sessions() as session:
        read = select(AuditEvent).where(AuditEvent.action == "record-read").order_by(AuditEvent.id)
        reads = session.scalars(read).all()
    assert [(row.role, row.reason) for row in reads] == [("approver", "signing"), ("recorder", "case-review")]


def test_no_document_number_stands_in_an_address(recorder: Desk, citizen: Phone) -> None:
    answer = save(recorder, citizen.document, **ORDER)
    assert citizen.document not in answer.location


def test_wrong_numbers_are_told_at_once_by_their_lines_and_each_mistake_once(recorder: Desk) -> None:
    lines = ["220000200001010002", id_number(1), "", "2.20102E+17", "220000200001010002"]
    told = text_of(save(recorder, "\n".join(lines), **ORDER))
    assert f"2 行（第 1, 5 行） 证件号码 {text('fields', 'number-check-digit', 'zh')}" in told
    assert f"第 4 行 证件号码 {text('fields', 'number-destroyed', 'zh')}" in told


def test_a_spreadsheet_of_any_kind_is_previewed_as_it_was_read_and_becomes_one_entry(recorder: Desk) -> None:
    rows = [
        ("示例街道集中隔离名单",),
        ("序号", "姓名", "身份证号"),
        *((n, "示例丙", id_number(600 + n)) for n in range(12)),
    ]
    look = recorder.send("/console/entries/new", {**ORDER, "file": (io.BytesIO(xlsx(rows)), "名单.xlsx")})
    told = text_of(look)
    assert "人数 12" in told and "表头在第 2 行" in told and "身份证号 证件号码" in told and "B 姓名" in told
    assert "示例丙" not in look.text, "no names come back"
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', look.text))
    del again["form"]
    assert "人数 12" in text_of(recorder.get(page_of(recorder.send("/console/entries/new", again))))


def test_what_is_wrong_with_a_spreadsheet_and_its_form_is_told_together_without_a_number(recorder: Desk) -> None:
    sent = recorder.get("/console/entries/template.xlsx?kind=quarantine")
    people = [(id_number(601), ""), (id_number(602)[:-1] + "?", ""), (id_number(603), "护照本")]
    file = (io.BytesIO(filled_in(sent.data, people)), "名单.xlsx")
    answer = recorder.send("/console/entries/new", {**ORDER, "place": "", "last_day": "明天", "file": file})
    assert answer.status_code == 422
    told = text_of(answer)
    assert text("fields", "required", "zh") in told and text("fields", "date-form", "zh") in told
    assert re.search(rf"第 3 行 证件号码 {text('fields', 'id-card-number', 'zh')}", told)
    assert re.search(rf"第 4 行 证件类型 {text('fields', 'not-a-choice', 'zh')}", told)
    shown = re.sub(r"<textarea.*?</textarea>", "", answer.text, flags=re.DOTALL)
    assert "2299" not in shown, "numbers are in their own field alone"
    assert id_number(601) in answer.text, "the file need not be chosen again"


def test_days_of_their_own_are_for_contacts_alone(recorder: Desk) -> None:
    answer = save(recorder, f"证件号码,最后接触日期\n{id_number(604)},2020-03-19", **ORDER)
    assert answer.status_code == 422
    assert text("fields", "not-of-entry", "zh") in text_of(answer)

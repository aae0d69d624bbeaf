"""The second person sees what they sign: everybody whole, the doubtful first, and each of them can read who looked."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from app.audit import AuditEvent
from app.core.texts import text
from app.entries.models import Entry, EntrySubject
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.desk import Desk, text_of
from tests.support.forms import ORDER, STATED, OpenCase, page_of, save
from tests.support.people import Phone, id_number, id_number_of_birth

Desks = Callable[..., Desk]
MET = {"kind": "contact", "exposed_on": "2020-03-19", "place": "示例商场", **STATED}


def rows_of(page: str) -> list[list[str]]:
    """What a signer reads, line by line, cell by cell."""
    body = re.search(r'<table class="folds">.*?<tbody>(.*?)</tbody>', page, flags=re.DOTALL)
    assert body, page
    rows = re.findall(r"<tr.*?</tr>", body[1], flags=re.DOTALL)
    cells = [re.findall(r"<td.*?</td>", row, flags=re.DOTALL) for row in rows]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


def remark(slug: str, section: str = "remarks") -> str:
    return text(section, slug, "zh")


def test_an_approver_sees_whole_numbers_names_lines_days_and_colors(
    recorder: Desk, approver: Desk, case: OpenCase, green_citizen: Phone
) -> None:
    green = green_citizen
    entry = page_of(save(recorder, f"\n{green.document},2020-03-18\n{id_number(501)}", **MET, case=case.number))
    assert rows_of(approver.get(entry).text) == [
        ["3", id_number(501), "未注册", "2020-03-19", "未申报 → 橙码", remark("new-person")],
        ["2", green.document, "示例甲", "2020-03-18", "绿码 → 橙码", "—"],
    ]
    assert green.color() == "GREEN", "looking changes nothing"
    assert approver.sign(f"{entry}/approve").location.endswith("done=entry-applied")
    assert green.color() == "ORANGE"


@pytest.mark.parametrize(
    ("role", "people", "act", "reason"),
    [
        ("approver", 2, "approve", ""),
        ("approver", 2, "reject", "wrong-facts"),
        ("auditor", 51, "clear-hold", "outbreak"),
    ],
)
def test_nobody_signs_what_they_have_not_viewed_as_it_is_now(
    recorder: Desk, desk: Desks, console: Services, role: str, people: int, act: str, reason: str
) -> None:
    signer = desk(role, username="signer-1")
    entry = page_of(save(recorder, "\n".join(map(id_number, range(people))), **ORDER))
    recorder.get(entry)  # that of another is none
    for change in (None, update(Entry).values(place="示例另一处"), update(EntrySubject).values(line=9)):
        if change is not None:
            signer.get(entry)
            with console.begin() as session:
                session.execute(change)
        answer = signer.send(f"{entry}/{act}", {"reason": reason})
        assert (answer.status_code, "请先打开此件" in text_of(answer)) == (409, True)
    assert signer.sign(f"{entry}/{act}", {"reason": reason}).status_code == 303
    with console.sessions() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.action.like("entry-%")).order_by(AuditEvent.id))
        (viewed, signed) = list(rows)[-2:]
    assert (viewed.action, viewed.actor) == ("entry-viewed", signed.actor)


def test_who_recorded_it_and_who_comes_after_it_was_resolved_see_people_masked(
    recorder: Desk, approver: Desk, green_citizen: Phone
) -> None:
    citizen = green_citizen
    entry = page_of(save(recorder, citizen.document, **ORDER))
    assert citizen.document in approver.get(entry).text
    for hidden in (recorder.get(entry), approver.sign(f"{entry}/approve") and approver.get(entry)):
        assert citizen.document not in hidden.text
        assert citizen.name not in text_of(hidden)


def test_what_is_without_effect_or_implausible_comes_first_with_its_line(
    recorder: Desk, approver: Desk, case: OpenCase, phone: Callable[..., Phone]
) -> None:
    orange = phone("示例乙").become_green()
    approver.sign(f"{page_of(save(recorder, orange.document, **ORDER))}/approve")
    plain = [id_number(n) for n in (510, 511, 512, 513)]
    for number in plain:  # known, so that they have nothing to remark
        save(recorder, number, **ORDER, urgent="yes")
    births = [id_number_of_birth(day) for day in ("20150101", "19100101", "20200320")]
    lines = [*plain, orange.document, f"{id_number(514)},2020-02-01", *births]
    entry = page_of(save(recorder, "\n".join(lines), **MET, case=case.number))
    shown = {row[0]: row[-1] for row in rows_of(approver.get(entry).text)}
    assert remark("no-effect") in shown["5"]
    assert remark("old-contact") in shown["6"] and remark("over") in shown["6"] and remark("other-day") in shown["6"]
    assert remark("minor") in shown["7"]
    assert remark("aged") in shown["8"]
    assert remark("not-born") in shown["9"]


def test_plain_lines_come_after_the_doubtful_ones(
    recorder: Desk, approver: Desk, case: OpenCase, green_citizens: list[Phone]
) -> None:
    people = green_citizens
    lines = [*(one.document for one in people), id_number(515), f"{id_number(516)},2020-03-01"]
    entry = page_of(save(recorder, "\n".join(lines), **MET, case=case.number))
    assert [row[0] for row in rows_of(approver.get(entry).text)] == ["5", "4", "1", "2", "3"]


@pytest.mark.parametrize(
    ("days", "slug"),
    [
        ({"last_day": "2020-06-02"}, "long-quarantine"),
        ({"last_day": "2020-06-02"}, "far-away"),
        ({"first_day": "2020-01-01", "last_day": "2020-01-15"}, "over"),
        ({"first_day": "2020-05-10", "last_day": "2020-05-24"}, "far-away"),
        ({}, None),
    ],
)
def test_days_that_cannot_be_right_are_told_above_all_people(
    recorder: Desk, approver: Desk, days: dict[str, str], slug: str | None
) -> None:
    entry = page_of(save(recorder, id_number(520), **{**ORDER, **days}))
    above = text_of(approver.get(entry)).partition(text("signing", "how", "zh"))[0]
    told = [one for one in ("over", "long-quarantine", "far-away") if remark(one) in above]
    assert slug in told if slug else told == []


def test_what_overlaps_is_told_to_the_signer_but_never_the_entry_itself(
    recorder: Desk, approver: Desk, green_citizen: Phone
) -> None:
    citizen = green_citizen
    urgent = page_of(save(recorder, citizen.document, **ORDER, urgent="yes"))
    assert rows_of(approver.get(urgent).text) == [["1", citizen.document, "示例甲", "绿码 → 橙码", "—"]]
    again = page_of(save(recorder, citizen.document, **{**ORDER, "reference": "示例〔2020〕2号"}))
    assert remark("same-again", "overlaps") in rows_of(approver.get(again).text)[0][-1]
    assert remark("waiting-already", "overlaps") in rows_of(approver.get(again).text)[0][-1]
    assert citizen.color() == "ORANGE"


def test_each_look_of_a_signer_is_read_by_everybody_in_the_entry(
    recorder: Desk, approver: Desk, desk: Desks, green_citizen: Phone
) -> None:
    citizen = green_citizen
    people = [citizen.document, *(id_number(n) for n in range(600, 650))]
    entry = page_of(save(recorder, "\n".join(people), **ORDER))
    auditor = desk("auditor", username="aud-1")
    auditor.sign(f"{entry}/clear-hold", {"reason": "outbreak"})
    approver.get(entry)
    read = citizen.get("/api/v1/record/access").json["entries"]  # type: ignore[index]
    looks = [one for one in read if one["what"]["action"] == "record-read" and one["who"]["role"] != "recorder"]
    assert [(one["who"]["role"], one["why"]["reason"], one["what"]["part"]) for one in looks] == [
        ("approver", "signing", text("record-parts", "entry", "zh")),
        ("auditor", "signing", text("record-parts", "entry", "zh")),
    ]  # fmt: skip
    with approver.services.sessions() as session:
        signing = session.scalars(select(AuditEvent).filter_by(reason="signing")).all()
        known = session.scalars(select(EntrySubject.serial)).all()
    assert sorted(event.serial or 0 for event in signing) == sorted([*known, *known]), "everybody, once for each look"


def test_nobody_says_that_they_sign_to_look_at_somebody_else(desk: Desks, green_citizen: Phone) -> None:
    citizen = green_citizen
    auditor = desk("auditor", username="aud-1")
    found = auditor.send(
        "/console/audit/person", {"document_type": "id-card", "number": citizen.document, "reason": "signing"}
    )
    assert found.status_code == 422
    with auditor.services.sessions() as session:
        assert session.scalars(select(AuditEvent).filter_by(action="record-read")).all() == []


@pytest.mark.slow
def test_a_thousand_lines_are_all_there_within_seconds(
    recorder: Desk, approver: Desk, case: OpenCase, clock: StandingClock, desk: Desks
) -> None:
    people = [f"{id_number(n)},2020-03-19" for n in (501, *range(501, 1500))]
    entry = page_of(save(recorder, "\n".join(people), **MET, case=case.number))
    rows = rows_of(desk("auditor", username="aud-1").get(entry).text)
    assert len(rows) == 999
    assert all(remark("new-person") in row[-1] for row in rows)

"""What health officers record and approve on the command line, and what it does to a code."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.cli import main
from app.core.texts import text as text_of
from app.runtime import Services
from app.staff import officers as staff_officers
from tests.support.clock import StandingClock
from tests.support.desk import make_officer
from tests.support.people import PASSWORD, Phone, as_pasted, id_number
from tests.support.terminal import AUTHORITY, REFERENCE, Terminal, open_terminal


def refusal_of(slug: str) -> str:
    """The line of a refusal: what is wrong, and what to do."""
    return f"Error: {text_of('problems', slug, 'en')}. {text_of('next-steps', slug, 'en')}\n"


@pytest.fixture
def officers(services: Services, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return open_terminal(services, monkeypatch)


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def rows(services: Services) -> list[int]:
    with services.engine.connect() as connection:
        tables = ("codes", "citizens", "evidence", "decisions", "notices", "entries", "procrastinate_jobs")
        return [connection.scalar(text(f"select count(*) from {table}")) or 0 for table in tables]


ENTRY = (
    "--kind", "suspected", "--authority", AUTHORITY, "--reference", REFERENCE, "--document-number",
)  # fmt: skip

# --- two persons


def test_what_makes_a_code_worse_waits_until_another_officer_approves_it(citizen: Phone, officers: Terminal) -> None:
    outcome = officers.record(citizen.document, "confirmed")
    assert outcome.output == "Entry 1 waits for approval: jixiang evidence approve 1 --officer …, or the console.\n"
    assert citizen.color() == "GREEN"
    assert officers.approve(1).stdout == "Entry 1 is in effect: 1 people.\n"
    assert citizen.color() == "RED"


def test_what_lowers_a_risk_takes_effect_at_once_and_says_what_follows(
    citizen: Phone, officers: Terminal, clock: StandingClock
) -> None:
    officers.enter(citizen.document, "confirmed")
    clock.advance(minutes=1)
    outcome = officers.record(citizen.document, "recovered")
    assert outcome.output.splitlines() == ["Entry 2 is in effect.", "The code is ORANGE by ORANGE-RECOVERED."]


def test_an_urgent_entry_takes_effect_at_once_until_it_lapses(citizen: Phone, officers: Terminal) -> None:
    outcome = officers.record(citizen.document, "confirmed", "--urgent")
    assert "expires unless another officer approves it within 24 hours" in outcome.output
    assert citizen.color() == "RED"


@pytest.mark.parametrize("wrong", ["password", "code", "name"])
def test_nobody_records_or_approves_who_does_not_prove_who_they_are(
    citizen: Phone, officers: Terminal, services: Services, wrong: str
) -> None:
    officers.record(citizen.document, "suspected")
    before = rows(services)
    env = {"password": {"JIXIANG_OFFICER_PASSWORD": "x"}, "code": {"JIXIANG_OFFICER_CODE": "000000"}}.get(wrong, {})
    for words, officer in (
        (("evidence", "approve", "1", "--yes"), "app-1"),
        (("evidence", "record", *ENTRY, citizen.document), "rec-1"),
    ):
        outcome = officers.run(*words, env=env, officer="nobody-1" if wrong == "name" else officer)
        assert (outcome.exit_code, outcome.stderr) == (1, refusal_of("wrong-log-in"))
    assert rows(services) == before
    assert citizen.color() == "GREEN"


def test_with_a_password_that_an_administrator_gave_nobody_acts_at_the_terminal(
    citizen: Phone, officers: Terminal, services: Services
) -> None:
    officers.record(citizen.document, "suspected")
    officers.code_of("app-1")  # who is hired
    with services.begin() as session:
        staff_officers.find_by_username(session, "app-1").must_change_password = True
    outcome = officers.run("evidence", "approve", "1", "--yes", officer="app-1")
    assert (outcome.exit_code, outcome.stderr) == (1, refusal_of("must-change-password"))
    assert citizen.color() == "GREEN"


def test_a_code_counts_once(citizen: Phone, officers: Terminal) -> None:
    env = {"JIXIANG_OFFICER_PASSWORD": PASSWORD, "JIXIANG_OFFICER_CODE": officers.code_of("rec-1")}
    words = ["evidence", "record", *ENTRY, citizen.document, "--officer", "rec-1"]
    assert [officers.invoke(main, words, env=env).exit_code for _ in range(2)] == [0, 1]


def test_a_person_is_asked_for_password_and_code_and_shown_what_they_approve(
    citizen: Phone, officers: Terminal
) -> None:
    officers.record(citizen.document, "quarantine", first_day="2020-03-20", last_day="2020-04-03")
    code = officers.code_of("app-1")
    words = ["evidence", "approve", "1", "--officer", "app-1"]
    refused = officers.invoke(main, words, input=f"{PASSWORD}\n{code}\nn\n")
    assert refused.exit_code == 1
    assert citizen.color() == "GREEN"
    code = officers.code_of("app-1")
    agreed = officers.invoke(main, words, input=f"{PASSWORD}\n{code}\ny\n")
    assert agreed.exit_code == 0
    assert PASSWORD not in agreed.output
    for shown in (
        "Content: Quarantine",
        "Place: 示例酒店",
        "Last day: 2020-04-03",
        "Number of people: 1",
        "Green → Orange",
    ):
        assert shown in agreed.stderr
    assert citizen.document in agreed.stderr and citizen.document not in agreed.stdout
    assert citizen.color() == "ORANGE"


def test_an_approver_is_told_that_the_case_of_a_contact_has_ended(
    citizen: Phone, officers: Terminal, services: Services
) -> None:
    officers.case()
    entry = json.loads(officers.record(citizen.document, "contact", "--json", exposed_on="2020-03-20").stdout)["entry"]
    with services.engine.begin() as connection:
        connection.execute(text("update cases set ended_at = opened_at"))
    assert officers.approve(entry).stdout == f"Entry {entry} is rejected: its case has ended.\n"
    assert citizen.color() == "GREEN"


def test_the_recorder_cannot_approve_their_own_entry(citizen: Phone, officers: Terminal, services: Services) -> None:
    make_officer(services, "both-1", "recorder", "approver")
    assert officers.run("evidence", "record", *ENTRY, citizen.document, officer="both-1").exit_code == 0
    outcome = officers.approve(1, officer="both-1")
    assert (outcome.exit_code, "another person has to" in outcome.stderr) == (1, True)
    assert citizen.color() == "GREEN"


def test_roles_and_districts_hold_at_the_command_line_too(
    citizen: Phone, officers: Terminal, services: Services
) -> None:
    make_officer(services, "here-1", "recorder", district="长春市")
    make_officer(services, "else-1", "approver", district="吉林市")
    officers.run("evidence", "record", *ENTRY, citizen.document, officer="here-1")
    for outcome, told in (
        (officers.approve(1, officer="rec-1"), "Your role does not allow this"),
        (officers.approve(1, officer="here-1"), "Your role does not allow this"),
        (officers.approve(1, officer="else-1"), "no such entry"),
        (officers.run("evidence", "record", *ENTRY, citizen.document, officer="app-1"), "Your role does not allow"),
    ):
        assert (outcome.exit_code, told in outcome.stderr) == (1, True), outcome.output
    assert citizen.color() == "GREEN"


@pytest.mark.slow
def test_too_many_people_of_one_officer_are_held_as_at_the_console(officers: Terminal) -> None:
    for number in range(60):
        officers.record(id_number(number), "suspected")
    outcome = officers.record(id_number(60), "suspected")
    assert "held for an auditor. Too many people recorded by one officer in an hour" in outcome.output


# --- what follows


@pytest.mark.parametrize(
    ("kind", "dates", "state", "rule"),
    [
        ("contact", {"exposed_on": "2020-03-20"}, "ORANGE", "ORANGE-CONTACT"),
        ("contact", {"exposed_on": "2020-03-05"}, "GREEN", "GREEN-VERIFIED"),
        ("quarantine", {"first_day": "2020-03-20", "last_day": "2020-03-20"}, "ORANGE", "ORANGE-QUARANTINE"),
        ("quarantine", {"first_day": "2020-03-21", "last_day": "2020-04-03"}, "GREEN", "GREEN-VERIFIED"),
        ("suspected", {}, "RED", "RED-SUSPECTED"),
        ("confirmed", {}, "RED", "RED-CONFIRMED"),
    ],
)
def test_each_kind_of_entry_has_its_color(
    citizen: Phone, officers: Terminal, kind: str, dates: dict[str, str], state: str, rule: str
) -> None:
    assert officers.enter(citizen.document, kind, **dates) == (state, rule)
    assert citizen.color() == state


@pytest.mark.parametrize(("kind", "rule"), [("recovered", "ORANGE-RECOVERED"), ("ruled-out", "ORANGE-REVERIFY")])
def test_each_end_of_an_infection_has_its_rule(
    citizen: Phone, officers: Terminal, clock: StandingClock, kind: str, rule: str
) -> None:
    officers.enter(citizen.document, "confirmed")
    clock.advance(minutes=1)
    assert officers.enter(citizen.document, kind) == ("ORANGE", rule)


def test_a_quarantine_ordered_for_tomorrow_begins_tomorrow(
    citizen: Phone, officers: Terminal, clock: StandingClock, work: Callable[[], None]
) -> None:
    officers.enter(citizen.document, "quarantine", first_day="2020-03-21", last_day="2020-04-03")
    clock.advance_to("2020-03-20 23:59")
    work()
    assert citizen.color() == "GREEN"
    clock.advance_to("2020-03-21 00:00")
    work()
    assert citizen.color() == "ORANGE"
    assert citizen.code()["reasons"][0]["until"] == "2020-04-04T00:00:00+08:00"


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        ("contact", {"exposed_on": "2020-03-05"}),
        ("quarantine", {"first_day": "2020-03-01", "last_day": "2020-03-19"}),
    ],
)
def test_an_entry_that_was_over_already_is_recorded_and_said_to_change_nothing(
    citizen: Phone, officers: Terminal, kind: str, days: dict[str, str]
) -> None:
    told = officers.record(citizen.document, kind, **days).output.splitlines()
    assert told[1:] == ["It was over before it was recorded, and changes nothing."]


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        ("contact", {"exposed_on": "2020-03-06"}),
        ("quarantine", {"first_day": "2020-03-01", "last_day": "2020-03-20"}),
        ("quarantine", {"first_day": "2020-03-21", "last_day": "2020-04-03"}),
        ("suspected", {}),
    ],
)
def test_an_entry_that_has_a_day_left_or_none_at_all_is_not_over(
    citizen: Phone, officers: Terminal, kind: str, days: dict[str, str]
) -> None:
    assert json.loads(officers.record(citizen.document, kind, "--json", **days).stdout)["over"] is False


def test_a_document_that_nobody_has_is_told_because_the_number_may_be_mistyped(officers: Terminal) -> None:
    first, second = (officers.record(id_number(778), kind).output for kind in ("suspected", "confirmed"))
    assert "was not known before" in first
    assert "not known" not in second
    assert id_number(778) not in first


def test_somebody_with_an_account_is_known_before_they_declare(phone: Callable[..., Phone], officers: Terminal) -> None:
    citizen = phone("示例甲")
    citizen.log_in_with_wechat()
    citizen.post("/api/v1/accounts", citizen.registration())
    assert json.loads(officers.record(citizen.document, "confirmed", "--json").stdout)["new_person"] is False


def test_a_release_ends_the_restriction_of_the_same_document(
    citizen: Phone, officers: Terminal, clock: StandingClock, work: Callable[[], None]
) -> None:
    officers.enter(citizen.document, "contact", exposed_on="2020-03-19")
    clock.advance(hours=1)
    assert json.loads(officers.record(citizen.document, "release", "--json").stdout)["rule"] == "ORANGE-REVERIFY"
    work()
    assert citizen.color() == "GREEN"


def test_a_release_of_one_order_leaves_the_other(citizen: Phone, officers: Terminal, clock: StandingClock) -> None:
    officers.enter(citizen.document, "contact", exposed_on="2020-03-19")
    officers.enter(citizen.document, "quarantine", first_day="2020-03-20", last_day="2020-04-10", reference="长卫令2号")
    clock.advance(hours=1)
    assert officers.enter(citizen.document, "release") == ("ORANGE", "ORANGE-QUARANTINE")


def test_a_release_without_something_to_release_is_refused(
    citizen: Phone, officers: Terminal, services: Services
) -> None:
    before = rows(services)
    outcome = officers.record(citizen.document, "release", reference="另一文书")
    assert outcome.exit_code == 1
    assert "names no contact or quarantine of this person" in outcome.stderr
    assert rows(services) == before
    seen = citizen.get("/api/v1/record/access").json["entries"][0]  # type: ignore[index]
    assert (seen["what"]["action"], seen["who"]["role"]) == ("record-read", "recorder"), "the refusal tells something"


def test_a_person_without_an_account_gets_a_code_that_waits_for_them(officers: Terminal, services: Services) -> None:
    assert officers.enter(id_number(777), "confirmed") == ("RED", "RED-CONFIRMED")
    assert rows(services)[:2] == [1, 1]
    officers.enter(id_number(777), "recovered", reference="出院证明")
    assert rows(services)[:2] == [1, 1], "the same document is the same person"


@pytest.mark.parametrize("kind", ["passport", "hong-kong-macau-permit"])
def test_people_are_found_by_documents_of_other_kinds(
    phone: Callable[..., Phone], officers: Terminal, kind: str
) -> None:
    citizen = phone("示例甲")
    citizen.log_in_with_wechat()
    number = "H12345678"
    body = {**citizen.registration(), "document": {"type": kind, "number": number}}
    citizen.session = citizen.post("/api/v1/accounts", body).json["session"]
    citizen.declare()
    officers.record(as_pasted(number), "suspected", document_type=kind)
    assert officers.approve(1).exit_code == 0
    assert citizen.color() == "RED"


# what must be true of any entry is proved here; lists and the console show by one example that they ask the same
MISTAKES: dict[str, tuple[str, dict[str, Any], str]] = {
    "a contact without a day": ("contact", {}, "/exposed_on is required"),
    "a contact in the future": ("contact", {"exposed_on": "2020-03-21"}, "/exposed_on must not be in the future"),
    "a day that is not needed": ("confirmed", {"exposed_on": "2020-03-19"}, "/exposed_on is not a known field"),
    "half a quarantine": ("quarantine", {"first_day": "2020-03-20"}, "/last_day is required"),
    "an end before the start": (
        "quarantine",
        {"first_day": "2020-03-20", "last_day": "2020-03-19"},
        "/last_day must not be before the first day",
    ),
    "a wrong check digit": ("confirmed", {"document_number": id_number(5)[:-1] + "?"}, "/document/number"),
    "no authority": ("confirmed", {"authority": " "}, "/authority is required"),
    "no reference": ("confirmed", {"reference": ""}, "/reference is required"),
    "no place": (
        "quarantine",
        {"first_day": "2020-03-20", "last_day": "2020-03-20", "place": " "},
        "/place is required",
    ),
    "a contact without a place": ("contact", {"exposed_on": "2020-03-19", "place": None}, "/place is required"),
    "a place of two lines": ("contact", {"exposed_on": "2020-03-19", "place": "示例\n处"}, "/place is invalid"),
    "no case": ("contact", {"exposed_on": "2020-03-19", "case": None}, "/case is not an open case"),
    "a case of nobody": ("contact", {"exposed_on": "2020-03-19", "case": "示例"}, "/case is not an open case"),
    "a case for a diagnosis": ("confirmed", {"case": "示例"}, "/case is not a known field"),
    "an authority of one letter": ("confirmed", {"authority": "a"}, "/authority is too short"),
    "an authority of two lines": ("confirmed", {"authority": "某局\n某处"}, "/authority is invalid"),
    "a reference that paints": ("confirmed", {"reference": "一号\x1b[31m"}, "/reference is invalid"),
    "a long authority": ("confirmed", {"authority": "长" * 81}, "/authority is too long"),
    "a long reference": ("confirmed", {"reference": "长" * 81}, "/reference is too long"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_one_line_and_changes_nothing(
    citizen: Phone, officers: Terminal, services: Services, what: str
) -> None:
    kind, given, told = MISTAKES[what]
    changes = dict(given)
    if kind == "contact" and "case" not in changes:
        officers.case()
    before = rows(services)
    outcome = officers.record(changes.pop("document_number", citizen.document), kind, **changes)
    assert outcome.exit_code == 1
    assert told in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert "Traceback" not in outcome.output
    assert str(given.get("document_number", citizen.document)) not in outcome.output
    assert rows(services) == before


@pytest.mark.parametrize("option", ["authority", "reference", "kind"])
def test_what_an_entry_rests_on_cannot_be_left_out(
    citizen: Phone, officers: Terminal, services: Services, option: str
) -> None:
    before = rows(services)
    outcome = officers.record(citizen.document, "confirmed", **{option: None})
    assert outcome.exit_code == 2
    assert f"Missing option '--{option}'" in outcome.stderr
    assert rows(services) == before


@pytest.mark.parametrize("day", ["2020-02-30", "19.3.2020", "yesterday", "20200319"])
def test_a_day_that_does_not_exist_is_refused(citizen: Phone, officers: Terminal, day: str) -> None:
    assert officers.record(citizen.document, "contact", case="示例", exposed_on=day).exit_code == 2


def test_nobody_can_enter_a_color(citizen: Phone, officers: Terminal) -> None:
    outcome = officers.record(citizen.document, "confirmed", "--color", "GREEN")
    assert outcome.exit_code == 2
    assert citizen.color() == "GREEN", "and nothing else was recorded"
    assert len(citizen.inbox()) == 1


def test_the_audit_names_both_officers_and_never_the_person(
    citizen: Phone, officers: Terminal, services: Services
) -> None:
    officers.enter(citizen.document, "confirmed")
    with services.engine.connect() as connection:
        entries = connection.execute(
            text("select actor, action, detail::text from audit where actor like 'officer%' order by id")
        )
        audit = [tuple(entry) for entry in entries]
    assert [(actor, action) for actor, action, _ in audit if action not in ("record-read", "decided")] == [
        ("officer:1", "officer-identified"),
        ("officer:1", "entry-recorded"),
        ("officer:2", "officer-identified"),
        ("officer:2", "entry-viewed"),
        ("officer:2", "entry-approved"),
        ("officer:1", "evidence-recorded"),
    ]
    looks = [actor for actor, action, _ in audit if action == "record-read"]
    assert looks == ["officer:1", "officer:2"], "of who records and who approves, for the citizen to read"
    assert citizen.document not in str(audit)
    assert citizen.name not in str(audit)


def test_the_citizen_hears_of_it(citizen: Phone, officers: Terminal, work: Callable[[], None]) -> None:
    citizen.subscribe()
    officers.enter(citizen.document, "suspected")
    work()
    assert citizen.messages()[0]["fields"][0]["value"] == "红码"
    assert citizen.inbox()[0]["advice"].startswith("请立即就地隔离")

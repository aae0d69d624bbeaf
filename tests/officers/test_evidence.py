"""What health officers record on the command line, and what it does to a code."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from app.cli import base, main
from app.services import Services
from tests.conftest import StandingClock
from tests.people import Phone, id_number

Record = Callable[..., Result]
AUTHORITY, REFERENCE = "长春市疾病预防控制中心", "长疾控〔2020〕1号"


@pytest.fixture
def record(services: Services, monkeypatch: pytest.MonkeyPatch) -> Record:
    """`jixiang evidence record`, with every option as given; None leaves one out."""
    monkeypatch.setattr(base, "services", lambda: services)

    def run(person: Phone | str, kind: str, /, *flags: str, **changes: str | None) -> Result:
        number = person if isinstance(person, str) else person.document
        known = {"document_number": number, "authority": AUTHORITY, "reference": REFERENCE, "officer": "officer-7"}
        options: dict[str, str | None] = {**known, "kind": kind, **changes}
        words = ["evidence", "record"]
        for name, value in options.items():
            words += [] if value is None else [f"--{name.replace('_', '-')}", value]
        return CliRunner().invoke(main, [*words, *flags])

    return run


@pytest.fixture
def citizen(phone: Callable[..., Phone]) -> Phone:
    return phone("示例甲").become_green()


def rows(services: Services) -> list[int]:
    with services.engine.connect() as connection:
        tables = ("codes", "citizens", "evidence", "decisions", "notices", "audit", "procrastinate_jobs")
        return [connection.scalar(text(f"select count(*) from {table}")) or 0 for table in tables]


def test_an_entry_tells_what_follows_from_it(citizen: Phone, record: Record) -> None:
    outcome = record(citizen, "contact", exposed_on="2020-03-19")
    assert outcome.exit_code == 0
    assert outcome.output == "Recorded. The code is ORANGE by ORANGE-CONTACT.\n"
    assert citizen.color() == "ORANGE"


def test_an_entry_can_be_told_to_a_program(citizen: Phone, record: Record) -> None:
    outcome = json.loads(record(citizen, "confirmed", "--json").output)
    assert (outcome["state"], outcome["rule"]) == ("RED", "RED-CONFIRMED")
    assert outcome["evidence"] in [item["id"] for item in citizen.history()[0]["evidence"]]


@pytest.mark.parametrize(
    ("kind", "dates", "state", "rule"),
    [
        ("contact", {"exposed_on": "2020-03-20"}, "ORANGE", "ORANGE-CONTACT"),
        ("contact", {"exposed_on": "2020-03-05"}, "GREEN", "GREEN-VERIFIED"),
        ("quarantine", {"first_day": "2020-03-20", "last_day": "2020-03-20"}, "ORANGE", "ORANGE-QUARANTINE"),
        ("quarantine", {"first_day": "2020-03-21", "last_day": "2020-04-03"}, "GREEN", "GREEN-VERIFIED"),
        ("suspected", {}, "RED", "RED-SUSPECTED"),
        ("confirmed", {}, "RED", "RED-CONFIRMED"),
        ("recovered", {}, "ORANGE", "ORANGE-RECOVERED"),
        ("ruled-out", {}, "GREEN", "GREEN-VERIFIED"),
    ],
)
def test_each_kind_of_entry_has_its_color(
    citizen: Phone, record: Record, kind: str, dates: dict[str, str], state: str, rule: str
) -> None:
    outcome = json.loads(record(citizen, kind, "--json", **dates).output)
    assert (outcome["state"], outcome["rule"]) == (state, rule)
    assert citizen.color() == state


def test_a_quarantine_ordered_for_tomorrow_begins_tomorrow(
    citizen: Phone, record: Record, clock: StandingClock, work: Callable[[], None]
) -> None:
    record(citizen, "quarantine", first_day="2020-03-21", last_day="2020-04-03")
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
    citizen: Phone, record: Record, kind: str, days: dict[str, str]
) -> None:
    told = record(citizen, kind, **days).output
    assert told.splitlines() == [
        "Recorded. The code is GREEN by GREEN-VERIFIED.",
        "It was over before it was recorded, and changes nothing.",
    ]


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        ("contact", {"exposed_on": "2020-03-06"}),
        ("quarantine", {"first_day": "2020-03-01", "last_day": "2020-03-20"}),
        ("quarantine", {"first_day": "2020-03-21", "last_day": "2020-04-03"}),
        ("ruled-out", {}),
    ],
)
def test_an_entry_that_has_a_day_left_or_none_at_all_is_not_over(
    citizen: Phone, record: Record, kind: str, days: dict[str, str]
) -> None:
    assert json.loads(record(citizen, kind, "--json", **days).output)["over"] is False


def test_a_document_that_nobody_has_is_told_because_the_number_may_be_mistyped(record: Record) -> None:
    first, second = (record(id_number(778), "confirmed", reference=reference).output for reference in ("一号", "二号"))
    assert "a person not known before" in first
    assert "not known" not in second
    assert id_number(778) not in first


def test_somebody_with_an_account_is_known_before_they_declare(phone: Callable[..., Phone], record: Record) -> None:
    citizen = phone("示例甲")
    citizen.log_in_with_wechat()
    citizen.post("/api/v1/accounts", citizen.registration())
    assert json.loads(record(citizen, "confirmed", "--json").output)["new_person"] is False


def test_a_release_ends_the_restriction_of_the_same_document(
    citizen: Phone, record: Record, clock: StandingClock, work: Callable[[], None]
) -> None:
    record(citizen, "contact", exposed_on="2020-03-19")
    clock.advance(hours=1)
    assert json.loads(record(citizen, "release", "--json").output)["rule"] == "ORANGE-REVERIFY"
    work()
    assert citizen.color() == "GREEN"


def test_a_release_of_one_order_leaves_the_other(citizen: Phone, record: Record, clock: StandingClock) -> None:
    record(citizen, "contact", exposed_on="2020-03-19")
    record(citizen, "quarantine", first_day="2020-03-20", last_day="2020-04-10", reference="长卫令2号")
    clock.advance(hours=1)
    outcome = json.loads(record(citizen, "release", "--json").output)
    assert (outcome["state"], outcome["rule"]) == ("ORANGE", "ORANGE-QUARANTINE")


def test_a_release_without_something_to_release_is_refused(citizen: Phone, record: Record, services: Services) -> None:
    before = rows(services)
    outcome = record(citizen, "release", reference="另一文书")
    assert outcome.exit_code == 1
    assert "names no contact or quarantine of this person" in outcome.stderr
    assert rows(services) == before


def test_a_person_without_an_account_gets_a_code_that_waits_for_them(record: Record, services: Services) -> None:
    outcome = json.loads(record(id_number(777), "confirmed", "--json").output)
    assert outcome["state"] == "RED"
    assert rows(services)[:2] == [1, 1]
    record(id_number(777), "recovered", reference="出院证明")
    assert rows(services)[:2] == [1, 1], "the same document is the same person"


@pytest.mark.parametrize("kind", ["passport", "hong-kong-macau-permit"])
def test_people_are_found_by_documents_of_other_kinds(phone: Callable[..., Phone], record: Record, kind: str) -> None:
    citizen = phone("示例甲")
    citizen.log_in_with_wechat()
    number = "H12345678"
    body = {**citizen.registration(), "document": {"type": kind, "number": number}}
    citizen.session = citizen.post("/api/v1/accounts", body).json["session"]
    citizen.declare()
    assert record("h 1234 5678", "suspected", document_type=kind).exit_code == 0
    assert citizen.color() == "RED"


MISTAKES: dict[str, tuple[str, dict[str, Any], str]] = {
    "an unknown kind": ("influenza", {}, "/kind is not one of the choices"),
    "a color as kind": ("RED", {}, "/kind is not one of the choices"),
    "a contact without a day": ("contact", {}, "/exposed_on is required"),
    "a contact in the future": ("contact", {"exposed_on": "2020-03-21"}, "/exposed_on must not lie in the future"),
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
    "no officer": ("confirmed", {"officer": " "}, "/officer is required"),
    "a long officer": ("confirmed", {"officer": "o" * 61}, "/officer is too long"),
    "an authority of two lines": ("confirmed", {"authority": "某局\n某处"}, "/authority is not right"),
    "a reference that paints": ("confirmed", {"reference": "一号\x1b[31m"}, "/reference is not right"),
    "a long authority": ("confirmed", {"authority": "长" * 81}, "/authority is too long"),
    "a long reference": ("confirmed", {"reference": "长" * 81}, "/reference is too long"),
    "an unknown kind of document": ("confirmed", {"document_type": "library-card"}, "kind of document is not known"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_one_line_and_changes_nothing(
    citizen: Phone, record: Record, services: Services, what: str
) -> None:
    kind, changes, told = MISTAKES[what]
    before = rows(services)
    outcome = record(citizen, kind, **changes)
    assert outcome.exit_code == 1
    assert told in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert "Traceback" not in outcome.output
    assert str(changes.get("document_number", citizen.document)) not in outcome.output
    assert rows(services) == before


@pytest.mark.parametrize("option", ["authority", "reference", "officer", "kind"])
def test_what_an_entry_rests_on_cannot_be_left_out(
    citizen: Phone, record: Record, services: Services, option: str
) -> None:
    before = rows(services)
    outcome = record(citizen, "confirmed", **{option: None})
    assert outcome.exit_code == 2
    assert f"Missing option '--{option}'" in outcome.stderr
    assert rows(services) == before


@pytest.mark.parametrize("day", ["2020-02-30", "19.3.2020", "yesterday", "20200319"])
def test_a_day_that_does_not_exist_is_refused(citizen: Phone, record: Record, day: str) -> None:
    assert record(citizen, "contact", exposed_on=day).exit_code == 2


def test_nobody_can_enter_a_color(citizen: Phone, record: Record) -> None:
    outcome = record(citizen, "confirmed", "--color", "GREEN")
    assert outcome.exit_code == 2
    assert citizen.color() == "GREEN", "and nothing else was recorded"
    assert len(citizen.inbox()) == 1


def test_the_audit_names_the_officer_and_never_the_person(citizen: Phone, record: Record, services: Services) -> None:
    record(citizen, "confirmed")
    with services.engine.connect() as connection:
        entries = connection.execute(text("select actor, action, detail::text from audit where actor like 'officer%'"))
        audit = [tuple(entry) for entry in entries]
    assert {(actor, action) for actor, action, _ in audit} == {
        ("officer:officer-7", "evidence-recorded"),
        ("officer:officer-7", "decided"),
    }
    assert citizen.document not in str(audit)
    assert citizen.name not in str(audit)


def test_the_citizen_hears_of_it(citizen: Phone, record: Record, work: Callable[[], None]) -> None:
    citizen.subscribe()
    record(citizen, "suspected")
    work()
    assert citizen.messages()[0]["fields"][0]["value"] == "红码"
    assert citizen.inbox()[0]["advice"].startswith("请立即就地隔离")

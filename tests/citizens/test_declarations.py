"""Health declarations: valid statements, their effect, and the effect of the platform's answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from app.audit import Actor
from app.citizens import declarations
from app.citizens.declarations import Statement
from app.codes import ledger
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.people import Phone, Station

Work = Callable[[], None]


@pytest.fixture
def citizen(phone: Callable[..., Phone]) -> Phone:
    """Somebody who has registered and declared nothing yet."""
    citizen = phone("示例甲")
    citizen.register()
    return citizen


@pytest.fixture
def platform(platform_url: str) -> Callable[..., None]:
    """Tells the platform how to behave, or what it knows of a person."""

    def tell(person: Phone | None = None, **how: Any) -> None:
        path = f"people/{person.document}" if person else "switch"
        requests.put(f"{platform_url}/sandbox/{path}", json=how, timeout=5).raise_for_status()

    return tell


def questions(platform_url: str) -> int:
    return int(requests.get(f"{platform_url}/sandbox/calls", timeout=5).json().get("/verification", 0))


def declare(citizen: Phone, **changes: Any) -> Any:
    body = {"symptoms": [], "contact": False, "consent": True, **changes}
    return citizen.post("/api/v1/declarations", body)


def bad_fields(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json["errors"]]


def rules(citizen: Phone) -> list[str]:
    return [reason["rule"] for reason in citizen.code()["reasons"]]


# --- what may be stated -----------------------------------------------------------------------------------------


def test_without_consent_nothing_is_declared(citizen: Phone) -> None:
    answer = declare(citizen, consent=False)
    assert bad_fields(answer) == ["/consent"]
    assert answer.json["errors"][0]["detail"] == "需要勾选同意后才能提交"
    assert citizen.get("/api/v1/code").status_code == 404
    assert citizen.history() == []


def test_everything_that_is_wrong_is_reported_at_once(citizen: Phone) -> None:
    assert bad_fields(declare(citizen, contact=True, contact_on=None, consent=False)) == ["/contact_on", "/consent"]
    old = {"contact": True, "contact_on": "2019-01-01", "consent": False}
    assert bad_fields(declare(citizen, **old)) == ["/consent", "/contact_on"]


@pytest.mark.parametrize(
    ("day", "pointers"),
    [
        ("2020-03-20", []),
        ("2020-03-21", ["/contact_on"]),
        ("2020-01-20", []),
        ("2020-01-19", ["/contact_on"]),
        ("2020-02-30", ["/contact_on"]),
        ("20200315", ["/contact_on"]),
        ("2020-3-15", ["/contact_on"]),
        ("2020-03-15T00:00:00", ["/contact_on"]),
        ("昨天", ["/contact_on"]),
        (20200315, ["/contact_on"]),
        (None, ["/contact_on"]),
    ],
)
def test_a_day_of_contact_lies_in_the_last_sixty_days_by_beijing_time(
    citizen: Phone, day: Any, pointers: list[str]
) -> None:
    answer = declare(citizen, contact=True, contact_on=day)
    assert (bad_fields(answer) if pointers else []) == pointers
    assert answer.status_code == (422 if pointers else 201)


def test_today_is_the_day_in_beijing(citizen: Phone, clock: StandingClock) -> None:
    clock.advance_to("2020-03-21 00:30")  # still the 20th in UTC
    assert declare(citizen, contact=True, contact_on="2020-03-21").status_code == 201


def test_a_day_without_contact_is_a_contradiction(citizen: Phone) -> None:
    assert bad_fields(declare(citizen, contact=False, contact_on="2020-03-15")) == ["/contact_on"]


@pytest.mark.parametrize("symptoms", [["plague"], ["FEVER"], [1], ["fever"] * 8, [None], ["fever", ["cough"]]])
def test_symptoms_are_those_of_the_form(citizen: Phone, symptoms: list[Any]) -> None:
    assert bad_fields(declare(citizen, symptoms=symptoms))[0].startswith("/symptoms")


def test_a_symptom_stated_twice_is_one(citizen: Phone) -> None:
    declare(citizen, symptoms=["cough", "cough", "fever"])
    [evidence] = [item for item in citizen.history()[0]["evidence"] if item["kind"] == "declaration"]
    assert evidence["facts"]["symptoms"] == ["cough", "fever"]


# --- what comes of it -------------------------------------------------------------------------------------------


def test_symptoms_are_yellow_until_a_verified_declaration_without_them(citizen: Phone, clock: StandingClock) -> None:
    assert declare(citizen, symptoms=["cough"]).json["color"] == "YELLOW"
    assert rules(citizen) == ["YELLOW-SYMPTOMS"]
    clock.advance(minutes=1)
    assert declare(citizen).json["color"] == "GREEN"


def test_a_contact_that_one_states_oneself_is_orange_at_once_and_is_not_taken_back_by_oneself(
    citizen: Phone, clock: StandingClock
) -> None:
    assert declare(citizen, contact=True, contact_on="2020-03-19").json["color"] == "ORANGE"
    assert rules(citizen)[0] == "ORANGE-DECLARED-CONTACT"
    clock.advance(minutes=1)
    assert declare(citizen).json["color"] == "ORANGE"


def test_what_speaks_against_oneself_counts_while_the_platform_is_down(
    citizen: Phone, platform: Callable[..., None]
) -> None:
    platform(on=False)
    answer = declare(citizen, symptoms=["fever"])
    assert (answer.status_code, answer.json["color"]) == (202, "YELLOW")


def test_a_green_code_stays_green_while_the_platform_cannot_answer_a_new_declaration(
    green_citizen: Phone, platform: Callable[..., None], clock: StandingClock
) -> None:
    citizen = green_citizen
    platform(on=False)
    clock.advance(hours=1)
    answer = citizen.declare()
    assert (answer.status_code, answer.json["color"]) == (202, "GREEN")


def test_a_declaration_that_no_longer_holds_is_unverified_and_asks_for_a_new_one(
    green_citizen: Phone, clock: StandingClock, work: Work
) -> None:
    citizen = green_citizen
    clock.advance(days=7)
    work()
    assert citizen.color() == "GREEN", "verified anew after a week, by the clock"
    clock.advance(days=7)
    work()
    code = citizen.code()
    assert (code["state"], code["reasons"][0]["rule"]) == ("UNVERIFIED", "UNVERIFIED-EXPIRED")
    assert [item["id"] for item in code["missing"]] == ["declaration"]
    assert citizen.declare().json["color"] == "GREEN"


# --- what the platform says -------------------------------------------------------------------------------------


def test_a_person_whom_the_platform_knows_otherwise_is_told_so_and_is_not_green(
    citizen: Phone, platform: Callable[..., None], clock: StandingClock
) -> None:
    platform(citizen, result="identity-mismatch")
    answer = declare(citizen)
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/identity-mismatch")
    assert citizen.get("/api/v1/code").json["type"] == "/problems/identity-mismatch"
    platform(citizen, result="consistent")
    clock.advance(minutes=1)
    assert declare(citizen).json["color"] == "GREEN"


@pytest.mark.parametrize(
    ("finding", "color"),
    [
        ({"kind": "contact", "exposed_on": "2020-03-19"}, "ORANGE"),
        ({"kind": "quarantine", "first_day": "2020-03-18", "last_day": "2020-04-01"}, "ORANGE"),
        ({"kind": "suspected"}, "RED"),
        ({"kind": "confirmed"}, "RED"),
    ],
)
def test_what_the_platform_finds_decides_and_is_kept_once(
    citizen: Phone, platform: Callable[..., None], clock: StandingClock, finding: dict[str, Any], color: str
) -> None:
    common = {"authority": "长春市卫生健康委员会", "document": "长卫〔2020〕9号", "since": "2020-03-18T10:00:00+08:00"}
    platform(citizen, result="consistent", findings=[{**common, **finding}])
    assert declare(citizen).json["color"] == color
    assert citizen.code()["reasons"][0]["authorities"] == ["长春市卫生健康委员会"]
    clock.advance(hours=1)
    declare(citizen)
    kinds = [item["reference"] for change in citizen.history()[:1] for item in change["evidence"]]
    assert kinds.count("长卫〔2020〕9号") == 1


ORDER = {
    "kind": "quarantine",
    "authority": "长春市卫生健康委员会",
    "document": "关于对密切接触者实施集中隔离医学观察的通知" * 4 + "第1号",
    "since": "2020-03-18T10:00:00+08:00",
    "first_day": "2020-03-18",
    "last_day": "2020-04-01",
}


@pytest.mark.parametrize("change", [{}, {"document": ORDER["document"].replace("第1号", "第2号")}])
def test_an_order_that_is_extended_or_followed_by_another_ends_with_the_last_of_them(
    citizen: Phone, platform: Callable[..., None], clock: StandingClock, change: dict[str, str]
) -> None:
    platform(citizen, result="consistent", findings=[ORDER])
    declare(citizen)
    clock.advance(days=1)
    platform(citizen, result="consistent", findings=[{**ORDER, **change, "last_day": "2020-04-20"}])
    declare(citizen)
    assert citizen.code()["reasons"][0]["until"] == "2020-04-21T00:00:00+08:00"


CONTACT = {**{name: ORDER[name] for name in ("authority", "document", "since")}, "kind": "contact"}


@pytest.mark.parametrize(
    "impossible",
    [
        {**CONTACT, "exposed_on": "2020-03-21"},  # tomorrow
        {**CONTACT, "exposed_on": "9999-12-31"},
        {**CONTACT, "exposed_on": "0001-01-01"},
        {**CONTACT, "exposed_on": "2020-03-19", "since": "9999-12-31T23:59:59+08:00"},
        {**CONTACT, "exposed_on": "2020-03-19", "since": "0001-01-01T00:00:00+08:00"},
        {**ORDER, "last_day": "9999-12-31"},
    ],
)
def test_a_finding_of_an_impossible_day_is_no_answer(
    citizen: Phone, platform: Callable[..., None], impossible: dict[str, str]
) -> None:
    platform(citizen, result="consistent", findings=[impossible])
    answer = declare(citizen)
    assert (answer.status_code, answer.json["state"]) == (202, "UNVERIFIED")
    assert citizen.code()["state"] == "UNVERIFIED"


def test_a_finding_of_an_unknown_kind_loses_no_other_and_makes_nobody_green(
    citizen: Phone, platform: Callable[..., None], platform_url: str, clock: StandingClock, work: Work
) -> None:
    new = {**{name: ORDER[name] for name in ("authority", "document", "since")}, "kind": "new-kind"}
    platform(citizen, result="consistent", findings=[new])
    assert declare(citizen).json["state"] == "UNVERIFIED"
    platform(citizen, result="consistent", findings=[new, ORDER])
    answer = declare(citizen)
    assert (answer.status_code, answer.json["color"]) == (202, "ORANGE")
    asked = questions(platform_url)
    platform(citizen, result="consistent")
    clock.advance(hours=1)
    work()
    assert questions(platform_url) == asked + 1, "it is asked again until every word is known"
    clock.advance(days=20)
    assert declare(citizen).json["color"] == "GREEN"


def test_a_result_that_is_not_known_concerns_that_person_alone(
    citizen: Phone, phone: Callable[..., Phone], platform: Callable[..., None]
) -> None:
    platform(citizen, result="new-result")
    assert declare(citizen).status_code == 202
    assert phone("示例乙").become_green().color() == "GREEN", "the platform is asked about others at once"


def test_a_wrong_identity_beside_a_verified_one_does_not_keep_the_clock_from_asking(
    citizen: Phone, platform: Callable[..., None], platform_url: str, clock: StandingClock, work: Work
) -> None:
    declare(citizen)
    clock.advance(days=1)
    platform(citizen, result="identity-mismatch")
    declare(citizen)
    clock.advance(days=7)  # the answer about the first one no longer holds
    asked = questions(platform_url)
    work()
    assert questions(platform_url) == asked + 1
    citizen.log_in_with_wechat()
    assert citizen.get("/api/v1/code").json["type"] == "/problems/identity-mismatch"


@pytest.mark.parametrize("how", [{"on": False}, {"status": 500}, {"garbage": True}, {"delay": 1.3}])
def test_however_the_platform_fails_the_answer_is_a_promise_and_no_error(
    citizen: Phone, platform: Callable[..., None], how: dict[str, Any]
) -> None:
    platform(**how)
    answer = declare(citizen)
    assert (answer.status_code, answer.json["state"]) == (202, "UNVERIFIED")


def test_after_a_failure_a_crowd_does_not_wait_for_the_platform_again(
    citizen: Phone, phone: Callable[..., Phone], platform: Callable[..., None], platform_url: str
) -> None:
    other = phone("示例乙")
    other.register()
    platform(on=False)
    declare(citizen)
    asked = questions(platform_url)
    assert declare(other).status_code == 202
    assert questions(platform_url) == asked


def test_a_request_that_breaks_off_before_the_platform_answers_is_finished_by_the_clock(
    citizen: Phone,
    services: Services,
    platform: Callable[..., None],
    client: FlaskClient,
    clock: StandingClock,
    work: Work,
) -> None:
    with services.begin() as session:  # all that such a request has done
        now = clock.now()
        statement = Statement((), None)
        own = ledger.ChangeContext(session, services.policy, Actor("citizen", "1"), now)
        declarations.declare(own, 1, statement)
        ledger.schedule_retry(session, 1, now + timedelta(seconds=5))
    work()
    assert citizen.color() == "UNVERIFIED"
    clock.advance(seconds=5)
    work()
    assert citizen.color() == "GREEN"


def test_the_clock_does_not_ask_while_the_request_asks_the_platform(
    citizen: Phone, services: Services, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify, retries = services.platform.verify, []

    def asked(question: Any) -> Any:
        with services.sessions() as session:
            retries.append(ledger.get_code(session, 1).retry_at)
        return verify(question)

    monkeypatch.setattr(services.platform, "verify", asked)
    assert declare(citizen).json["color"] == "GREEN"
    assert [retry_at > clock.now() for retry_at in retries] == [True]


def test_declaring_twice_at_once_is_harmless(citizen: Phone, station: Station) -> None:
    assert [declare(citizen).json["color"] for _ in range(2)] == ["GREEN", "GREEN"]
    assert station.check(citizen.code()["token"]).json["action"] == "pass"

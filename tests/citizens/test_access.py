"""Accesses to a record: shown to its citizen without names, once the platform has confirmed who they are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import text

from app import audit
from app.audit import Actor
from app.codes import ledger
from app.core.errors import Problem
from app.entries.content import RejectionReason
from app.runtime import Services
from app.worker import due
from tests.support.clock import START, StandingClock
from tests.support.codes import contact, tell, withdraw
from tests.support.people import Phone, Station
from tests.support.statements import count_statements

OFFICER = Actor("officer", "示例赵")


def serial_of(services: Services, person: Phone) -> int:
    query = text("select serial from accounts where username = :name")
    with services.engine.connect() as connection:
        return int(connection.scalars(query, {"name": person.username}).one())


def accesses(person: Phone, query: str = "") -> dict[str, Any]:
    answer = person.get(f"/api/v1/record/access{query}")
    assert answer.status_code == 200, answer.json
    body: dict[str, Any] = answer.json
    return body


def actions(person: Phone) -> list[tuple[str, str]]:
    """Role and action of every entry, the oldest first."""
    told = accesses(person)["entries"]
    return [(one["who"]["role"], one["what"]["action"]) for one in reversed(told)]


def look(services: Services, serial: int, **given: Any) -> None:
    said = {"role": "officer", "reason": "appeal", "part": "evidence"} | given
    with services.begin() as session:
        audit.record_access(session, OFFICER, serial=serial, now=services.clock.now(), **said)


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def test_a_citizen_sees_everything_that_was_done_with_their_record(
    services: Services, citizen: Phone, station: Station
) -> None:
    serial, wrong = serial_of(services, citizen), contact(START)
    station.measure(citizen.code()["token"], 38.0)
    tell(services, serial, wrong)
    withdraw(services, serial, wrong.id)
    look(services, serial)
    assert actions(citizen) == [
        ("citizen", "registered"),
        ("platform", "identity-confirmed"),
        ("citizen", "wechat-bound"),
        ("citizen", "evidence-recorded"),
        ("citizen", "decided"),
        ("platform", "evidence-recorded"),
        ("platform", "decided"),
        ("inspector", "evidence-recorded"),
        ("inspector", "decided"),
        ("officer", "evidence-recorded"),
        ("officer", "decided"),
        ("officer", "evidence-withdrawn"),
        ("officer", "decided"),
        ("officer", "record-read"),
    ]


def test_what_other_persons_did_is_listed_apart_from_own_deeds_and_those_of_the_system(
    services: Services, citizen: Phone, station: Station
) -> None:
    station.measure(citizen.code()["token"], 38.0)
    look(services, serial_of(services, citizen))
    everything = accesses(citizen)["entries"]
    others, own = (accesses(citizen, f"?whose={whose}")["entries"] for whose in ("others", "own"))
    assert {one["who"]["role"] for one in others} == {"inspector", "officer"}
    assert {one["who"]["role"] for one in own} == {"citizen", "platform"}
    assert sorted(map(str, others + own)) == sorted(map(str, everything))
    assert citizen.get("/api/v1/record/access?whose=mine").status_code == 422


def test_an_access_says_who_for_whom_what_why_and_when(services: Services, citizen: Phone) -> None:
    look(services, serial_of(services, citizen), authority="长春市疾病预防控制中心")
    newest = accesses(citizen)["entries"][0]
    assert newest == {
        "at": "2020-03-20T12:00:00+08:00",
        "who": {"role": "officer", "words": "工作人员", "authority": "长春市疾病预防控制中心", "district": None},
        "what": {"action": "record-read", "words": "查阅您的记录", "part": "依据", "times": None},
        "why": {"reason": "appeal", "words": "办理纠错"},
    }
    citizen.language = "en"
    newest = accesses(citizen)["entries"][0]
    assert newest["who"]["words"] == "A health officer"
    assert (newest["what"]["words"], newest["what"]["part"]) == ("Accessed your record", "Evidence")
    assert newest["why"]["words"] == "An appeal"


def test_an_officers_entry_names_authority_and_document_and_a_decision_its_rule(
    services: Services, citizen: Phone
) -> None:
    tell(services, serial_of(services, citizen), contact(START))
    decided, recorded = accesses(citizen)["entries"][:2]
    assert recorded["who"]["authority"] == "长春市疾病预防控制中心"
    assert recorded["why"] == {"reason": None, "words": "长疾控〔2020〕1号"}
    assert decided["why"]["reason"] == "ORANGE-CONTACT"
    assert decided["why"]["words"] == services.policy.text("ORANGE-CONTACT", "zh", START).title


def test_a_withdrawal_says_why_in_the_words_of_the_answer_to_an_appeal(services: Services, citizen: Phone) -> None:
    serial, wrong = serial_of(services, citizen), contact(START)
    tell(services, serial, wrong)
    with services.begin() as session:
        now = services.clock.now()
        ledger.withdraw(
            ledger.ChangeContext(session, services.policy, OFFICER, now), serial, wrong.id, RejectionReason.WRONG_PERSON
        )
    withdrawn = accesses(citizen)["entries"][1]
    assert withdrawn["what"]["action"] == "evidence-withdrawn"
    assert withdrawn["why"] == {"reason": "wrong-person", "words": "录入的不是您本人"}


def test_a_measurement_names_the_district_and_neither_inspector_nor_station(citizen: Phone, station: Station) -> None:
    station.measure(citizen.code()["token"], 36.5)
    measured = next(one for one in accesses(citizen)["entries"] if one["who"]["role"] == "inspector")
    assert measured["who"] == {"role": "inspector", "words": "查验员", "authority": None, "district": "长春市"}


def test_no_officer_and_no_inspector_is_ever_named(services: Services, citizen: Phone, station: Station) -> None:
    station.measure(citizen.code()["token"], 38.0)
    look(services, serial_of(services, citizen))
    told = str(accesses(citizen))
    for name in ("示例赵", "inspector-1", "officer:", "inspector:"):
        assert name not in told


def test_a_role_or_a_deed_without_words_is_told_in_other_words(services: Services, citizen: Phone) -> None:
    serial = serial_of(services, citizen)
    look(services, serial, role="surveyor")
    with services.begin() as session:
        audit.append(session, Actor("visitor"), "tried", START, serial=serial, reason="nothing-known")
    newest, read = accesses(citizen)["entries"][:2]
    assert read["who"] == {"role": "surveyor", "words": "工作人员", "authority": None, "district": None}
    assert (newest["who"]["words"], newest["what"]["words"], newest["why"]["words"]) == (
        "其他人员",
        "其他处理",
        "其他原因",
    )


def test_an_entry_from_before_roles_were_kept_is_told_by_who_acted(services: Services, citizen: Phone) -> None:
    with services.engine.begin() as connection:
        connection.execute(
            text("insert into audit (at, actor, action, serial, detail) values (now(), 'officer:7', 'x', :s, '{}')"),
            {"s": serial_of(services, citizen)},
        )
    assert accesses(citizen)["entries"][0]["who"]["role"] == "officer"


def test_nobody_sees_what_concerns_another(services: Services, green_citizens: list[Phone]) -> None:
    one, other, _ = green_citizens
    before = accesses(other)
    look(services, serial_of(services, one))
    assert accesses(other) == before


def test_a_long_record_comes_page_by_page(services: Services, citizen: Phone) -> None:
    serial = serial_of(services, citizen)
    for _ in range(101):
        look(services, serial)
    first = accesses(citizen)
    second = accesses(citizen, f"?before={first['next']}")
    third = accesses(citizen, f"?before={second['next']}")
    assert [len(page["entries"]) for page in (first, second, third)] == [50, 50, 8]
    assert third["next"] is None


@pytest.mark.parametrize("query", ["?before=0", "?before=x", "?before=99999999999999999999", "?after=3"])
def test_a_page_that_cannot_be_is_refused(citizen: Phone, query: str) -> None:
    assert citizen.get(f"/api/v1/record/access{query}").status_code == 422


# --- who is not confirmed -----------------------------------------------------------------------------------------


@pytest.fixture
def away(services: Services, platform_url: str) -> None:
    """The platform cannot be asked."""
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()


def back(services: Services, platform_url: str) -> None:
    requests.put(f"{platform_url}/sandbox/switch", json={"on": True}, timeout=5).raise_for_status()
    services.redis.delete("jx:platform-pause")


@pytest.mark.usefixtures("away")
def test_who_is_not_confirmed_sees_only_what_they_did_themselves(
    services: Services, phone: Callable[..., Phone], clock: StandingClock, platform_url: str, work: Callable[[], None]
) -> None:
    person = phone()
    person.register()
    person.declare()
    serial = serial_of(services, person)
    tell(services, serial, contact(START))
    look(services, serial)
    own = [("citizen", "registered"), ("citizen", "wechat-bound"), ("citizen", "evidence-recorded")]
    assert actions(person) == own
    back(services, platform_url)
    clock.advance(minutes=10)
    person.declare()
    assert ("officer", "record-read") in actions(person)
    assert ("officer", "evidence-recorded") in actions(person)


@pytest.mark.usefixtures("away")
def test_who_takes_a_code_over_sees_nothing_from_before_until_confirmed_and_then_all_of_it(
    services: Services, phone: Callable[..., Phone], clock: StandingClock, platform_url: str
) -> None:
    stranger = phone("示例甲")
    stranger.register()
    stranger.declare()
    clock.advance(days=2)
    owner = phone("示例乙", document=stranger.document)
    assert owner.register().status_code == 201
    assert actions(owner) == [("citizen", "registered"), ("citizen", "wechat-bound")]
    back(services, platform_url)
    owner.declare()
    told = actions(owner)
    assert told[:3] == [
        ("earlier-holder", "registered"),
        ("earlier-holder", "wechat-bound"),
        ("earlier-holder", "evidence-recorded"),
    ]
    assert ("citizen", "registered") in told


# --- attempts of strangers ----------------------------------------------------------------------------------------


def try_out(person: Phone, owner: Phone, times: int) -> None:
    """Register with somebody's document number and a name that is not theirs."""
    for _ in range(times):
        document = {"type": "id-card", "number": owner.document}
        answer = person.post("/api/v1/accounts", {**person.registration(), "document": document})
        assert answer.json["type"] == "/problems/identity-mismatch"  # type: ignore[index]


def test_combinations_that_somebody_tried_are_counted_by_day_for_a_confirmed_holder_alone(
    services: Services, phone: Callable[..., Phone], platform_url: str, clock: StandingClock
) -> None:
    owner, stranger, third = phone("示例甲").become_green(), phone("示例乙"), phone("示例丙")
    for person in (owner, third):
        known = {"name": person.name}
        url = f"{platform_url}/sandbox/people/{person.document}"
        requests.put(url, json=known, timeout=5).raise_for_status()
    stranger.log_in_with_wechat()
    begun = len(actions(owner))
    try_out(stranger, owner, 2)
    due.sum_failed_logins(services)
    try_out(stranger, owner, 3)
    due.sum_failed_logins(services)
    clock.advance(days=1)
    due.sum_failed_logins(services)
    new = accesses(owner, "?whose=others")["entries"]
    assert [(one["what"]["action"], one["what"]["times"], one["who"]["role"]) for one in new] == [
        ("registration-mismatched", 3, "other"),
        ("registration-mismatched", 2, "other"),
    ]
    assert len(actions(owner)) == begun + 2, "an event at once, and one for the rest of the day"

    try_out(stranger, third, 1)
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    third.register()
    due.sum_failed_logins(services)
    assert [action for _, action in actions(third)] == ["registered", "wechat-bound"], "nobody has confirmed them"


def test_an_attempt_at_nobody_who_is_known_does_the_same_work(
    services: Services, phone: Callable[..., Phone], platform_url: str
) -> None:
    owner, nobody, stranger = phone("示例甲").become_green(), phone("示例丁"), phone("示例乙")
    for person in (owner, nobody):
        url = f"{platform_url}/sandbox/people/{person.document}"
        requests.put(url, json={"name": "示例丙"}, timeout=5).raise_for_status()
    stranger.log_in_with_wechat()
    work = []
    for person in (owner, nobody, owner, nobody):
        with count_statements(services.engine) as statements:
            try_out(stranger, person, 1)
        work.append(statements)
    assert work[2] == work[3]


# --- recording an access --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "pointer"),
    [({"reason": "curiosity"}, "/reason"), ({"reason": ""}, "/reason"), ({"part": "everything"}, "/part")],
)
def test_without_a_reason_of_the_list_nobody_looks(
    services: Services, citizen: Phone, given: dict[str, str], pointer: str
) -> None:
    before = actions(citizen)
    with pytest.raises(Problem) as refusal:
        look(services, serial_of(services, citizen), **given)
    assert [field.pointer for field in refusal.value.fields] == [pointer]
    assert actions(citizen) == before


def test_a_look_is_an_entry_with_role_reason_and_part(services: Services, citizen: Phone, clock: StandingClock) -> None:
    clock.advance(hours=1)
    look(services, serial_of(services, citizen), role="approver", reason="oversight", part="identity")
    with services.engine.connect() as connection:
        row = connection.execute(text("select * from audit order by id desc limit 1")).one()
    assert (row.actor, row.role, row.action, row.reason) == ("officer:示例赵", "approver", "record-read", "oversight")
    assert (row.detail, row.at) == ({"what": "identity"}, START + timedelta(hours=1))

"""Filing an appeal: what a citizen can object to, how often, and who sees it."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import requests

from app.appeals import appeals
from app.appeals.appeals import NewAppeal
from app.appeals.models import Appeal
from app.codes.models import Code
from app.core.errors import Problem
from app.runtime import Services
from tests.support.appeals import SAID, Office, appeal, filed, own, slug
from tests.support.clock import StandingClock
from tests.support.codes import contact, tell
from tests.support.people import Phone


def test_an_appeal_is_about_the_decision_in_force_and_is_due_in_a_day(
    citizen: Phone, office: Office, contact_of_a_case: str, clock: StandingClock
) -> None:
    answer = appeal(citizen)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "id": 1,
        "filed_at": "2020-03-20T12:00:00+08:00",
        "decided_at": "2020-03-20T12:00:00+08:00",
        "decided_state": "ORANGE",
        "text": SAID,
        "state": "open",
        "due_at": "2020-03-21T12:00:00+08:00",
        "escalated": False,
        "settled_at": None,
        "answer": [],
    }
    with office.services.sessions() as session:
        row = session.get_one(Appeal, 1)
        assert row.decision_id == session.get_one(Code, 1).decision_id
        assert row.district == "长春市"
    clock.advance(hours=1)
    tell(office.services, 1, contact(clock.now()))
    assert own(citizen)[0]["decided_at"] == "2020-03-20T12:00:00+08:00", "what comes later is not what it is about"
    assert office.deeds() == [("citizen:1", "appeal-filed")]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": "  \n "}, "/text"),
        ({"text": "字" * 501}, "/text"),
        ({"text": "a\u0007b"}, "/text"),
        ({"text": "a\u202eb"}, "/text"),
        ({"text": "a\0b"}, "/text"),
        ({"text": 5}, "/text"),
        ({"text": SAID, "color": "GREEN"}, "/color"),
        ({"text": SAID, "attachments": "x"}, "/attachments"),
        ({"text": SAID, "attachments": [5]}, "/attachments/0"),
        ({"text": SAID, "attachments": ["§"]}, "/attachments/0"),
        ({"text": SAID, "attachments": [""]}, "/attachments/0"),
        ({"text": SAID, "attachments": [base64.b64encode(b"MZ" + bytes(99)).decode()]}, "/attachments/0"),
        ({"text": SAID, "attachments": [base64.b64encode(b"<svg onload=x>").decode()]}, "/attachments/0"),
        ({"text": SAID, "attachments": [base64.b64encode(b"\xff\xd8\xff no picture").decode()]}, "/attachments/0"),
        ({"text": SAID, "attachments": [base64.b64encode(b"%PDF-1.4 no end").decode()]}, "/attachments/0"),
    ],
)
def test_what_is_no_appeal_is_refused_by_field(ill: Phone, body: dict[str, Any], pointer: str) -> None:
    answer = ill.post("/api/v1/appeals", body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert own(ill) == []


def test_text_and_attachments_are_refused_at_once(ill: Phone) -> None:
    answer = ill.post("/api/v1/appeals", {"text": " ", "attachments": ["§"]})
    assert [error["pointer"] for error in answer.json["errors"]] == ["/text", "/attachments/0"]


def test_five_hundred_characters_are_taken(ill: Phone) -> None:
    assert len(own_after(ill, "字" * 500)) == 500


def own_after(citizen: Phone, said: str) -> str:
    filed(citizen, said=said)
    found: str = own(citizen)[0]["text"]
    return found


def test_who_is_not_confirmed_has_nothing_to_appeal(phone: Callable[..., Phone], platform_url: str) -> None:
    person = phone()
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    person.register()
    assert slug(appeal(person)) == "identity-unconfirmed"


def test_an_account_that_is_not_confirmed_learns_nothing_by_appealing(
    services: Services, phone: Callable[..., Phone], platform_url: str
) -> None:
    person, nobody = phone("示例甲"), phone("示例乙")
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    person.register()
    nobody.register()
    tell(services, 1, contact(services.clock.now()))
    assert appeal(person).data == appeal(nobody).data
    assert appeal(person).status_code == 403


def test_who_is_confirmed_but_holds_a_code_without_a_decision_is_told_to_declare(phone: Callable[..., Phone]) -> None:
    person = phone()
    person.register()
    assert slug(appeal(person)) == "not-declared"


def test_whoever_is_green_has_nothing_to_appeal_and_is_told_what_to_do(citizen: Phone) -> None:
    answer = appeal(citizen)
    assert (answer.status_code, slug(answer)) == (409, "nothing-to-appeal")
    assert "12345" in answer.json["detail"] and own(citizen) == []
    citizen.declare(symptoms=("cough",))
    assert appeal(citizen).status_code == 201


def test_a_second_appeal_waits_for_the_answer_to_the_first(office: Office, ill: Phone) -> None:
    first = filed(ill)
    assert (appeal(ill).status_code, slug(appeal(ill))) == (409, "appeal-open")
    office.uphold(first, "province")
    assert appeal(ill).status_code == 201


def test_of_two_appeals_at_once_one_is_taken(services: Services, ill: Phone) -> None:
    together = Barrier(2)

    def one(_: int) -> str:
        together.wait()
        try:
            with services.begin() as session:
                appeals.file_appeal(session, services.encryption, NewAppeal(1, SAID), services.clock.now())
        except Problem as problem:
            return problem.slug
        return "taken"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == ["appeal-open", "taken"]


def test_three_in_seven_days_and_then_one_waits_for_the_oldest(
    office: Office, ill: Phone, clock: StandingClock
) -> None:
    for _ in range(3):
        office.uphold(filed(ill), "province")
        clock.advance(hours=1)
    answer = appeal(ill)
    assert (answer.status_code, slug(answer)) == (429, "appeals-too-many")
    wait = int(answer.headers["Retry-After"])
    assert wait == 7 * 86_400 - 3 * 3600 + 1
    clock.advance(seconds=wait - 2)
    assert appeal(ill).status_code == 429
    clock.advance(seconds=2)
    assert appeal(ill).status_code == 201


def test_nobody_sees_another_persons_appeals(ill: Phone, phone: Callable[..., Phone], station: Any) -> None:
    filed(ill)
    assert own(phone("示例乙").become_green()) == []
    visitor = phone("示例访客")
    visitor.log_in_with_wechat()
    assert slug(visitor.get("/api/v1/appeals")) == "not-registered"
    header = {"Authorization": f"Bearer {station.session}"}
    assert ill.client.get("/api/v1/appeals", headers=header).status_code == 403


def test_a_later_holder_who_is_not_confirmed_sees_no_earlier_appeal(
    services: Services, ill: Phone, clock: StandingClock
) -> None:
    filed(ill)
    assert len(own(ill)) == 1
    with services.begin() as session:
        code = session.get_one(Code, 1)
        code.claimed_at, code.confirmed_at = clock.now() + timedelta(seconds=1), None
    assert own(ill) == []


def test_a_stranger_is_refused_before_a_large_body_is_read(citizen: Phone) -> None:
    large = b"{" + b" " * 1_000_000
    answer = citizen.client.post("/api/v1/appeals", data=large, content_type="application/json")
    assert (answer.status_code, slug(answer)) == (401, "session-missing")


def test_a_body_over_the_bound_is_too_large(ill: Phone) -> None:
    assert slug(ill.post("/api/v1/appeals", {"text": SAID, "attachments": ["A" * 8_600_000]})) == "too-large"


def test_attempts_are_limited(services: Services, ill: Phone) -> None:
    from app import create_app

    small = services.settings.limits.model_copy(update={"appeal": "1 per hour"})
    settings = services.settings.model_copy(update={"limits": small})
    ill.client = create_app(replace(services, settings=settings)).test_client()
    assert [appeal(ill, said=" ").status_code for _ in range(2)] == [422, 429]

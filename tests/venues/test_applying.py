"""A citizen applies for a venue, an administrator of its district decides, and it changes hands or ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.audit import AuditEvent
from app.codes.models import Code
from app.core.identity.credit_codes import fold_credit_code, is_credit_code
from app.runtime import Services
from app.stations import hours
from app.stations.models import Venue
from app.venues import applications, retention
from tests.support.claims import slug
from tests.support.clock import StandingClock
from tests.support.desk import Desk, text_of
from tests.support.family import named
from tests.support.people import PASSWORD, Phone
from tests.support.venues import (
    EVERY_DAY,
    VENUES,
    administrator,
    apply,
    approve,
    manage,
    open_venue,
    overview,
)


@pytest.fixture
def citizen(green_citizens: list[Phone]) -> Phone:
    return green_citizens[0]


@pytest.fixture
def other(green_citizens: list[Phone]) -> Phone:
    return green_citizens[1]


@pytest.fixture
def desk(citizen: Phone, services: Services, app: Flask) -> Desk:
    return administrator(services, app)


def actions(services: Services) -> list[tuple[str, str]]:
    with services.sessions() as session:
        like = select(AuditEvent).where(AuditEvent.action.like("venue-%")).order_by(AuditEvent.id)
        return [(event.actor.split(":")[0], event.action) for event in session.scalars(like)]


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json["errors"]]


# --- applying and the answer


def test_who_applies_manages_the_venue_once_an_administrator_of_the_district_has_seen_and_approved_it(
    citizen: Phone, desk: Desk, services: Services
) -> None:
    assert apply(citizen, credit_code=" 91220101-ma00000000 ", name="示例  商场").status_code == 201
    assert (overview(citizen)["venues"], overview(citizen)["applications"][0]["state"]) == ([], "waiting")
    assert "示例 商场" in text_of(desk.get("/console/venues")) and "1" in text_of(desk.get("/console/"))
    unseen = desk.send("/console/venues/applications/1/approve")
    assert "请先" in text_of(unseen) and overview(citizen)["venues"] == []
    assert approve(desk, 1).status_code == 303
    [venue] = overview(citizen)["venues"]
    assert (venue["name"], venue["credit_code"], venue["hours"]) == ("示例 商场", "91220101MA00000000", EVERY_DAY)
    assert [one["name"] for one in venue["entrances"]] == ["东门", "西门"]
    assert overview(citizen)["applications"][0]["state"] == "approved"
    assert approve(desk, 1).status_code == 404, "once"
    assert actions(services) == [("citizen", "venue-applied"), ("officer", "venue-approved")]
    seen = citizen.get("/api/v1/record/access?whose=others").json["entries"]  # type: ignore[index]
    assert [one["what"]["action"] for one in seen[:2]] == ["venue-approved", "record-read"]


def test_a_refusal_says_why_and_another_district_sees_and_decides_nothing(
    citizen: Phone, desk: Desk, services: Services, app: Flask
) -> None:
    apply(citizen)
    stranger = administrator(services, app, "adm-2", "吉林市")
    assert "示例商场" not in stranger.get("/console/venues").text
    for path in ("", "/approve", "/refuse"):
        way = stranger.get if not path else stranger.send
        assert way(f"/console/venues/applications/1{path}").status_code in (404, 422)
    assert "不在可选范围内" in text_of(desk.sign("/console/venues/applications/1/refuse", {"reason": "because"}))
    assert desk.sign("/console/venues/applications/1/refuse", {"reason": "not-its-code"}).status_code == 303
    [one] = overview(citizen)["applications"]
    assert (one["state"], one["reason"]) == ("refused", "统一社会信用代码与名称不符")
    assert actions(services)[-1] == ("officer", "venue-refused")


def test_the_answer_is_announced_in_wechat(citizen: Phone, desk: Desk, work: Callable[[], None]) -> None:
    citizen.subscribe()
    open_venue(citizen, desk)
    work()
    assert "您申请的场所已批准" in str(citizen.messages()[-1])


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"kind": "palace"}, "/kind"),
        ({"district": "示例市"}, "/district"),
        ({"address": "字" * 121}, "/address"),
        ({"credit_code": "91220101MA00000001"}, "/credit_code"),
        ({"hours": [*EVERY_DAY[:6], "8-22"]}, "/hours/6"),
        ({"entrances": ["东门", "东门"]}, "/entrances/1"),
    ],
)
def test_what_is_wrong_with_a_venue_is_named(citizen: Phone, wrong: dict[str, Any], pointer: str) -> None:
    answer = apply(citizen, **wrong)
    assert (answer.status_code, pointers(answer)) == (422, [pointer])


def test_a_venue_that_is_there_is_refused_and_so_is_a_flood(citizen: Phone, other: Phone, desk: Desk) -> None:
    open_venue(citizen, desk)
    assert slug(apply(other)) == "venue-exists"
    assert slug(apply(other, name="示例商场二")) == "venue-exists", "the same organization at the same address"
    elsewhere = {"address": "示例大街 2 号"}
    for number in range(applications.MOST_WAITING):
        assert apply(other, name=f"示例商场分店{number}", **elsewhere).status_code == 201
    assert slug(apply(other, name="示例商场分店0", **elsewhere)) == "venue-applied"
    refused = apply(other, name="示例商场分店9", **elsewhere)
    assert (refused.status_code, slug(refused)) == (429, "venue-applications-too-many")
    for one in overview(other)["applications"]:
        assert manage(other, "applications/withdraw", id=one["id"]).status_code == 204
    assert slug(manage(other, "applications/withdraw", id=1)) == "venue-application-not-found", "that of another"
    assert {one["state"] for one in overview(other)["applications"]} == {"withdrawn"}
    assert apply(other, name="示例商场分店9", **elsewhere).status_code == 201


def test_an_application_keeps_nobody_out_and_the_officer_sees_both(citizen: Phone, other: Phone, desk: Desk) -> None:
    assert [apply(person).status_code for person in (citizen, other)] == [201, 201]
    assert "另有同名或同一信用代码的申请" in text_of(desk.get("/console/venues/applications/2"))
    assert approve(desk, 2).status_code == 303
    assert "已有同名的场所" in text_of(approve(desk, 1)), "two may be approved in one moment"
    assert [len(overview(person)["venues"]) for person in (citizen, other)] == [0, 1]


def test_nobody_applies_whom_the_platform_has_not_confirmed(citizen: Phone, services: Services) -> None:
    with services.begin() as session:
        session.execute(text("update codes set confirmed_at = null where serial = 1"))
    assert slug(apply(citizen)) == "identity-unconfirmed"


@pytest.mark.parametrize(
    ("code", "good"),
    [
        ("91350100M000100Y43", True),  # the example of GB 32100-2015
        ("91220101MA00000000", True),
        ("N2220102MF00000008", True),  # a village's: its first place is a letter
        ("91350100M000100Y44", False),
        ("91350100M000100I43", False),
        ("9135010OM000100Y43", False),
        ("٩1350100M000100Y43", False),
        ("91350100M000100Y4", False),
    ],
)
def test_a_credit_code_has_the_check_of_the_standard(code: str, good: bool) -> None:
    assert is_credit_code(fold_credit_code(f" {code.lower()}")) is good


def test_hours_go_past_midnight_and_are_those_of_beijing(clock: StandingClock) -> None:
    late = [*["18:00-02:00"] * 6, ""]
    assert hours.is_open([""] * 7, clock.now()), "of which no hours are known"
    noon = clock.now()  # on a Friday in Beijing
    assert [hours.is_open(EVERY_DAY, noon + timedelta(hours=hour)) for hour in (0, 9, 10, 20)] == [
        True,
        True,
        False,
        True,
    ]
    assert [hours.is_open(late, noon + timedelta(hours=hour)) for hour in (5, 6, 13, 14)] == [False, True, True, False]


# --- hand-over, end, erasure


def test_a_venue_is_handed_over_once_the_other_accepts(
    citizen: Phone, other: Phone, desk: Desk, services: Services, green_citizens: list[Phone]
) -> None:
    venue = open_venue(citizen, desk)["id"]
    third = green_citizens[2]
    offer = {"venue": venue, **named(other.name, other.document)}
    assert manage(citizen, "handovers", **{**offer, "name": "示例他人"}).status_code == 202, "as a right name"
    assert overview(other)["offers"] == []
    assert manage(citizen, "handovers", **offer).status_code == 202
    assert slug(manage(third, "handovers/accept", venue=venue)) == "venue-not-found"
    assert manage(citizen, "handovers/end", venue=venue).status_code == 204
    assert slug(manage(other, "handovers/accept", venue=venue)) == "venue-not-found", "taken back"
    manage(citizen, "handovers", **offer)
    [seen] = overview(other)["offers"]
    assert (seen["name"], seen["manager"]) == ("示例商场", "示**")
    assert manage(other, "handovers/decline", venue=venue).status_code == 204
    manage(citizen, "handovers", **offer)
    assert manage(other, "handovers/accept", venue=venue).status_code == 204
    assert [len(overview(person)["venues"]) for person in (citizen, other)] == [0, 1]
    assert slug(manage(citizen, "close", venue=venue)) == "venue-not-found"
    assert [action for _, action in actions(services)[-2:]] == ["venue-accepted", "venue-handed-over"]


def test_the_offer_of_a_manager_whose_code_another_holds_by_now_is_not_accepted(
    citizen: Phone, other: Phone, desk: Desk, services: Services
) -> None:
    venue = open_venue(citizen, desk)["id"]
    assert manage(citizen, "handovers", venue=venue, **named(other.name, other.document)).status_code == 202
    assert len(overview(other)["offers"]) == 1
    with services.begin() as session:
        code = session.get_one(Code, session.get_one(Venue, venue).manager)
        code.claimed_at = services.clock.now() + timedelta(seconds=1)
    assert slug(manage(other, "handovers/accept", venue=venue)) == "venue-not-found"
    assert overview(other)["offers"] == []


def test_an_erased_manager_leaves_a_venue_that_goes_on_until_the_district_closes_it(
    citizen: Phone, desk: Desk, services: Services
) -> None:
    venue = open_venue(citizen, desk)["id"]
    apply(citizen, name="示例商场二", address="示例大街 2 号")
    assert citizen.post("/api/v1/accounts/me/erasure", {"password": PASSWORD}).status_code == 200
    with services.engine.connect() as connection:
        left = connection.scalar(text("select count(*) from venue_applications"))
        assert (left, connection.scalar(text("select manager from venues"))) == (0, None)
    assert "无负责人" in text_of(desk.get(f"/console/venues/{venue}"))
    assert desk.send(f"/console/venues/{venue}/close").status_code == 303
    assert "已关闭" in text_of(desk.get("/console/venues"))


def test_answered_applications_and_offers_that_have_ended_are_deleted(
    citizen: Phone, other: Phone, desk: Desk, services: Services, clock: StandingClock
) -> None:
    venue = open_venue(citizen, desk)["id"]
    manage(citizen, "handovers", venue=venue, **named(other.name, other.document))
    apply(citizen, name="示例商场二", address="示例大街 2 号")
    clock.advance(days=applications.KEPT.days + 1)
    with services.begin() as session:
        assert retention.delete_old(session, clock.now(), 10) == 1
    with services.engine.connect() as connection:
        assert connection.scalar(text("select count(*) from venue_handovers")) == 0
        assert connection.scalar(text("select count(*) from venue_applications")) == 1, "what waits stays"


def test_another_claim_of_the_code_ends_what_its_former_holder_managed(
    citizen: Phone, desk: Desk, services: Services
) -> None:
    open_venue(citizen, desk)
    with services.begin() as session:
        session.execute(text("update codes set claimed_at = claimed_at + interval '1 second' where serial = 1"))
    assert overview(citizen) == {"applications": [], "venues": [], "offers": []}
    assert citizen.get(f"{VENUES}/counts?venue=1").status_code == 404

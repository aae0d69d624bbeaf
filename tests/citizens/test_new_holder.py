"""Another account takes a code over: what the earlier holder stated, and a person whose name or phone has changed."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.appeals.appeals import MAX_APPEALS
from app.audit import Actor
from app.privacy.erasure import delete_phone
from app.runtime import Services
from tests.support.appeals import Office, filed
from tests.support.claims import phone_code, register_by_wechat, slug
from tests.support.clock import StandingClock
from tests.support.people import Phone

Tell = Callable[..., None]


# --- what an earlier holder stated ---------------------------------------------------------------------------------


def appeals_of(person: Phone) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get("/api/v1/appeals").json["appeals"]  # type: ignore[index]
    return found


def test_a_contact_declared_with_a_typed_phone_binds_the_new_holder_only_until_an_officer_answers(
    services: Services, owner: Phone, stranger: Phone, clock: StandingClock
) -> None:
    stranger.register()
    stranger.declare(symptoms=("fever",), contact_on="2020-03-19")
    assert stranger.post("/api/v1/appeals", {"text": "words of the stranger"}).status_code == 201
    clock.advance(minutes=1)
    assert register_by_wechat(owner).status_code == 201
    assert owner.color() == "ORANGE", "true or not: nobody washes it away by registering anew"
    [filed] = appeals_of(owner)
    assert (filed["id"], filed["state"], filed["escalated"]) == (1, "open", False)
    assert "words of the stranger" not in str(filed)
    with services.engine.connect() as connection:
        states = connection.execute(text("select state, text_ciphertext is null from appeals order by id")).all()
    assert [tuple(row) for row in states] == [("withdrawn", True), ("open", False)]


@pytest.mark.parametrize("outcome", ["same WeChat user", "same assurance"])
def test_whoever_registers_anew_keeps_their_own_contact_without_a_question(
    owner: Phone, phone: Callable[..., Phone], platform: Tell, clock: StandingClock, outcome: str
) -> None:
    register_by_wechat(owner)
    owner.declare(contact_on="2020-03-19")
    clock.advance(minutes=1)
    platform(owner, result="identity-mismatch")  # a new phone number
    owner.declare()
    platform(owner, result="consistent")
    again = owner if outcome == "same WeChat user" else phone("示例丙", document=owner.document)
    again.username = owner.username if again is owner else f"{owner.username}x"
    assert register_by_wechat(again).status_code == 201
    assert again.color() == "ORANGE"
    assert appeals_of(again) == []


def test_a_contact_that_still_waits_is_not_washed_away_by_registering_anew(
    owner: Phone, stranger: Phone, platform: Tell, clock: StandingClock
) -> None:
    stranger.register()
    platform(on=False)
    stranger.declare(contact_on="2020-03-19")
    platform(on=True)
    clock.advance(seconds=1)
    assert register_by_wechat(owner).status_code == 201
    assert owner.color() == "ORANGE"
    assert len(appeals_of(owner)) == 1


def test_a_contact_declared_by_a_holder_whom_nobody_confirmed_is_nobodys(
    owner: Phone, stranger: Phone, platform: Tell, clock: StandingClock
) -> None:
    platform(on=False)
    stranger.register()
    stranger.declare(contact_on="2020-03-19")
    platform(on=True)
    clock.advance(seconds=1)
    assert owner.register().status_code == 201
    assert slug(owner.get("/api/v1/code")) == "not-declared"
    assert appeals_of(owner) == []


def test_the_new_holder_may_appeal_although_the_earlier_one_has_used_up_all_appeals(
    services: Services, owner: Phone, stranger: Phone, clock: StandingClock
) -> None:
    office = Office(services)
    stranger.register()
    stranger.declare(symptoms=("cough",))
    for _ in range(MAX_APPEALS):
        office.uphold(filed(stranger), "province")
    assert slug(stranger.post("/api/v1/appeals", {"text": "纠错"})) == "appeals-too-many"
    clock.advance(minutes=1)
    register_by_wechat(owner)
    assert owner.color() == "YELLOW"
    assert owner.post("/api/v1/appeals", {"text": "纠错"}).status_code == 201
    clock.advance(minutes=1)
    assert owner.declare().json["state"] == "GREEN", "symptoms end with the next declaration"


# --- a person whose name or phone has changed ----------------------------------------------------------------------


@pytest.mark.parametrize("said", [{"contact_on": "2020-03-19"}, {"symptoms": ("fever",)}], ids=["contact", "symptom"])
def test_a_statement_to_the_disadvantage_of_a_confirmed_person_stands_when_the_platform_denies_them(
    owner: Phone, platform: Tell, clock: StandingClock, said: dict[str, Any]
) -> None:
    owner.become_green()
    platform(owner, result="identity-mismatch")
    clock.advance(minutes=1)
    answer = owner.declare(**said)
    assert (answer.status_code, answer.json["color"] in ("ORANGE", "YELLOW")) == (201, True)
    assert owner.color() == answer.json["state"]
    clock.advance(minutes=1)
    assert slug(owner.declare()) == "identity-mismatch", "what is in their favor has to be verified"
    assert owner.color() == answer.json["state"]


@pytest.mark.parametrize("by", ["the same WeChat user", "another WeChat user"])
def test_a_confirmed_person_whom_the_platform_denies_registers_anew(
    owner: Phone, phone: Callable[..., Phone], platform: Tell, clock: StandingClock, by: str
) -> None:
    register_by_wechat(owner)
    assert owner.declare().json["state"] == "GREEN"
    platform(owner, result="identity-mismatch")
    clock.advance(minutes=1)
    assert slug(owner.declare()) == "identity-mismatch"
    weaker = phone("示例丁", document=owner.document)
    platform(owner, result="consistent")
    assert slug(weaker.register()) == "document-registered", "a typed phone is less than WeChat's"
    again = owner if by == "the same WeChat user" else phone("示例丙", document=owner.document)
    again.username = owner.username if again is owner else f"{owner.username}x"
    clock.advance(minutes=1)
    assert register_by_wechat(again).status_code == 201
    assert again.declare().json["state"] == "GREEN"


def test_a_denial_that_the_platform_has_taken_back_lets_nobody_in(
    owner: Phone, stranger: Phone, platform: Tell, clock: StandingClock
) -> None:
    owner.become_green()
    platform(owner, result="identity-mismatch")
    clock.advance(minutes=1)
    owner.declare()
    platform(owner, result="consistent")
    clock.advance(minutes=1)
    assert owner.declare().json["state"] == "GREEN"
    assert slug(stranger.register()) == "document-registered"


def test_withdrawing_the_phone_makes_no_color_of_a_claim_that_nobody_confirmed(
    services: Services, stranger: Phone, platform: Tell, clock: StandingClock, work: Callable[[], None]
) -> None:
    platform(on=False)
    stranger.register()
    stranger.declare()
    with services.begin() as session:
        delete_phone(session, 1, actor=Actor("wechat"), now=clock.now())
    platform(on=True)
    clock.advance(minutes=10)
    work()
    assert slug(stranger.get("/api/v1/code")) == "identity-mismatch"


def test_a_phone_code_of_another_wechat_user_registers_nobody(stranger: Phone, phone: Callable[..., Phone]) -> None:
    code = phone_code(phone("示例丙"))
    stranger.log_in_with_wechat()
    answer = stranger.post("/api/v1/accounts", {**stranger.registration(), "phone": None, "phone_code": code})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/phone_code")

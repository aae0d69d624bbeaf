"""Registering with the number of somebody else: it keeps the owner from nothing, and shows nothing of them."""

import time
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import text

from app.entries.content import EntryKind
from app.platform.exchange import Answered, Exchange
from app.runtime import Services
from tests.support.claims import record, register_by_wechat, slug
from tests.support.clock import StandingClock
from tests.support.people import Phone

Tell = Callable[..., None]


def assert_out(stranger: Phone) -> None:
    """Nothing is left to the stranger: neither session nor color nor binding."""
    for path in ("/api/v1/code", "/api/v1/code.svg", "/api/v1/code/history", "/api/v1/record/access"):
        assert slug(stranger.get(path)) == "session-expired", path
    assert stranger.log_in_with_wechat().json["account"] is None
    assert slug(stranger.get("/api/v1/code")) == "not-registered"


def test_a_stranger_who_registers_while_the_platform_is_away_gives_way_to_whom_it_confirms(
    services: Services, owner: Phone, stranger: Phone, platform: Tell
) -> None:
    record(services, owner, EntryKind.QUARANTINE, first_day=date(2020, 3, 20), last_day=date(2020, 4, 3))
    platform(on=False)
    assert stranger.register().status_code == 201, "registrations are taken all the same"
    assert slug(stranger.get("/api/v1/code")) == "not-declared"
    platform(on=True)
    assert owner.register().status_code == 201
    assert owner.color() == "ORANGE", "what officers recorded stays with the person"
    assert_out(stranger)


def test_a_stranger_whom_the_platform_does_not_know_as_the_person_gets_no_account(
    services: Services, owner: Phone, stranger: Phone, platform: Tell
) -> None:
    platform(stranger, result="identity-mismatch")
    stranger.log_in_with_wechat()
    before = everything(services)
    answer = stranger.post("/api/v1/accounts", stranger.registration())
    assert (answer.status_code, slug(answer)) == (422, "identity-mismatch")
    assert everything(services) == before
    platform(owner, result="consistent")
    assert owner.register().status_code == 201


def test_a_mismatch_is_answered_alike_whether_the_document_has_an_account_or_not(
    owner: Phone, stranger: Phone, phone: Callable[..., Phone], platform: Tell
) -> None:
    owner.register()
    other = phone("示例丙")
    answers = []
    for person in (stranger, other):
        platform(person, result="identity-mismatch")
        person.log_in_with_wechat()
        answers.append(person.post("/api/v1/accounts", person.registration()))
    assert {answer.status_code for answer in answers} == {422}
    assert answers[0].data == answers[1].data


def test_who_has_typed_everything_gives_way_to_the_phone_that_wechat_vouches_for(
    owner: Phone, stranger: Phone, phone: Callable[..., Phone]
) -> None:
    assert stranger.register().status_code == 201
    assert stranger.declare().json["state"] == "GREEN"
    assert register_by_wechat(owner).status_code == 201
    assert_out(stranger)
    assert owner.declare().json["state"] == "GREEN"
    for again in (phone("示例丙", document=owner.document), phone("示例丁", document=owner.document)):
        assert slug(again.register()) == "document-registered"
        assert slug(register_by_wechat(again)) == "document-registered"
    assert owner.color() == "GREEN"


def test_of_two_typed_phones_the_first_that_the_platform_confirmed_stays(owner: Phone, stranger: Phone) -> None:
    owner.register()
    assert slug(stranger.register()) == "document-registered"
    assert owner.declare().json["state"] == "GREEN"


def test_wechats_phone_alone_confirms_nobody_while_the_platform_is_away(
    owner: Phone, stranger: Phone, platform: Tell
) -> None:
    platform(on=False)
    assert register_by_wechat(stranger).status_code == 201
    assert slug(owner.register()) == "document-registered"
    platform(on=True)
    assert owner.register().status_code == 201
    assert_out(stranger)


def test_an_account_from_before_the_platform_came_back_is_confirmed_by_its_declaration_and_stays(
    owner: Phone, stranger: Phone, platform: Tell
) -> None:
    platform(on=False)
    register_by_wechat(owner)
    platform(on=True)
    assert owner.declare().json["state"] == "GREEN"
    assert slug(stranger.register()) == "document-registered"


def test_a_platform_that_hangs_delays_one_registration_and_no_more(
    owner: Phone, phone: Callable[..., Phone], platform: Tell
) -> None:
    platform(delay=3)
    assert owner.register().status_code == 201
    begun = time.monotonic()
    assert phone("示例丙").register().status_code == 201
    assert time.monotonic() - begun < 0.9, "the circuit is open: the platform's second is not waited for again"


def test_a_platform_that_refuses_the_question_confirms_nobody(
    services: Services, owner: Phone, stranger: Phone, platform: Tell
) -> None:
    platform(status=400)
    assert owner.register().status_code == 201
    platform(status=None)
    assert stranger.register().status_code == 201, "not confirmed, so it gives way"


def everything(services: Services) -> list[int]:
    with services.engine.connect() as connection:
        return [
            connection.scalar(text(f"select count(*) from {table}")) or 0
            for table in ("codes", "citizens", "accounts", "audit")
        ]


def test_the_question_at_registration_sends_no_declaration(
    services: Services, owner: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    post = Exchange.post

    def noted(exchange: Exchange, url: str, headers: dict[str, str], body: bytes) -> Answered:
        sent.append(body)
        return post(exchange, url, headers, body)

    monkeypatch.setattr(Exchange, "post", noted)
    owner.register()
    assert len(sent) == 1
    assert b'"declaration": null' in sent[0]


def test_a_holder_whose_claim_was_confirmed_by_declaring_once_is_not_replaced_after_a_day(
    owner: Phone, stranger: Phone, clock: StandingClock
) -> None:
    owner.become_green()
    clock.advance(days=2)
    assert slug(stranger.register()) == "document-registered"

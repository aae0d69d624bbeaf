"""The ledger of subscriptions: what the citizen answered in WeChat's pop-up, and what we may still send."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from app import create_app
from app.notifications import notices, subscriptions
from app.notifications.notices import DeliveryPostponed
from app.notifications.subscriptions import Source, TemplateAnswer, TemplateTotal
from app.runtime import Services
from tests.support.clock import START, StandingClock
from tests.support.codes import contact, fever, tell
from tests.support.people import Phone, Station

TEMPLATE = "demo-color-change"


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def report(citizen: Phone, answer: Any, template: str = TEMPLATE) -> Any:
    return citizen.post("/api/v1/subscriptions", {template: answer})


def ledger(citizen: Phone) -> dict[str, Any]:
    [row] = citizen.get("/api/v1/subscriptions").json["subscriptions"]
    return dict(row)


def test_at_first_there_is_nothing_to_come(citizen: Phone) -> None:
    assert ledger(citizen) == {"template_id": TEMPLATE, "title": "变码提醒", "balance": 0, "last_answer": None}


def test_each_accept_is_one_message_more(citizen: Phone) -> None:
    for expected in (1, 2, 3):
        answer = report(citizen, "accept")
        assert answer.status_code == 200
        assert answer.json["subscriptions"][0]["balance"] == expected
    assert (ledger(citizen)["balance"], ledger(citizen)["last_answer"]) == (3, "accept")


@pytest.mark.parametrize("refusal", ["reject", "ban", "filter"])
def test_what_is_no_accept_adds_nothing_and_takes_nothing_away(citizen: Phone, refusal: str) -> None:
    report(citizen, "accept")
    assert report(citizen, refusal).json["subscriptions"][0] == {
        "template_id": TEMPLATE,
        "title": "变码提醒",
        "balance": 1,
        "last_answer": refusal,
    }


@pytest.mark.parametrize("answer", ["acceptWithAlert", "acceptWithAudio", "acceptWithForcePush", "acceptSomethingNew"])
def test_an_accept_with_a_stronger_reminder_is_an_accept(citizen: Phone, answer: str) -> None:
    assert report(citizen, answer).json["subscriptions"][0]["balance"] == 1
    assert ledger(citizen)["last_answer"] == "accept"


def skipped(place: str) -> float:
    return REGISTRY.get_sample_value("jixiang_partner_values_skipped_total", {"place": place}) or 0


@pytest.mark.parametrize("answer", ["yes", "ACCEPT", "", "rejectWithRegret", "不"])
def test_a_word_that_is_not_known_changes_nothing_and_is_counted(citizen: Phone, answer: str) -> None:
    report(citizen, "accept")
    before = skipped("subscription-client")
    assert report(citizen, answer).json["subscriptions"] == [ledger(citizen)]
    assert (ledger(citizen)["balance"], ledger(citizen)["last_answer"]) == (1, "accept")
    assert skipped("subscription-client") == before + 1


def test_a_template_of_somebody_else_is_refused_and_nothing_of_the_report_is_kept(citizen: Phone) -> None:
    refused = citizen.post("/api/v1/subscriptions", {TEMPLATE: "accept", "not/ours~1": "accept"})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == ["/not~1ours~01"], "as RFC 6901 writes it"
    assert ledger(citizen)["balance"] == 0


def test_an_empty_report_is_refused(citizen: Phone) -> None:
    assert citizen.post("/api/v1/subscriptions", {}).status_code == 422


@pytest.mark.slow
def test_accepts_without_end_gain_nothing(services: Services, citizen: Phone) -> None:
    limits = services.settings.limits.model_copy(update={"declaration": "1000 per minute"})
    settings = services.settings.model_copy(update={"limits": limits})
    citizen.client = create_app(replace(services, settings=settings)).test_client()
    for _ in range(103):
        report(citizen, "accept")
    assert ledger(citizen)["balance"] == 100


def test_the_ledger_belongs_to_the_phone_and_outlives_registration(phone: Callable[..., Phone]) -> None:
    visitor, other = phone("示例甲"), phone("示例乙").become_green()
    visitor.log_in_with_wechat()
    report(visitor, "accept")
    visitor.register()
    assert (visitor.balance(), other.balance()) == (1, 0)


def test_a_long_term_template_has_no_balance_and_every_change_is_sent(
    services: Services, citizen: Phone, station: Station, wechat_url: str
) -> None:
    template = services.settings.wechat.color_change.model_copy(update={"long_term": True})
    wechat = services.settings.wechat.model_copy(update={"color_change": template})
    long_term = replace(services, settings=services.settings.model_copy(update={"wechat": wechat}))
    citizen.subscribe()
    citizen.client = create_app(long_term).test_client()
    assert ledger(citizen)["balance"] is None
    station.measure(citizen.code()["token"], 38.0)
    notices.deliver(long_term, [1])
    assert len(citizen.messages()) == 1


def test_titles_are_in_the_callers_language(citizen: Phone) -> None:
    citizen.language = "en"
    assert ledger(citizen)["title"] == "Color change"


# --- the report and the event of one tap --------------------------------------------------------------------------


@pytest.fixture
def user(phone: Callable[..., Phone]) -> int:
    """A WeChat user of ours."""
    phone("示例甲").log_in_with_wechat()
    return 1


def accept(services: Services, user: int, source: Source, minutes: float = 0, answer: str = "accept") -> bool:
    """Record one answer that reached us so many minutes after the start; return whether it gave a credit."""
    at = START + timedelta(minutes=minutes)
    with services.begin() as session:
        return subscriptions.record_answer(session, user, TemplateAnswer(TEMPLATE, answer, source, at))


def credit_of(services: Services, user: int) -> int:
    with services.sessions() as session:
        return subscriptions.balance(session, user)[TEMPLATE].credits


@pytest.mark.parametrize("order", [("client", "event"), ("event", "client")])
def test_one_accept_that_arrives_on_both_ways_is_one_credit(
    services: Services, user: int, order: tuple[Source, Source]
) -> None:
    assert [accept(services, user, source) for source in order] == [True, False]
    assert credit_of(services, user) == 1


def test_the_report_of_a_stronger_accept_pairs_with_a_plain_event(services: Services, user: int) -> None:
    assert accept(services, user, "client", answer="acceptWithAlert")
    assert not accept(services, user, "event")


@pytest.mark.parametrize("order", ["ccee", "ecec", "ceec", "eecc", "cece"])
def test_several_accepts_in_a_row_pair_up_one_by_one(services: Services, user: int, order: str) -> None:
    for minutes, source in enumerate(order):
        accept(services, user, "client" if source == "c" else "event", minutes)
    assert credit_of(services, user) == 2
    assert accept(services, user, "event", 5), "nobody is left to pair up with"


@pytest.mark.parametrize(("apart", "expected"), [(10, 1), (-10, 1), (10.01, 2), (-10.01, 2)])
def test_ten_minutes_apart_they_are_still_one_and_later_they_are_two(
    services: Services, user: int, apart: float, expected: int
) -> None:
    accept(services, user, "client")
    accept(services, user, "event", apart)
    assert credit_of(services, user) == expected


def test_two_reports_are_two_accepts(services: Services, user: int) -> None:
    accept(services, user, "client")
    accept(services, user, "client")
    assert credit_of(services, user) == 2


def test_accepts_of_others_are_not_paired_with_ours(services: Services, user: int, phone: Callable[..., Phone]) -> None:
    phone("示例乙").log_in_with_wechat()
    accept(services, user, "client")
    assert accept(services, 2, "event")
    assert (credit_of(services, user), credit_of(services, 2)) == (1, 1)


def test_report_and_event_at_the_same_moment_are_one_credit(services: Services, user: int) -> None:
    sources: list[Source] = ["client", "event"] * 4
    start = Barrier(len(sources))

    def at_once(source: Source) -> bool:
        start.wait(10)
        return accept(services, user, source)

    with ThreadPoolExecutor(len(sources)) as pool:
        given = sum(pool.map(at_once, sources))
    assert given == credit_of(services, user)
    assert 4 <= given <= 7, "an event before its report pairs with another one; no pair is counted twice"
    with services.engine.connect() as connection:
        pairs = connection.scalar(text("select count(*) from subscription_accepts where matched_with is not null"))
    assert given + (pairs or 0) == len(sources)


def test_the_last_answer_is_the_one_that_came_last_and_not_the_one_that_was_worked_on_last(
    services: Services, user: int
) -> None:
    accept(services, user, "client", 5, "reject")
    accept(services, user, "event", 3)
    with services.sessions() as session:
        assert subscriptions.balance(session, user)[TEMPLATE].last_answer == "reject"


def test_the_ledger_of_a_long_term_template_keeps_answers_and_no_credits(services: Services, user: int) -> None:
    answer = TemplateAnswer(TEMPLATE, "accept", "event", START, long_term=True)
    with services.begin() as session:
        assert not subscriptions.record_answer(session, user, answer)
    with services.sessions() as session:
        row = subscriptions.balance(session, user)[TEMPLATE]
        assert (row.credits, row.last_answer) == (0, "accept")


def test_a_user_who_was_erased_since_reports_to_nobody(services: Services, citizen: Phone) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("delete from wechat_users"))
    assert report(citizen, "accept").status_code == 403


# --- the ledger of all --------------------------------------------------------------------------------------------


def test_operators_see_the_ledger_of_all_by_template(
    services: Services, user: int, phone: Callable[..., Phone]
) -> None:
    for name in ("示例乙", "示例丙"):
        phone(name).log_in_with_wechat()
    for who, answers in ((1, ("accept", "accept")), (2, ("accept", "reject")), (3, ("reject",))):
        for answer in answers:
            accept(services, who, "client", answer=answer)
    with services.sessions() as session:
        assert subscriptions.totals(session) == [
            TemplateTotal(TEMPLATE, users=3, with_credit=2, credits=3, accepting=1)
        ]


def test_without_anybody_there_is_nothing_to_see(services: Services) -> None:
    with services.sessions() as session:
        assert subscriptions.totals(session) == []


# --- spending -----------------------------------------------------------------------------------------------------


def test_of_one_credit_many_at_once_take_one(services: Services, user: int) -> None:
    accept(services, user, "client")
    start = Barrier(8)

    def take() -> bool:
        start.wait(10)
        with services.begin() as session:
            return subscriptions.take_credit(session, user, TEMPLATE)

    with ThreadPoolExecutor(8) as pool:
        taken = [job.result() for job in [pool.submit(take) for _ in range(8)]]
    assert sorted(taken) == [False] * 7 + [True]
    assert credit_of(services, user) == 0


def test_one_credit_and_two_changes_at_once_are_one_message_and_two_entries_in_the_inbox(
    services: Services, citizen: Phone, clock: StandingClock, work: Callable[[], None]
) -> None:
    citizen.subscribe()
    clock.advance(minutes=1)
    tell(services, 1, fever(clock.now()))
    tell(services, 1, contact(clock.now()))
    start = Barrier(4)

    def send() -> None:
        start.wait(10)
        try:
            notices.deliver(services, [1])
        except DeliveryPostponed:
            """Another worker is sending to the citizen; the job is tried again."""

    with ThreadPoolExecutor(4) as pool:
        for job in [pool.submit(send) for _ in range(4)]:
            job.result()
    work()
    assert len(citizen.messages()) == 1
    assert citizen.balance() == 0
    assert [entry["state"] for entry in citizen.inbox()] == ["ORANGE", "YELLOW", "GREEN"]

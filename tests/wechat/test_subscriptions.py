"""The ledger of subscriptions: what the citizen answered in WeChat's pop-up, and what we may still send."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app import create_app
from app.services import Services
from app.wechat import notices
from tests.people import Phone, Station

TEMPLATE = "demo-color-change"


@pytest.fixture
def citizen(phone: Callable[..., Phone]) -> Phone:
    return phone("示例甲").become_green()


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


@pytest.mark.parametrize("answer", ["yes", "ACCEPT", "accept ", "", "acceptWithAudio"])
def test_an_answer_that_wechat_does_not_give_is_refused(citizen: Phone, answer: str) -> None:
    refused = report(citizen, answer)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [f"/{TEMPLATE}"]
    assert ledger(citizen)["balance"] == 0


def test_a_template_of_somebody_else_is_refused_and_nothing_of_the_report_is_kept(citizen: Phone) -> None:
    refused = citizen.post("/api/v1/subscriptions", {TEMPLATE: "accept", "not/ours~1": "accept"})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == ["/not~1ours~01"], "as RFC 6901 writes it"
    assert ledger(citizen)["balance"] == 0


def test_an_empty_report_is_refused(citizen: Phone) -> None:
    assert citizen.post("/api/v1/subscriptions", {}).status_code == 422


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
    notices.deliver(long_term, 1)
    assert len(citizen.messages()) == 1


def test_titles_are_in_the_callers_language(citizen: Phone) -> None:
    citizen.language = "en"
    assert ledger(citizen)["title"] == "Color change"

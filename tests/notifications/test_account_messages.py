"""Messages about an account or a family: by the same channels as a change, once, and without what it is about."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.core.settings import SmsSettings
from app.core.settings.sections import SmsTemplates
from app.notifications import account_messages
from app.notifications.account_messages import Subject
from app.runtime import Services
from app.staff.context import OPERATOR, begin_as
from app.windows import administration
from app.windows.administration import NewWindow
from app.windows.messages import find_words
from app.worker.retention import purge_personal_data
from tests.support.apps import Apps
from tests.support.clock import StandingClock
from tests.support.desk import Desk, make_officer
from tests.support.family import tie
from tests.support.official import Official
from tests.support.people import Phone
from tests.support.text_messages import Gateway, with_sms
from tests.support.windows import DISTRICT, WINDOW, Clerk

NEWS = "【吉林政务】您的吉祥码账号有新消息，请打开小程序查看。拒收请回复T"
CHANGED = "【吉林政务】您的吉祥码有变化，请打开小程序查看。拒收请回复T"
Work = Callable[[], None]


@pytest.fixture(scope="session")
def all_window_services(all_official_services: Services) -> Services:
    """Services whose authenticators go by the clock of the test."""
    return replace(all_official_services, real_clock=all_official_services.clock)


@pytest.fixture
def services(services: Services, all_window_services: Services) -> Services:
    return all_window_services


@pytest.fixture
def app(services: Services, apps: Apps) -> Flask:
    return apps.of("official and windows", services)


@pytest.fixture
def recover(app: Flask, services: Services) -> Callable[[Phone], None]:
    """Has a clerk recover somebody's account at a service window."""

    def serve(citizen: Phone) -> None:
        make_officer(services, "clerk-1", "clerk", district=DISTRICT)
        clerk = Clerk(Desk(app, services, "clerk-1").enter())
        with begin_as(services, OPERATOR) as context:
            administration.add_window(context, NewWindow(WINDOW, "示例路 1 号", DISTRICT))
            administration.assign_clerk(context, administration.find_by_name(context, WINDOW).id, "clerk-1")
        clerk.recover(clerk.visit(citizen.name, citizen.document), "another-example-password-1")

    return serve


def ends(services: Services) -> list[tuple[str, str | None, str]]:
    """What became of each message: kind, channel and delivery."""
    with services.engine.connect() as connection:
        rows = connection.execute(text("select kind, channel, delivery from account_messages order by id"))
        return [(row.kind, row.channel, row.delivery) for row in rows]


def test_a_recovery_reaches_a_former_holder_by_the_official_account(
    green_citizen: Phone, work: Work, official: Official, gateway: Gateway, recover: Any, services: Services
) -> None:
    official.follow(green_citizen.name)
    work()
    recover(green_citizen)
    work()
    [message] = official.messages(green_citizen.name)
    values = [field["value"] for field in message["fields"]]
    assert values[::2] == ["您的账号已在服务窗口找回", "非本人办理请24小时内提出异议"]
    assert message["page"] == "pages/home/home"
    assert (gateway.texts(), ends(services)) == ([], [("recovery", "official", "sent")])


def test_where_wechat_reaches_nobody_one_text_message_says_that_there_is_news(
    green_citizen: Phone, work: Work, gateway: Gateway, recover: Any, services: Services
) -> None:
    recover(green_citizen)
    work()
    with services.engine.connect() as connection:
        row = connection.execute(text("select about, serial from account_messages limit 1")).one()
    account_messages.deliver(services, Subject("recovery", row.about, row.serial), find_words)
    assert gateway.texts() == [NEWS]
    assert ends(services) == [("recovery", "official", "no-subscription"), ("recovery", "sms", "sent")]


def test_a_subscription_comes_first(
    green_citizen: Phone, work: Work, official: Official, gateway: Gateway, recover: Any, services: Services
) -> None:
    official.follow(green_citizen.name)
    green_citizen.subscribe()
    work()
    recover(green_citizen)
    work()
    assert [message["fields"][0]["value"] for message in green_citizen.messages()] == ["账号找回"]
    assert (official.sends(), gateway.texts(), ends(services)) == (0, [], [("recovery", "subscription", "sent")])


def test_an_unknown_outcome_is_not_followed_by_a_text_message(
    green_citizen: Phone, work: Work, official: Official, gateway: Gateway, recover: Any, services: Services
) -> None:
    official.follow(green_citizen.name)
    work()
    official.fail(drop="after")
    recover(green_citizen)
    work()
    assert (gateway.texts(), ends(services)) == ([], [("recovery", "official", "unknown")])


def test_a_message_that_a_dead_worker_was_sending_is_unknown_and_not_sent_again(
    green_citizen: Phone, work: Work, official: Official, gateway: Gateway, recover: Any, services: Services,
    clock: StandingClock,
) -> None:  # fmt: skip
    official.follow(green_citizen.name)
    work()
    recover(green_citizen)
    taken = text("update account_messages set delivery = 'sending', channel = 'official', updated_at = :now")
    with services.engine.begin() as connection:
        connection.execute(taken, {"now": clock.now()})
        row = connection.execute(text("select about, serial from account_messages")).one()
    clock.advance(minutes=2)
    account_messages.deliver(services, Subject("recovery", row.about, row.serial), find_words)
    assert (official.sends(), gateway.texts(), ends(services)) == (0, [], [("recovery", "official", "unknown")])


def test_what_wechat_reports_later_as_failed_goes_on_to_the_phone(
    green_citizen: Phone, work: Work, official: Official, gateway: Gateway, recover: Any, services: Services
) -> None:
    openid = official.follow(green_citizen.name)
    work()
    recover(green_citizen)
    work()
    with services.engine.connect() as connection:
        msgid = str(connection.scalar(text("select msgid from account_messages")))
    official.finish(openid, msgid, "failed:user block")
    work()
    assert gateway.texts() == [NEWS]
    assert ends(services) == [("recovery", "official", "failed"), ("recovery", "sms", "sent")]


def test_without_a_template_for_news_no_text_message_is_sent(
    green_citizen: Phone, gateway: Gateway, recover: Any, services: Services, sms_settings: SmsSettings
) -> None:
    recover(green_citizen)
    none = with_sms(services, sms_settings.model_copy(update={"news_templates": SmsTemplates()}))
    with services.engine.connect() as connection:
        row = connection.execute(text("select about, serial from account_messages")).one()
    account_messages.deliver(none, Subject("recovery", row.about, row.serial), find_words)
    assert (gateway.sends(), ends(services)[-1]) == (0, ("recovery", "sms", "no-subscription"))


@pytest.mark.slow
@pytest.mark.parametrize("follows", [True, False])
def test_a_change_in_the_family_reaches_its_holder_without_name_and_color(
    phone: Callable[..., Phone], measure: Any, work: Work, official: Official, gateway: Gateway, services: Services,
    follows: bool,
) -> None:  # fmt: skip
    daughter, mother = phone("示例女儿").become_green(), phone("示例母亲").become_green()
    if follows:
        official.follow(daughter.name)
    tie(daughter, mother)
    work()
    measure(mother)
    work(), work()
    shown = [field["value"] for message in official.messages(daughter.name) for field in message["fields"]]
    assert shown[:1] == (["家人的吉祥码有变化"] if follows else [])
    assert set(gateway.texts()) == ({CHANGED} if follows else {NEWS, CHANGED}), "the mother's own is a change"
    assert ends(services)[-1][1:] == (("official", "sent") if follows else ("sms", "sent"))
    if follows:
        measure(mother, 36.6)
        measure(mother)
        work()
        assert len(official.messages(daughter.name)) == 2, "of two changes the newest"


def test_messages_of_long_ago_are_deleted(
    green_citizen: Phone, work: Work, recover: Any, services: Services, clock: StandingClock
) -> None:
    recover(green_citizen)
    work()
    clock.advance(days=31)
    purge_personal_data(services)
    assert ends(services) == []

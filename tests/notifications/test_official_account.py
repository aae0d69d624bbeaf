"""Messages by the official account: who gets one, once, and how following it begins and ends."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.audit import Actor
from app.notifications import notices
from app.notifications.channels import DeliveryPostponed
from app.notifications.official import following
from app.privacy import erasure
from app.runtime import Services
from app.wechat.models import WeChatUser
from tests.support.apps import Apps
from tests.support.official import OFFICIAL_ACCOUNT, Official
from tests.support.people import Phone
from tests.support.text_messages import Gateway

Work = Callable[[], None]
Measure = Callable[..., None]


@pytest.fixture
def services(services: Services, all_official_services: Services) -> Services:
    return all_official_services


@pytest.fixture
def app(services: Services, apps: Apps) -> Flask:
    return apps.of("official", services)


def newest(citizen: Phone) -> tuple[str, str | None]:
    notice = citizen.inbox()[0]
    return notice["wechat"], notice["channel"]


def ask(services: Services, query: str) -> Any:
    with services.engine.connect() as connection:
        return connection.scalar(text(query))


def try_again(services: Services) -> None:
    with suppress(DeliveryPostponed):
        notices.deliver(services, [1])


# --- who gets one -------------------------------------------------------------------------------------------------


def test_a_follower_without_subscription_gets_one_message_without_color_or_name(
    green_citizen: Phone, measure: Measure, work: Work, official: Official, gateway: Gateway
) -> None:
    official.follow(green_citizen.name)
    work()
    measure(green_citizen)
    work()
    [message] = official.messages(green_citizen.name)
    assert [field["value"] for field in message["fields"]][::2] == ["吉祥码有变化", "请打开小程序查看"]
    assert message["page"] == "pages/code/code"
    assert (newest(green_citizen), gateway.texts()) == (("sent", "official"), []), "told once"


def test_each_channel_tries_what_the_one_before_has_refused(
    green_citizen: Phone, measure: Measure, work: Work, official: Official, gateway: Gateway, wechat_url: str
) -> None:
    official.follow(green_citizen.name)
    work()
    green_citizen.subscribe()
    measure(green_citizen)
    work()
    assert (newest(green_citizen), official.sends()) == (("sent", "subscription"), 0)
    green_citizen.subscribe()
    reject = {"demo-color-change": "reject"}
    requests.post(f"{wechat_url}/sandbox/users/{green_citizen.name}/settings", json=reject, timeout=5)
    measure(green_citizen, 36.6)
    work()
    assert (newest(green_citizen), len(gateway.texts())) == (("sent", "official"), 0)
    official.act(green_citizen.name, "unfollow")  # of which no event has come
    measure(green_citizen)
    work()
    assert (newest(green_citizen), len(gateway.texts())) == (("sent", "sms"), 1)
    measure(green_citizen, 36.6)
    work()
    assert (official.sends(), len(gateway.texts())) == (2, 2), "WeChat has said that they follow no more"


@pytest.mark.parametrize("why", ["never", "no unionid", "another account of theirs"])
def test_who_cannot_be_found_among_the_followers_gets_a_text_message(
    phone: Callable[..., Phone], measure: Measure, work: Work, official: Official, gateway: Gateway, why: str
) -> None:
    citizen, other = phone(), phone("示例乙")
    if why == "no unionid":
        official.is_like(citizen.name, has_unionid=False)
        official.follow(citizen.name)
    elif why != "never":
        official.follow(other.name)
    citizen.become_green()
    measure(citizen)
    work()
    assert (newest(citizen), official.sends(), len(gateway.texts())) == (("sent", "sms"), 0, 1)


def test_who_follows_first_and_registers_next_gets_one(
    phone: Callable[..., Phone], measure: Measure, work: Work, official: Official
) -> None:
    citizen = phone()
    official.follow(citizen.name)
    work()
    citizen.become_green()
    measure(citizen)
    work()
    assert newest(citizen) == ("sent", "official")


# --- once ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{"drop": "after"}, {"status": 502}])
def test_an_unknown_outcome_ends_it_and_no_other_channel_says_it_again(
    green_citizen: Phone, measure: Measure, work: Work, official: Official, gateway: Gateway, services: Services,
    how: dict[str, Any],
) -> None:  # fmt: skip
    official.follow(green_citizen.name)
    work()
    official.fail(**how)
    measure(green_citizen)
    work()
    official.heal()
    try_again(services)
    assert newest(green_citizen) == ("unknown", "official")
    assert (official.sends(), gateway.texts()) == (1, [])


@pytest.mark.parametrize("how", [{"errcode": 45009}, {"errcode": 40037}, {"errcode": 40164}])
def test_while_the_whole_account_is_away_a_notice_waits_and_is_sent_once(
    green_citizen: Phone, measure: Measure, work: Work, official: Official, gateway: Gateway, services: Services,
    how: dict[str, Any],
) -> None:  # fmt: skip
    official.follow(green_citizen.name)
    work()
    official.fail(**how)
    measure(green_citizen)
    try_again(services)
    calls = official.sends()
    try_again(services)
    assert (newest(green_citizen)[0], official.sends()) == ("waiting", calls), "asked once, then left alone"
    official.heal()
    try_again(services)
    try_again(services)
    assert newest(green_citizen) == ("sent", "official")
    assert (len(official.messages(green_citizen.name)), gateway.texts()) == (1, [])


def test_what_wechat_reports_later_as_failed_goes_on_once(
    green_citizen: Phone, measure: Measure, work: Work, official: Official, gateway: Gateway, services: Services
) -> None:
    openid = official.follow(green_citizen.name)
    work()
    measure(green_citizen)
    work()
    msgid = ask(services, "select msgid from notices order by id desc limit 1")
    official.finish(openid, msgid, "success")
    work()
    assert newest(green_citizen) == ("sent", "official")
    failed = official.write(openid, "TEMPLATESENDJOBFINISH", MsgID=msgid, Status="failed:user block")
    for _ in range(2):
        assert official.send(*failed).data == b"success"
        work()
    assert (newest(green_citizen), len(gateway.texts())) == (("sent", "sms"), 1)
    official.finish(openid, msgid, "failed: system failed")
    work()
    assert len(gateway.texts()) == 1, "the notice is another channel's by now"


# --- following ----------------------------------------------------------------------------------------------------


def test_unfollowing_ends_it_at_once_and_following_again_begins_it_anew(
    green_citizen: Phone, measure: Measure, work: Work, official: Official, gateway: Gateway, services: Services
) -> None:
    openid = official.follow(green_citizen.name)
    work()
    assert ask(services, "select count(*) from official_followers") == 1
    official.unfollow(green_citizen.name)
    work()
    assert ask(services, "select count(*) from official_followers") == 0, "and is not kept"
    measure(green_citizen)
    work()
    assert (newest(green_citizen), official.sends()) == (("sent", "sms"), 0)
    official.follow(green_citizen.name)
    official.push(openid, "unsubscribe", late=200)  # WeChat's third try of an old one
    work()
    measure(green_citizen, 36.6)
    work()
    assert newest(green_citizen) == ("sent", "official")


def test_an_event_makes_nobody_a_follower_of_whom_wechat_says_otherwise(
    green_citizen: Phone, work: Work, official: Official, services: Services
) -> None:
    official.push("o" + 27 * "x", "subscribe")
    openid = official.act(green_citizen.name, "follow")
    official.act(green_citizen.name, "unfollow")
    official.push(openid, "subscribe")
    work()
    assert ask(services, "select count(*) from official_followers") == 0
    outcomes = "select string_agg(outcome, ', ') from wechat_callbacks where account = 'official'"
    assert ask(services, outcomes) == "does not follow, does not follow"


def test_an_event_waits_for_wechat_to_say_who_it_is(
    green_citizen: Phone, work: Work, official: Official, services: Services
) -> None:
    official.fail(path="/cgi-bin/user/info/batchget", errcode=-1)
    official.follow(green_citizen.name)
    work()
    assert ask(services, "select handled_at from wechat_callbacks where account = 'official'") is None
    official.heal()
    with services.begin() as session:
        session.execute(text("update procrastinate_jobs set scheduled_at = null where status = 'todo'"))
    work()
    assert ask(services, "select count(*) from official_followers") == 1


def test_the_callbacks_of_one_account_are_not_those_of_the_other(official: Official, client: FlaskClient) -> None:
    query, body = official.write("o" + 27 * "x", "subscribe")
    assert client.post("/wechat/callback", query_string=query, data=body).status_code == 403
    query["msg_signature"] = "0" * 40
    assert official.send(query, body).status_code == 403
    assert client.get("/wechat/official/callback").status_code == 403


def test_a_listing_finds_who_followed_before_and_forgets_who_left(
    phone: Callable[..., Phone], official: Official, services: Services, wechat_url: str
) -> None:
    early, stranger = phone(), phone("示例乙")
    early.become_green()
    for one in (early, stranger):
        official.act(one.name, "follow")
    assert following.read_all(services) == 2
    assert ask(services, "select count(*) from official_followers") == 1, "a stranger is nobody's to keep"
    official.act(early.name, "unfollow")
    services.clock.advance(minutes=1)  # type: ignore[attr-defined]
    assert following.read_all(services) == 1
    assert ask(services, "select count(*) from official_followers") == 0
    calls = requests.get(f"{wechat_url}/sandbox/calls", timeout=5).json()
    assert calls["/cgi-bin/user/info/batchget"] == 2, "who is known is not asked for"


def test_a_stranger_who_follows_is_forgotten_after_a_day_and_a_user_is_not(
    green_citizen: Phone, phone: Callable[..., Phone], official: Official, work: Work, services: Services
) -> None:
    for one in (green_citizen, phone("示例乙")):
        official.follow(one.name)
    work()
    assert ask(services, "select count(*) from official_followers") == 2
    with services.begin() as session:
        session.execute(text("update official_followers set followed_at = followed_at - interval '25 hours'"))
    following.read_all(services)
    assert ask(services, "select count(*) from official_followers") == 1


def test_a_listing_that_is_not_complete_forgets_nobody(
    green_citizen: Phone, official: Official, work: Work, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    official.follow(green_citizen.name)
    work()
    monkeypatch.setattr(following, "_PAGES", 0)
    following.read_all(services)
    assert ask(services, "select count(*) from official_followers") == 1


# --- what is kept -------------------------------------------------------------------------------------------------


def test_an_erased_person_is_not_stored_again_as_a_follower(
    green_citizen: Phone, official: Official, work: Work, services: Services
) -> None:
    official.follow(green_citizen.name)
    work()
    with services.begin() as session:
        user = session.get_one(WeChatUser, 1, with_for_update=True)
        erasure.erase(session, user, actor=Actor("operator"), now=services.clock.now())
    following.read_all(services)
    assert ask(services, "select count(*) from official_followers") == 0


def test_neither_openid_nor_unionid_is_in_a_table_or_a_log(
    green_citizen: Phone, measure: Measure, work: Work, official: Official, services: Services, wechat_sandbox: Flask,
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    openid = official.follow(green_citizen.name)
    work()
    with wechat_sandbox.extensions["wechat-sandbox"].look() as state:
        unionid = state.phone_of_follower(openid).unionid
    measure(green_citizen)
    work()
    kept = "select string_agg(t::text, '') from (select f::text as t from official_followers f union all select u::text"
    rows = ask(services, f"{kept} from wechat_users u union all select c::text from wechat_callbacks c) as everything")
    written = rows + caplog.text + "".join(capsys.readouterr())
    assert openid not in written and unionid not in written and OFFICIAL_ACCOUNT["secret"] not in written

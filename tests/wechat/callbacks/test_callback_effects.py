"""What each event changes for the person whom it is about, and that it changes nothing for anybody else."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
import requests
from prometheus_client import REGISTRY
from sqlalchemy import select, text

from app.codes.models import Notice
from app.runtime import Services
from app.worker import callback_effects
from app.worker.retention import purge_callbacks
from tests.support.clock import StandingClock
from tests.support.people import Phone, Station
from tests.wechat.callbacks.endpoint import Endpoint, jobs, openid, outcomes, receipts
from tests.wechat.callbacks.examples import SECONDS, about, event

TEMPLATE = "demo-color-change"
Work = Callable[[], None]


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def answer(status: str, template: str = TEMPLATE) -> dict[str, Any]:
    return {"TemplateId": template, "SubscribeStatusString": status, "PopupScene": 0}


def popup(person: str, *answers: dict[str, Any], seconds: int = SECONDS) -> dict[str, Any]:
    return {**event("subscribe_msg_popup_event", person, List=list(answers)), "CreateTime": seconds}


def change(person: str, status: str = "reject", template: str = TEMPLATE, seconds: int = SECONDS) -> dict[str, Any]:
    entry = {"TemplateId": template, "SubscribeStatusString": status}
    return {**event("subscribe_msg_change_event", person, List=[entry]), "CreateTime": seconds}


def sent(person: str, message_id: str, code: int = 0, status: str = "success") -> dict[str, Any]:
    entry = {"TemplateId": TEMPLATE, "MsgID": message_id, "ErrorCode": code, "ErrorStatus": status}
    return event("subscribe_msg_sent_event", person, List=entry)


def skipped(place: str) -> float:
    return REGISTRY.get_sample_value("jixiang_partner_values_skipped_total", {"place": place}) or 0


def rows(services: Services) -> dict[str, list[Any]]:
    """Everything that is written about persons."""
    tables = ("wechat_users", "citizens", "accounts", "subscriptions", "subscription_accepts", "notices", "audit")
    with services.engine.connect() as connection:
        return {table: list(connection.execute(text(f"select * from {table} order by 1"))) for table in tables}


# --- popup --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["accept", "acceptWithAlert"])
def test_an_accept_is_a_credit(services: Services, endpoint: Endpoint, citizen: Phone, work: Work, word: str) -> None:
    endpoint.push(popup(openid(citizen), answer(word)))
    work()
    assert (citizen.balance(), outcomes(services)) == (1, ["credits given: 1"])


@pytest.mark.parametrize("status", ["reject", "ban", "somethingNew"])
def test_what_is_no_accept_is_no_credit(endpoint: Endpoint, citizen: Phone, work: Work, status: str) -> None:
    endpoint.push(popup(openid(citizen), answer(status)))
    work()
    assert citizen.balance() == 0


def test_a_template_of_somebody_else_is_passed_over(
    services: Services, endpoint: Endpoint, citizen: Phone, work: Work
) -> None:
    endpoint.push(popup(openid(citizen), answer("accept", "another-template"), answer("accept")))
    work()
    assert outcomes(services) == ["credits given: 1"]
    assert len(rows(services)["subscriptions"]) == 1


def test_an_unreadable_entry_and_an_unknown_word_do_not_lose_ours_and_are_counted(
    services: Services, endpoint: Endpoint, citizen: Phone, work: Work
) -> None:
    before = [skipped(place) for place in ("callback-entry", "subscription-event")]
    unreadable = {"TemplateId": TEMPLATE}
    endpoint.push(popup(openid(citizen), unreadable, answer("maybe"), answer("accept")))
    work()
    assert (citizen.balance(), outcomes(services)) == (1, ["credits given: 1"])
    assert [skipped(place) for place in ("callback-entry", "subscription-event")] == [one + 1 for one in before]


def test_an_openid_that_never_logged_in_stays_unknown(services: Services, endpoint: Endpoint, work: Work) -> None:
    before = rows(services)
    for message in (
        popup("oNobody", answer("accept")),
        change("oNobody"),
        sent("oNobody", "1"),
        about("oNobody", "user_authorization_revoke", RevokeInfo="8"),
        about("oNobody", "user_authorization_cancellation"),
    ):
        assert endpoint.push(message).text == "success"
    work()
    assert outcomes(services) == ["unknown user"] * 5
    assert rows(services) == before


# --- change -------------------------------------------------------------------------------------------------------


def test_a_template_that_is_switched_off_has_no_credits(
    services: Services, endpoint: Endpoint, citizen: Phone, work: Work
) -> None:
    for _ in range(3):
        citizen.subscribe()
    endpoint.push(change(openid(citizen)))
    work()
    [row] = citizen.get("/api/v1/subscriptions").json["subscriptions"]
    assert (row["balance"], row["last_answer"], outcomes(services)) == (0, "reject", ["credits set to 0"])


@pytest.mark.parametrize(("status", "template"), [("accept", TEMPLATE), ("reject", "another-template")])
def test_other_changes_in_the_settings_take_nothing_away(
    services: Services, endpoint: Endpoint, citizen: Phone, work: Work, status: str, template: str
) -> None:
    citizen.subscribe()
    endpoint.push(change(openid(citizen), status, template))
    work()
    assert (citizen.balance(), outcomes(services)) == (1, ["nothing to do"])


def test_what_was_accepted_after_the_change_counts_however_late_the_change_is_applied(
    endpoint: Endpoint, citizen: Phone, clock: StandingClock, work: Work
) -> None:
    citizen.subscribe()
    citizen.subscribe()
    endpoint.push(change(openid(citizen)))
    clock.advance(minutes=20)
    citizen.subscribe()
    endpoint.push(popup(openid(citizen), answer("accept")), seconds=SECONDS + 1200)
    work()
    [row] = citizen.get("/api/v1/subscriptions").json["subscriptions"]
    assert (row["balance"], row["last_answer"]) == (1, "accept")


@pytest.mark.parametrize("order", list(permutations("acr", 3)))
def test_the_events_of_one_person_count_in_the_order_in_which_they_came(
    endpoint: Endpoint, citizen: Phone, clock: StandingClock, work: Work, order: tuple[str, ...]
) -> None:
    person = openid(citizen)
    for number, which in enumerate(order):
        clock.advance(seconds=1)
        message = change(person) if which == "c" else popup(person, answer("accept" if which == "a" else "reject"))
        endpoint.push({**message, "CreateTime": SECONDS + number})
    work()
    assert citizen.balance() == (1 if order.index("a") > order.index("c") else 0)


# --- sent ---------------------------------------------------------------------------------------------------------


def notified(citizen: Phone, station: Station, clock: StandingClock, celsius: float = 38.0) -> None:
    citizen.subscribe()
    clock.advance(minutes=1)
    assert station.measure(citizen.code()["token"], celsius).status_code == 200


def newest(services: Services) -> Notice:
    with services.sessions() as session:
        return session.scalars(select(Notice).order_by(Notice.id.desc()).limit(1)).one()


def now_seconds(clock: StandingClock) -> int:
    return int(clock.now().timestamp())


def test_a_message_that_failed_in_the_end_is_a_notice_that_failed(
    services: Services, endpoint: Endpoint, citizen: Phone, station: Station, clock: StandingClock, work: Work
) -> None:
    notified(citizen, station, clock)
    work()
    msgid = newest(services).msgid
    assert msgid
    endpoint.push(sent(openid(citizen), msgid, 1003, "user refuse"), seconds=now_seconds(clock))
    work()
    assert (newest(services).delivery, newest(services).error) == ("failed", "1003 user refuse")
    assert citizen.inbox()[0]["wechat"] == "failed" and citizen.balance() == 0
    assert outcomes(services) == ["notice 2 failed"]


def test_a_message_that_arrived_is_a_notice_that_was_sent(
    services: Services, endpoint: Endpoint, citizen: Phone, station: Station, clock: StandingClock, work: Work
) -> None:
    notified(citizen, station, clock)
    work()
    before = newest(services)
    endpoint.push(sent(openid(citizen), str(before.msgid)), seconds=now_seconds(clock))
    work()
    after = newest(services)
    assert (after.delivery, after.updated_at) == ("sent", before.updated_at)


def test_a_message_of_unknown_outcome_that_arrived_was_sent_and_is_matched_once(
    services: Services,
    endpoint: Endpoint,
    citizen: Phone,
    station: Station,
    clock: StandingClock,
    work: Work,
    wechat_url: str,
) -> None:
    failures = f"{wechat_url}/sandbox/failures"
    drop = {"path": "/cgi-bin/message/subscribe/send", "status": 502}
    requests.put(failures, json=drop, timeout=5).raise_for_status()
    for celsius in (38.0, 36.5):
        notified(citizen, station, clock, celsius)
        work()
    requests.delete(failures, timeout=5).raise_for_status()
    with services.engine.begin() as connection:
        connection.execute(text("update notices set delivery = 'unknown' where id > 1"))
    for message_id in ("71", "72", "73"):
        endpoint.push(sent(openid(citizen), message_id), seconds=now_seconds(clock))
    for number in (1, 2, 3):
        with pytest.raises(callback_effects.NotRecordedYet):
            callback_effects.apply_callback(services, number, attempts=0)
        callback_effects.apply_callback(services, number, attempts=callback_effects.MAX_ATTEMPTS)
    assert outcomes(services) == ["notice 2 sent", "notice 3 sent", "no such notice"]
    assert [notice["wechat"] for notice in citizen.inbox()] == ["sent", "sent", "seen"]
    endpoint.push({**sent(openid(citizen), "71", 1003), "CreateTime": SECONDS + 1}, seconds=now_seconds(clock))
    work()
    assert outcomes(services)[-1] == "notice 2 failed", "the notice has the number of its message now"


def test_an_event_that_comes_before_our_own_outcome_waits_for_it(
    services: Services, endpoint: Endpoint, citizen: Phone, station: Station, clock: StandingClock, work: Work
) -> None:
    notified(citizen, station, clock)
    endpoint.push(sent(openid(citizen), "4711", 1003, "user refuse"), seconds=now_seconds(clock))
    for attempts in range(callback_effects.MAX_ATTEMPTS):
        with pytest.raises(callback_effects.NotRecordedYet):
            callback_effects.apply_callback(services, 1, attempts)
    assert outcomes(services) == [None]
    with services.engine.begin() as connection:
        connection.execute(text("update notices set delivery = 'sent', msgid = '4711' where id = 2"))
    callback_effects.apply_callback(services, 1, attempts=callback_effects.MAX_ATTEMPTS - 1)
    assert (newest(services).delivery, outcomes(services)) == ("failed", ["notice 2 failed"])


def test_the_number_of_somebody_elses_message_changes_nothing(
    services: Services, endpoint: Endpoint, citizen: Phone, phone: Callable[..., Phone], station: Station,
    clock: StandingClock, work: Work,
) -> None:  # fmt: skip
    notified(citizen, station, clock)
    work()
    msgid = str(newest(services).msgid)
    other = phone("示例乙").become_green()
    endpoint.push(sent(openid(other), msgid, 1003), seconds=now_seconds(clock))
    callback_effects.apply_callback(services, 1, attempts=callback_effects.MAX_ATTEMPTS)
    assert outcomes(services) == ["no such notice"]
    assert citizen.inbox()[0]["wechat"] == "sent"


# --- revoke -------------------------------------------------------------------------------------------------------


def test_a_phone_number_that_is_revoked_is_deleted(
    services: Services, endpoint: Endpoint, citizen: Phone, work: Work
) -> None:
    endpoint.push(about(openid(citizen), "user_authorization_revoke", RevokeInfo="8"))
    work()
    account = citizen.get("/api/v1/accounts/me").json
    assert (account["phone"], account["username"]) == (None, citizen.username)
    assert outcomes(services) == ["phone deleted"]
    assert citizen.color() == "GREEN", "the color rests on other things"
    with services.engine.connect() as connection:
        assert connection.scalar(text("select phone_ciphertext is null from citizens"))
        assert connection.scalar(text("select actor from audit where action = 'phone-deleted'")) == "wechat"


def test_without_a_phone_number_one_can_declare_again(
    endpoint: Endpoint, citizen: Phone, work: Work, clock: StandingClock, platform_url: str
) -> None:
    endpoint.push(about(openid(citizen), "user_authorization_revoke", RevokeInfo="8"))
    work()
    clock.advance(days=1)
    declared = citizen.declare()
    assert (declared.status_code, declared.json["waiting_for_platform"]) == (201, False)


@pytest.mark.parametrize(
    ("info", "outcome"),
    [
        ("6", "nothing is stored of 6"),
        ("13,6,8", "phone deleted; nothing is stored of 6, 13"),
    ],
)
def test_other_data_that_is_revoked_was_never_stored(
    services: Services, endpoint: Endpoint, citizen: Phone, work: Work, info: str, outcome: str
) -> None:
    endpoint.push(about(openid(citizen), "user_authorization_revoke", RevokeInfo=info))
    work()
    assert outcomes(services) == [outcome]
    assert (citizen.get("/api/v1/accounts/me").json["phone"] is None) == ("8" in info)


def test_a_visitor_has_no_phone_number_to_revoke(
    services: Services, endpoint: Endpoint, phone: Callable[..., Phone], work: Work
) -> None:
    visitor = phone("示例访客")
    visitor.log_in_with_wechat()
    endpoint.push(about(openid(visitor), "user_authorization_revoke", RevokeInfo="8"))
    work()
    assert outcomes(services) == ["no phone was stored"]


# --- once, and not for ever ---------------------------------------------------------------------------------------


def test_a_job_that_runs_twice_does_it_once(services: Services, endpoint: Endpoint, citizen: Phone, work: Work) -> None:
    endpoint.push(popup(openid(citizen), answer("accept")))
    for _ in range(3):
        callback_effects.apply_callback(services, 1, attempts=0)
    work()
    assert citizen.balance() == 1


def test_a_job_whose_receipt_was_deleted_does_nothing(services: Services) -> None:
    callback_effects.apply_callback(services, 12345, attempts=0)


def test_when_the_effect_fails_the_event_stays_unhandled(
    services: Services, endpoint: Endpoint, citizen: Phone, work: Work
) -> None:
    endpoint.push(popup(openid(citizen), answer("accept")))
    with services.engine.begin() as connection:
        connection.execute(text("alter table subscriptions add constraint broken check (credits < 1)"))
    try:
        work()
        assert outcomes(services) == [None]
    finally:
        with services.engine.begin() as connection:
            connection.execute(text("alter table subscriptions drop constraint broken"))
    assert len(jobs(services)) == 1, "to be tried again"
    callback_effects.apply_callback(services, 1, attempts=1)
    assert citizen.balance() == 1


def test_receipts_and_accepts_are_deleted_after_their_days(
    services: Services, endpoint: Endpoint, citizen: Phone, clock: StandingClock, work: Work
) -> None:
    citizen.subscribe()
    endpoint.push(popup(openid(citizen), answer("accept")))
    endpoint.push(event("something_new"))
    work()
    clock.advance(days=7)
    purge_callbacks(services)
    assert len(receipts(services)) == 2
    clock.advance(seconds=1)
    purge_callbacks(services)
    assert receipts(services) == [] and rows(services)["subscription_accepts"] == []
    assert citizen.balance() == 1

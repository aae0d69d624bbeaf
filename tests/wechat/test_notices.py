"""Delivery of notices to a WeChat that refuses, is busy, breaks connections or cannot be reached."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import requests
from sqlalchemy import text

from app.codes.models import DecisionRow
from app.codes.states import State
from app.core.queue import defer_notices
from app.core.texts import citizen_languages
from app.notifications import notices
from app.notifications.subscription_messages import compose_fields
from app.runtime import Services
from app.wechat.client import RetryPause, Timeouts, WeChatAccount, WeChatApi
from app.wechat.templates import check_fields
from tests.support.clock import StandingClock
from tests.support.codes import write_config
from tests.support.people import PASSWORD, Phone, Station
from tests.support.settings import APPID, SECRET
from tests.support.waiting import PATIENCE, wait_until

SEND = "/cgi-bin/message/subscribe/send"

Work = Callable[[], None]
Fail = Callable[..., None]


@pytest.fixture
def fail(wechat_url: str) -> Fail:
    """Make WeChat's send call fail in a given way; without arguments it works again."""

    def order(**how: Any) -> None:
        requests.delete(f"{wechat_url}/sandbox/failures", timeout=5).raise_for_status()
        if how:
            body = {"path": SEND, **how}
            requests.put(f"{wechat_url}/sandbox/failures", json=body, timeout=5).raise_for_status()

    return order


@pytest.fixture
def try_again(services: Services, work: Work, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Retry failed jobs now; no retry comes before, however slow this machine is."""
    monkeypatch.setattr("app.worker.retry.MIN_SECONDS", 3600)

    def run() -> None:
        with services.engine.begin() as connection:
            connection.execute(text("update procrastinate_jobs set scheduled_at = null where status = 'todo'"))
        work()

    return run


@pytest.fixture
def measure(station: Station, clock: StandingClock) -> Callable[[Phone, float], None]:
    """Register a temperature at a station, a minute later."""

    def register(citizen: Phone, celsius: float) -> None:
        clock.advance(minutes=1)
        assert station.measure(citizen.code()["token"], celsius).status_code == 200

    return register


def subscribed(phone: Callable[..., Phone], times: int = 1, **options: Any) -> Phone:
    """Return a green citizen who has accepted so many messages."""
    citizen = phone(**options).become_green()
    for _ in range(times):
        assert citizen.subscribe().status_code == 200
    return citizen


def colors(citizen: Phone) -> list[str]:
    return [message["fields"][0]["value"] for message in citizen.messages()]


def deliveries(citizen: Phone) -> list[str]:
    """Return the states of the notices, the oldest first, without the first, which was seen on the screen."""
    return [notice["wechat"] for notice in reversed(citizen.inbox())][1:]


def sends(wechat_url: str) -> int:
    return int(requests.get(f"{wechat_url}/sandbox/calls", timeout=5).json().get(SEND, 0))


# --- all is well ------------------------------------------------------------------------------------------------


def test_changes_are_sent_in_their_order(phone: Callable[..., Phone], measure: Any, work: Work) -> None:
    citizen = subscribed(phone, 4)
    for celsius in (38.0, 36.6, 37.3, 36.9):
        measure(citizen, celsius)
        work()
    assert colors(citizen) == ["黄码", "绿码", "黄码", "绿码"]
    assert deliveries(citizen) == ["sent"] * 4
    assert citizen.balance() == 0


def test_a_change_seen_on_the_screen_is_not_sent(phone: Callable[..., Phone], work: Work, wechat_url: str) -> None:
    citizen = phone()
    citizen.register()
    citizen.subscribe()
    citizen.declare()
    work()
    assert [notice["wechat"] for notice in citizen.inbox()] == ["seen"]
    assert sends(wechat_url) == 0
    assert citizen.balance() == 1


def test_two_changes_and_one_credit_are_one_message_and_two_entries_in_the_inbox(
    phone: Callable[..., Phone], measure: Any, work: Work, wechat_url: str
) -> None:
    citizen = subscribed(phone, 1)
    measure(citizen, 38.0)
    measure(citizen, 36.6)
    work()
    assert colors(citizen) == ["绿码"], "what holds now, also when they had a message about it before"
    assert deliveries(citizen) == ["superseded", "sent"]
    assert sends(wechat_url) == 1
    assert citizen.balance() == 0


def test_of_several_changes_that_wait_only_the_newest_costs_a_credit(
    phone: Callable[..., Phone], measure: Any, work: Work
) -> None:
    citizen = subscribed(phone, 3)
    for celsius in (38.0, 36.6, 37.9):
        measure(citizen, celsius)
    work()
    assert colors(citizen) == ["黄码"]
    assert deliveries(citizen) == ["superseded", "superseded", "sent"]
    assert citizen.balance() == 2


def test_an_unchanged_color_is_no_news(phone: Callable[..., Phone], measure: Any, work: Work, wechat_url: str) -> None:
    citizen = subscribed(phone)
    measure(citizen, 36.6)
    measure(citizen, 36.8)
    work()
    assert deliveries(citizen) == []
    assert sends(wechat_url) == 0


@pytest.mark.parametrize(
    ("language", "reason", "advice", "of_wechat"),
    [("en", "Fever measured", "Measure again", "en_US"), ("ko", "현장 체온이 높음", "체온을 다시 재세요", "zh_CN")],
)
def test_another_reader_gets_their_language_within_wechats_limits(
    phone: Callable[..., Phone], measure: Any, work: Work, language: str, reason: str, advice: str, of_wechat: str
) -> None:
    citizen = subscribed(phone, language=language)
    measure(citizen, 38.0)
    work()
    [message] = citizen.messages()
    fields = {field["key"]: field["value"] for field in message["fields"]}
    assert fields["phrase1"] == "黄码", "WeChat takes nothing but Chinese in a phrase"
    assert (fields["thing2"], fields["thing4"]) == (reason, advice)
    assert message["lang"] == of_wechat, "which has no Korean around its messages"
    assert message["page"] == "pages/code/code"


def test_every_rule_and_state_fits_wechats_fields_in_every_language(services: Services) -> None:
    for rule, state, language in product(services.policy.rules, State, citizen_languages()):
        if state is not State.EMPTY:
            decision = DecisionRow(rule=rule, state=state, decided_at=services.clock.now())
            message = compose_fields(services, decision, language)
            check_fields(message)
            assert "…" not in "".join(message.values()), f"{rule} is cut short in {language}"


def test_a_message_goes_to_the_phone_that_logged_in_last(
    phone: Callable[..., Phone], measure: Any, work: Work, clock: StandingClock
) -> None:
    old = subscribed(phone, name="示例甲")
    new = phone("示例乙", username=old.username)
    clock.advance(minutes=1)
    new.log_in_with_wechat()
    body = {"username": old.username, "password": PASSWORD}
    new.session = new.post("/api/v1/accounts/login", body).json["session"]
    new.subscribe()
    measure(old, 38.0)
    work()
    assert (colors(old), colors(new)) == ([], ["黄码"])


# --- WeChat says no ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("errcode", [40003, 40037, 41030, 43107, 45168, 47003])
def test_a_definite_refusal_is_final_and_gives_the_credit_back(
    phone: Callable[..., Phone], measure: Any, work: Work, try_again: Work, fail: Fail, wechat_url: str, errcode: int
) -> None:
    citizen = subscribed(phone, 2)
    fail(errcode=errcode)
    measure(citizen, 38.0)
    work()
    assert deliveries(citizen) == ["failed"]
    assert citizen.balance() == 2
    fail()
    try_again()
    assert deliveries(citizen) == ["failed"], "not asked again"
    assert sends(wechat_url) == 1


def test_a_subscription_that_wechat_does_not_know_leaves_nothing_in_the_ledger(
    phone: Callable[..., Phone], measure: Any, work: Work, wechat_url: str
) -> None:
    citizen = subscribed(phone, 3)
    setting = {"demo-color-change": "reject"}
    requests.post(f"{wechat_url}/sandbox/users/{citizen.name}/settings", json=setting, timeout=5).raise_for_status()
    measure(citizen, 38.0)
    work()
    measure(citizen, 36.6)
    work()
    assert deliveries(citizen) == ["failed", "no-subscription"]
    assert citizen.balance() == 0
    assert sends(wechat_url) == 1, "WeChat is asked once, not again for the next change"


def test_a_template_that_does_not_fit_costs_the_citizen_nothing(
    phone: Callable[..., Phone], measure: Any, services: Services, wechat_url: str
) -> None:
    citizen = subscribed(phone)
    measure(citizen, 38.0)
    settings = services.settings
    template = settings.wechat.color_change.model_copy(update={"color_field": "number1"})
    wechat = settings.wechat.model_copy(update={"color_change": template})
    notices.deliver(replace(services, settings=settings.model_copy(update={"wechat": wechat})), [1])
    assert deliveries(citizen) == ["failed"]
    assert citizen.balance() == 1
    assert sends(wechat_url) == 0


# --- nobody knows -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("how", [{"drop": "after"}, {"delay": 1.5}, {"status": 502}])
def test_a_lost_answer_leaves_the_outcome_unknown_and_nothing_is_sent_twice(
    phone: Callable[..., Phone],
    measure: Any,
    work: Work,
    try_again: Work,
    fail: Fail,
    wechat_url: str,
    how: dict[str, Any],
) -> None:
    citizen = subscribed(phone, 2)
    fail(**how, times=1)
    measure(citizen, 38.0)
    work()
    assert deliveries(citizen) == ["unknown"]
    assert citizen.balance() == 1, "it may have been used"
    try_again()
    assert deliveries(citizen) == ["unknown"]
    assert sends(wechat_url) == 1


def test_a_message_whose_answer_was_lost_arrives_once_and_the_next_change_is_sent(
    phone: Callable[..., Phone], measure: Any, work: Work, try_again: Work, fail: Fail
) -> None:
    citizen = subscribed(phone, 2)
    fail(drop="after", times=1)
    measure(citizen, 38.0)
    work()
    try_again()
    assert colors(citizen) == ["黄码"]
    measure(citizen, 36.6)
    work()
    assert deliveries(citizen) == ["unknown", "sent"]
    assert colors(citizen) == ["黄码", "绿码"]


def test_a_notice_left_half_sent_by_a_crash_is_unknown_and_not_sent_again(
    phone: Callable[..., Phone],
    measure: Any,
    work: Work,
    try_again: Work,
    services: Services,
    clock: StandingClock,
    wechat_url: str,
) -> None:
    citizen = subscribed(phone, 2)
    measure(citizen, 38.0)
    with services.engine.begin() as connection:  # as a process leaves it that died while WeChat was asked
        claim = "update notices set delivery = 'sending', updated_at = :now where delivery = 'waiting'"
        connection.execute(text(claim), {"now": clock.now()})
        connection.execute(text("update subscriptions set credits = credits - 1"))
    measure(citizen, 36.6)
    work()
    assert deliveries(citizen) == ["sending", "waiting"], "whoever sends may live: one message at a time"
    clock.advance(minutes=2)
    try_again()
    assert deliveries(citizen) == ["unknown", "sent"]
    assert colors(citizen) == ["绿码"]
    assert sends(wechat_url) == 1
    assert citizen.balance() == 0


# --- WeChat is busy or away -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("errcode", [-1, 45009, 45011, 43108, 40164])
def test_a_busy_wechat_is_asked_again_later_with_the_credit_given_back(
    phone: Callable[..., Phone], measure: Any, work: Work, try_again: Work, fail: Fail, errcode: int
) -> None:
    citizen = subscribed(phone)
    fail(errcode=errcode)
    measure(citizen, 38.0)
    work()
    assert deliveries(citizen) == ["waiting"]
    assert citizen.balance() == 1
    try_again()
    assert (deliveries(citizen), citizen.balance()) == (["waiting"], 1), "still busy"
    fail()
    try_again()
    assert (deliveries(citizen), citizen.balance()) == (["sent"], 0)
    assert colors(citizen) == ["黄码"]


def test_of_changes_that_wait_for_wechat_the_newest_is_sent_to_every_citizen(
    phone: Callable[..., Phone], measure: Any, work: Work, try_again: Work, fail: Fail
) -> None:
    citizen, other = subscribed(phone, 3), subscribed(phone, 1, name="示例乙")
    fail(errcode=-1)
    for celsius in (38.0, 36.6, 37.9):
        measure(citizen, celsius)
        work()
    measure(other, 38.0)
    work()
    assert deliveries(citizen) == ["waiting"] * 3
    fail()
    for _ in range(4):
        try_again()
    assert (colors(citizen), colors(other)) == (["黄码"], ["黄码"])
    assert deliveries(citizen) == ["superseded", "superseded", "sent"]
    assert (citizen.balance(), other.balance()) == (2, 0)


def test_a_wechat_that_cannot_be_reached_loses_no_notice(
    phone: Callable[..., Phone], measure: Any, work: Work, services: Services
) -> None:
    citizen = subscribed(phone)
    measure(citizen, 38.0)
    account = WeChatAccount("wx0000000000000000", "x", "http://127.0.0.1:1")
    nowhere = WeChatApi(account, services.redis, pause=RetryPause(lambda _: None))
    with pytest.raises(notices.DeliveryPostponed):
        notices.deliver(replace(services, wechat=nowhere), [1])
    assert (deliveries(citizen), citizen.balance()) == (["waiting"], 1)
    work()
    assert (deliveries(citizen), citizen.balance()) == (["sent"], 0)


def test_a_change_of_yesterday_is_not_sent_and_costs_nothing(
    phone: Callable[..., Phone], measure: Any, work: Work, try_again: Work, fail: Fail, clock: StandingClock
) -> None:
    citizen, other = subscribed(phone), subscribed(phone, name="示例乙")
    fail(errcode=45009)
    measure(citizen, 38.0)
    measure(other, 38.0)
    work()
    clock.advance(hours=23, minutes=59, seconds=1)
    fail()
    try_again()
    assert (deliveries(citizen), citizen.balance(), colors(citizen)) == (["expired"], 1, [])
    assert (deliveries(other), other.balance(), colors(other)) == (["sent"], 0, ["黄码"])


# --- many at once -----------------------------------------------------------------------------------------------


def put_in_bulk(services: Services, serials: list[int]) -> None:
    """Make the waiting notices of these codes those of a batch change, as if there had been no single change."""
    with services.begin() as session:
        session.execute(text("delete from procrastinate_jobs where task_name = 'deliver-notices'"))
        defer_notices(session, serials, bulk=True)


def test_a_batch_change_sends_each_citizen_their_own_message(
    phone: Callable[..., Phone], measure: Any, work: Work, services: Services, wechat_url: str
) -> None:
    chinese, english, refused = (
        subscribed(phone),
        subscribed(phone, name="示例乙", language="en"),
        subscribed(phone, name="示例丙"),
    )
    silent = phone("示例丁").become_green()
    setting = {"demo-color-change": "reject"}
    requests.post(f"{wechat_url}/sandbox/users/{refused.name}/settings", json=setting, timeout=5).raise_for_status()
    everybody = (chinese, english, refused, silent)
    for citizen in everybody:
        measure(citizen, 38.0)
    put_in_bulk(services, [1, 2, 3, 4])
    work()
    assert [deliveries(citizen) for citizen in everybody] == [["sent"], ["sent"], ["failed"], ["no-subscription"]]
    assert [citizen.messages()[0]["lang"] for citizen in (chinese, english)] == ["zh_CN", "en_US"]
    assert [citizen.balance() for citizen in (chinese, english, refused)] == [0, 0, 0]
    assert sends(wechat_url) == 3


def test_a_citizen_who_has_to_wait_in_a_batch_change_makes_no_other_get_it_twice(
    phone: Callable[..., Phone], measure: Any, work: Work, try_again: Work, fail: Fail, services: Services
) -> None:
    citizens = [subscribed(phone, 2, name=name) for name in ("示例甲", "示例乙", "示例丙")]
    for citizen in citizens:
        measure(citizen, 38.0)
    put_in_bulk(services, [1, 2, 3])
    fail(errcode=43108, times=1)
    work()
    assert sorted(deliveries(citizen)[0] for citizen in citizens) == ["sent", "sent", "waiting"]
    try_again()
    assert [deliveries(citizen) for citizen in citizens] == [["sent"]] * 3
    assert [colors(citizen) for citizen in citizens] == [["黄码"]] * 3
    assert [citizen.balance() for citizen in citizens] == [1, 1, 1]


def test_an_openid_that_no_key_decrypts_does_not_delay_the_others(
    phone: Callable[..., Phone], measure: Any, services: Services, clock: StandingClock
) -> None:
    lost, other = subscribed(phone), subscribed(phone, name="示例乙")
    for citizen in (lost, other):
        measure(citizen, 38.0)
    with services.engine.begin() as connection:
        connection.execute(text("update wechat_users set openid_ciphertext = 'x' where serial = 1"))
    with pytest.raises(ValueError, match="unknown key"):
        notices.deliver(services, [1, 2])
    assert (deliveries(other), colors(other)) == (["sent"], ["黄码"])
    clock.advance(minutes=2)
    notices.deliver(services, [1, 2])
    assert (deliveries(lost), colors(lost)) == (["unknown"], [])
    assert colors(other) == ["黄码"]


@pytest.fixture
def patient(services: Services, wechat_url: str) -> Iterator[Services]:
    """The services of a worker that waits long for a slow WeChat, so that a busy machine does no harm."""
    wechat = WeChatApi(WeChatAccount(APPID, SECRET, wechat_url), services.redis, timeouts=Timeouts(read=20))
    yield replace(services, wechat=wechat)
    wechat.close()


def wait_for_notice(services: Services, delivery: str) -> None:
    """Wait until a notice has this state."""
    found = text("select count(*) from notices where delivery = :delivery")
    with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        wait_until(lambda: connection.scalar(found, {"delivery": delivery}), f"no notice is {delivery}")


def test_six_workers_with_one_citizen_send_one_message_the_newest(
    phone: Callable[..., Phone], measure: Any, patient: Services, fail: Fail, wechat_url: str
) -> None:
    citizen = subscribed(phone, 3)
    for celsius in (38.0, 36.6, 37.9):
        measure(citizen, celsius)
    fail(delay=0.3)
    start = Barrier(6)

    def deliver() -> None:
        start.wait(PATIENCE)
        with suppress(notices.DeliveryPostponed):
            notices.deliver(patient, [1])

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(deliver) for _ in range(6)]:
            done.result(PATIENCE)
    assert deliveries(citizen) == ["superseded", "superseded", "sent"]
    assert (colors(citizen), citizen.balance(), sends(wechat_url)) == (["黄码"], 2, 1)


@pytest.mark.slow
def test_batch_changes_that_overlap_send_each_citizen_one_message(
    phone: Callable[..., Phone], measure: Any, patient: Services, fail: Fail, wechat_url: str
) -> None:
    citizens = [subscribed(phone, 2, name=f"示例{name}") for name in "甲乙丙丁戊己"]
    for citizen in citizens:
        measure(citizen, 38.0)
    fail(delay=0.2)

    def deliver(serials: list[int]) -> None:
        with suppress(notices.DeliveryPostponed):
            notices.deliver(patient, serials)

    some = [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [4, 1, 6], [2, 5, 3]]
    with ThreadPoolExecutor(len(some)) as pool:
        list(pool.map(deliver, some))
    assert [deliveries(citizen) for citizen in citizens] == [["sent"]] * 6
    assert [citizen.balance() for citizen in citizens] == [1] * 6
    assert sends(wechat_url) == 6


@pytest.mark.slow
def test_a_change_made_while_the_one_before_is_being_sent_waits_for_its_turn(
    phone: Callable[..., Phone], measure: Any, patient: Services, work: Work, fail: Fail, wechat_url: str
) -> None:
    citizen = subscribed(phone, 2)
    measure(citizen, 38.0)
    fail(delay=2, times=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(notices.deliver, patient, [1])
        wait_for_notice(patient, "sending")
        measure(citizen, 36.6)
        with pytest.raises(notices.DeliveryPostponed):
            notices.deliver(patient, [1])
        first.result(PATIENCE)
    work()
    assert colors(citizen) == ["黄码", "绿码"]
    assert deliveries(citizen) == ["sent", "sent"]
    assert sends(wechat_url) == 2, "WeChat never had to say 43108"


# --- a worker that is killed ------------------------------------------------------------------------------------

WORKER = """
from app.core.settings import load_settings
from app.worker.app import make_worker_app
from app.runtime import make_services
from tests.support.clock import StandingClock

worker = make_worker_app(make_services(load_settings(), StandingClock()))
with worker.open():
    worker.run_worker(queues=["notices"], concurrency=1)
"""


@pytest.mark.slow
def test_a_worker_killed_while_it_sends_leaves_one_notice_unknown_and_the_others_are_delivered(
    phone: Callable[..., Phone],
    measure: Any,
    services: Services,
    clock: StandingClock,
    try_again: Work,
    fail: Fail,
    wechat_url: str,
    tmp_path: Path,
) -> None:
    citizens = [subscribed(phone, name=name) for name in ("示例甲", "示例乙", "示例丙")]
    for citizen in citizens:
        measure(citizen, 38.0)
    fail(delay=5, times=1)
    file = write_config(services.settings, tmp_path / "config.toml", wechat={"read_timeout_seconds": 10})
    root = Path(__file__).parents[2]
    worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=root, env={"JIXIANG_CONFIG": str(file)})
    try:
        wait_for_notice(services, "sending")
        while sends(wechat_url) == 0:
            assert worker.poll() is None
    finally:
        worker.kill()
        worker.wait(PATIENCE)
    try_again()
    assert [deliveries(citizen) for citizen in citizens] == [["sending"], ["sent"], ["sent"]]
    clock.advance(minutes=2)
    with services.engine.begin() as connection:  # the rescue does so when a worker has been silent for a minute
        connection.execute(text("update procrastinate_jobs set status = 'todo' where status = 'doing'"))
    try_again()
    assert [deliveries(citizen) for citizen in citizens] == [["unknown"], ["sent"], ["sent"]]
    assert [citizen.balance() for citizen in citizens] == [0, 0, 0]
    assert sends(wechat_url) == 3, "each was sent once"

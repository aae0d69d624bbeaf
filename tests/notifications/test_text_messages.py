"""Text messages about a change: who gets one, once, within which ceilings, and what ends them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
import requests
from sqlalchemy import text

from app.audit import Actor
from app.codes import ledger
from app.codes.evidence import NewEvidence
from app.core.settings import SmsSettings
from app.notifications import notices
from app.notifications.channels import DeliveryPostponed
from app.notifications.sms import reports
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.codes import contact
from tests.support.desk import make_officer
from tests.support.people import Phone
from tests.support.text_messages import PHONE, Gateway, with_sms

ENGLISH = "【吉林政务】Your Jixiang code has changed. Open the mini-program to see it. Reply T to stop"
FIXED = "【吉林政务】您的吉祥码有变化，请打开小程序查看。拒收请回复T"
Work = Callable[[], None]


def newest(citizen: Phone) -> tuple[str, str | None]:
    """State and channel of the newest notice, as its citizen reads them."""
    notice = citizen.inbox()[0]
    return notice["wechat"], notice["channel"]


def error(services: Services) -> str | None:
    with services.engine.connect() as connection:
        found: str | None = connection.scalar(text("select error from notices order by id desc limit 1"))
        return found


_SPENT = "select district, sum(messages) as messages from sms_spending group by district"


def spent(services: Services) -> dict[str, int]:
    with services.engine.connect() as connection:
        return {row.district: row.messages for row in connection.execute(text(_SPENT))}


def try_again(services: Services, serials: list[int]) -> None:
    with suppress(DeliveryPostponed):
        notices.deliver(services, serials)


# --- who gets one -------------------------------------------------------------------------------------------------


def test_who_has_no_subscription_gets_one_fixed_text_without_color_name_or_link(
    green_citizen: Phone, measure: Any, work: Work, gateway: Gateway, services: Services
) -> None:
    measure(green_citizen)
    work()
    assert gateway.texts() == [FIXED]
    assert newest(green_citizen) == ("sent", "sms")
    assert spent(services) == {"": 1}


def test_a_subscription_comes_first_and_what_wechat_refuses_goes_on_to_a_text_message(
    green_citizen: Phone, measure: Any, work: Work, gateway: Gateway, wechat_url: str
) -> None:
    green_citizen.subscribe()
    measure(green_citizen)
    work()
    assert (newest(green_citizen), gateway.texts()) == (("sent", "subscription"), []), "told once"
    green_citizen.subscribe()
    setting = {"demo-color-change": "reject"}
    requests.post(f"{wechat_url}/sandbox/users/{green_citizen.name}/settings", json=setting, timeout=5)
    measure(green_citizen, 36.6)
    work()
    assert (newest(green_citizen), gateway.texts()) == (("sent", "sms"), [FIXED])
    assert len(green_citizen.messages()) == 1


def test_a_message_in_wechat_of_unknown_outcome_is_not_told_again_by_text_message(
    green_citizen: Phone, measure: Any, work: Work, gateway: Gateway, wechat_url: str
) -> None:
    green_citizen.subscribe()
    lost = {"path": "/cgi-bin/message/subscribe/send", "drop": "after", "times": 1}
    requests.put(f"{wechat_url}/sandbox/failures", json=lost, timeout=5).raise_for_status()
    measure(green_citizen)
    work()
    assert newest(green_citizen) == ("unknown", "subscription")
    assert gateway.texts() == []


def test_an_english_reader_gets_the_english_template(
    phone: Callable[..., Phone], measure: Any, work: Work, gateway: Gateway
) -> None:
    measure(phone(language="en").become_green())
    work()
    assert gateway.texts() == [
        "【吉林政务】Your Jixiang code has changed. Open the mini-program to see it. Reply T to stop"
    ]


@pytest.mark.parametrize(
    ("given", "reason"),
    [("+8613800000001", None), ("+85261234567", "foreign-phone"), ("+1 212 555 0100", "foreign-phone")],
)
def test_a_number_of_another_country_gets_none_which_is_recorded(
    phone: Callable[..., Phone], measure: Any, work: Work, gateway: Gateway, services: Services, given: str,
    reason: str | None,
) -> None:  # fmt: skip
    citizen = phone()
    citizen.log_in_with_wechat()
    answer = citizen.post("/api/v1/accounts", {**citizen.registration(), "phone": given})
    citizen.session = answer.json["session"]
    citizen.declare()
    measure(citizen)
    work()
    assert (newest(citizen)[0], error(services)) == (("no-subscription", reason) if reason else ("sent", None))
    assert gateway.sends() == (0 if reason else 1)
    assert citizen.get("/api/v1/accounts/me/text-messages").json["obstacle"] == reason


def test_who_switches_text_messages_off_gets_none_until_they_are_on_again(
    green_citizen: Phone, measure: Any, work: Work, gateway: Gateway, services: Services
) -> None:
    path = "/api/v1/accounts/me/text-messages"
    shown = green_citizen.get(path).json
    assert shown == {"offered": True, "on": True, "phone": "138****0000", "obstacle": None}
    assert green_citizen.put(path, {"on": False}).json["on"] is False
    measure(green_citizen)
    work()
    assert (newest(green_citizen)[0], error(services), gateway.texts()) == ("no-subscription", "sms-off", [])
    green_citizen.put(path, {"on": True})
    measure(green_citizen, 36.6)
    work()
    assert gateway.texts() == [FIXED]
    actions = [entry["what"]["action"] for entry in green_citizen.get("/api/v1/record/access").json["entries"]]
    assert {"sms-switched-off", "sms-switched-on"} <= set(actions)


def test_who_the_platform_has_not_confirmed_gets_none(
    phone: Callable[..., Phone], measure: Any, work: Work, gateway: Gateway, platform_url: str
) -> None:
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5)
    citizen = phone()
    citizen.register()
    citizen.declare()
    measure(citizen)
    work()
    assert citizen.get("/api/v1/accounts/me/text-messages").json["obstacle"] == "unconfirmed-phone"
    assert gateway.texts() == []


# --- once ---------------------------------------------------------------------------------------------------------


def test_two_workers_with_the_same_change_send_one_message(
    green_citizen: Phone, measure: Any, gateway: Gateway, services: Services
) -> None:
    measure(green_citizen)
    start = Barrier(4)

    def deliver() -> None:
        start.wait()
        try_again(services, [1])

    with ThreadPoolExecutor(4) as workers:
        for one in [workers.submit(deliver) for _ in range(4)]:
            one.result()
    assert gateway.texts() == [FIXED]
    assert spent(services) == {"": 1}


@pytest.mark.parametrize("how", [{"delay": 1.5}, {"body": "html"}, {"body": "cut"}, {"code": "InternalError.Timeout"}])
def test_a_lost_or_broken_answer_is_unknown_and_nothing_is_sent_twice(
    green_citizen: Phone, measure: Any, gateway: Gateway, services: Services, how: dict[str, Any]
) -> None:
    gateway.tell(**how)
    measure(green_citizen)
    try_again(services, [1])
    assert newest(green_citizen) == ("unknown", "sms")
    gateway.tell()
    try_again(services, [1])
    assert gateway.sends() == 1
    assert spent(services) == {"": 1}, "it may be charged"


def test_of_changes_while_the_gateway_is_away_the_last_is_told_and_the_circuit_is_open(
    green_citizen: Phone, measure: Any, gateway: Gateway, services: Services
) -> None:
    gateway.tell(error="AuthFailure.SignatureExpire")
    measure(green_citizen)
    try_again(services, [1])
    try_again(services, [1])
    assert (newest(green_citizen), gateway.sends()) == (("waiting", "sms"), 1), "asked once, then left alone"
    measure(green_citizen, 36.6)
    gateway.tell()
    try_again(services, [1])
    assert [notice["wechat"] for notice in green_citizen.inbox()] == ["sent", "superseded", "seen"]
    assert gateway.texts() == [FIXED]
    assert spent(services) == {"": 1}


def test_what_goes_wrong_with_the_whole_account_waits_and_costs_nothing(
    green_citizen: Phone, measure: Any, gateway: Gateway, services: Services
) -> None:
    measure(green_citizen)
    gateway.limit(balance=0)
    try_again(services, [1])
    gateway.tell(skew=3600)
    try_again(services, [1])
    gateway.tell(on=False)
    with services.begin() as session:
        assert session.scalar(text("select messages from sms_numbers")) == 0
    assert (newest(green_citizen), spent(services), gateway.sends()) == (("waiting", "sms"), {"": 0}, 2)


# --- ceilings -----------------------------------------------------------------------------------------------------


def test_many_accounts_with_one_number_get_as_many_messages_as_one(
    phone: Callable[..., Phone], measure: Any, work: Work, gateway: Gateway, services: Services
) -> None:
    citizens = [phone(name).become_green() for name in ("示例甲", "示例乙", "示例丙", "示例丁", "示例戊")]
    for citizen in citizens:
        measure(citizen)
    try_again(services, [1, 2, 3, 4, 5])
    assert gateway.texts() == [FIXED] * 3
    assert sorted(newest(citizen)[0] for citizen in citizens) == ["failed", "failed", "sent", "sent", "sent"]
    assert error(services) == "number-ceiling"
    services.clock.advance(hours=24)  # type: ignore[attr-defined]
    measure(citizens[0], 36.6)
    work()
    assert len(gateway.texts()) == 4, "a new day"


@pytest.mark.slow
@pytest.mark.parametrize(("ceiling", "hours"), [("day", 0), ("month", 20)])
def test_a_ceiling_of_the_installation_stops_messages_and_no_change(
    phone: Callable[..., Phone],
    measure: Any,
    gateway: Gateway,
    services: Services,
    sms_settings: SmsSettings,
    ceiling: str,
    hours: int,
) -> None:
    citizens = [phone(name).become_green() for name in ("示例甲", "示例乙", "示例丙")]
    for citizen in citizens:
        measure(citizen)
    few = with_sms(services, sms_settings.model_copy(update={f"{ceiling}_ceiling": 2}))
    try_again(few, [1, 2])
    services.clock.advance(hours=hours)  # type: ignore[attr-defined]
    try_again(few, [3])
    assert len(gateway.texts()) == 2
    assert (newest(citizens[2]), error(services)) == (("failed", "sms"), f"{ceiling}-ceiling")
    assert [citizen.color() for citizen in citizens] == ["YELLOW"] * 3
    assert spent(services) == {"": 2}


def test_a_district_has_its_own_ceiling(
    phone: Callable[..., Phone], measure: Any, gateway: Gateway, services: Services, sms_settings: SmsSettings,
    clock: StandingClock,
) -> None:  # fmt: skip
    citizens = [phone(name).become_green() for name in ("示例甲", "示例乙", "示例丙")]
    recorder = Actor("officer", str(make_officer(services, "recorder", "recorder", district="长春市").id))
    now = clock.now()
    with services.begin() as session:
        change = ledger.ChangeContext(session, services.policy, recorder, now)
        ledger.record_many(
            change, {serial: [NewEvidence(contact(now), "示例疾控中心", "示例〔2020〕1号")] for serial in (1, 2)}
        )
    measure(citizens[2])
    try_again(with_sms(services, sms_settings.model_copy(update={"district_day_ceiling": 1})), [1, 2, 3])
    assert len(gateway.texts()) == 2
    assert [newest(citizen)[0] for citizen in citizens] == ["sent", "failed", "sent"]
    assert spent(services) == {"": 2, "长春市": 1}


# --- what ends them -----------------------------------------------------------------------------------------------


def test_a_number_that_does_not_exist_is_not_tried_again_for_some_days(
    green_citizen: Phone, measure: Any, work: Work, gateway: Gateway, services: Services, clock: StandingClock
) -> None:
    gateway.give_up()
    measure(green_citizen)
    work()
    reports.pull(services)
    assert (newest(green_citizen), error(services)) == (("failed", "sms"), "MK:0001")
    measure(green_citizen, 36.6)
    work()
    assert (gateway.sends(), error(services)) == (1, "sms-undeliverable")
    shown = green_citizen.get("/api/v1/accounts/me/text-messages").json
    assert shown["obstacle"] == "sms-undeliverable"
    clock.advance(days=30)
    green_citizen.log_in_with_wechat()
    measure(green_citizen)
    work()
    assert gateway.sends() == 2


@pytest.mark.slow
@pytest.mark.parametrize("word", ["T", "ｔ", " 退订。"])
def test_a_reply_ends_messages_to_a_number_whoever_has_it_in_their_account(
    green_citizen: Phone, measure: Any, work: Work, gateway: Gateway, services: Services, word: str
) -> None:
    measure(green_citizen)
    work()
    gateway.reply("谢谢")
    gateway.reply(word)
    reports.pull(services)
    assert newest(green_citizen) == ("sent", "sms"), "it arrived"
    measure(green_citizen, 36.6)
    work()
    assert (gateway.texts(), error(services)) == ([FIXED], "sms-stopped")
    green_citizen.put("/api/v1/accounts/me/text-messages", {"on": True})
    assert green_citizen.get("/api/v1/accounts/me/text-messages").json["obstacle"] == "sms-stopped"


@pytest.mark.parametrize(
    ("code", "again"),
    [("FailedOperation.PhoneNumberInBlacklist", False), ("LimitExceeded.PhoneNumberDailyLimit", True)],
)
def test_a_refusal_of_one_message_costs_nothing_and_is_recorded(
    green_citizen: Phone, measure: Any, gateway: Gateway, services: Services, code: str, again: bool
) -> None:
    gateway.tell(code=code)
    measure(green_citizen)
    try_again(services, [1])
    assert (newest(green_citizen), error(services)) == (("failed", "sms"), code.partition(".")[2])
    assert spent(services) == {"": 0}
    measure(green_citizen, 36.6)
    try_again(services, [1])
    assert gateway.sends() == (2 if again else 1)


def test_numbers_of_which_nothing_is_worth_keeping_are_deleted(
    green_citizen: Phone, measure: Any, work: Work, gateway: Gateway, services: Services, clock: StandingClock
) -> None:
    def count() -> int:
        reports.delete_old(services, 500)
        with services.engine.connect() as connection:
            return int(connection.scalar(text("select count(*) from sms_numbers")) or 0)

    measure(green_citizen)
    work()
    assert count() == 1
    gateway.reply("T")
    reports.pull(services)
    clock.advance(days=300)
    assert count() == 1, "who said stop is not asked again"
    clock.advance(days=70)
    assert count() == 0


def test_neither_the_number_nor_the_key_is_in_the_table_or_a_log(
    green_citizen: Phone, measure: Any, gateway: Gateway, services: Services, caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    gateway.tell(on=False)
    measure(green_citizen)
    try_again(services, [1])
    reports.pull(services)
    written = caplog.text + "".join(capsys.readouterr())
    assert "sms-unavailable" in written or "notice-outcome" in written
    assert PHONE not in written and "invented-key" not in written

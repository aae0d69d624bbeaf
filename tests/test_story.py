"""The story that the system is for, from the first log-in to recovery, as its people live it, over HTTP.

Each test is one chapter; time moves only when a chapter says so.
"""

import io
from collections.abc import Callable
from typing import Any

import pytest
import requests
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image

from app.core.texts import citizen_languages
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.people import PASSWORD, Phone, Station
from tests.support.terminal import open_terminal

SEND = "/cgi-bin/message/subscribe/send"

Record = Callable[..., str]
Work = Callable[[], None]


@pytest.fixture
def record(services: Services, monkeypatch: pytest.MonkeyPatch) -> Record:
    """Two officers record and approve something on the command line; answers with the state that follows."""
    terminal = open_terminal(services, monkeypatch)

    def enter(person: Phone, kind: str, reference: str = "长疾控〔2020〕1号", **dates: str) -> str:
        return terminal.enter(person.document, kind, reference=reference, **dates)[0]

    return enter


def slug(answer: Any) -> str:
    """The slug of a problem."""
    assert answer.mimetype == "application/problem+json", answer.data
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def switch(platform_url: str, **how: Any) -> None:
    requests.put(f"{platform_url}/sandbox/switch", json=how, timeout=5).raise_for_status()


def sent(wechat_url: str) -> int:
    """How often WeChat was asked to send anything."""
    return int(requests.get(f"{wechat_url}/sandbox/calls", timeout=5).json().get(SEND, 0))


def colors_told(phone: Phone) -> list[str]:
    """The colors in the WeChat messages on a phone, the oldest first."""
    return [message["fields"][0]["value"] for message in phone.messages()]


def token_in_picture(phone: Phone) -> str:
    """What an independent decoder reads from the PNG on the citizen's screen."""
    picture = Image.open(io.BytesIO(phone.get("/api/v1/code.png").data)).convert("RGBA").convert("L")
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    assert len(found) == 1
    return str(found[0].text)


# --- log-in and registration ------------------------------------------------------------------------------------


def test_a_citizen_logs_in_with_wechat_registers_logs_out_and_comes_back(phone: Callable[..., Phone]) -> None:
    citizen = phone("示例甲")
    first = citizen.log_in_with_wechat()
    assert first.status_code == 200
    assert first.json["account"] is None
    assert "session_key" not in first.text
    assert "openid" not in first.text

    registered = citizen.register()
    assert registered.status_code == 201
    assert registered.json["account"]["name"] == "示**"
    assert citizen.document not in registered.text
    assert "13800000000" not in registered.text
    assert PASSWORD not in registered.text

    assert citizen.post("/api/v1/accounts/logout", None).status_code == 204
    assert slug(citizen.get("/api/v1/accounts/me")) == "session-expired"

    citizen.session = None
    by_password = citizen.post("/api/v1/accounts/login", {"username": citizen.username, "password": PASSWORD})
    assert by_password.status_code == 200
    assert by_password.json["account"]["username"] == citizen.username

    again = citizen.log_in_with_wechat()
    assert again.json["account"]["username"] == citizen.username, "recognised by the openid"


def test_logging_out_ends_the_sessions_on_every_device(phone: Callable[..., Phone]) -> None:
    citizen = phone()
    citizen.register()
    on_the_phone = citizen.session
    by_password = citizen.post("/api/v1/accounts/login", {"username": citizen.username, "password": PASSWORD})
    citizen.session = by_password.json["session"]
    citizen.log_in_with_wechat()
    sessions = [on_the_phone, by_password.json["session"], citizen.session]
    citizen.post("/api/v1/accounts/logout", None)
    for session in sessions:
        citizen.session = session
        assert slug(citizen.get("/api/v1/accounts/me")) == "session-expired"


def test_a_log_in_code_works_once(phone: Callable[..., Phone]) -> None:
    citizen = phone()
    code = citizen.wx_login()
    assert citizen.post("/api/v1/wechat/login", {"code": code}).status_code == 200
    again = citizen.post("/api/v1/wechat/login", {"code": code})
    assert again.status_code == 422
    assert slug(again) == "wechat-code-refused"


# --- home page, declaration, code -------------------------------------------------------------------------------


def test_the_home_page_leads_to_the_code_which_wants_a_declaration_first(phone: Callable[..., Phone]) -> None:
    citizen = phone()
    citizen.register()
    home = citizen.get("/api/v1/home").json
    assert home["title"] == "吉林省网上办事大厅"
    column = next(column for column in home["columns"] if column["title"] == "人人有码、码上行动")
    entry = next(entry for entry in column["entries"] if entry["title"] == "查看吉祥码")
    answer = citizen.get(entry["call"])
    assert answer.status_code == 404
    assert slug(answer) == "not-declared"


def test_a_verified_declaration_gives_a_green_code_with_its_reason(phone: Callable[..., Phone]) -> None:
    citizen = phone()
    citizen.register()
    declared = citizen.declare()
    assert (declared.status_code, declared.json["color"]) == (201, "GREEN")
    assert declared.json["waiting_for_platform"] is False
    code = citizen.code()
    assert (code["state"], code["color"], code["word"], code["missing"]) == ("GREEN", "GREEN", "绿码", [])
    [reason] = code["reasons"]
    assert reason["rule"] == "GREEN-VERIFIED"
    assert reason["authorities"] == ["国家政务服务平台"]
    assert reason["since"] == "2020-03-20T12:00:00+08:00"
    assert reason["until"] == "2020-03-27T12:00:00+08:00"
    assert reason["explanation"]
    assert reason["advice"]


def test_while_the_platform_is_down_a_code_is_unverified_and_turns_green_by_the_clock_alone(
    phone: Callable[..., Phone],
    station: Station,
    services: Services,
    clock: StandingClock,
    work: Work,
    platform_url: str,
) -> None:
    citizen = phone()
    citizen.register()
    citizen.subscribe()
    switch(platform_url, on=False)
    declared = citizen.declare()
    assert (declared.status_code, declared.json["state"], declared.json["color"]) == (202, "UNVERIFIED", None)
    assert declared.json["waiting_for_platform"] is True
    code = citizen.code()
    assert (code["state"], code["color"], code["word"]) == ("UNVERIFIED", None, "未核验")
    assert [item["id"] for item in code["missing"]] == ["verification"]
    assert station.check(code["token"]).json["action"] == "measure"
    clock.advance(seconds=3)
    work()
    assert citizen.color() == "UNVERIFIED", "the platform is still down"

    switch(platform_url, on=True)
    services.redis.delete("jx:platform-pause")  # the seconds in which nobody asks are over
    clock.advance(seconds=3)
    work()
    assert citizen.color() == "GREEN"
    assert colors_told(citizen) == ["绿码"]


def test_the_code_on_the_screen_is_scanned_and_its_holder_passes(
    phone: Callable[..., Phone], station: Station, clock: StandingClock
) -> None:
    citizen = phone().become_green()
    token = token_in_picture(citizen)
    checked = station.check(token)
    assert checked.status_code == 200
    assert (checked.json["state"], checked.json["action"], checked.json["stale"]) == ("GREEN", "pass", False)
    assert citizen.name not in checked.text
    assert citizen.document not in checked.text
    clock.advance(seconds=71)
    assert slug(station.check(token)) == "token-expired", "a screenshot is worthless after a minute"
    assert token_in_picture(citizen) != token


# --- temperatures -----------------------------------------------------------------------------------------------


def test_a_fever_turns_the_code_yellow_a_normal_temperature_green_and_wechat_tells_both(
    phone: Callable[..., Phone], station: Station, clock: StandingClock, work: Work
) -> None:
    citizen = phone().become_green()
    citizen.subscribe()
    citizen.subscribe()

    measured = station.measure(citizen.code()["token"], 37.5)
    assert (measured.json["state"], measured.json["action"]) == ("YELLOW", "measure")
    work()
    assert citizen.color() == "YELLOW"
    assert colors_told(citizen) == ["黄码"]
    fields = {field["key"]: field["value"] for field in citizen.messages()[0]["fields"]}
    assert fields == {
        "phrase1": "黄码",
        "thing2": "现场体温异常",
        "time3": "2020年3月20日 12:00",
        "thing4": "请复测体温，正常后自动转绿",
    }

    clock.advance(minutes=5)
    measured = station.measure(citizen.code()["token"], 36.6)
    assert (measured.json["state"], measured.json["action"]) == ("GREEN", "pass")
    work()
    assert citizen.color() == "GREEN"
    assert colors_told(citizen) == ["黄码", "绿码"]


@pytest.mark.parametrize(("celsius", "state"), [(37.2, "GREEN"), (37.3, "YELLOW"), (37.4, "YELLOW")])
def test_a_fever_begins_at_37_3(phone: Callable[..., Phone], station: Station, celsius: float, state: str) -> None:
    citizen = phone().become_green()
    assert station.measure(citizen.code()["token"], celsius).json["state"] == state
    assert citizen.color() == state


# --- contact and quarantine -------------------------------------------------------------------------------------


def test_a_close_contact_is_orange_and_stopped(
    phone: Callable[..., Phone], station: Station, record: Record, work: Work
) -> None:
    citizen = phone().become_green()
    citizen.subscribe()
    assert record(citizen, "contact", exposed_on="2020-03-19") == "ORANGE"
    work()
    reason = citizen.code()["reasons"][0]
    assert reason["rule"] == "ORANGE-CONTACT"
    assert reason["authorities"] == ["长春市疾病预防控制中心"]
    assert reason["until"] == "2020-04-03T00:00:00+08:00", "the fourteenth day is the last"
    checked = station.check(citizen.code()["token"])
    assert (checked.json["action"], checked.json["color"]) == ("stop", "ORANGE")
    assert "12345" in checked.json["instruction"]
    measured = station.measure(citizen.code()["token"], 36.5)
    assert measured.json["state"] == "ORANGE", "a temperature makes nothing milder"
    assert colors_told(citizen) == ["橙码"]


def test_quarantine_ends_by_the_clock_alone_for_those_who_declared_well(
    phone: Callable[..., Phone], record: Record, clock: StandingClock, work: Work
) -> None:
    citizen = phone().become_green()
    record(citizen, "contact", exposed_on="2020-03-19")
    clock.advance_to("2020-04-02 20:00")
    work()
    assert citizen.declare().json["state"] == "ORANGE"
    clock.advance_to("2020-04-02 23:59")
    work()
    assert citizen.color() == "ORANGE", "the last day is a day"
    clock.advance_to("2020-04-03 00:00")
    work()
    code = citizen.code()
    assert (code["state"], code["missing"]) == ("GREEN", [])
    assert citizen.inbox()[0]["state"] == "GREEN"


@pytest.mark.parametrize(("symptoms", "missing"), [(("cough",), "symptom-free-declaration"), (None, "declaration")])
def test_when_quarantine_is_over_the_code_stays_orange_and_says_what_is_missing(
    phone: Callable[..., Phone],
    record: Record,
    clock: StandingClock,
    work: Work,
    symptoms: tuple[str, ...] | None,
    missing: str,
) -> None:
    citizen = phone().become_green()
    record(citizen, "contact", exposed_on="2020-03-19")
    clock.advance_to("2020-04-02 20:00")
    if symptoms is not None:
        citizen.declare(symptoms)
    clock.advance_to("2020-04-03 00:00")
    work()
    code = citizen.code()
    assert code["state"] == "ORANGE"
    assert code["reasons"][0]["rule"] == "ORANGE-REVERIFY"
    assert [item["id"] for item in code["missing"]] == [missing]
    assert code["missing"][0]["text"]
    assert citizen.declare().json["state"] == "GREEN", "brought at last"


# --- cases ------------------------------------------------------------------------------------------------------


def test_a_suspected_and_a_confirmed_case_are_red_and_recovery_is_observed_first(
    phone: Callable[..., Phone], station: Station, record: Record, clock: StandingClock, work: Work
) -> None:
    citizen = phone().become_green()
    assert record(citizen, "suspected") == "RED"
    assert citizen.code()["reasons"][0]["rule"] == "RED-SUSPECTED"
    clock.advance(hours=1)
    assert record(citizen, "confirmed") == "RED"
    assert citizen.code()["reasons"][0]["rule"] == "RED-CONFIRMED"
    assert station.check(citizen.code()["token"]).json["action"] == "stop"
    assert station.measure(citizen.code()["token"], 36.5).json["state"] == "RED"
    assert citizen.declare().json["state"] == "RED", "nobody declares themselves well again"

    clock.advance(hours=1)
    assert record(citizen, "recovered") == "ORANGE"
    reason = citizen.code()["reasons"][0]
    assert (reason["rule"], reason["until"]) == ("ORANGE-RECOVERED", "2020-04-04T00:00:00+08:00")
    clock.advance_to("2020-04-03 20:00")
    citizen.declare()
    clock.advance_to("2020-04-04 00:00")
    work()
    assert citizen.color() == "GREEN"


def test_a_suspicion_that_is_ruled_out_is_green_again_once_verified(
    phone: Callable[..., Phone], record: Record, clock: StandingClock, work: Work
) -> None:
    citizen = phone().become_green()
    record(citizen, "suspected")
    clock.advance(hours=1)
    assert record(citizen, "ruled-out") == "ORANGE"
    clock.advance(seconds=1)
    work()
    assert citizen.color() == "GREEN"


# --- looking back -----------------------------------------------------------------------------------------------


def test_the_history_explains_every_change(
    phone: Callable[..., Phone], station: Station, record: Record, clock: StandingClock
) -> None:
    citizen = phone().become_green()
    clock.advance(minutes=1)
    station.measure(citizen.code()["token"], 38.0)
    clock.advance(minutes=1)
    record(citizen, "contact", exposed_on="2020-03-19")
    clock.advance(minutes=1)
    record(citizen, "confirmed")
    changes = citizen.history()
    assert [change["state"] for change in changes] == ["RED", "ORANGE", "YELLOW", "GREEN", "UNVERIFIED"]
    assert [change["previous"] for change in changes] == ["ORANGE", "YELLOW", "GREEN", "UNVERIFIED", "NOT_DECLARED"]
    for change in changes:
        for part in ("title", "explanation", "advice"):
            assert set(change["rule"][part]) == set(citizen_languages())
            assert all(change["rule"][part].values())
        assert change["evidence"]
        assert all(item["authority"] and item["reference"] and item["at"] for item in change["evidence"])
        assert change["policy_version"]


def test_without_a_subscription_a_change_is_in_the_inbox_and_wechat_is_not_called(
    phone: Callable[..., Phone], station: Station, work: Work, wechat_url: str
) -> None:
    citizen = phone().become_green()
    station.measure(citizen.code()["token"], 38.0)
    work()
    newest = citizen.inbox()[0]
    assert (newest["state"], newest["word"], newest["wechat"]) == ("YELLOW", "黄码", "no-subscription")
    assert newest["title"] == "现场体温异常"
    assert newest["advice"]
    assert citizen.messages() == []
    assert sent(wechat_url) == 0


def test_a_person_known_to_officers_before_registering_finds_their_color_waiting(
    phone: Callable[..., Phone], record: Record, client: FlaskClient
) -> None:
    citizen = phone()
    assert record(citizen, "confirmed") == "RED"
    citizen.register()
    assert citizen.color() == "RED", "the platform confirms them as they register"
    citizen.declare()
    assert citizen.color() == "RED"

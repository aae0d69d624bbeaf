"""The code as a citizen sees it: home page, text and picture, history, inbox, and the published keys."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import create_engine

from app import create_app
from app.codes.tokens import verify
from app.core.texts import LANGUAGES
from app.rules import Policy, load_policy
from app.rules.policy import RuleText
from app.runtime import Services
from app.wechat import menu
from tests.support.clock import StandingClock
from tests.support.codes import with_engine
from tests.support.people import Phone, Station

HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


# --- home -------------------------------------------------------------------------------------------------------


def test_the_home_page_is_open_to_everybody_and_speaks_both_languages(client: FlaskClient) -> None:
    zh = client.get("/api/v1/home").json
    en = client.get("/api/v1/home", headers={"Accept-Language": "en"}).json
    assert zh["title"] == "吉林省网上办事大厅"
    assert en["title"] == "Jilin Provincial Online Government Service Hall"
    assert not HAN.search(str(en))
    assert [column["id"] for column in zh["columns"]] == [column["id"] for column in en["columns"]]


def test_every_entry_of_the_home_page_leads_to_a_call_that_exists(client: FlaskClient) -> None:
    documented = client.get("/openapi/openapi.json").json["paths"]
    for column in menu.home_menu():
        for entry in column.entries:
            assert entry.call in documented
            assert re.fullmatch(r"pages/\w+/\w+", entry.page)


# --- the code ---------------------------------------------------------------------------------------------------


def test_the_code_is_told_in_the_callers_language(citizen: Phone) -> None:
    zh = citizen.code()
    citizen.language = "en"
    en = citizen.code()
    assert (zh["word"], en["word"]) == ("绿码", "Green")
    assert HAN.search(zh["reasons"][0]["advice"])
    for part in ("title", "explanation", "advice"):
        assert not HAN.search(en["reasons"][0][part])
    assert zh["state"] == en["state"]


def test_every_look_gives_a_fresh_token_and_says_when_to_look_again(citizen: Phone, services: Services) -> None:
    first, second = citizen.code(), citizen.code()
    assert first["token"] != second["token"]
    assert (first["renew_in"], first["expires_in"]) == (45, 60)
    assert first["as_of"] == "2020-03-20T12:00:00+08:00"
    assert citizen.get("/api/v1/code").headers["Cache-Control"] == "no-store"


def test_the_token_of_the_answer_is_all_that_a_phone_needs_to_draw_the_code(
    citizen: Phone, client: FlaskClient, clock: StandingClock
) -> None:
    seen, keys = citizen.code(), client.get("/.well-known/jixiang-keys").json
    read = verify(seen["token"], keys, clock.now(), timedelta(0))
    assert (read.state.name, read.ends_at - clock.now()) == (seen["state"], timedelta(seconds=seen["expires_in"]))


def test_a_token_names_nobody(citizen: Phone) -> None:
    token = citizen.code()["token"]
    for private in (citizen.name, citizen.document, citizen.username):
        assert private not in token


def test_several_reasons_are_all_told_the_most_severe_first(
    citizen: Phone, station: Station, clock: StandingClock
) -> None:
    clock.advance(minutes=1)
    station.measure(citizen.code()["token"], 38.0)
    clock.advance(minutes=1)
    citizen.declare(contact_on="2020-03-19")
    reasons = citizen.code()["reasons"]
    assert [reason["rule"] for reason in reasons][:2] == ["ORANGE-DECLARED-CONTACT", "YELLOW-FEVER"]
    assert reasons[1]["authorities"] == ["示例查验点"]
    assert reasons[1]["since"] == "2020-03-20T12:01:00+08:00"


def decode(picture: bytes) -> str:
    found = zxingcpp.read_barcodes(
        Image.open(io.BytesIO(picture)).convert("RGBA").convert("L"), formats=zxingcpp.BarcodeFormat.QRCode
    )
    assert len(found) == 1
    return str(found[0].text)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_picture_holds_a_token_that_anyone_can_verify_with_the_published_keys(
    citizen: Phone, client: FlaskClient, clock: StandingClock, language: str
) -> None:
    citizen.language = language
    answer = citizen.get("/api/v1/code.png")
    assert (answer.status_code, answer.content_type) == (200, "image/png")
    assert answer.headers["Cache-Control"] == "no-store"
    keys = client.get("/.well-known/jixiang-keys").json
    read = verify(decode(answer.data), keys, clock.now(), timedelta(seconds=10))
    assert read.state.name == "GREEN"
    assert read.serial is None


def test_the_drawing_has_the_word_in_the_callers_language(citizen: Phone) -> None:
    for language, word in (("zh-CN,en;q=0.5", "绿码"), ("en", "Green"), ("ko-KR,en;q=0.5", "초록코드")):
        citizen.language = language
        answer = citizen.get("/api/v1/code.svg")
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
        assert answer.text.startswith("<svg")
        assert word in answer.text
        assert "http://www.w3.org/2000/svg" in answer.text
        assert "<script" not in answer.text


@pytest.mark.parametrize("path", ["/api/v1/code", "/api/v1/code.svg", "/api/v1/code.png"])
def test_without_a_declaration_there_is_no_code_and_no_picture(phone: Callable[..., Phone], path: str) -> None:
    newcomer = phone()
    newcomer.register()
    answer = newcomer.get(path)
    assert answer.status_code == 404
    assert answer.json["type"] == "/problems/not-declared"


def test_an_unverified_code_has_a_picture_too(phone: Callable[..., Phone], station: Station, platform_url: str) -> None:
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5)
    citizen = phone()
    citizen.register()
    citizen.declare()
    token = decode(citizen.get("/api/v1/code.png").data)
    assert station.check(token).json["state"] == "UNVERIFIED"


def test_while_every_connection_is_taken_the_last_known_color_is_shown(
    citizen: Phone, station: Station, services: Services
) -> None:
    station.measure(citizen.code()["token"], 38.0)
    assert citizen.code()["stale"] is False
    engine = create_engine(services.settings.database.url, pool_size=1, max_overflow=0, pool_timeout=0.1)
    citizen.client = create_app(with_engine(services, engine)).test_client()
    with engine.connect():
        seen = citizen.code()
    engine.dispose()
    assert (seen["color"], seen["stale"]) == ("YELLOW", True)


# --- history and inbox ------------------------------------------------------------------------------------------


def live_through(citizen: Phone, station: Station, clock: StandingClock, changes: int) -> None:
    """So many changes between yellow and green, a minute apart."""
    for n in range(changes):
        clock.advance(minutes=1)
        station.measure(citizen.code()["token"], 38.0 if n % 2 == 0 else 36.6)


def test_history_and_inbox_are_told_page_by_page_without_a_gap(
    citizen: Phone, station: Station, clock: StandingClock
) -> None:
    live_through(citizen, station, clock, 54)
    for path, name, number in (("/api/v1/code/history", "changes", 56), ("/api/v1/notices", "notices", 55)):
        first = citizen.get(path).json
        assert len(first[name]) == 50
        rest = citizen.get(f"{path}?before={first['next']}").json
        assert rest["next"] is None
        assert len(first[name]) + len(rest[name]) == number
        times = [item.get("decided_at") or item["at"] for item in first[name] + rest[name]]
        assert times == sorted(times, reverse=True)
        assert citizen.get(f"{path}?before=1").json == {name: [], "next": None}


def test_nobody_sees_another_ones_history(citizen: Phone, phone: Callable[..., Phone], station: Station) -> None:
    other = phone("示例乙").become_green()
    station.measure(citizen.code()["token"], 38.0)
    newest = citizen.inbox()[0]["id"]
    assert [change["state"] for change in other.history()] == ["GREEN", "UNVERIFIED"]
    page = other.get(f"/api/v1/notices?before={newest + 1}").json["notices"]
    assert [notice["state"] for notice in page] == ["GREEN"]


def test_a_change_tells_its_rule_in_both_languages_and_its_evidence(citizen: Phone, station: Station) -> None:
    station.measure(citizen.code()["token"], 38.0)
    change = citizen.history()[0]
    assert (change["previous"], change["state"], change["color"]) == ("GREEN", "YELLOW", "YELLOW")
    assert change["rule"]["rule"] == "YELLOW-FEVER"
    assert HAN.search(change["rule"]["title"]["zh"])
    assert change["rule"]["title"]["en"] == "Fever measured"
    assert change["rules"] == ["YELLOW-FEVER", "GREEN-VERIFIED"]
    assert {item["kind"] for item in change["evidence"]} == {"temperature", "declaration", "verification"}
    assert change["policy_version"] == load_policy().version
    for item in change["evidence"]:
        assert item["at"].endswith("+08:00")
        assert item["withdrawn_at"] is None


def test_an_old_change_is_told_in_the_words_of_its_day(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    station.measure(citizen.code()["token"], 38.0)
    before = citizen.history()[0]["rule"], citizen.inbox()[0]
    assert before[0]["reference"] == "S5, S6"
    citizen.client = create_app(replace(services, policy=reworded(services, clock.now()))).test_client()
    assert (citizen.history()[0]["rule"], citizen.inbox()[0]) == before
    clock.advance(hours=2)
    station.measure(citizen.code()["token"], 36.6)
    clock.advance(minutes=1)
    station.measure(citizen.code()["token"], 38.0)
    newest = citizen.history()[0]["rule"]
    assert (newest["title"]["zh"], newest["reference"]) == ("新的说法", "new paper")
    assert citizen.inbox()[0]["title"] == "新的说法"


def reworded(services: Services, now: datetime) -> Policy:
    """The policy, with a new text for a measured fever from an hour on."""
    texts = services.policy.texts
    new = {language: RuleText("新的说法", "x", "x", "new paper") for language in LANGUAGES}
    entries = (*texts["YELLOW-FEVER"], (now + timedelta(hours=1), new))
    return replace(services.policy, texts={**texts, "YELLOW-FEVER": entries})


def test_the_inbox_speaks_the_callers_language_and_tells_what_became_of_the_message(
    citizen: Phone, station: Station, work: Callable[[], None]
) -> None:
    citizen.subscribe()
    station.measure(citizen.code()["token"], 38.0)
    assert citizen.inbox()[0]["wechat"] == "waiting"
    work()
    citizen.language = "en"
    newest = citizen.inbox()[0]
    assert newest["wechat"] == "sent"
    assert (newest["word"], newest["title"], newest["previous"]) == ("Yellow", "Fever measured", "GREEN")
    assert not HAN.search(str(newest))


def test_a_newcomer_has_neither_history_nor_messages(phone: Callable[..., Phone]) -> None:
    newcomer = phone()
    newcomer.register()
    assert newcomer.get("/api/v1/code/history").json == {"changes": [], "next": None}
    assert newcomer.get("/api/v1/notices").json == {"notices": [], "next": None}


# --- keys -------------------------------------------------------------------------------------------------------


def test_the_published_keys_are_public_and_nothing_but_public(client: FlaskClient) -> None:
    answer = client.get("/.well-known/jixiang-keys")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    keys: list[dict[str, Any]] = answer.json["keys"]
    assert keys
    for key in keys:
        assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
        assert "d" not in key

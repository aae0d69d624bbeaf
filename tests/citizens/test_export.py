"""Citizens take everything that is kept about them along, confirmed as for a deletion; nobody else does."""

from collections.abc import Callable
from dataclasses import fields
from datetime import date
from typing import Any

import pypdfium2 as pdfium
import pytest
from flask import Flask
from sqlalchemy import select

from app.codes.evidence import KINDS
from app.core.texts import slugs
from app.entries.content import EntryKind
from app.notifications import account_messages
from app.notifications.account_messages import Subject
from app.runtime import Services
from app.wechat.models import WeChatUser
from app.wechat.official import followers
from app.wechat.official.client import Follower
from tests.support.claims import record
from tests.support.clock import StandingClock
from tests.support.codes import contact, tell
from tests.support.people import PASSWORD, Phone, Station
from tests.support.venues import administrator, manage, open_venue

EXPORT = "/api/v1/accounts/me/export"


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def export(person: Phone) -> dict[str, Any]:
    answer = person.post(EXPORT, {"password": PASSWORD})
    assert answer.status_code == 200, answer.json
    exported: dict[str, Any] = answer.json
    return exported


def test_it_holds_what_the_pages_show_and_more(services: Services, citizen: Phone, clock: StandingClock) -> None:
    citizen.subscribe()
    tell(services, 1, contact(clock.now()))
    clock.advance(minutes=1)
    citizen.post("/api/v1/appeals", {"text": "我没有去过示例商场。"})
    card = citizen.post("/api/v1/paper-cards", None)
    made = export(citizen)
    assert (made["account"]["name"], made["account"]["document_number"]) == (citizen.name, citizen.document)
    assert made["account"]["phone"] == citizen.registration()["phone"]
    assert made["decisions"] == citizen.get("/api/v1/code/history").json["changes"]
    assert made["notices"] == citizen.get("/api/v1/notices").json["notices"]
    assert made["appeals"] == citizen.get("/api/v1/appeals").json["appeals"]
    assert made["bindings"] == citizen.get("/api/v1/accounts/me/bindings").json["bindings"]
    seen = citizen.get("/api/v1/record/access").json
    assert (made["accesses"], made["document_checks"]) == (seen["entries"], seen["document_checks"])
    assert made["paper_card"] == card.json
    assert [one["kind"] for one in made["evidence"]] == ["verification", "declaration", "contact"]
    assert [(one["symptoms"], one["outcome"]) for one in made["declarations"]] == [([], "verified")]
    assert made["subscriptions"][0]["credits"] == 1


def test_it_is_in_the_list_that_the_person_reads(citizen: Phone) -> None:
    export(citizen)
    newest = citizen.get("/api/v1/record/access").json["entries"][0]
    assert newest["what"]["words"] == "导出您的全部数据"


def test_evidence_that_no_decision_names_is_there_too(citizen: Phone, station: Station, clock: StandingClock) -> None:
    for celsius in (36.4, 36.6):
        station.measure(citizen.code()["token"], celsius)
        clock.advance(minutes=1)
    measured = [one["facts"] for one in export(citizen)["evidence"] if one["kind"] == "temperature"]
    assert [one["celsius"] for one in measured] == ["36.6", "36.4"]


def test_a_holder_who_is_not_confirmed_gets_what_they_stated_alone(
    services: Services, phone: Callable[..., Phone], squat: Callable[[Phone], Any]
) -> None:
    person = phone("示例乙")
    record(services, person, EntryKind.CONTACT, exposed_on=date(2020, 3, 19))
    squat(person)
    made = export(person)
    assert (made["evidence"], made["decisions"]) == ([], [])
    assert "contact" not in str(made["accesses"])


@pytest.mark.slow
def test_messages_offers_and_the_official_account_are_in_it(
    services: Services, green_citizens: list[Phone], app: Flask, clock: StandingClock
) -> None:
    manager, named = green_citizens[:2]
    with services.begin() as session:
        user = session.scalars(select(WeChatUser).filter_by(serial=2)).one()
        user.unionid_hash = followers.hash_of_unionid(services.encryption, "unionid")
        account_messages.announce(session, Subject("correction", 1, 2), [user.id], clock.now())
    assert not export(named)["official_account"]
    with services.begin() as session:
        followers.save(session, services.encryption, Follower("openid", "unionid", clock.now()), clock.now())
    venue = open_venue(manager, administrator(services, app))
    person = {"name": named.name, "document": {"type": "id-card", "number": named.document}}
    assert manage(manager, "handovers", venue=venue["id"], **person).status_code == 202
    made = export(named)
    sent = {"about": "correction", "at": made["messages"][0]["at"], "wechat": "waiting", "channel": None}
    assert (made["messages"], made["official_account"]) == ([sent], True)
    assert [(one["name"], one["state"]) for one in made["venues"]] == [("示例商场", "offered")]
    assert [one["about"] for one in export(manager)["messages"]] == ["venue"]
    words = read_pdf(named.post(f"{EXPORT}.pdf", {"password": PASSWORD}).data)
    assert "待您接手" in words and "关注公众号打开" in words, words


def test_a_session_alone_exports_nothing(citizen: Phone, phone: Callable[..., Phone]) -> None:
    assert citizen.post(EXPORT, {}).status_code == 422
    assert citizen.post(EXPORT, {"password": "not-the-Password-1"}).status_code == 401
    other = phone("示例丙").become_green()
    refused = citizen.post(EXPORT, {"wechat_code": other.wx_login()})
    assert refused.json["type"] == "/problems/wechat-user-of-another"
    assert citizen.post(EXPORT, {"wechat_code": citizen.wx_login()}).json["account"]["name"] == citizen.name


def read_pdf(content: bytes) -> str:
    document = pdfium.PdfDocument(content)
    pages = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return "".join("".join(pages).split())


@pytest.mark.slow
def test_the_pdf_tells_it_in_words(citizen: Phone, station: Station, clock: StandingClock) -> None:
    station.measure(citizen.code()["token"], 37.6)
    clock.advance(minutes=1)
    answer = citizen.post(f"{EXPORT}.pdf", {"password": PASSWORD})
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert b"/Lang (zh-CN)" in answer.data  # or a voice reads it as its own language
    words = read_pdf(answer.data)
    for part in (
        citizen.name,
        citizen.document,
        "绿码→黄码",
        "体温（℃）37.6",
        "无症状",
        "核验通过",
        "导出您的全部数据",
    ):
        assert part in words, part
    citizen.language = "ko"
    assert b"/Lang (ko)" in citizen.post(f"{EXPORT}.pdf", {"password": PASSWORD}).data


def test_every_fact_of_evidence_has_a_word() -> None:
    references = {"declaration", "releases"}  # ids, which are in the JSON alone
    named = {field.name for kind in KINDS.values() for field in fields(kind)} - {"id", "at", "withdrawn_at"}
    assert named - references == set(slugs("facts"))

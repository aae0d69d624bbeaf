"""A card on paper: issued, printed, scanned with the document, lost, replaced, and counted without a place."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pypdfium2
import pytest
import zxingcpp
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from app.citizens.documents import DocumentType
from app.citizens.paper.holders import PrintedCard
from app.citizens.paper.pdf import render
from app.codes.paper.models import PaperCard
from app.codes.tokens import Paper
from app.core.errors import Problem
from app.core.texts import slugs
from app.core.texts import text as text_of
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.codes import with_short_lease
from tests.support.jobs import run_worker
from tests.support.pages_of_pdf import is_clean
from tests.support.people import PASSWORD, Phone, Station
from tests.support.stations import counted_at

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


@dataclass
class Card:
    """A printed card and the document of its holder."""

    token: str
    tail: str

    def shown_to(self, station: Station, tail: str | None = None) -> TestResponse:
        return station.post("/api/v1/checks/paper", {"token": self.token, "document_tail": tail or self.tail})


def read_page(pdf: bytes) -> tuple[str, str]:
    """What a camera reads from the rendered page, and its words."""
    page = pypdfium2.PdfDocument(pdf)[0]
    assert [round(side / 72 * 25.4) for side in page.get_size()] == [148, 105]  # A6
    (found,) = zxingcpp.read_barcodes(page.render(scale=3).to_pil().convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)
    corners = found.position
    side = (corners.top_right.x - corners.top_left.x) / 3 / 72 * 25.4
    assert side >= 30, f"{side} mm"
    return found.text, page.get_textpage().get_text_range()


def offline(card: Card, at: str, **more: Any) -> dict[str, Any]:
    """A check of a card as a phone without network keeps it, by Beijing time."""
    return {"id": str(uuid4()), "token": card.token, "at": f"{at.replace(' ', 'T')}:00+08:00", **more}


def submit(station: Station, *checks: dict[str, Any]) -> list[str]:
    answer = station.post("/api/v1/checks/offline", {"checks": list(checks)})
    assert answer.status_code == 200, answer.json
    return [result["result"] for result in answer.json["results"]]  # type: ignore[index]


GetCard = Callable[[Phone], Card]


@pytest.fixture
def get_card(services: Services) -> GetCard:
    """Issues a card to a person; its token is what the PDF has, which one test reads from the page."""

    def get(person: Phone) -> Card:
        assert person.post("/api/v1/paper-cards", None).status_code == 201
        with services.sessions() as session:
            row = session.scalars(select(PaperCard).order_by(PaperCard.id.desc())).first()
            assert row is not None
            token = services.paper_tokens.mint(Paper(row.id, row.issued_at, row.ends_at))
        return Card(token, person.document[-4:])

    return get


def slug(answer: TestResponse) -> str:
    assert answer.json is not None
    return str(answer.json["type"]).removeprefix("/problems/")


@pytest.fixture
def person(green_citizen: Phone) -> Phone:
    return green_citizen


def test_a_card_is_printed_and_scanned_with_the_document_and_the_present_color_counts(
    person: Phone, station: Station
) -> None:
    assert person.post("/api/v1/paper-cards", None).json["ends_at"] == "2020-09-16T23:59:59+08:00"  # type: ignore[index]
    token, words = read_page(person.get("/api/v1/paper-cards/current.pdf").data)
    assert "示**" in words and "2020年9月16日" in words and "居民身份证" in words
    assert "示例甲" not in words and person.document[-4:] not in words and "绿" not in words
    card = Card(token, person.document[-4:])
    answer = card.shown_to(station)
    assert answer.status_code == 200 and answer.json == station.check(person.code()["token"]).json
    person.declare(symptoms=("fever",))
    assert card.shown_to(station).json["state"] == person.color() != "GREEN"  # type: ignore[index]


def test_it_is_refused_where_the_code_on_a_phone_is_and_the_reverse(
    person: Phone, get_card: GetCard, station: Station
) -> None:
    card = get_card(person)
    assert slug(station.check(card.token)) == slug(station.measure(card.token, 36.5)) == "paper-needs-tail"
    phone_code = Card(person.code()["token"], card.tail)
    assert slug(phone_code.shown_to(station)) == "token-malformed"
    assert submit(station, offline(card, "2020-03-20 12:00", celsius=36.5)) == ["paper-needs-tail"]


@pytest.mark.parametrize("tail", ["12", "12345", "....", "００１一"])
def test_a_tail_that_no_document_has_is_named_and_not_counted(
    person: Phone, get_card: GetCard, station: Station, tail: str
) -> None:
    card = get_card(person)
    answer = card.shown_to(station, tail)
    assert answer.status_code == 422 and answer.json["errors"][0]["pointer"] == "/document_tail"  # type: ignore[index]
    assert person.get("/api/v1/paper-cards/current").json["scans_today"] == 0  # type: ignore[index]


def test_a_tail_is_read_as_it_is_typed(person: Phone, get_card: GetCard, station: Station, services: Services) -> None:
    card = get_card(person)
    typed = "".join(chr(ord(char) + 0xFEE0) for char in card.tail.lower())  # full width
    assert card.shown_to(station, f" {typed}\r\n").status_code == 200


def test_five_wrong_tails_stop_a_card_until_the_next_day(
    person: Phone, get_card: GetCard, station: Station, clock: StandingClock
) -> None:
    card = get_card(person)
    assert {slug(card.shown_to(station, f"000{last}")) for last in "ABCDE"} == {"paper-tail-wrong"}
    assert {slug(card.shown_to(station)), slug(card.shown_to(station, "000A"))} == {"paper-tail-stopped"}
    clock.advance(days=1)
    again = Station(station.client, _log_in(station.client))
    assert card.shown_to(again).status_code == 200


def _log_in(client: FlaskClient) -> str:
    answer = client.post("/api/v1/stations/login", json={"username": "inspector-1", "password": PASSWORD})
    session: str = answer.json["session"]  # type: ignore[index]
    return session


def test_printing_again_ends_the_old_card_at_once_and_a_double_click_is_one_card(
    person: Phone, get_card: GetCard, station: Station, clock: StandingClock
) -> None:
    old, twice = get_card(person), get_card(person)
    assert twice == old and old.shown_to(station).status_code == 200
    clock.advance(seconds=5)
    new = get_card(person)
    assert slug(old.shown_to(station)) == "paper-ended"
    assert new.shown_to(station).status_code == 200


def test_a_lost_card_is_dead_at_once_and_its_holder_reads_of_it(
    person: Phone, get_card: GetCard, station: Station
) -> None:
    card = get_card(person)
    assert person.post("/api/v1/paper-cards/current/loss", None).status_code == 204
    assert slug(card.shown_to(station)) == "paper-ended"
    for answer in (
        person.get("/api/v1/paper-cards/current"),
        person.get("/api/v1/paper-cards/current.pdf"),
        person.post("/api/v1/paper-cards/current/loss", None),
    ):
        assert slug(answer) == "no-paper-card"
    told = person.get("/api/v1/record/access").json["entries"]  # type: ignore[index]
    assert [(one["what"]["words"], one["why"] and one["why"]["words"]) for one in told[:2]] == [
        ("纸质码作废", "挂失"),
        ("办理纸质码", None),
    ]


def test_a_card_ends_with_its_last_day(
    person: Phone, get_card: GetCard, station: Station, clock: StandingClock
) -> None:
    card = get_card(person)
    clock.advance(days=181)
    assert slug(card.shown_to(Station(station.client, _log_in(station.client)))) == "paper-over"


def test_only_who_is_confirmed_gets_a_card(phone: Callable[..., Phone], services: Services) -> None:
    person = phone("示例乙")
    person.register()
    assert slug(person.post("/api/v1/paper-cards", None)) == "not-declared"
    with services.engine.begin() as connection:
        connection.execute(text("update codes set state = 2, confirmed_at = null"))
    services.redis.flushall()
    assert slug(person.post("/api/v1/paper-cards", None)) == "identity-unconfirmed"
    with services.engine.connect() as connection:
        assert connection.scalar(text("select count(*) from paper_cards")) == 0


def test_whoever_registers_the_document_anew_ends_the_card(
    person: Phone, get_card: GetCard, phone: Callable[..., Phone], station: Station, services: Services
) -> None:
    card, other = get_card(person), phone("示例甲")
    with services.engine.begin() as connection:  # the platform says no: the account gives way
        connection.execute(text("update codes set confirmed_at = null, denied_at = opened_at"))
    with_short_lease(services).redis.flushall()
    other.document = person.document
    assert other.register().status_code == 201
    assert slug(card.shown_to(station)) == "paper-ended"


def test_after_an_erasure_nothing_says_whose_the_card_was(
    person: Phone, get_card: GetCard, station: Station, services: Services
) -> None:
    card = get_card(person)
    card.shown_to(station)
    assert person.post("/api/v1/accounts/me/erasure", {"password": PASSWORD}).status_code == 200
    assert slug(card.shown_to(station)) == "paper-ended"
    with services.engine.connect() as connection:
        row = connection.execute(text("select serial, tail_fingerprint, revoked_for, issued_by from paper_cards")).one()
        assert row == (None, None, "erased", "citizen")
        assert connection.scalar(text("select count(*) from paper_scans")) == 0


def test_a_card_of_a_lost_history_is_not_taken_for_one_that_got_its_id(
    person: Phone, get_card: GetCard, services: Services, station: Station
) -> None:
    card = get_card(person)
    read = services.paper_tokens.read(card.token, services.clock.now())
    assert read.card is not None
    other = Paper(read.card, read.issued_at - timedelta(seconds=1), read.ends_at)
    lost = replace(card, token=services.paper_tokens.mint(other))
    assert (slug(lost.shown_to(station)), card.shown_to(station).status_code) == ("paper-ended", 200)


def test_scans_are_counted_and_many_on_a_day_are_noted_once(
    person: Phone, get_card: GetCard, station: Station, services: Services
) -> None:
    card, most = get_card(person), services.settings.paper.many_scans_a_day
    card.shown_to(station)
    with services.engine.begin() as connection:
        connection.execute(text("update paper_scans set scans = :most - 2"), {"most": most})
    for _ in range(3):
        card.shown_to(station)
    assert person.get("/api/v1/paper-cards/current").json["scans_today"] == most + 1  # type: ignore[index]
    told = person.get("/api/v1/record/access").json["entries"]  # type: ignore[index]
    assert [one["what"]["words"] for one in told].count("纸质码当日被扫次数异常，可能被复制") == 1


def test_nothing_says_where_a_card_was(person: Phone, get_card: GetCard, station: Station, services: Services) -> None:
    card = get_card(person)
    number = services.paper_tokens.read(card.token, services.clock.now()).number
    card.shown_to(station)
    with services.engine.connect() as connection:
        row: Any = connection.execute(text("select * from paper_scans")).mappings().one()
        assert set(row) == {"card_id", "day", "scans", "wrong_tails"}
        assert connection.scalar(text("select count(*) from audit where actor like 'inspector:%' and serial = 1")) == 0
    for key in services.redis.scan_iter("jx:station:*"):
        members = services.redis.smembers(key) if services.redis.type(key) == b"set" else set()
        assert str(number).encode() not in members, key


def test_a_temperature_is_registered_by_card_and_document(person: Phone, get_card: GetCard, station: Station) -> None:
    card = get_card(person)
    body: dict[str, Any] = {"token": card.token, "document_tail": "000A", "celsius": 38.2}
    assert slug(station.post("/api/v1/checks/paper/temperature", body)) == "paper-tail-wrong"
    assert person.color() == "GREEN"
    body["document_tail"] = card.tail
    assert station.post("/api/v1/checks/paper/temperature", body).json["state"] == person.color() == "YELLOW"  # type: ignore[index]
    body["celsius"] = 36.55
    assert station.post("/api/v1/checks/paper/temperature", body).status_code == 422


# --- checks without network, submitted afterwards


def test_what_was_checked_without_network_counts_once_as_unverified_and_does_not_say_the_color(
    person: Phone, get_card: GetCard, station: Station, services: Services, clock: StandingClock
) -> None:
    card = get_card(person)
    clock.advance(hours=2)
    kept = [offline(card, "2020-03-20 12:30"), offline(card, "2020-03-20 12:30")]
    told = station.post("/api/v1/checks/offline", {"checks": kept}).json["results"]  # type: ignore[index]
    assert [(one["result"], one["state"], one["word"]) for one in told] == [("counted", None, None)] * 2
    assert submit(station, *kept) == ["known", "known"], "sent again"
    assert services.redis.hgetall(counted_at(services, "2020032012")) == {b"UNVERIFIED/measure": b"2"}
    assert person.get("/api/v1/paper-cards/current").json["scans_today"] == 2  # type: ignore[index]
    number = services.paper_tokens.read(card.token, clock.now()).number
    marks = {mark for key in services.redis.scan_iter("*:seen:*") for mark in services.redis.smembers(key)}
    assert len(marks) == 2 and str(number).encode() not in marks, "nothing says that it was one card"
    assert "offline" not in str(person.get("/api/v1/record/access").json)


def test_a_temperature_without_network_finds_its_person_by_the_document(
    person: Phone, get_card: GetCard, station: Station, clock: StandingClock
) -> None:
    card = get_card(person)
    clock.advance(hours=2)
    wrong = offline(card, "2020-03-20 13:00", celsius=38.2, document_tail="000A")
    fever = offline(card, "2020-03-20 13:00", celsius=38.2, document_tail=card.tail.lower())
    assert submit(station, wrong) == ["paper-tail-wrong"] and person.color() == "GREEN"
    assert submit(station, fever, fever) == ["registered", "known"] and person.color() == "YELLOW"
    (evidence,) = [one for one in person.history()[0]["evidence"] if one["kind"] == "temperature"]
    assert (evidence["at"], evidence["reference"]) == ("2020-03-20T13:00:00+08:00", "station 1, paper, offline")
    assert submit(
        station, *(offline(card, "2020-03-20 13:00", celsius=36.5, document_tail="000B") for _ in range(5))
    ) == [
        *["paper-tail-wrong"] * 4,
        "paper-tail-stopped",
    ], "as with network"


def test_a_card_counts_as_it_was_at_its_check(
    person: Phone, get_card: GetCard, station: Station, clock: StandingClock
) -> None:
    card = get_card(person)
    clock.advance(hours=1)
    assert person.post("/api/v1/paper-cards/current/loss", None).status_code == 204
    clock.advance(hours=1)

    def measured(at: str) -> dict[str, Any]:
        return offline(card, at, celsius=36.5, document_tail=card.tail)

    told = submit(
        station, measured("2020-03-20 12:30"), measured("2020-03-20 13:30"), offline(card, "2020-03-20 13:30")
    )
    assert told == ["registered", "paper-ended", "counted"], "reported lost in between; the check was made all the same"
    assert submit(station, offline(card, "2020-03-20 11:00"), offline(card, "2020-03-19 11:00")) == [
        "token-not-yet-valid",
        "check-too-old",
    ]


def test_cards_that_ended_long_ago_are_deleted(
    person: Phone, get_card: GetCard, station: Station, services: Services, clock: StandingClock
) -> None:
    get_card(person).shown_to(station)
    clock.advance(days=212)
    run_worker(services, "purge-personal-data")
    with services.engine.connect() as connection:
        counted = "select (select count(*) from paper_cards) + (select count(*) from paper_scans)"
        assert connection.scalar(text(counted)) == 0


# --- the page


def test_every_script_of_names_here_is_printed(services: Services) -> None:
    now, name = services.clock.now(), "김** 𠮷** 䶮** A** L**"
    token = services.paper_tokens.mint(Paper(7, now, now))
    pdf = render(PrintedCard(token, name, "passport", now, now), FONT)
    assert len(pdf) < 100_000
    assert b"/Lang (zh-CN)" in pdf  # or a voice reads it as its own language
    read, words = read_page(pdf)
    assert read == token and name in words and "Passport" in words


def test_a_card_is_in_chinese_and_in_the_language_of_its_holder_without_a_broken_word(services: Services) -> None:
    now = services.clock.now()
    card = PrintedCard(services.paper_tokens.mint(Paper(7, now, now)), "示**", "hong-kong-macau-permit", now, now)
    read, words = read_page(render(card, FONT, "ko"))
    assert read == card.token and "Jixiang" not in words
    assert text_of("paper-card", "scan", "zh") in words
    korean = [word for slug in slugs("paper-card-steps") for word in text_of("paper-card-steps", slug, "ko").split()]
    assert len(korean) > 30
    assert [word for word in korean if word not in words] == []


@pytest.mark.parametrize(
    ("language", "name"),
    [("ko", "示**"), ("ko", "W" + "*" * 199), ("en", "阿" + "*" * 79)],
    ids=["usual", "longest", "long"],
)
def test_whatever_the_name_all_of_a_card_is_on_it(services: Services, language: str, name: str) -> None:
    now = services.clock.now()
    kind = max(DocumentType, key=lambda one: len(text_of("paper-documents", one, language)))
    card = PrintedCard(services.paper_tokens.mint(Paper(7, now, now)), name, kind, now, now)
    assert is_clean(render(card, FONT, language))


@pytest.mark.parametrize("content", [None, b"no font"])
def test_without_its_font_the_next_step_is_told(services: Services, tmp_path: Path, content: bytes | None) -> None:
    now, file = services.clock.now(), tmp_path / "font.ttc"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Problem, match="paper-font-missing"):
        render(PrintedCard(services.paper_tokens.mint(Paper(7, now, now)), "示**", "id-card", now, now), file)

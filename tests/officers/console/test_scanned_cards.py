"""Cards on paper that were scanned very often: an auditor sees their numbers, no name, and asks for another print."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import text

from app.citizens.paper import holders
from app.codes.tokens import Paper
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.desk import Desk, text_of
from tests.support.people import Phone, Station

Desks = Callable[..., Desk]
CARDS = "/console/audit/cards"
DONE = 303


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


@pytest.fixture
def often_scanned(citizen: Phone, station: Station, console: Services, clock: StandingClock) -> int:
    """The number of a card that was scanned as often as no one person goes past stations."""
    for _ in range(2):  # so that its number is not that of its holder
        clock.advance(seconds=5)
        assert citizen.post("/api/v1/paper-cards", None).status_code == 201
    with console.sessions() as session:
        card = holders.get_live(session, 1, console.clock.now())
        token, number = console.paper_tokens.mint(Paper(card.id, card.issued_at, card.ends_at)), card.id
    shown = {"token": token, "document_tail": citizen.document[-4:]}
    for before in (58, 62):  # what lies between is not scanned here one by one
        assert station.post("/api/v1/checks/paper", shown).status_code == 200
        with console.begin() as session:
            session.execute(text("update paper_scans set scans = :before"), {"before": before})
        for _ in range(2):
            station.post("/api/v1/checks/paper", shown)
    return number


def rows(desk: Desk) -> list[list[str]]:
    page = desk.get(CARDS)
    assert page.status_code == 200
    return [re.findall(r"<td[^>]*><div>(.*?)</div>", row, re.DOTALL) for row in page.text.split("<tr>")[2:]]


def test_an_auditor_sees_the_number_of_the_card_and_nothing_of_its_holder(
    desk: Desks, often_scanned: int, citizen: Phone, console: Services
) -> None:
    auditor = desk("auditor", username="aud-1")
    ((number, day, scans, wrong, _),) = rows(auditor)
    assert (number, day, scans, wrong) == (str(often_scanned), "2020-03-20", "≥ 60", "0")
    read = text_of(auditor.get(CARDS))
    assert "示例" not in read.replace("示例aud-1", "") and citizen.document not in read
    with console.begin() as session:
        session.execute(text("update paper_scans set wrong_tails = 3"))
    assert rows(auditor)[0][3] == "&lt;10", "a small number is hidden"
    with console.begin() as session:
        session.execute(text("update paper_scans set scans = 59"))
    assert rows(auditor) == []


def test_an_auditor_of_a_district_is_shown_none_and_asks_for_none(desk: Desks, often_scanned: int) -> None:
    auditor = desk("auditor", username="aud-2", district="长春市")
    assert rows(auditor) == [] and "由省级审计员处理" in text_of(auditor.get(CARDS))
    auditor.get(CARDS)
    assert auditor.send(f"{CARDS}/{often_scanned}/reprint", {}).status_code == 404


def test_holder_and_clerk_read_that_another_print_is_asked_for_until_there_is_one(
    desk: Desks, often_scanned: int, citizen: Phone, console: Services, clock: StandingClock
) -> None:
    auditor = desk("auditor", username="aud-1")
    for _ in range(2):
        assert auditor.send(f"{CARDS}/{often_scanned}/reprint", {}).status_code == DONE
    assert "已请窗口补办：" in rows(auditor)[0][4]
    assert citizen.get("/api/v1/paper-cards/current").json["reprint_asked"] is True  # type: ignore[index]
    told = citizen.get("/api/v1/record/access").json["entries"]  # type: ignore[index]
    assert [one["what"]["words"] for one in told].count("审计员建议补办纸质码") == 1
    clock.advance(seconds=5)
    assert citizen.post("/api/v1/paper-cards", None).json["reprint_asked"] is False  # type: ignore[index]
    assert "已作废" in rows(auditor)[0][4]
    assert auditor.send(f"{CARDS}/{often_scanned}/reprint", {}).status_code == 404
    clock.advance(days=31)
    assert rows(desk("auditor", username="aud-3")) == []

"""What a holder sees whom the platform has not confirmed: the same, whatever others have recorded of the person."""

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from app.entries.content import EntryKind
from app.runtime import Services
from tests.support.claims import record, slug
from tests.support.clock import StandingClock
from tests.support.people import Phone, Station

Tell = Callable[..., None]
Work = Callable[[], None]
CHANGING = re.compile(r"JX1:[0-9A-Z $%*+./:-]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # tokens and ids
QUARANTINE = {"first_day": date(2020, 3, 20), "last_day": date(2020, 4, 3)}


def answers(person: Phone) -> list[Any]:
    """Whatever a holder can ask of their record, without what differs at each call."""
    shown = [
        person.get(f"/api/v1/{path}")
        for path in ("code", "code/history", "notices", "record/access", "appeals", "accounts/me")
    ]
    shown.append(person.post("/api/v1/appeals", {"text": "纠错"}))
    pictures = [person.get(f"/api/v1/code.{kind}") for kind in ("svg", "png")]
    texts = [CHANGING.sub("*", json.dumps(answer.json, sort_keys=True)) for answer in shown]
    return [
        *((answer.status_code, text) for answer, text in zip(shown, texts, strict=True)),
        *((picture.status_code, picture.mimetype) for picture in pictures),
        len(person.messages()),
    ]


def state_in_token(services: Services, person: Phone) -> str:
    return services.tokens.read(person.code()["token"], services.clock.now()).state.name


@pytest.fixture
def both(phone: Callable[..., Phone], platform: Tell) -> tuple[Phone, Phone]:
    """A stranger with the document of somebody whom officers know, and one with that of nobody."""
    platform(on=False)
    return phone("示例甲"), phone("示例乙")


@pytest.mark.slow
def test_the_document_of_somebody_under_quarantine_shows_the_same_as_that_of_nobody(
    services: Services, both: tuple[Phone, Phone], clock: StandingClock, work: Work
) -> None:
    known, unknown = both
    record(services, known, EntryKind.QUARANTINE, **QUARANTINE)
    for person in both:
        assert person.register().status_code == 201
        person.subscribe()
    seen = [answers(person)[:-1] for person in both]
    assert [slug(person.get("/api/v1/code")) for person in both] == ["not-declared"] * 2
    for said in ({}, {"symptoms": ("cough",)}, {}, {"contact_on": "2020-03-19"}):
        clock.advance(minutes=1)
        for person in both:
            answer = person.declare(**said)
            seen.append([answer.status_code, answer.json["state"], answer.json["waiting_for_platform"]])
        work()
        seen += [answers(person) for person in both]
        assert state_in_token(services, known) == state_in_token(services, unknown) == known.color()
    for first, second in zip(seen[::2], seen[1::2], strict=True):
        assert blank(first) == blank(second)
    assert known.color() == "ORANGE", "what they have declared themselves takes effect"
    assert [change["state"] for change in known.history()] == ["ORANGE", "YELLOW", "YELLOW", "UNVERIFIED"]


def blank(seen: Any) -> str:
    """What was seen, without the names and numbers of the two."""
    return re.sub(r"citizen\d+|2299\*+\w+|示\*+|229\*+\d+\w?", "", str(seen))


def test_nothing_changes_for_them_when_officers_record_and_release(
    services: Services, both: tuple[Phone, Phone], clock: StandingClock, work: Work
) -> None:
    person, _ = both
    person.register()
    person.subscribe()
    person.declare()
    clock.advance(minutes=1)
    before = answers(person)
    for kind in (EntryKind.CONFIRMED, EntryKind.RECOVERED):
        record(services, person, kind)
        work()
        clock.advance(seconds=1)
        assert without_moment(answers(person)) == without_moment(before)


def without_moment(seen: list[Any]) -> str:
    return re.sub(r'"as_of": "[^"]*"', "", str(seen).replace("\\", ""))


def test_a_station_with_network_learns_more_than_the_holder(
    services: Services, both: tuple[Phone, Phone], station: Station
) -> None:
    person, _ = both
    person.register()
    person.declare()
    record(services, person, EntryKind.QUARANTINE, **QUARANTINE)
    assert (person.color(), state_in_token(services, person)) == ("UNVERIFIED", "UNVERIFIED")
    assert station.check(person.code()["token"]).json["color"] == "ORANGE"
    assert person.declare().json["state"] == "UNVERIFIED"


def test_what_a_station_measures_on_them_is_theirs(both: tuple[Phone, Phone], station: Station, work: Work) -> None:
    person, _ = both
    person.register()
    person.subscribe()
    person.declare()
    station.measure(person.code()["token"], 38.0)
    work()
    assert person.color() == "YELLOW"
    assert [notice["state"] for notice in person.inbox()] == ["YELLOW"]
    assert person.messages() == [], "nothing goes to WeChat"


def test_once_confirmed_they_see_all_of_it(
    services: Services, both: tuple[Phone, Phone], platform: Tell, clock: StandingClock
) -> None:
    person, _ = both
    person.register()
    record(services, person, EntryKind.QUARANTINE, **QUARANTINE)
    person.declare()
    platform(on=True)
    clock.advance(minutes=1)
    assert person.declare().json["state"] == "ORANGE"
    assert [notice["state"] for notice in person.inbox()] == ["ORANGE"]


def test_numbers_of_notices_appeals_and_pages_count_one_persons_own(
    green_citizens: list[Phone], clock: StandingClock
) -> None:
    first, second, _ = green_citizens
    numbers = []
    for person in (first, second):
        clock.advance(minutes=1)
        person.declare(symptoms=("cough",))
        appeal = person.post("/api/v1/appeals", {"text": "纠错"}).json["id"]
        numbers.append(([notice["id"] for notice in person.inbox()], appeal))
        assert [one["id"] for one in person.get("/api/v1/appeals").json["appeals"]] == [appeal]
    assert numbers[0] == numbers[1]
    assert numbers[0][1] == 1

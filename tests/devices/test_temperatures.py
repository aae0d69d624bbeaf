"""A reading of a thermal camera joins the one token of its lane's ten seconds, in either order; otherwise nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.codes.paper.models import PaperCard
from app.codes.tokens import Paper
from app.devices.lanes import WINDOW_SECONDS
from app.runtime import Services
from app.stations import rollup
from tests.support.clock import StandingClock
from tests.support.devices import Device, open_station
from tests.support.people import Phone
from tests.support.valkey import remembered_seconds


@pytest.fixture
def lane(client: FlaskClient, services: Services) -> tuple[Device, Device]:
    """A gate and a camera in one lane."""
    open_station(services)
    return Device.add(client, services), Device.add(client, services, kind="thermal")


def evidence(services: Services) -> list[tuple[int, str]]:
    query = "select serial, facts->>'celsius' from evidence where kind = 'temperature' order by serial, at"
    with services.engine.connect() as connection:
        return [(serial, celsius) for serial, celsius in connection.execute(text(query))]


def result(answer: Any) -> tuple[str, bool]:
    assert answer.status_code == 200, answer.json
    reading = answer.json.get("reading", answer.json)
    return reading["result"], reading["fever"]


def later(services: Services, seconds: float) -> None:
    """Time passes in every lane: what was seen there is as old as if so many seconds had gone."""
    for key in services.redis.scan_iter("jx:lane:*"):
        for member, at in services.redis.zrange(key, 0, -1, withscores=True):
            services.redis.zadd(key, {member: at - seconds * 1000})


def test_a_fever_after_the_check_turns_the_code_yellow(
    lane: tuple[Device, Device], green_citizen: Phone, services: Services
) -> None:
    gate, camera = lane
    assert gate.check(green_citizen.code()["token"]).json["action"] == "pass"  # type: ignore[index]
    answer = camera.measure(38.2)
    assert result(answer) == ("joined", True)
    assert (answer.json["check"]["state"], answer.json["check"]["action"]) == ("YELLOW", "measure")  # type: ignore[index]
    assert evidence(services) == [(1, "38.2")]


def test_a_fever_before_the_check_is_in_its_answer(
    lane: tuple[Device, Device], green_citizen: Phone, services: Services
) -> None:
    gate, camera = lane
    assert result(camera.measure(38.2)) == ("waiting", True)
    answer = gate.check(green_citizen.code()["token"])
    assert result(answer) == ("joined", True)
    assert (answer.json["state"], answer.json["action"]) == ("YELLOW", "measure")  # type: ignore[index]
    assert evidence(services) == [(1, "38.2")]


def test_the_threshold_is_the_policys(lane: tuple[Device, Device], green_citizen: Phone, services: Services) -> None:
    gate, camera = lane
    gate.check(green_citizen.code()["token"])
    assert result(camera.measure(37.2)) == ("joined", False)
    assert green_citizen.code()["state"] == "GREEN"


def test_after_ten_seconds_nothing_joins(lane: tuple[Device, Device], green_citizen: Phone, services: Services) -> None:
    gate, camera = lane
    gate.check(green_citizen.code()["token"])
    later(services, WINDOW_SECONDS + 0.1)
    assert result(camera.measure(38.2)) == ("waiting", True)
    later(services, WINDOW_SECONDS + 0.1)
    assert gate.check(green_citizen.code()["token"]).json["reading"] is None  # type: ignore[index]
    assert evidence(services) == []


def test_two_tokens_in_a_lane_are_ambiguous_and_never_guessed(
    lane: tuple[Device, Device], green_citizens: list[Phone], services: Services
) -> None:
    gate, camera = lane
    for citizen in green_citizens[:2]:
        gate.check(citizen.code()["token"])
    assert result(camera.measure(38.2)) == ("ambiguous", True)
    answer = gate.check(green_citizens[2].code()["token"])
    assert answer.json["reading"] is None  # type: ignore[index]
    assert evidence(services) == []


def test_two_readings_before_a_token_are_ambiguous_and_a_fever_among_them_is_measured_by_hand(
    lane: tuple[Device, Device], green_citizen: Phone, services: Services
) -> None:
    gate, camera = lane
    camera.measure(36.5)
    assert result(camera.measure(38.2)) == ("ambiguous", True)
    answer = gate.check(green_citizen.code()["token"])
    assert result(answer) == ("ambiguous", True)
    assert (answer.json["state"], answer.json["action"]) == ("GREEN", "measure")  # type: ignore[index]
    assert evidence(services) == []


def test_a_reading_after_somebody_with_a_document_is_nobodys(
    lane: tuple[Device, Device], green_citizen: Phone, services: Services
) -> None:
    gate, camera = lane
    document = {"type": "id-card", "number": green_citizen.document, "name": green_citizen.name}
    gate.post("checks", {"number": str(uuid4()), "document": document})
    assert result(camera.measure(38.2)) == ("ambiguous", True)
    assert evidence(services) == []


def test_another_lane_is_another_lane(
    lane: tuple[Device, Device], client: FlaskClient, green_citizen: Phone, services: Services
) -> None:
    gate, _ = lane
    beside = Device.add(client, services, kind="thermal", lane="2")
    gate.check(green_citizen.code()["token"])
    assert result(beside.measure(38.2)) == ("waiting", True)
    assert evidence(services) == []


def test_a_reading_sent_again_is_one_and_a_check_scanned_twice_is_one_person(
    lane: tuple[Device, Device], green_citizen: Phone, services: Services
) -> None:
    gate, camera = lane
    token, number = green_citizen.code()["token"], str(uuid4())
    gate.check(token)
    gate.check(token)
    for _ in range(2):
        assert result(camera.measure(38.2, number=number)) == ("joined", True)
    kept = remembered_seconds(services.redis, "jx:reading:*", lambda: camera.measure(36.6))
    assert kept >= 2 * WINDOW_SECONDS, "for as long as it may be sent again"
    assert evidence(services) == [(1, "38.2")]


def test_a_temperature_measured_with_the_token_is_its_holders(
    lane: tuple[Device, Device], green_citizen: Phone, services: Services
) -> None:
    """A terminal that scans and measures; sent again it is one temperature, and the color is the one after it."""
    gate, _ = lane
    body = {"number": str(uuid4()), "token": green_citizen.code()["token"], "celsius": 38.2}
    for _ in range(2):
        answer = gate.post("checks", body)
        assert (answer.json["state"], answer.json["action"]) == ("YELLOW", "measure")  # type: ignore[index]
    assert evidence(services) == [(1, "38.2")]


def test_an_old_or_impossible_reading_is_refused(lane: tuple[Device, Device]) -> None:
    _, camera = lane
    old = (datetime.now(UTC) - timedelta(seconds=60)).isoformat()
    for changes, slug in (({"at": old}, "reading-too-old"), ({"celsius": 50.0}, "temperature-form")):
        answer = camera.measure(**{"celsius": 36.5, **changes})
        assert (answer.status_code, answer.json["type"]) == (422, f"/problems/{slug}")  # type: ignore[index]


def test_a_lane_forgets_who_was_there(
    lane: tuple[Device, Device], green_citizen: Phone, services: Services, clock: StandingClock
) -> None:
    """What Redis has of a lane ends by itself in ten seconds, and names nobody: a token that our keys alone open."""
    gate, camera = lane
    gate.check(green_citizen.code()["token"])
    camera.measure(36.5)
    keys = list(services.redis.scan_iter("jx:lane:*"))
    assert len(keys) == 1
    assert 0 < services.redis.pttl(keys[0]) <= WINDOW_SECONDS * 1000
    content = b"".join(services.redis.zrange(keys[0], 0, -1)).decode()
    assert green_citizen.document not in content
    assert green_citizen.name not in content


def test_a_fever_before_somebody_with_a_document_or_a_card_is_measured_by_hand_and_counted_so(
    lane: tuple[Device, Device], green_citizen: Phone, services: Services
) -> None:
    gate, camera = lane
    assert green_citizen.post("/api/v1/paper-cards", None).status_code == 201
    with services.sessions() as session:
        card = session.scalars(select(PaperCard)).one()
        token = services.paper_tokens.mint(Paper(card.id, card.issued_at, card.ends_at))
    document = {"type": "id-card", "number": green_citizen.document, "name": green_citizen.name}
    paper = {"token": token, "document_tail": green_citizen.document[-4:]}
    for proof in ({"document": document}, {"paper": paper}):
        later(services, WINDOW_SECONDS + 0.1)
        assert result(camera.measure(38.2)) == ("waiting", True)
        answer = gate.post("checks", {"number": str(uuid4()), **proof})
        assert result(answer) == ("ambiguous", True)
        assert (answer.json["outcome"], answer.json["action"]) == ("green", "measure")  # type: ignore[index]
    assert evidence(services) == []
    counted = rollup.day_counts(services, 1, services.clock.now())
    assert {action: number for action, number in counted.items() if number} == {"measure": 2}

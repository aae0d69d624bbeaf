"""Codes of other provinces at our stations: shown as the statement of their issuer, and merged into nothing of ours."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app import create_app
from app.codes.states import State
from app.core.clock import rfc3339
from app.runtime import Services
from tests.support.clock import START, StandingClock
from tests.support.people import Phone, Station
from tests.support.trust import EXAMPLE, OTHER, Province, TwoAdministrators, make_list, trusting

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def two(services: Services) -> TwoAdministrators:
    """Two administrators, who have taken a list with two provinces."""
    made = TwoAdministrators(trusting(services))
    made.take(make_list(EXAMPLE.issuer(), OTHER.issuer(), at=START - DAY))
    return made


@pytest.fixture
def station(two: TwoAdministrators) -> Station:
    return Station.open(create_app(two.services).test_client(), two.services)


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (State.GREEN, "pass"),
        (State.UNVERIFIED, "measure"),
        (State.YELLOW, "measure"),
        (State.ORANGE, "stop"),
        (State.RED, "stop"),
    ],
)
def test_a_code_of_another_province_is_shown_as_the_statement_of_its_issuer(
    station: Station, state: State, action: str
) -> None:
    answer = station.check(EXAMPLE.code(state)).json
    assert answer is not None
    assert (answer["state"], answer["action"], answer["as_of"]) == (state.name, action, "2020-03-20T12:00:00+08:00")
    assert answer["word"].startswith("示例省：") and "示例省" in answer["instruction"]
    assert answer["issuer"] == {
        "id": "example",
        "region": "990000",
        "name": "示例省",
        "statement": f"吉林省以外 · 发码地：示例省 · {answer['word'][4:]} · 有效至 2020-03-20 12:01",
        "issued_at": "2020-03-20T12:00:00+08:00",
        "ends_at": "2020-03-20T12:01:00+08:00",
    }


def test_one_of_a_strip_says_as_of_when(station: Station) -> None:
    issued = START - timedelta(hours=5)
    answer = station.check(EXAMPLE.strip(State.GREEN, issued)).json
    assert answer is not None
    assert (answer["action"], answer["issuer"]["issued_at"]) == ("pass", rfc3339(issued))


def everything(services: Services) -> str:
    """All that is in the database."""
    with services.engine.connect() as connection:
        tables = connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all()
        query = "select string_agg(t::text, ';' order by t::text) from {} t"
        return "\n".join(str(connection.scalar(text(query.format(name)))) for name in tables)


def test_nothing_of_it_is_merged_into_ours_and_it_is_counted_apart(
    green_citizen: Phone, station: Station, services: Services
) -> None:
    before = everything(services)
    token = EXAMPLE.code()
    for _ in range(3):
        station.check(token)
    assert station.measure(token, 36.5).json["action"] == "pass"  # type: ignore[index]
    fever = station.measure(token, 38.5).json
    assert fever is not None and (fever["state"], fever["action"]) == ("GREEN", "stop")
    assert station.measure(EXAMPLE.code(State.RED), 36.5).json["action"] == "stop"  # type: ignore[index]
    assert everything(services) == before

    entry = {"id": str(uuid4()), "token": OTHER.code(), "at": rfc3339(START), "celsius": None}
    sent = station.post("/api/v1/checks/offline", {"checks": [entry, {**entry, "id": str(uuid4()), "celsius": 38.5}]})
    assert [one["result"] for one in sent.json["results"]] == ["counted", "foreign-not-recorded"]  # type: ignore[index]
    today = station.client.get("/api/v1/stations/today", headers={"Authorization": f"Bearer {station.session}"}).json
    assert today is not None
    names = ("passed", "measured", "stopped", "temperatures", "foreign")
    assert [today[name] for name in names] == [0, 0, 0, 0, 2]
    with services.engine.connect() as connection:
        stored = connection.execute(text("select action, number from station_counts")).all()
    assert stored and all(action.startswith("foreign-") for action, _ in stored)


def test_our_own_codes_are_answered_as_before(green_citizen: Phone, station: Station) -> None:
    answer = station.check(green_citizen.code()["token"]).json
    assert answer is not None and (answer["word"], answer["issuer"]) == ("绿码", None)


FORGED = Province("forger")
Change = Callable[[TwoAdministrators], object]


def take(*issuers: dict[str, Any], **made: Any) -> Change:
    return lambda two: two.take(make_list(*issuers, **made), many=True)


@pytest.mark.parametrize(
    ("change", "token", "outcome"),
    [
        (None, FORGED.code(), (422, "token-unknown-key")),
        (None, EXAMPLE.code(at=START - 2 * MINUTE), (410, "token-expired")),
        (None, EXAMPLE.code(at=START + MINUTE), (422, "token-not-yet-valid")),
        (take(OTHER.issuer()), EXAMPLE.code(), (422, "token-unknown-key")),
        (take(OTHER.issuer(), EXAMPLE.issuer(revoked=True)), EXAMPLE.code(), (410, "foreign-key-revoked")),
        (take(OTHER.issuer(), EXAMPLE.issuer("suspended")), EXAMPLE.code(), (410, "foreign-issuer-suspended")),
        (take(OTHER.issuer(), EXAMPLE.issuer(until=rfc3339(START))), EXAMPLE.code(), (422, "token-unknown-key")),
        (take(EXAMPLE.issuer(**{"from": rfc3339(START + SECOND)})), EXAMPLE.code(), (422, "token-unknown-key")),
    ],
)
def test_what_is_not_to_be_believed_is_refused_by_name_and_never_a_color(
    two: TwoAdministrators, station: Station, change: Change | None, token: str, outcome: tuple[int, str]
) -> None:
    if change is not None:
        assert station.check(EXAMPLE.code()).status_code == 200
        change(two)
    answer = station.check(token)
    assert (answer.status_code, slug(answer)) == outcome


def test_a_changed_signature_is_noticed(station: Station) -> None:
    token = EXAMPLE.code()
    changed = token[:150] + ("0" if token[150] != "0" else "1") + token[151:]
    assert slug(station.check(changed)) == "token-forged"


def test_an_expired_list_recognises_nobody_until_the_next(
    two: TwoAdministrators, station: Station, clock: StandingClock
) -> None:
    clock.advance(days=13, seconds=-1)
    station = Station.open(station.client, two.services, "inspector-2")
    assert station.check(EXAMPLE.code(at=clock.now())).status_code == 200
    clock.advance(seconds=1)
    assert slug(station.check(EXAMPLE.code(at=clock.now()))) == "foreign-list-expired"
    two.take(make_list(EXAMPLE.issuer(), at=clock.now()))
    assert station.check(EXAMPLE.code(at=clock.now())).status_code == 200


def test_what_was_revoked_by_mistake_is_good_again_by_the_next_list(two: TwoAdministrators, station: Station) -> None:
    """Passes were once still revoked when the list did not name them any more."""
    take(EXAMPLE.issuer(revoked=True), OTHER.issuer(), at=START - MINUTE)(two)
    assert slug(station.check(EXAMPLE.code())) == "foreign-key-revoked"
    take(EXAMPLE.issuer(), OTHER.issuer())(two)
    assert station.check(EXAMPLE.code()).json["action"] == "pass"  # type: ignore[index]


def test_our_own_key_states_nothing_of_another_province_and_theirs_nothing_of_ours(
    services: Services, green_citizen: Phone, two: TwoAdministrators, station: Station
) -> None:
    """Also where a list that was taken by an installation with other keys says so."""
    [own] = services.tokens.key_set(START)["keys"]
    ours = {name: own[name] for name in ("kid", "x", "from", "until")}
    thief = make_list({**EXAMPLE.issuer(), "keys": [ours]}, at=START)
    with services.engine.begin() as connection:
        row = "insert into trust_lists (version, imported_at, imported_by, content) values (:v, now(), 'x', :content)"
        connection.execute(text(row), {"v": int(START.timestamp()), "content": thief})
    answer = station.check(green_citizen.code()["token"]).json
    assert answer is not None and answer["issuer"] is None
    jilin = Province("jilin", "220000", "吉林省")
    with services.engine.begin() as connection:
        again = {"v": int(START.timestamp()) + 1, "content": make_list(jilin.issuer(), at=START + SECOND)}
        connection.execute(text(row), again)
    assert slug(station.check(jilin.code())) == "token-unknown-key", "under our id, and not by a key of ours"


def test_where_nobody_is_recognised_it_is_as_before(services: Services) -> None:
    station = Station.open(create_app(services).test_client(), services)
    assert slug(station.check(EXAMPLE.code())) == "token-unknown-key"

"""A station over days: its numbers, its shifts, its inspectors who move."""

from typing import Any

from flask.testing import FlaskClient

from app import create_app
from app.core.redis_client import together
from app.runtime import Services
from app.staff.context import OPERATOR, begin_as
from app.staff.inspectors import move_inspector
from app.stations.models import Inspector
from app.stations.models import Station as Place
from tests.support.people import PASSWORD, Station

NUMBERS = ("passed", "measured", "stopped", "temperatures")


def today(station: Station) -> Any:
    return station.client.get("/api/v1/stations/today", headers={"Authorization": f"Bearer {station.session}"})


def numbers(station: Station) -> tuple[int, ...]:
    answer = today(station)
    assert answer.status_code == 200, answer.json
    return tuple(answer.json[name] for name in NUMBERS)


def elsewhere(station: Station, services: Services) -> Station:
    """The same inspector, whose requests now come to a machine that has these services."""
    return Station(create_app(services).test_client(), station.session)


def move(client: FlaskClient, services: Services, username: str, to: str) -> Station:
    """An operator sends an inspector to another station: their sessions end, and they log in there."""
    with begin_as(services, OPERATOR) as context:
        context.session.add(Place(name=to, district="长春市", created_at=services.clock.now()))
        context.session.flush()
        inspector = context.session.query(Inspector).filter_by(username=username).one()
        move_inspector(context, inspector.id, to)
    answer = client.post("/api/v1/stations/login", json={"username": username, "password": PASSWORD})
    return Station(client, answer.json["session"])


def again(station: Station) -> Station:
    """The next shift: the same inspector logs in anew."""
    body = {"username": "inspector-1", "password": PASSWORD}
    return Station(station.client, station.client.post("/api/v1/stations/login", json=body).json["session"])


def counted_at(services: Services, rest: str) -> str:
    """The key of something that Redis has counted at the first station."""
    return f"jx:station:{together(services.redis, 1)}:{rest}"

"""Venues in tests: an application, an approval at the console, and inspectors who log in at an entrance."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.runtime import Services
from tests.support.desk import Desk, make_officer
from tests.support.people import Phone, Station

VENUES = "/api/v1/venues"
EVERY_DAY = ["08:00-22:00"] * 7
NEW_PASSWORD = "another-Word-2020"
FORM: dict[str, Any] = {
    "name": "示例商场",
    "kind": "mall",
    "district": "长春市",
    "address": "示例大街 1 号",
    "credit_code": "91220101MA00000000",
    "hours": EVERY_DAY,
    "entrances": ["东门", "西门"],
}


def apply(citizen: Phone, **other: Any) -> TestResponse:
    return citizen.post(f"{VENUES}/applications", {**FORM, **other})


def administrator(services: Services, app: Flask, name: str = "adm-1", district: str | None = "长春市") -> Desk:
    make_officer(services, name, "administrator", district=district)
    return Desk(app, services, name).ensure_logged_in()


def approve(desk: Desk, application: int) -> TestResponse:
    return desk.sign(f"/console/venues/applications/{application}/approve")


def open_venue(citizen: Phone, desk: Desk, **other: Any) -> Any:
    """A venue that somebody manages."""
    answer = apply(citizen, **other)
    assert answer.status_code == 201, answer.json
    assert approve(desk, answer.json["id"]).status_code == 303  # type: ignore[index]
    return overview(citizen)["venues"][-1]


def overview(citizen: Phone) -> Any:
    answer = citizen.get(VENUES)
    assert answer.status_code == 200, answer.json
    return answer.json


def manage(citizen: Phone, act: str, **body: Any) -> TestResponse:
    return citizen.post(f"{VENUES}/{act}", body)


def add_inspector(citizen: Phone, venue: Any, username: str, entrance: int = 0) -> Any:
    """The id and the password of a new inspector at one of the entrances."""
    place = venue["entrances"][entrance]["id"]
    answer = manage(citizen, "inspectors", venue=venue["id"], entrance=place, username=username)
    assert answer.status_code == 201, answer.json
    return answer.json


def log_in(client: FlaskClient, username: str, password: str, **more: str) -> TestResponse:
    return client.post("/api/v1/stations/login", json={"username": username, "password": password, **more})


def start_shift(client: FlaskClient, citizen: Phone, venue: Any, username: str, entrance: int = 0) -> Station:
    """An inspector who was added, and has chosen a password."""
    given = add_inspector(citizen, venue, username, entrance)["password"]
    answer = log_in(client, username, given, new_password=NEW_PASSWORD)
    assert answer.status_code == 200, answer.json
    return Station(client, answer.json["session"])  # type: ignore[index]

"""A citizen corrects their name: the national platform's word decides, and stations find the person by the new one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests

from app import create_app
from app.runtime import Services
from app.web import limits
from tests.support.people import PASSWORD, Phone, Station

NAME = "/api/v1/accounts/me/name"


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


@pytest.fixture
def known_as(platform_url: str) -> Callable[[Phone, str], None]:
    """The platform knows a person by a name, letter by letter."""

    def know(person: Phone, name: str) -> None:
        url = f"{platform_url}/sandbox/people/{person.document}"
        requests.put(url, json={"name": name}, timeout=5).raise_for_status()

    return know


def correct(person: Phone, name: str, **more: Any) -> Any:
    return person.put(NAME, {"name": name, "password": PASSWORD, **more})


def test_the_name_that_the_platform_knows_replaces_the_other(
    citizen: Phone, station: Station, known_as: Callable[[Phone, str], None]
) -> None:
    known_as(citizen, "示例新名")
    answer = correct(citizen, " 示例新名 ")
    assert (answer.status_code, answer.json["name"]) == (200, "示***")
    assert citizen.color() == "GREEN"
    by_document = {"type": "id-card", "number": citizen.document}
    outcomes = [
        station.post("/api/v1/checks/document", {**by_document, "name": name}).json["outcome"]  # type: ignore[index]
        for name in ("示例新名", "示例甲")
    ]
    assert outcomes == ["green", "not-found"]
    newest = citizen.get("/api/v1/record/access?whose=own").json["entries"][0]
    assert newest["what"]["words"] == "更正姓名（国家平台核实）"


def test_a_name_that_the_platform_denies_changes_nothing(
    citizen: Phone, known_as: Callable[[Phone, str], None]
) -> None:
    known_as(citizen, "示例甲")
    refused = correct(citizen, "示例别人")
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/identity-mismatch")
    assert citizen.get("/api/v1/accounts/me").json["name"] == "示**"


def test_without_an_answer_of_the_platform_the_name_stays(citizen: Phone, platform: Callable[..., None]) -> None:
    platform(on=False)
    refused = correct(citizen, "示例新名")
    assert (refused.status_code, refused.json["type"]) == (503, "/problems/name-not-confirmed")
    assert "Retry-After" in refused.headers


def test_names_are_not_tried_out(services: Services, citizen: Phone, known_as: Callable[[Phone, str], None]) -> None:
    known_as(citizen, "示例甲")
    few = services.settings.limits.model_copy(update={"identity_mismatches": "3 per hour"})
    settings = services.settings.model_copy(update={"limits": few})
    limits.limiter._storage_dead = False
    citizen.client = create_app(replace(services, settings=settings)).test_client()
    assert [correct(citizen, f"示例{letter}").status_code for letter in "乙丙丁戊"] == [422, 422, 422, 429]


@pytest.mark.parametrize(("name", "proof", "status"), [("1", PASSWORD, 422), ("示例新名", "not-the-Password-1", 401)])
def test_it_needs_a_name_and_who_asks(citizen: Phone, name: str, proof: str, status: int) -> None:
    assert correct(citizen, name, password=proof).status_code == status
    assert citizen.put(NAME, {"name": "示例新名"}).status_code == 422

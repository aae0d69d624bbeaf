"""The API document: every route with its answers, and a page that needs nobody else's server."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.api.authorization import ANYONE, DEVICE, PARTNER, ROUTE_ROLES, TERMINAL

API = {route: role for route, role in ROUTE_ROLES.items() if not route[1].startswith("/console")}  # the rest are pages
_PARTNERS = "/api/v1/partners"
NOT_OFFERED = {f"{_PARTNERS}/{one}" for one in ("health-declaration", "trip-declaration", "code-call", "code-making")}


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi/openapi.json").json
    return document


def test_every_route_is_documented(document: dict[str, Any]) -> None:
    assert {(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs} == set(API)


def test_every_route_says_what_it_does_and_what_it_answers(document: dict[str, Any]) -> None:
    problem = {"$ref": "#/components/schemas/ProblemBody"}
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            assert operation["summary"], (verb, path)
            assert operation["tags"], (verb, path)
            for status, told in operation["responses"].items():
                if status[0] == "2" or path == "/readyz":  # which tells its parts
                    continue
                content = told["content"]
                assert content == {"application/problem+json": {"schema": problem}}, (verb, path, status)
            is_offered = path not in NOT_OFFERED
            assert any(status.startswith("2") for status in operation["responses"]) is is_offered, (verb, path)


def test_the_document_names_each_status_and_only_those_that_can_be(document: dict[str, Any]) -> None:
    told = {
        (verb.upper(), path): {status for status in operation["responses"] if status[0] != "2"}
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    }
    assert all(re.fullmatch(r"[45]\d\d", status) for statuses in told.values() for status in statuses)
    assert told["GET", "/api/v1/home"] == {"500", "503"}
    assert told["GET", "/api/v1/notices"] == {"401", "403", "422", "500", "503"}
    assert told["POST", "/api/v1/checks"] == {"400", "401", "403", "410", "413", "415", "422", "500", "503", "504"}
    for route, statuses in told.items():
        assert ("401" in statuses) is (API[route] != ANYONE or route[1].endswith("/login")) or "wechat" in route[1], (
            route
        )


def test_the_document_says_who_needs_what(document: dict[str, Any]) -> None:
    """A session, the signature of a device or partner, or the shape of a terminal, one of which proves by its body."""
    assert document["components"]["securitySchemes"]["session"] == {"type": "http", "scheme": "bearer"}
    for (verb, path), role in API.items():
        security = document["paths"][path][verb.lower()].get("security", [])
        if role == TERMINAL:
            assert security in ([{"terminal": []}], []), path
            continue
        scheme = {DEVICE: "signature", PARTNER: "partner"}.get(role if isinstance(role, str) else "", "session")
        assert (security == [{scheme: []}]) is (role != ANYONE), (verb, path)


def test_every_schema_that_is_named_is_there(document: dict[str, Any], client: FlaskClient) -> None:
    text = client.get("/openapi/openapi.json").text
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named <= set(document["components"]["schemas"])


def test_no_example_holds_a_real_looking_number(client: FlaskClient) -> None:
    assert not re.search(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9})(?!\d)", client.get("/openapi/openapi.json").text)


@pytest.mark.parametrize("page", ["/openapi/", "/openapi/swagger"])
def test_the_page_comes_from_this_server_alone(client: FlaskClient, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", answer.text)
    for address in re.findall(r"""(?:src|href)=["']([^"'#]+)["']""", answer.text):
        if not address.strip().startswith("data:"):
            path = address if address.startswith("/") else "/openapi/" + address
            with client.get(path) as part:
                assert part.status_code == 200, address


def test_the_page_asks_nothing_of_a_stranger(client: FlaskClient) -> None:
    for page in ("/openapi/", "/openapi/swagger"):
        assert not re.search(r"https?://(?!www\.w3\.org|localhost)", client.get(page).text)

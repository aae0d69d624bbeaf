"""The API answers as its document says: to whatever fits the document and to whatever does not, for every caller."""

from collections.abc import Callable
from typing import Final

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import APIOperation, Case, CheckFunction, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.authorization import ANYONE, CITIZEN, INSPECTOR, ROUTE_ROLES, WECHAT
from tests.support.examples import examples
from tests.support.people import Phone, Station

pytestmark = pytest.mark.slow

API: Final = {route: role for route, role in ROUTE_ROLES.items() if not route[1].startswith("/console")}
CHECKS: Final[list[CheckFunction]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# what has the right form here may be refused for what it means: a name, a number, a code, a token
MEANING: Final = {
    "/api/v1/wechat/login",
    "/api/v1/accounts",
    "/api/v1/accounts/login",
    "/api/v1/accounts/me/credentials",
    "/api/v1/accounts/me/erasure",
    "/api/v1/accounts/me/export",
    "/api/v1/accounts/me/name",
    "/api/v1/accounts/me/document",
    "/api/v1/accounts/me/export.pdf",
    "/api/v1/accounts/me/bindings/end",
    "/api/v1/declarations",
    "/api/v1/appeals",
    "/api/v1/family/invitations",
    "/api/v1/family/invitations/accept",
    "/api/v1/family/invitations/decline",
    "/api/v1/family/members/end",
    "/api/v1/family/members/declarations",
    "/api/v1/family/holders/end",
    "/api/v1/family/children",
    "/api/v1/subscriptions",
    *(path for _, path in API if path.startswith("/api/v1/venues/")),
    "/api/v1/visits/receipts",
    "/api/v1/stations/login",
    "/api/v1/checks",
    "/api/v1/checks/temperature",
    "/api/v1/checks/document",
    "/api/v1/checks/document/temperature",
    "/api/v1/checks/paper",
    "/api/v1/checks/paper/temperature",
    "/wechat/callback",
    "/wechat/official/callback",
}
LET_IN: Final = {
    "nobody": {ANYONE},
    "visitor": {ANYONE, WECHAT},
    "citizen": {ANYONE, WECHAT, CITIZEN},
    "inspector": {ANYONE, INSPECTOR},
}

MEANT_FOR: Final = {"nobody": ANYONE, "visitor": WECHAT, "citizen": CITIZEN, "inspector": INSPECTOR}


@pytest.fixture
def callers(phone: Callable[..., Phone], station: Station) -> dict[str, dict[str, str]]:
    """The headers of every kind of caller."""
    visitor, citizen = phone("示例访客"), phone("示例居民").become_green()
    visitor.log_in_with_wechat()
    sessions = {"visitor": visitor.session, "citizen": citizen.session, "inspector": station.session}
    return {"nobody": {}, **{who: {"Authorization": f"Bearer {token}"} for who, token in sessions.items()}}


@pytest.mark.parametrize("who", LET_IN)
def test_every_answer_is_one_that_the_document_allows(
    app: Flask, callers: dict[str, dict[str, str]], who: str, subtests: pytest.Subtests
) -> None:
    config = schemathesis.Config.from_dict({"generation": {"allow-x00": False}})  # no text of ours holds a NUL
    document = schemathesis.openapi.from_wsgi("/openapi/openapi.json", app, config=config)
    for (method, path), role in sorted(API.items(), key=lambda route: "logout" in route[0][1]):
        with subtests.test(f"{method} {path}"):
            most = examples(20) if role == MEANT_FOR[who] else examples(4) if role in LET_IN[who] else 1
            _ask(document[path][method], callers[who], role in LET_IN[who], most)


def _ask(operation: APIOperation, headers: dict[str, str], let_in: bool, most: int) -> None:
    """Send what fits the document and what does not, and look at each answer."""
    takes_something = bool(operation.body or operation.query)
    checks = [*CHECKS, *([] if operation.path in MEANING else [positive_data_acceptance])]

    def send(case: Case) -> None:
        answer = case.call_and_validate(headers=headers, checks=checks)
        assert let_in or answer.status_code in (401, 403)

    bounded = settings(
        max_examples=most if takes_something else min(most, 2),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    for mode in GenerationMode if takes_something and let_in else [GenerationMode.POSITIVE]:
        bounded(given(operation.as_strategy(generation_mode=mode))(send))()

"""A session that ends while its request is in flight: whatever it would write to a record is not written."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.api.authorization import CITIZEN, ROUTE_ROLES, WECHAT
from app.core.session_tokens import UserSession
from app.runtime import Services
from tests.support.claims import phone_code, register_by_wechat, slug
from tests.support.people import PASSWORD, Phone, id_number, id_number_of_birth
from tests.support.venues import FORM as VENUE_FORM

NO_ID = str(UUID(int=3))
OTHER = {"type": "id-card", "number": id_number(998)}
CHILD = {"type": "id-card", "number": id_number_of_birth("20150101")}
# every call by which a citizen writes, with a body that would be taken
WRITES: dict[tuple[str, str], Any] = {
    ("POST", "/api/v1/accounts"): None,  # the form of the visitor below
    ("POST", "/api/v1/declarations"): {"symptoms": [], "contact": True, "contact_on": "2020-03-19", "consent": True},
    ("POST", "/api/v1/appeals"): {"text": "纠错"},
    ("POST", "/api/v1/family/invitations"): {"name": "示例亲", "document": OTHER},
    ("POST", "/api/v1/family/invitations/accept"): {"id": NO_ID, "may_declare": True},
    ("POST", "/api/v1/family/invitations/decline"): {"id": NO_ID},
    ("POST", "/api/v1/family/members/end"): {"id": NO_ID},
    ("POST", "/api/v1/family/members/declarations"): {"id": NO_ID, "symptoms": [], "contact": False, "consent": True},
    ("POST", "/api/v1/family/holders/end"): {"id": NO_ID},
    ("POST", "/api/v1/family/children"): {"name": "示例小", "document": CHILD, "consent": True},
    ("POST", "/api/v1/venues/applications"): VENUE_FORM,
    ("POST", "/api/v1/venues/applications/withdraw"): {"id": 1},
    ("POST", "/api/v1/venues/entrances"): {"venue": 1, "name": "北门"},
    ("PUT", "/api/v1/venues/hours"): {"venue": 1, "hours": [""] * 7},
    ("POST", "/api/v1/venues/close"): {"venue": 1},
    ("POST", "/api/v1/venues/inspectors"): {"venue": 1, "entrance": 1, "username": "gate-one"},
    ("POST", "/api/v1/venues/inspectors/move"): {"venue": 1, "inspector": 1, "entrance": 1},
    ("POST", "/api/v1/venues/inspectors/disable"): {"venue": 1, "inspector": 1},
    ("POST", "/api/v1/venues/inspectors/enable"): {"venue": 1, "inspector": 1},
    ("POST", "/api/v1/venues/inspectors/password"): {"venue": 1, "inspector": 1},
    ("POST", "/api/v1/venues/inspectors/sessions/end"): {"venue": 1, "inspector": 1, "session": 1},
    ("POST", "/api/v1/visits/receipts"): {"code": "A"},
    ("POST", "/api/v1/venues/codes"): {"venue": 1, "entrance": 1},
    ("POST", "/api/v1/venues/handovers"): {"venue": 1, "name": "示例亲", "document": OTHER},
    ("POST", "/api/v1/venues/handovers/end"): {"venue": 1},
    ("POST", "/api/v1/venues/handovers/accept"): {"venue": 1},
    ("POST", "/api/v1/venues/handovers/decline"): {"venue": 1},
    ("POST", "/api/v1/paper-cards"): None,
    ("POST", "/api/v1/paper-cards/current/loss"): None,
    ("POST", "/api/v1/subscriptions"): {"demo-color-change": "accept"},
    ("POST", "/api/v1/accounts/logout"): None,
    ("POST", "/api/v1/accounts/me/erasure"): {"password": PASSWORD},
    ("POST", "/api/v1/accounts/me/export"): {"password": PASSWORD},
    ("PUT", "/api/v1/accounts/me/name"): {"name": "示例改名", "password": PASSWORD},
    ("PUT", "/api/v1/accounts/me/document"): {
        "document": OTHER,
        "reason": "mistyped",
        "district": "长春市",
        "password": PASSWORD,
    },
    ("POST", "/api/v1/accounts/me/document/objection"): None,
    ("POST", "/api/v1/accounts/me/export.pdf"): {"password": PASSWORD},
    ("POST", "/api/v1/accounts/me/bindings/end"): {"number": 1},
    ("PUT", "/api/v1/accounts/me/text-messages"): {"on": False},
    ("POST", "/api/v1/accounts/me/recovery/objection"): None,
    ("PUT", "/api/v1/accounts/me/credentials"): {"username": "another-name", "password": "another-long-Password-2"},
    ("PUT", "/api/v1/accounts/me/password"): {"current": PASSWORD, "password": "another-long-Password-2"},
}
TABLES = ("evidence", "declarations", "appeals", "notices", "audit", "accounts", "codes", "subscriptions")


@pytest.fixture
def in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each session passes the check at the door; whatever ends it comes after that."""

    def still_valid(session: UserSession) -> int:
        return session.epoch

    monkeypatch.setattr("app.api.authorization.sessions._epoch", still_valid)


def rows(services: Services) -> list[Any]:
    with services.engine.connect() as connection:
        counts = [connection.scalar(text(f"select count(*) from {table}")) for table in TABLES]
        return [*counts, connection.scalar(text("select sum(epoch) from codes"))]


def test_every_call_that_writes_is_tried() -> None:
    writing = {
        route
        for route, role in ROUTE_ROLES.items()
        if role in (CITIZEN, WECHAT) and route[0] != "GET" and route[1].startswith("/api/v1/")
    }
    assert writing == WRITES.keys()


@pytest.mark.slow
@pytest.mark.parametrize("route", WRITES, ids=" ".join)
def test_what_a_replaced_holder_sends_does_not_become_the_new_holders(
    services: Services, phone: Callable[..., Phone], in_flight: None, route: tuple[str, str]
) -> None:
    stranger = phone("示例乙")
    assert stranger.register().status_code == 201
    stranger.declare(symptoms=("cough",))
    owner = phone("示例甲", document=stranger.document)
    assert register_by_wechat(owner).status_code == 201
    before = rows(services)
    stranger.username = f"{stranger.username}x"
    body = WRITES[route] or {**stranger.registration(), "phone": None, "phone_code": phone_code(stranger)}
    answer = stranger.client.open(
        route[1], method=route[0], json=body, headers={"Authorization": f"Bearer {stranger.session}"}
    )
    # a tie or an invitation is found before its two codes are locked, and ties end with a claim
    refused = (404, f"{'invitation' if 'invitations' in route[1] else 'tie'}-not-found")
    may_be = {(401, "session-expired")} | ({refused} if "id" in body else set())
    assert (answer.status_code, slug(answer)) in may_be
    assert rows(services) == before


def test_a_visitor_whose_wechat_user_was_bound_meanwhile_registers_nothing(
    services: Services, phone: Callable[..., Phone], in_flight: None
) -> None:
    visitor = phone("示例甲")
    visitor.log_in_with_wechat()
    before_binding = visitor.session
    assert visitor.register().status_code == 201
    counted = rows(services)
    visitor.session, visitor.username = before_binding, f"{visitor.username}x"
    assert slug(visitor.post("/api/v1/subscriptions", {"demo-color-change": "accept"})) == "session-expired"
    assert rows(services) == counted

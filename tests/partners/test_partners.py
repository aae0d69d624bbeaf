"""Partners are let in by their signature, once and in time, to the interfaces that they have; and only if served."""

import json
import urllib.request
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY
from sqlalchemy import select, text

from app import create_app
from app.audit import AuditEvent
from app.core.errors import Problem
from app.partners import counts
from app.partners.registry import NewPartner, add_partner
from app.runtime import Services, make_services
from tests.support.clock import StandingClock
from tests.support.codes import without_redis
from tests.support.desk import make_officer
from tests.support.partners import PATH, Asker, administrators, without_partners
from tests.support.people import Phone
from tests.support.valkey import remembered_seconds

CONTENT = b'{"reference": "example-1", "token": "A"}'


@pytest.fixture
def partner(client: FlaskClient, services: Services) -> Asker:
    return Asker.add(client, services)


def slug(answer: Any) -> str:
    return str(answer.json["type"]).removeprefix("/problems/")


def test_what_no_partner_has_signed_is_refused(partner: Asker, services: Services, subtests: pytest.Subtests) -> None:
    other = Asker.add(partner.client, services, "other")
    good = partner.headers("verification", CONTENT)
    wrong: dict[str, tuple[dict[str, str], bytes]] = {
        "nothing": ({}, CONTENT),
        "another body": (good, CONTENT + b" "),
        "another interface": (partner.headers("query", CONTENT), CONTENT),
        "another's name": (partner.headers("verification", CONTENT, rid=other.id), CONTENT),
        "nobody": (partner.headers("verification", CONTENT, rid="nobody"), CONTENT),
        "no id": (partner.headers("verification", CONTENT, rid="示例".encode().decode("latin-1")), CONTENT),
        "another's secret": (partner.headers("verification", CONTENT, secret=other.secret), CONTENT),
        "no signature of the body": (partner.headers("verification", CONTENT, plain=True), CONTENT),
        "only one of the body": ({k: v for k, v in good.items() if k != "gjzwfwpt_sign"}, CONTENT),
        "a time that is none": ({**good, "gjzwfwpt_rtime": "now"}, CONTENT),
        "another time": ({**good, "gjzwfwpt_rtime": str(int(good["gjzwfwpt_rtime"]) + 1)}, CONTENT),
    }
    for name, (headers, body) in wrong.items():
        with subtests.test(name):
            answer = partner.send("verification", body, headers)
            assert (answer.status_code, slug(answer)) == (401, "partner-signature")
    query = partner.client.post(f"{PATH}/verification?a=1", data=CONTENT, headers=good)
    assert slug(query) == "partner-signature"
    assert slug(partner.send("verification", CONTENT, good)) == "token-malformed", "the good one is let in"


def test_questions_are_counted_by_interface_and_outcome_and_name_no_partner(
    partner: Asker, green_citizen: Phone
) -> None:
    def number(outcome: str) -> float:
        labels = {"interface": "verification", "outcome": outcome}
        return REGISTRY.get_sample_value("jixiang_partner_requests_total", labels) or 0.0

    outcomes = ("answered", "partner-signature", "token-malformed", "invalid-request")
    before = [number(one) for one in outcomes]
    partner.ask("verification", green_citizen.code()["token"])
    partner.ask("verification", changes={"secret": "another"})
    partner.ask("verification")
    partner.ask("verification", invented="x")
    assert [number(one) for one in outcomes] == [known + 1 for known in before]
    assert partner.id not in partner.client.get("/metrics").text


def test_a_request_is_answered_once_and_in_time(partner: Asker) -> None:
    headers = partner.headers("verification", CONTENT)
    assert slug(partner.send("verification", CONTENT, headers)) == "token-malformed"
    again = partner.send("verification", CONTENT, headers)
    assert (again.status_code, slug(again)) == (409, "partner-replayed")
    for ahead in (-300, 300):
        answer = partner.ask("verification", changes={"ahead": ahead})
        assert (answer.status_code, slug(answer)) == (401, "partner-clock")
        named = datetime.fromisoformat(answer.json["server_time"])  # type: ignore[index]
        assert abs(named - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_request_of_a_clock_that_is_ahead_is_remembered_until_its_time_is_over(
    partner: Asker, services: Services
) -> None:
    skew = services.settings.partners.clock_skew
    kept = remembered_seconds(services.redis, "jx:partner:*", lambda: partner.ask("verification"))
    assert kept >= 2 * skew.total_seconds()


def test_a_plain_partner_signs_as_the_platform_and_a_signature_of_its_body_still_holds(
    client: FlaskClient, services: Services
) -> None:
    plain = Asker.add(client, services, plain=True)
    assert slug(plain.ask("verification", changes={"plain": True})) == "token-malformed"
    headers = plain.headers("verification", CONTENT)
    assert slug(plain.send("verification", CONTENT + b" ", headers)) == "partner-signature"


def test_a_revoked_partner_is_refused_by_every_process_at_once(partner: Asker, services: Services) -> None:
    others = make_services(services.settings)
    elsewhere = Asker(create_app(others).test_client(), services, partner.id, partner.secret)
    assert slug(elsewhere.ask("verification")) == "token-malformed"
    partner.revoke()
    for one in (partner, elsewhere):
        answer = one.ask("verification")
        assert (answer.status_code, slug(answer)) == (403, "partner-revoked")
    others.close()


def test_a_partner_has_its_interfaces_and_its_rate(client: FlaskClient, services: Services) -> None:
    partner = Asker.add(client, services, interfaces=("verification",), rate="2 per hour")
    answer = partner.ask("query")
    assert (answer.status_code, slug(answer)) == (403, "partner-may-not")
    assert [slug(partner.ask("verification")) for _ in range(3)] == [*["token-malformed"] * 2, "too-many-requests"]


@pytest.mark.parametrize("interface", ["health-declaration", "trip-declaration", "code-call", "code-making"])
def test_the_other_interfaces_say_that_they_are_not_offered(partner: Asker, interface: str) -> None:
    answer = partner.ask(interface)
    assert (answer.status_code, slug(answer)) == (404, "partner-not-offered")


def test_the_example_of_the_reference_is_let_in(partner: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs/reference/partners.md").read_text(encoding="utf-8")
    sent: list[urllib.request.Request] = []

    def send(request: urllib.request.Request, timeout: int) -> Any:
        sent.append(request)
        return nullcontext(BytesIO(b"{}"))

    monkeypatch.setattr(urllib.request, "urlopen", send)
    known: dict[str, Any] = {}
    exec(page.split("```python\n", 1)[1].split("```", 1)[0], known)  # our own page
    known["ask"]("http://127.0.0.1", partner.id, partner.secret, "verification", {"reference": "a", "token": "A"})
    [request] = sent
    assert isinstance(request.data, bytes)
    assert slug(partner.send("verification", request.data, dict(request.header_items()))) == "token-malformed"


def test_by_default_nobody_is_served_and_without_redis_nobody_knows_what_was_seen(
    partner: Asker, services: Services
) -> None:
    off = Asker(create_app(without_partners(services)).test_client(), services, partner.id, partner.secret)
    assert (off.ask("verification").status_code, slug(off.ask("verification"))) == (404, "partners-off")
    away = Asker(create_app(without_redis(services)).test_client(), services, partner.id, partner.secret)
    assert away.ask("verification").status_code == 503


def test_a_session_asks_nothing_as_a_partner_and_a_partner_nothing_else(partner: Asker, green_citizen: Phone) -> None:
    assert slug(green_citizen.post(f"{PATH}/verification", json.loads(CONTENT))) == "partner-signature"
    assert partner.client.get("/api/v1/code", headers=partner.headers("query", b"")).status_code == 401


def test_two_administrators_decide_and_every_mistake_is_named_at_once(services: Services) -> None:
    two = administrators(services)
    with pytest.raises(Problem) as raised:
        add_partner(services, two, NewPartner("1 A", " ", ["verification", "code-making"], "often"))
    assert {field.pointer for field in raised.value.fields} == {"/id", "/name", "/interfaces", "/rate"}
    new = NewPartner("example", "示例", ["query"], "1 per second")
    clerk = make_officer(services, "somebody", "recorder")
    for both, refusal in (([two[0]], "partner-two-persons"), ([two[0], clerk], "not-your-role")):
        with pytest.raises(Problem, match=refusal):
            add_partner(services, both, new)
    add_partner(services, two, new)
    with pytest.raises(Problem, match="partner-exists"):
        add_partner(services, two, new)
    with services.sessions() as session:
        assert session.scalars(select(AuditEvent.detail).where(AuditEvent.action == "partner-added")).all() == [
            {"partner": "example", "interfaces": ["query"], "plain": False}
        ]


def test_questions_are_numbers_by_hour_in_the_audit_and_nobody_s_track(
    partner: Asker, green_citizen: Phone, services: Services, clock: StandingClock
) -> None:
    token = green_citizen.code()["token"]
    for asked in (token, token, "A"):
        partner.ask("verification", asked)
    counts.append_to_audit(services)
    events = select(AuditEvent).where(AuditEvent.action == "partner-asked")
    with services.sessions() as session:
        assert session.scalars(events).all() == [], "the hour is not over"
    clock.advance(hours=1)
    for _ in range(2):
        counts.append_to_audit(services)
    with services.sessions() as session:
        [event] = session.scalars(events).all()
        left = session.scalar(text("select count(*) from partner_counts"))
    assert (event.serial, left, event.detail["partner"]) == (None, 0, "example")
    assert event.detail["numbers"] == {"verification/answered": 2, "verification/token-malformed": 1}

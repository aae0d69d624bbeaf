"""The audit log: every action has an event with its actor, in the same transaction, and no event is ever changed."""

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app import audit
from app.audit import CLOCK, PLATFORM, Actor, AuditEvent
from app.runtime import Services
from tests.support.clock import START, StandingClock
from tests.support.codes import OFFICER, contact, decide_again, decisions, everything, open_green_code, tell, withdraw
from tests.support.people import PASSWORD, Phone, Station
from tests.support.terminal import open_terminal


def entries(services: Services) -> list[AuditEvent]:
    """Return every event, the oldest first."""
    with services.sessions() as session:
        return list(session.scalars(select(AuditEvent).order_by(AuditEvent.id)))


def actions(events: list[AuditEvent]) -> list[tuple[str, str]]:
    """Return actor and action of each event."""
    return [(event.actor, event.action) for event in events]


def without_digests(event: AuditEvent) -> dict[str, Any]:
    """Return the detail of an event about a code without the digests of its rows."""
    return {name: value for name, value in event.detail.items() if name not in ("digest", "code")}


# --- who did what -------------------------------------------------------------------------------------------------


def test_evidence_and_the_decision_that_follows_are_entered_with_their_ids(services: Services) -> None:
    serial, fact = open_green_code(services), contact(START)
    before = len(entries(services))
    tell(services, serial, fact)
    recorded, decided = entries(services)[before:]
    decision = decisions(services, serial)[-1]
    assert actions([recorded, decided]) == [("officer:7", "evidence-recorded"), ("officer:7", "decided")]
    assert {recorded.serial, decided.serial} == {serial}
    assert {recorded.at, decided.at} == {START}
    assert without_digests(recorded) == {"evidence": fact.id}
    assert without_digests(decided) == {"decision": decision.id, "rule": "ORANGE-CONTACT", "state": "ORANGE"}


def test_a_withdrawal_is_entered_with_its_reason(services: Services) -> None:
    serial, wrong = open_green_code(services), contact(START)
    tell(services, serial, wrong)
    before = len(entries(services))
    withdraw(services, serial, wrong.id)
    withdrawn, decided = entries(services)[before:]
    assert actions([withdrawn, decided]) == [("officer:7", "evidence-withdrawn"), ("officer:7", "decided")]
    assert (without_digests(withdrawn), withdrawn.reason) == ({"evidence": wrong.id}, "entered-in-error")


def test_what_changes_nothing_is_not_entered(services: Services) -> None:
    serial = open_green_code(services)
    before = len(entries(services))
    decide_again(services, serial)
    assert len(entries(services)) == before


def test_a_story_is_entered_with_everybody_who_acted_in_it(
    services: Services,
    phone: Callable[..., Phone],
    station: Station,
    clock: StandingClock,
    work: Callable[[], None],
) -> None:
    citizen = phone()
    citizen.register()
    serial = entries(services)[-1].serial
    citizen.declare()
    station.measure(citizen.code()["token"], 38.0)
    clock.advance(days=15)
    work()
    assert actions(entries(services)) == [
        ("operator", "inspector-added"),
        ("inspector:1", "inspector-logged-in"),
        (f"citizen:{serial}", "registered"),
        ("platform", "identity-confirmed"),
        (f"citizen:{serial}", "wechat-bound"),
        (f"citizen:{serial}", "evidence-recorded"),
        (f"citizen:{serial}", "decided"),
        ("platform", "evidence-recorded"),
        ("platform", "decided"),
        ("inspector:1", "evidence-recorded"),
        ("inspector:1", "decided"),
        ("clock", "decided"),
    ]
    assert {entry.serial for entry in entries(services)[2:]} == {serial}


def test_every_piece_of_evidence_and_every_decision_has_its_one_entry(
    services: Services, green_citizen: Phone, station: Station
) -> None:
    citizen = green_citizen
    citizen.declare(("cough",), contact_on="2020-03-18")
    station.measure(citizen.code()["token"], 38.0)
    for kind in ("evidence", "decisions"):
        name, action = ("evidence", "evidence-recorded") if kind == "evidence" else ("decision", "decided")
        with services.engine.connect() as connection:
            ids = sorted(str(one) for one in connection.scalars(text(f"select id from {kind}")))
        entered = sorted(str(entry.detail[name]) for entry in entries(services) if entry.action == action)
        assert entered == ids


def test_no_entry_tells_anything_about_a_person(
    services: Services, phone: Callable[..., Phone], station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = phone("示例欧阳").become_green()
    station.measure(citizen.code()["token"], 38.5)
    open_terminal(services, monkeypatch).enter(citizen.document, "contact", exposed_on="2020-03-19")
    for entry in entries(services):
        told = f"{entry.actor} {entry.action} {json.dumps(entry.detail, ensure_ascii=False)}"
        for secret in (citizen.name, citizen.document, citizen.username, "13800000000", PASSWORD, "38.5"):
            assert secret not in told
        allowed = {"evidence", "decision", "rule", "state", "reason", "user", "inspector", "station", "what"}
        allowed |= {"entry", "digest", "code", "proposal", "people", "officer", "roles", "district"}
        assert set(entry.detail) <= allowed


@pytest.mark.parametrize(
    ("actor", "name"), [(Actor("citizen", "12"), "citizen:12"), (CLOCK, "clock"), (PLATFORM, "platform")]
)
def test_an_actor_is_named_by_kind_and_number(actor: Actor, name: str) -> None:
    assert str(actor) == name


# --- append only --------------------------------------------------------------------------------------------------


def test_an_entry_stands_or_falls_with_its_deed(services: Services) -> None:
    with services.sessions() as session:
        audit.append(session, OFFICER, "evidence-recorded", START, serial=1)
        session.flush()
        session.rollback()
    assert entries(services) == []


def test_entries_are_kept_in_their_order_with_the_moment_in_utc(services: Services, clock: StandingClock) -> None:
    for number in range(5):
        with services.begin() as session:
            audit.append(session, OFFICER, "tried", clock.now().astimezone(), serial=None, number=number)
        clock.advance(minutes=1)
    kept = entries(services)
    assert [entry.detail["number"] for entry in kept] == list(range(5))
    assert [entry.at for entry in kept] == sorted(entry.at for entry in kept)
    assert all(entry.at.tzinfo is UTC for entry in kept)


@pytest.mark.parametrize(
    "statement", ["update audit set actor = 'clock'", "update audit set id = default", "delete from audit"]
)
def test_the_database_refuses_to_change_or_remove_an_entry(services: Services, statement: str) -> None:
    open_green_code(services)
    before = everything(services)
    with pytest.raises(DBAPIError, match="append only"), services.engine.begin() as connection:
        connection.execute(text(statement))
    assert everything(services) == before


def test_a_mistake_in_the_code_cannot_change_an_entry_either(services: Services) -> None:
    open_green_code(services)

    def rewrite() -> None:
        with services.begin() as session:
            session.scalars(select(AuditEvent).limit(1)).one().actor = "clock"

    with pytest.raises(DBAPIError, match="append only"):
        rewrite()

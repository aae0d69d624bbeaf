"""Before an entry is saved its officer sees what is known already, what overlaps and what contradicts."""

from datetime import date, timedelta
from typing import Any

import pytest

from app.entries import overlaps
from app.entries.content import EntryKind, NewEntry
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.office import AUTHORITY, REFERENCE, TODAY, Office


@pytest.fixture
def office(services: Services) -> Office:
    return Office(services)


def seen(office: Office, kind: str, serial: int, **draft: Any) -> set[str]:
    """The slugs that an officer would see."""
    made = NewEntry(kind=EntryKind(kind), authority=AUTHORITY, reference=REFERENCE, **draft)
    with office.services.sessions() as session:
        return {overlap.slug for overlap in overlaps.find_overlaps(session, made, [serial])}


def quarantined(office: Office, serial: int, first: date, last: date) -> None:
    entry = office.propose("recorder", "quarantine", [serial], first_day=first, last_day=last)
    office.approve("approver", entry)


def test_about_somebody_of_whom_nothing_is_known_nothing_is_said(office: Office) -> None:
    (serial,) = office.citizens()
    assert seen(office, "confirmed", serial) == set()
    assert seen(office, "quarantine", serial, first_day=TODAY, last_day=TODAY) == set()


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (0, 14, {"same-again"}),
        (14, 20, {"overlapping-quarantine"}),
        (-3, 0, {"overlapping-quarantine"}),
        (5, 6, {"overlapping-quarantine"}),
        (15, 20, set()),
        (-3, -1, set()),
    ],
)
def test_days_that_overlap_are_shown(office: Office, first: int, last: int, expected: set[str]) -> None:
    (serial,) = office.citizens()
    quarantined(office, serial, TODAY, TODAY + timedelta(days=14))
    days = {"first_day": TODAY + timedelta(days=first), "last_day": TODAY + timedelta(days=last)}
    assert seen(office, "quarantine", serial, **days) == expected


def test_what_waits_already_is_shown_until_it_is_resolved(office: Office) -> None:
    (serial,) = office.citizens()
    entry = office.propose("recorder", "confirmed", [serial])
    assert seen(office, "confirmed", serial) == {"waiting-already"}
    office.refuse("approver", entry)
    assert seen(office, "confirmed", serial) == set()


def test_what_contradicts_a_diagnosis_is_shown(office: Office, clock: StandingClock) -> None:
    (serial,) = office.citizens()
    office.approve("approver", office.propose("recorder", "confirmed", [serial]))
    assert seen(office, "ruled-out", serial) == set()
    assert seen(office, "suspected", serial) == {"confirmed-already"}
    assert seen(office, "confirmed", serial) == {"same-again"}
    assert seen(office, "contact", serial, exposed_on=TODAY) == {"is-a-case"}
    clock.advance(hours=1)
    office.propose("recorder", "recovered", [serial])
    assert seen(office, "recovered", serial) == {"same-again"}


def test_evidence_that_was_withdrawn_overlaps_nothing(office: Office, clock: StandingClock) -> None:
    (serial,) = office.citizens()
    office.propose("recorder", "confirmed", [serial], urgent=True)
    clock.advance(hours=25)
    office.lapse()
    assert seen(office, "confirmed", serial) == set()

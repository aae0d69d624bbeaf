"""The preview of an entry shows what saving it would do, and leaves nothing behind but the accesses."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from app.audit import CLOCK, AuditEvent
from app.citizens.documents import DocumentType
from app.codes import ledger
from app.codes.evidence import NewEvidence
from app.codes.models import Code
from app.codes.states import State
from app.core.errors import Problem
from app.core.suppression import SUPPRESSED, AtLeast
from app.entries.content import EntryKind, NewEntry, People, fact_of
from app.entries.preview import EntryPreview, begin_entry, preview
from app.runtime import Services
from app.staff.models import Officer
from tests.support.office import AUTHORITY, REFERENCE, TODAY, Office
from tests.support.people import id_number

DAYS: dict[str, Any] = {"first_day": TODAY, "last_day": TODAY + timedelta(days=14), "place": "示例酒店"}
UNKNOWN = (DocumentType.ID_CARD, id_number(77))


@pytest.fixture
def office(services: Services) -> Office:
    return Office(services)


def preview_of(office: Office, kind: EntryKind, people: People, **content: Any) -> EntryPreview:
    new_entry = NewEntry(kind=kind, authority=AUTHORITY, reference=REFERENCE, people=people, **content)
    with office.services.sessions() as session:
        officer = session.get_one(Officer, office.ids["recorder"])
    with begin_entry(office.services, officer, people) as context:
        return preview(context, new_entry)


def rows_of(services: Services) -> dict[str, int]:
    """How many rows the tables have that an entry writes to, and the queue."""
    with services.sessions() as session:
        tables = ("codes", "citizens", "evidence", "decisions", "notices", "entries", "procrastinate_jobs")
        return {table: session.scalar(text(f"select count(*) from {table}")) or 0 for table in tables}


def accesses(services: Services) -> list[tuple[int | None, str | None]]:
    with services.sessions() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.action == "record-read").order_by(AuditEvent.id))
        return [(row.serial, row.role) for row in rows]


def test_the_preview_shows_the_change_and_the_color_of_now(office: Office, services: Services) -> None:
    (serial,) = office.citizens()
    before = rows_of(services)
    shown = preview_of(office, EntryKind.QUARANTINE, {serial: None}, **DAYS)
    assert shown.changes == [((State.GREEN, State.ORANGE), SUPPRESSED)]
    assert [person.color for person in shown.people] == ["GREEN"]
    assert (office.color(serial), rows_of(services)) == ("GREEN", before)
    assert services.current_code(serial).record.state is State.GREEN
    assert accesses(services) == [(serial, "recorder")]


def test_a_person_nobody_knew_is_not_there_after_the_preview(office: Office, services: Services) -> None:
    before = rows_of(services)
    shown = preview_of(office, EntryKind.QUARANTINE, {UNKNOWN: None}, **DAYS)
    assert (shown.number, shown.new, shown.noted) == (1, SUPPRESSED, 0)
    assert [(person.color, UNKNOWN[1] in person.number) for person in shown.people] == [("", False)]
    assert rows_of(services) == before
    assert accesses(services) == []


def test_saving_does_what_the_preview_showed(office: Office) -> None:
    people = office.citizens(10)
    shown = preview_of(office, EntryKind.QUARANTINE, dict.fromkeys(people), **DAYS)
    office.approve("approver", office.propose("recorder", "quarantine", people))
    assert shown.changes == [((State.GREEN, State[office.color(people[0])]), 10)]


def test_an_error_that_reveals_something_is_an_access_and_others_are_none(office: Office, services: Services) -> None:
    (serial,) = office.citizens()
    with pytest.raises(Problem):
        preview_of(office, EntryKind.QUARANTINE, {serial: None}, **{**DAYS, "place": None})
    assert accesses(services) == []
    for kind in (EntryKind.RECOVERED, EntryKind.RELEASE):
        with pytest.raises(Problem):
            preview_of(office, kind, {serial: None, UNKNOWN: None})
    assert accesses(services) == [(serial, "recorder")] * 2


def test_a_code_that_was_read_before_a_trial_has_its_own_color_after_it(office: Office, services: Services) -> None:
    (serial,) = office.citizens()
    now = services.clock.now()
    content = NewEntry(kind=EntryKind.CONFIRMED, authority=AUTHORITY, reference=REFERENCE)
    evidence = {serial: [NewEvidence(fact_of(content, None, now), AUTHORITY, REFERENCE)]}
    with services.begin() as session:
        code = session.get_one(Code, serial)
        with ledger.rolled_back(session):
            ledger.record_many(ledger.ChangeContext(session, services.policy, CLOCK, now), evidence)
            assert code.state == State.RED
        assert code.state == State.GREEN


def test_a_day_of_their_own_is_shown_beside_its_person(office: Office) -> None:
    (serial,) = office.citizens()
    own_day = date(2020, 3, 18)
    shown = preview_of(
        office, EntryKind.CONTACT, {serial: own_day}, case=office.case(), place="示例商场", exposed_on=TODAY
    )
    assert [person.day for person in shown.people] == [own_day]


def test_a_preview_of_fifty_nobody_knows_and_one_who_is_known_hides_the_one_and_is_an_access(
    office: Office, services: Services
) -> None:
    (serial,) = office.citizens()
    unknown = dict.fromkeys((DocumentType.ID_CARD, id_number(n)) for n in range(50))
    shown = preview_of(office, EntryKind.QUARANTINE, {**unknown, serial: None}, **DAYS)
    assert shown.changes == [
        ((State.NOT_DECLARED, State.ORANGE), AtLeast(42)),
        ((State.GREEN, State.ORANGE), SUPPRESSED),
    ]
    assert (shown.number, shown.new) == (51, AtLeast(42))
    assert accesses(services) == [(serial, "recorder")]


def test_a_preview_is_an_access_to_everybody_known_also_to_those_whom_the_page_leaves_out(
    office: Office, services: Services
) -> None:
    people = office.citizens(60)
    shown = preview_of(office, EntryKind.QUARANTINE, dict.fromkeys(people), **DAYS)
    assert len(shown.people) == 50
    assert sorted(accesses(services)) == [(serial, "recorder") for serial in sorted(people)]


def test_no_error_about_a_person_is_missing_beside_another_error(office: Office, services: Services) -> None:
    """Otherwise its absence would say that the person has a diagnosis, or was entered before."""
    (well,) = office.citizens()
    (ill,) = office.citizens()
    office.approve("approver", office.propose("recorder", "confirmed", [ill]))
    for kind in (EntryKind.RECOVERED, EntryKind.RULED_OUT):
        seen = []
        for serial in (well, ill):
            with pytest.raises(Problem) as refused:
                preview_of(office, kind, {serial: None}, place="x" * 81)
            seen.append(refused.value.fields)
        assert seen[0] == seen[1]
    assert accesses(services) == []

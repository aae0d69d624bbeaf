"""Two persons, alarms and holds: what officers propose, and what of it comes to count."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select, update

from app.audit import AuditEvent
from app.codes.models import Code, EvidenceRow
from app.core.errors import Problem
from app.entries import queries
from app.entries.content import OPEN_STATES, ClearanceReason, RejectionReason
from app.entries.models import Case, Entry
from app.runtime import Services
from app.staff.models import Officer
from tests.support.clock import StandingClock
from tests.support.office import AUTHORITY, Office, refused
from tests.support.threads import at_once


@pytest.fixture
def office(services: Services) -> Office:
    return Office(services)


# --- two persons ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "color"), [("suspected", "RED"), ("confirmed", "RED"), ("quarantine", "ORANGE")])
def test_what_makes_a_code_worse_waits_for_another_person(office: Office, kind: str, color: str) -> None:
    (serial,) = office.citizens()
    entry = office.propose("recorder", kind, [serial])
    assert (office.color(serial), office.state(entry)) == ("GREEN", "waiting")
    assert office.approve("approver", entry) == "applied"
    assert office.color(serial) == color
    assert office.deeds() == [
        f"officer:{office.ids['recorder']} entry-recorded {entry}",
        f"officer:{office.ids['approver']} entry-approved {entry}",
    ]


def test_nobody_approves_what_they_have_recorded_whatever_their_roles(office: Office) -> None:
    (serial,) = office.citizens()
    entry = office.propose("both", "confirmed", [serial])
    refused("two-persons", lambda: office.approve("both", entry))
    assert office.color(serial) == "GREEN"


@pytest.mark.parametrize("who", ["recorder", "colleague", "auditor", "administrator"])
def test_only_an_approver_approves(office: Office, who: str) -> None:
    (serial,) = office.citizens()
    entry = office.propose("recorder", "confirmed", [serial])
    refused("not-your-role", lambda: office.approve(who, entry))


@pytest.mark.parametrize("who", ["approver", "auditor", "administrator"])
def test_only_a_recorder_records(office: Office, who: str) -> None:
    refused("not-your-role", lambda: office.propose(who, "confirmed", office.citizens()))


def test_another_district_sees_and_resolves_nothing_of_it(office: Office, services: Services) -> None:
    entry = office.propose("recorder", "confirmed", office.citizens())
    for act in (office.approve, office.refuse):
        refused("entry-not-found", lambda act=act: act("elsewhere", entry))  # type: ignore[misc]
    with services.sessions() as session:
        elsewhere = session.get_one(Officer, office.ids["elsewhere"])
        approver = session.get_one(Officer, office.ids["approver"])
        assert queries.list_pending(session, elsewhere) == {"waiting": [], "urgent": [], "held": []}
        assert [one.id for one in queries.list_pending(session, approver)["waiting"]] == [entry]


def test_what_lowers_a_risk_takes_effect_at_once(office: Office, clock: StandingClock) -> None:
    (serial,) = office.citizens()
    office.approve("approver", office.propose("recorder", "suspected", [serial]))
    clock.advance(minutes=1)
    assert office.color(serial) == "RED"
    assert office.state(office.propose("recorder", "ruled-out", [serial])) == "applied"
    assert office.color(serial) != "RED"


def test_what_is_rejected_or_withdrawn_never_takes_effect_and_is_resolved_once(office: Office) -> None:
    (serial,) = office.citizens()
    entry = office.propose("recorder", "confirmed", [serial])
    assert office.refuse("approver", entry) == "rejected"
    refused("entry-resolved", lambda: office.approve("approver", entry))
    taken = office.propose("recorder", "confirmed", [serial])
    refused("not-your-role", lambda: office.refuse("colleague", taken))
    assert office.refuse("recorder", taken, RejectionReason.DUPLICATE) == "withdrawn"
    refused("entry-resolved", lambda: office.approve("approver", taken))
    assert office.color(serial) == "GREEN"


def test_a_second_approval_makes_no_second_evidence(office: Office, services: Services) -> None:
    (serial,) = office.citizens()
    entry = office.propose("recorder", "quarantine", [serial])
    office.approve("approver", entry)
    refused("entry-resolved", lambda: office.approve("second approver", entry))
    with services.sessions() as session:
        assert len(session.scalars(select(EvidenceRow).where(EvidenceRow.kind == "quarantine")).all()) == 1


@pytest.mark.parametrize("kind", ["recovered", "ruled-out"])
def test_only_who_is_ill_by_the_record_recovers_or_is_ruled_out(
    office: Office, clock: StandingClock, kind: str
) -> None:
    ill, green = office.citizens(2)
    problem = refused("invalid-request", lambda: office.propose("recorder", kind, [green]))
    assert [(field.pointer, field.slug) for field in problem.fields] == [("/people", "no-diagnosis")]
    office.approve("approver", office.propose("recorder", "confirmed", [ill]))
    clock.advance(minutes=1)
    refused("invalid-request", lambda: office.propose("recorder", kind, [ill, green]))
    assert (office.color(ill), office.color(green)) == ("RED", "GREEN")
    office.propose("recorder", kind, [ill])
    clock.advance(minutes=1)
    refused("invalid-request", lambda: office.propose("recorder", kind, [ill], reference="示例二"))


def test_a_second_click_is_answered_with_the_entry_of_the_first(office: Office, clock: StandingClock) -> None:
    people = office.citizens(2)
    first = office.propose("recorder", "quarantine", people)
    assert office.propose("recorder", "quarantine", people[::-1]) == first
    others = [
        office.propose("colleague", "quarantine", people),
        office.propose("recorder", "quarantine", people[:1]),
        office.propose("recorder", "quarantine", people, reference="示例二"),
    ]
    assert first not in others
    office.refuse("recorder", first)
    assert office.propose("recorder", "quarantine", people) not in (first, *others)
    clock.advance(minutes=2)
    assert office.propose("recorder", "quarantine", people[:1]) not in others, "a minute later it is meant"


def test_of_two_clicks_at_once_one_writes_an_entry(office: Office, services: Services) -> None:
    people = office.citizens(2)
    made = at_once([lambda: office.propose("recorder", "quarantine", people)] * 4)
    assert len(set(made)) == 1
    with services.sessions() as session:
        assert len(session.scalars(select(Entry)).all()) == 1


# --- urgent ---------------------------------------------------------------------------------------------------------


def test_an_urgent_entry_takes_effect_at_once_and_stays_when_another_person_approves_it(
    office: Office, clock: StandingClock
) -> None:
    serial, other = office.citizens(2)
    entry = office.propose("recorder", "confirmed", [serial], urgent=True)
    assert (office.color(serial), office.state(entry)) == ("RED", "urgent")
    refused("two-persons", lambda: office.approve("both", office.propose("both", "confirmed", [other], urgent=True)))
    assert office.approve("approver", entry) == "applied"
    clock.advance(hours=25)
    assert office.lapse() == 1, "only the one that nobody approved"
    assert office.color(serial) == "RED"


def test_an_urgent_entry_that_nobody_approves_in_a_day_lapses(office: Office, clock: StandingClock) -> None:
    (serial,) = office.citizens()
    entry = office.propose("recorder", "confirmed", [serial], urgent=True)
    clock.advance(hours=23, minutes=59)
    assert office.lapse() == 0
    clock.advance(minutes=1)
    assert office.lapse() == 1
    assert (office.color(serial), office.state(entry)) == ("GREEN", "lapsed")
    assert office.lapse() == 0
    refused("entry-resolved", lambda: office.approve("approver", entry))


def test_an_urgent_entry_that_is_rejected_is_revoked_with_what_rests_on_it(office: Office, services: Services) -> None:
    infected, contact = office.citizens(2)
    entry = office.propose("recorder", "suspected", [infected], urgent=True)
    with services.sessions() as session:
        case = session.scalars(select(Case.number)).one()
    office.approve("approver", office.propose("recorder", "contact", [contact], case=case))
    assert office.color(contact) == "ORANGE"
    office.refuse("approver", entry)
    assert (office.color(infected), office.color(contact)) == ("GREEN", "GREEN")


@pytest.mark.parametrize("way", ["lapse", "refuse", "take back", "run"])
def test_who_had_an_urgent_entry_that_nobody_approved_has_no_other_for_a_week_of_whatever_kind(
    office: Office, clock: StandingClock, way: str
) -> None:
    serial, other = office.citizens(2)
    entry = office.propose("recorder", "suspected", [serial], urgent=True)
    clock.advance(hours=23 if way == "run" else 24)
    match way:
        case "run":
            pass
        case "lapse":
            office.lapse()
        case "refuse":
            office.refuse("approver", entry)
        case _:
            office.refuse("recorder", entry)
    for kind in ("suspected", "confirmed", "quarantine"):
        problem = refused("invalid-request", lambda k=kind: office.propose("colleague", k, [serial], urgent=True))  # type: ignore[misc]
        assert [(field.pointer, field.slug) for field in problem.fields] == [("/urgent", "urgent-before")]
    assert office.color(serial) == ("RED" if way == "run" else "GREEN")
    assert office.state(office.propose("recorder", "suspected", [serial])) == "waiting", "another person can approve"
    assert office.state(office.propose("recorder", "suspected", [other], urgent=True)) == "urgent"
    clock.advance(days=6, hours=1)
    assert office.state(office.propose("recorder", "quarantine", [serial], urgent=True)) == "urgent", "since the first"


def test_an_urgent_entry_that_was_withdrawn_at_once_bars_its_own_recorder_only(
    office: Office, clock: StandingClock
) -> None:
    at_once, later = office.citizens(2)
    entry = office.propose("recorder", "quarantine", [at_once], urgent=True)
    assert office.refuse("recorder", entry) == "withdrawn"
    refused("invalid-request", lambda: office.propose("recorder", "quarantine", [at_once], urgent=True))
    assert office.state(office.propose("colleague", "quarantine", [at_once], urgent=True)) == "urgent"
    kept = office.propose("recorder", "quarantine", [later], urgent=True)
    clock.advance(hours=1)
    office.refuse("recorder", kept)
    refused("invalid-request", lambda: office.propose("colleague", "quarantine", [later], urgent=True))


def test_an_urgent_entry_that_was_approved_or_never_took_effect_bars_no_other(office: Office) -> None:
    approved, among_many = office.citizens(2)
    office.approve("approver", office.propose("recorder", "quarantine", [approved], urgent=True))
    assert office.state(office.propose("colleague", "suspected", [approved], urgent=True)) == "urgent"
    held = office.propose("recorder", "quarantine", [among_many, *office.citizens(50)], urgent=True)
    office.refuse("auditor", held)
    assert office.state(office.propose("colleague", "suspected", [among_many], urgent=True)) == "urgent"


@pytest.mark.parametrize("by_clock", [True, False])
def test_with_an_urgent_diagnosis_end_the_contacts_that_wait_or_are_urgent(
    office: Office, services: Services, clock: StandingClock, by_clock: bool
) -> None:
    infected, early, late, many = *office.citizens(3), office.citizens(51)
    diagnosis = office.propose("recorder", "suspected", [infected], urgent=True)
    number = office.number_of(infected)
    clock.advance(hours=1)
    urgent = office.propose("recorder", "contact", [early], case=number, urgent=True)
    waiting = office.propose("recorder", "contact", [late], case=number)
    held = office.propose("recorder", "contact", many, case=number, urgent=True)
    assert [office.state(one) for one in (urgent, waiting, held)] == ["urgent", "waiting", "held"]
    if by_clock:
        clock.advance(hours=23)
        office.lapse()
    else:
        office.refuse("approver", diagnosis)
    assert [office.state(one) for one in (urgent, waiting, held)] == ["rejected"] * 3
    assert office.color(early) == "GREEN"
    for one in (urgent, waiting):
        refused("entry-resolved", lambda one=one: office.approve("approver", one))  # type: ignore[misc]
    with services.sessions() as session:
        role = "clock" if by_clock else "approver"
        rows = session.scalars(select(AuditEvent).where(AuditEvent.action == "entry-rejected"))
        assert {row.role for row in rows if row.reason == "case-ruled-out"} == {role}


def test_a_case_stays_open_when_its_urgent_diagnosis_lapses_and_another_is_left(
    office: Office, clock: StandingClock
) -> None:
    infected, contact = office.citizens(2)
    office.propose("recorder", "suspected", [infected], urgent=True)
    office.approve("approver", office.propose("recorder", "confirmed", [infected], reference="示例确诊"))
    office.approve("approver", office.propose("recorder", "contact", [contact], case=office.number_of(infected)))
    clock.advance(hours=24)
    assert office.lapse() == 1
    assert (office.color(infected), office.color(contact)) == ("RED", "ORANGE")
    assert office.state(office.propose("recorder", "contact", office.citizens(), case=office.number_of(infected)))


def test_a_diagnosis_that_was_ruled_out_before_holds_no_later_case(office: Office, clock: StandingClock) -> None:
    infected, contact = office.citizens(2)
    office.approve("approver", office.propose("recorder", "suspected", [infected]))
    clock.advance(minutes=1)
    office.propose("recorder", "ruled-out", [infected])
    clock.advance(minutes=1)
    urgent = office.propose("recorder", "confirmed", [infected], urgent=True)
    office.approve("approver", office.propose("recorder", "contact", [contact], case=office.number_of(infected)))
    office.refuse("approver", urgent)
    assert office.color(contact) == "GREEN"


def test_a_contact_whose_case_has_ended_before_is_rejected_at_its_approval(office: Office, services: Services) -> None:
    number, (contact,) = office.case(), office.citizens()
    entry = office.propose("recorder", "contact", [contact], case=number, urgent=True)
    with services.begin() as session:  # as a case could end without what rests on it
        session.execute(update(Case).values(ended_at=services.clock.now()))
    assert office.approve("approver", entry) == "rejected"
    assert office.color(contact) == "GREEN"


def test_no_contact_outlasts_a_case_that_is_ruled_out_at_the_same_moment(
    office: Office, services: Services, clock: StandingClock
) -> None:
    number, people = office.case(), office.citizens(6)
    with services.sessions() as session:
        infected = session.scalars(select(Case.serial)).one()
    waiting = [office.propose("recorder", "contact", [serial], case=number) for serial in people[:3]]
    clock.advance(minutes=1)

    def trying(act: Callable[[], Any]) -> Callable[[], None]:
        def attempt() -> None:
            with suppress(Problem):
                act()

        return attempt

    at_once(
        [
            *(trying(lambda one=one: office.approve("approver", one)) for one in waiting),  # type: ignore[misc]
            lambda: office.propose("recorder", "ruled-out", [infected]),
            *(
                trying(lambda one=one: office.propose("recorder", "contact", [one], case=number, urgent=True))  # type: ignore[misc]
                for one in people[3:]
            ),
        ]
    )
    assert {office.color(serial) for serial in people} == {"GREEN"}
    with services.sessions() as session:
        left = session.scalars(select(Entry.state).where(Entry.kind == "contact"))
        assert not set(left) & {*OPEN_STATES}


# --- cases and their contacts ---------------------------------------------------------------------------------------


def test_contacts_turn_orange_and_all_of_them_are_withdrawn_when_the_case_is_ruled_out(
    office: Office, services: Services
) -> None:
    number, contacts, later = office.case(), office.citizens(5), office.citizens(2)
    office.approve("approver", office.propose("recorder", "contact", contacts, case=number))
    waiting = office.propose("recorder", "contact", later, case=number)
    assert {office.color(serial) for serial in contacts} == {"ORANGE"}
    with services.sessions() as session:
        infected = session.scalars(select(Case.serial).where(Case.number == number)).one()
    office.propose("recorder", "ruled-out", [infected])
    assert {office.color(serial) for serial in [*contacts, *later]} == {"GREEN"}
    assert office.state(waiting) == "rejected"
    refused("invalid-request", lambda: office.propose("recorder", "contact", later, case=number))


def test_a_contact_of_two_cases_stays_orange_when_one_is_ruled_out(office: Office, services: Services) -> None:
    one, other, (contact,) = office.case(), office.case(), office.citizens()
    for number in (one, other):
        office.approve("approver", office.propose("recorder", "contact", [contact], case=number))
    with services.sessions() as session:
        infected = session.scalars(select(Case.serial).where(Case.number == one)).one()
    office.propose("recorder", "ruled-out", [infected])
    assert office.color(contact) == "ORANGE"


def test_a_case_is_no_contact_of_itself_and_a_diagnosis_is_about_one_person(office: Office, services: Services) -> None:
    number = office.case()
    with services.sessions() as session:
        infected = session.scalars(select(Case.serial).where(Case.number == number)).one()
    refused("invalid-request", lambda: office.propose("recorder", "contact", [infected], case=number))
    refused("invalid-request", lambda: office.propose("recorder", "confirmed", office.citizens(2)))
    refused("invalid-request", lambda: office.propose("recorder", "confirmed", []))


# --- alarms and holds -------------------------------------------------------------------------------------------------


def test_a_long_list_is_held_until_an_auditor_clears_it_and_then_waits_for_its_approver(office: Office) -> None:
    number, contacts = office.case(), office.citizens(51)
    entry = office.propose("recorder", "contact", contacts, case=number)
    assert office.state(entry) == "held"
    refused("entry-resolved", lambda: office.approve("approver", entry))
    refused("not-your-role", lambda: office.release("approver", entry))
    assert office.release("auditor", entry, ClearanceReason.TRACING) == "waiting"
    assert {office.color(serial) for serial in contacts} == {"GREEN"}
    assert office.approve("approver", entry) == "applied"
    assert {office.color(serial) for serial in contacts} == {"ORANGE"}


def test_exactly_as_many_as_may_be_are_not_held(office: Office) -> None:
    assert office.state(office.propose("recorder", "quarantine", office.citizens(50))) == "waiting"


def test_who_recorded_it_does_not_clear_its_hold(office: Office) -> None:
    entry = office.propose("both", "quarantine", office.citizens(51))
    refused("two-persons", lambda: office.release("both", entry))


def test_who_cleared_the_hold_does_not_approve_it(office: Office, services: Services) -> None:
    entry = office.propose("recorder", "quarantine", office.citizens(51))
    office.release("both", entry)
    refused("two-persons", lambda: office.approve("both", entry))
    with services.sessions() as session:
        both = session.get_one(Officer, office.ids["both"])
        assert queries.list_pending(session, both)["waiting"] == []
    assert office.approve("approver", entry) == "applied"


@pytest.mark.slow
def test_pieces_that_come_at_the_same_moment_are_counted_together(office: Office) -> None:
    pieces = [office.citizens(20) for _ in range(8)]
    acts = [
        lambda turn=turn, people=people: office.propose("recorder", "quarantine", people, place=f"示例{turn}")
        for turn, people in enumerate(pieces)
    ]
    states = [office.state(one) for one in at_once(acts)]
    assert sorted(states) == ["held"] * 5 + ["waiting"] * 3


@pytest.mark.slow
def test_approvals_at_the_same_moment_are_counted_together(office: Office) -> None:
    waiting = [
        office.propose(who, "quarantine", office.citizens(30), place=f"示例{who}{turn}", authority=f"{AUTHORITY}{turn}")
        for who in ("recorder", "colleague")
        for turn in range(2)
    ]
    states = at_once([lambda one=one: office.approve("approver", one) for one in waiting])  # type: ignore[misc]
    assert sorted(states) == ["applied", "applied", "held", "held"]


def test_a_list_cut_into_small_pieces_is_held_all_the_same(office: Office) -> None:
    pieces = [office.propose("recorder", "quarantine", office.citizens(20), place=f"示例{turn}") for turn in range(4)]
    assert [office.state(piece) for piece in pieces] == ["waiting", "waiting", "waiting", "held"]


def test_pieces_that_were_rejected_before_count_too(office: Office) -> None:
    for turn in range(3):
        office.refuse("approver", office.propose("recorder", "quarantine", office.citizens(20), place=f"示例{turn}"))
    assert office.state(office.propose("recorder", "quarantine", office.citizens(20), place="示例")) == "held"


SPELLINGS = (
    " 示例银行1号 ",
    "示 例 银 行 1 号",
    "示例銀行一號",
    "（示例）银行。壹号",
    "示例银行①号",
    "示例银行１号",
    "示例银行-1-号",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_two_officers_with_one_place_are_held_together_however_they_spell_it(office: Office, spelling: str) -> None:
    office.approve("approver", office.propose("recorder", "quarantine", office.strangers(30), place="示例银行1号"))
    second = office.propose("colleague", "quarantine", office.strangers(30), place=spelling)
    assert office.state(second) == "held"
    with office.services.sessions() as session:
        assert session.get_one(Entry, second).place == spelling, "what was typed is kept"


def test_what_waits_of_one_recorder_takes_up_a_third_of_what_a_place_has_for_others(office: Office) -> None:
    """But all parts of a list that was split meet, at the latest when they are approved."""
    first = office.propose("recorder", "quarantine", office.strangers(45))
    second = office.propose("colleague", "quarantine", office.strangers(8))
    third = office.propose("both", "quarantine", office.strangers(26))
    assert [office.state(one) for one in (first, second, third)] == ["waiting", "waiting", "waiting"]
    office.hire("third recorder", "recorder", district="长春市")
    assert office.state(office.propose("third recorder", "quarantine", office.strangers(11))) == "held"
    assert office.approve("approver", first) == "applied"
    assert office.approve("second approver", second) == "held"


def test_whom_an_officer_has_released_counts_against_no_restriction(office: Office, clock: StandingClock) -> None:
    number = office.case()
    for turn, (by, approver) in enumerate((("recorder", "approver"), ("colleague", "second approver"))):
        people = office.strangers(40)
        office.approve(approver, office.propose(by, "contact", people, case=number, place=f"示例{turn}"))
        clock.advance(minutes=1)
        assert office.state(office.propose("both", "release", people, place="示例地点")) == "applied"
    assert office.state(office.propose("both", "quarantine", office.strangers(5), urgent=True)) == "urgent"


def test_two_authorities_that_differ_in_spelling_are_one(office: Office) -> None:
    names = ("示例衛生局", "示例衞生局", "示例 卫生局", "《示例卫生局》")
    for turn, name in enumerate(names):
        office.hire(f"recorder {turn}", "recorder", district="长春市")
        where = {"place": f"示例{turn}", "authority": name}
        entry = office.propose(f"recorder {turn}", "quarantine", office.strangers(45), **where)
        assert office.state(entry) == ("held" if turn == 3 else "waiting")


@pytest.mark.parametrize("ends", ["held", "rejected", "cleared elsewhere"])
def test_nobody_holds_up_another_district_nor_by_what_was_held_a_colleague(office: Office, ends: str) -> None:
    by = "elsewhere" if ends == "cleared elsewhere" else "recorder"
    mass = office.propose(by, "quarantine", office.strangers(200))
    assert office.state(mass) == "held"
    if ends == "rejected":
        office.refuse("auditor", mass)
    if ends == "cleared elsewhere":
        office.release("auditor", mass)
    assert office.state(office.propose("colleague", "quarantine", office.strangers(5), urgent=True)) == "urgent"
    assert office.state(office.propose(by, "quarantine", office.strangers(5))) == "held", "it counts against its own"


@pytest.mark.slow
def test_the_hour_and_the_day_pass(office: Office, clock: StandingClock) -> None:
    states = []
    for turn in range(5):
        states.append(office.state(office.propose("recorder", "quarantine", office.citizens(45), place=f"示例{turn}")))
        clock.advance(minutes=61)
    assert states == ["waiting"] * 4 + ["held"], "225 in a day are too many, 180 are not"


def test_urgent_is_no_way_around_a_hold(office: Office) -> None:
    people = office.citizens(51)
    assert office.state(office.propose("recorder", "quarantine", people, urgent=True)) == "held"
    assert {office.color(serial) for serial in people} == {"GREEN"}


def test_one_approver_who_approves_too_much_is_stopped_too(office: Office) -> None:
    waiting = [
        office.propose(who, "quarantine", office.citizens(30), place=f"示例{who}{turn}", authority=f"{AUTHORITY}{turn}")
        for who in ("recorder", "colleague")
        for turn in range(2)
    ]
    assert [office.approve("approver", one) for one in waiting[:2]] == ["applied", "applied"]
    assert office.approve("approver", waiting[2]) == "held"


def test_what_is_milder_is_never_held(office: Office, clock: StandingClock) -> None:
    people = office.citizens(51)
    held = office.propose("recorder", "quarantine", people)
    office.release("auditor", held)
    office.approve("approver", held)
    clock.advance(minutes=1)
    assert office.state(office.propose("recorder", "release", people)) == "applied"
    assert {office.color(serial) for serial in people} == {"ORANGE"}, "until they are verified anew"
    with office.services.sessions() as session:
        assert set(session.scalars(select(Code.rule).where(Code.serial.in_(people)))) == {"ORANGE-REVERIFY"}

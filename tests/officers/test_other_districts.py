"""A case belongs to the district that opened it: nobody elsewhere ends it alone, and its auditors see who did."""

import pytest
from sqlalchemy import select

from app.appeals import resolution
from app.appeals.models import Appeal
from app.appeals.resolution import Correction
from app.audit import AuditEvent
from app.codes.models import Code, DecisionRow, EvidenceRow
from app.core.errors import Problem
from app.entries import preview, queries, workflow
from app.entries.content import CASE_ENDED, EntryKind, NewEntry, RejectionReason
from app.entries.models import Case, Entry
from app.review import oversight
from app.runtime import Services
from app.staff.models import Officer
from tests.support.clock import StandingClock
from tests.support.office import AUTHORITY, REFERENCE, Office, refused


class Outbreak:
    """A case of 长春市 with a contact in effect and one that waits."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.infected, self.contact, self.second = office.citizens(3)
        office.approve("approver", office.propose("recorder", "confirmed", [self.infected]))
        number = office.number_of(self.infected)
        office.approve("approver", office.propose("recorder", "contact", [self.contact], case=number))
        self.waiting = office.propose("recorder", "contact", [self.second], case=number)

    def is_over(self) -> bool:
        over = self.office.color(self.contact) == "GREEN"
        assert self.office.state(self.waiting) == ("rejected" if over else "waiting")
        return over


@pytest.fixture
def office(services: Services) -> Office:
    office = Office(services)
    office.hire("approver elsewhere", "approver", district="吉林市")
    office.hire("auditor here", "auditor", district="长春市")
    office.hire("appeals elsewhere", "appeals", district="吉林市")
    office.hire("appeals", "appeals", district="长春市")
    return office


@pytest.fixture
def outbreak(office: Office, clock: StandingClock) -> Outbreak:
    outbreak = Outbreak(office)
    clock.advance(minutes=1)
    return outbreak


@pytest.mark.parametrize("urgent", [False, True])
def test_ruling_out_a_case_of_another_district_waits_for_that_district(
    office: Office, outbreak: Outbreak, services: Services, urgent: bool
) -> None:
    entry = office.propose("elsewhere", "ruled-out", [outbreak.infected], urgent=urgent)
    assert (office.state(entry), office.color(outbreak.infected), outbreak.is_over()) == ("waiting", "RED", False)
    refused("other-districts-case", lambda: office.approve("approver elsewhere", entry))
    with services.sessions() as session:
        approver = session.get_one(Officer, office.ids["approver"])
        assert entry in [one.id for one in queries.list_pending(session, approver)["waiting"]]
    assert office.approve("approver", entry) == "applied"
    assert outbreak.is_over() and office.color(outbreak.infected) != "RED"


def test_who_is_of_the_district_or_of_the_province_ends_a_case_alone(
    office: Office, outbreak: Outbreak, services: Services
) -> None:
    office.hire("province", "recorder")
    assert office.state(office.propose("province", "ruled-out", [outbreak.infected])) == "applied"
    assert outbreak.is_over()
    assert _ended(services, office, "auditor here") == [("province", 2, 1)], "though no officer of the district did it"
    assert _ended(services, office, "elsewhere") == []


def test_auditors_of_both_districts_see_the_end_of_a_case_and_the_entry_that_brought_it(
    office: Office, outbreak: Outbreak, services: Services
) -> None:
    entry = office.propose("elsewhere", "ruled-out", [outbreak.infected])
    with services.sessions() as session:
        here, there = (session.get_one(Officer, office.ids[name]) for name in ("auditor here", "elsewhere"))
        assert queries.find_entry(session, here, entry).recorder_id == there.id
    office.approve("approver", entry)
    for name in ("auditor here", "elsewhere"):
        assert _ended(services, office, name) == [("elsewhere + approver", 2, 1)]
    with services.sessions() as session:
        for name in ("auditor here", "elsewhere"):
            assert queries.find_entry(session, session.get_one(Officer, office.ids[name]), entry).state == "applied"


def _ended(services: Services, office: Office, auditor: str) -> list[tuple[str, int, int]]:
    with services.sessions() as session:
        me = session.get_one(Officer, office.ids[auditor])
        found = oversight.load_summary(session, me, services.clock.now()).ended
        details = [(one, one.event.detail) for one in found]
        return [(" + ".join(one.usernames), detail["freed"], detail["rejected"]) for one, detail in details]


def test_the_preview_says_whom_the_end_of_a_case_frees_and_that_it_waits(office: Office, outbreak: Outbreak) -> None:
    entry = NewEntry(
        kind=EntryKind.RULED_OUT, authority=AUTHORITY, reference=REFERENCE, people={outbreak.infected: None}
    )
    with office.acting("elsewhere") as context:
        ending = preview.preview(context, entry).ending
        assert ending is not None
        assert (str(ending.resting.shown), ending.resting.entries, ending.elsewhere) == ("<10", 1, True)
    with office.acting("recorder") as context:
        ending = preview.preview(context, entry).ending
        assert ending is not None and not ending.elsewhere


def test_whom_the_end_of_a_case_frees_counts_as_released(
    office: Office, services: Services, clock: StandingClock
) -> None:
    (infected,) = office.citizens()
    office.approve("approver", office.propose("recorder", "confirmed", [infected]))
    number = office.number_of(infected)
    for by, approver, place in (("recorder", "approver", "示例一"), ("colleague", "second approver", "示例二")):
        contacts = office.propose(by, "contact", office.strangers(30), case=number, place=place)
        assert office.approve(approver, contacts) == "applied"
    clock.advance(minutes=1)
    entry = office.propose("recorder", "ruled-out", [infected])
    with services.sessions() as session:
        assert session.get_one(Entry, entry).alarm == "lowered-by-one-officer"
        assert session.scalars(select(Case.freed)).one() == 60
    clock.advance(minutes=1)
    (other,) = office.citizens()
    office.approve("approver", office.propose("recorder", "suspected", [other]))
    clock.advance(minutes=1)
    later = office.propose("recorder", "ruled-out", [other])
    with services.sessions() as session:
        assert session.get_one(Entry, later).alarm == "lowered-by-one-officer", "and adds up"


@pytest.mark.parametrize("with_urgent", [False, True])
def test_an_appeal_that_another_district_answers_ends_no_case_of_this_one(
    office: Office, outbreak: Outbreak, services: Services, clock: StandingClock, with_urgent: bool
) -> None:
    """Nor where an urgent diagnosis of its own, which ends by itself, hides that."""
    if with_urgent:
        with services.begin() as session:
            decision = session.get_one(Code, outbreak.infected).decision_id
        assert office.state(office.propose("elsewhere", "suspected", [outbreak.infected], urgent=True)) == "urgent"
        clock.advance(minutes=1)
    with services.begin() as session:
        code = session.get_one(Code, outbreak.infected)
        appeal = Appeal(
            serial=outbreak.infected, decision_id=decision if with_urgent else code.decision_id, district="长春市",
            filed_at=clock.now(), due_at=clock.now(), escalated_at=clock.now(), state="open", text_ciphertext=b"",
            withdrawn_evidence=[],
        )  # fmt: skip
        session.add(appeal)
        session.flush()
        id_ = appeal.id
        diagnoses = select(EvidenceRow.id).where(EvidenceRow.kind == "diagnosis").order_by(EvidenceRow.at)
        evidence = session.scalars(diagnoses).first()
        assert evidence in session.get_one(DecisionRow, appeal.decision_id).evidence
    correction = Correction({str(evidence): RejectionReason.WRONG_PERSON})

    def overturn(by: str) -> None:
        with office.acting(by) as context:
            resolution.overturn(context, id_, correction)

    problem = refused("invalid-request", lambda: overturn("appeals elsewhere"))
    assert [field.slug for field in problem.fields] == ["other-districts-case"]
    assert not outbreak.is_over()
    overturn("appeals")
    assert outbreak.is_over() or with_urgent


def test_the_end_of_a_case_is_in_the_audit_with_its_numbers(
    office: Office, outbreak: Outbreak, services: Services
) -> None:
    entry = office.propose("recorder", "ruled-out", [outbreak.infected])
    with services.sessions() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == CASE_ENDED)).one()
        case = session.scalars(select(Case)).one()
    assert event.detail == {"entry": entry, "case": case.id, "district": "长春市", "recorder_district": "长春市",
                            "freed": 2, "rejected": 1}  # fmt: skip
    assert (event.serial, event.role, case.ended_by) == (None, "recorder", entry)


def test_who_works_elsewhere_now_still_sees_and_withdraws_their_own_entry(office: Office, services: Services) -> None:
    entry = office.propose("recorder", "confirmed", office.citizens())
    with services.begin() as session:
        session.get_one(Officer, office.ids["recorder"]).district = "吉林市"
    with office.acting("recorder") as context:
        assert queries.find_entry(context.session, context.me, entry).state == "waiting"
        assert workflow.withdraw(context, entry, RejectionReason.WRONG_FACTS).state == "withdrawn"


def test_auditors_of_the_district_whose_people_are_released_one_by_one_are_told(
    office: Office, services: Services, clock: StandingClock
) -> None:
    people = office.strangers(3)
    office.approve("approver", office.propose("recorder", "quarantine", people))
    clock.advance(minutes=1)
    mine = office.propose("recorder", "release", people[:1])
    theirs = [office.propose("elsewhere", "release", [one]) for one in people[1:]]
    with services.sessions() as session:
        here, there, province = (
            session.get_one(Officer, office.ids[name]) for name in ("auditor here", "elsewhere", "auditor")
        )
        for auditor, told in ((here, True), (there, False), (province, True)):
            found = oversight.load_summary(session, auditor, clock.now()).released
            expected = [("elsewhere", "吉林市", "长春市", 2, clock.now(), theirs[1])] if told else []
            assert [tuple(one) for one in found] == expected, auditor.username
        assert queries.find_entry(session, here, theirs[0]).state == "applied", "they open it"
        with pytest.raises(Problem, match="entry-not-found"):
            queries.find_entry(session, there, mine)


def test_the_alarm_of_many_releases_is_shown_to_the_district_whose_people_they_are(
    office: Office, services: Services, clock: StandingClock
) -> None:
    people = office.strangers(61)
    for part in (people[:40], people[40:]):
        by, approver = ("recorder", "approver") if len(part) == 40 else ("colleague", "second approver")
        place = f"示例{len(part)}"
        assert office.approve(approver, office.propose(by, "quarantine", part, place=place)) == "applied"
    clock.advance(hours=1)
    office.propose("elsewhere", "release", people[:60])
    last = office.propose("elsewhere", "release", people[60:])
    with services.sessions() as session:
        for name in ("auditor here", "elsewhere"):
            me = session.get_one(Officer, office.ids[name])
            lowered = oversight.load_summary(session, me, clock.now()).lowered
            assert [one.entry.id for one in lowered] == [last], name

"""What one officer does alone: whatever they try, no color stays worse for it once nothing unapproved is left."""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.appeals import appeals, resolution
from app.appeals.appeals import NewAppeal
from app.appeals.models import Appeal
from app.appeals.resolution import Correction
from app.audit import CLOCK
from app.citizens import lookup
from app.citizens.documents import DocumentType
from app.codes.models import EvidenceRow
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.errors import Problem
from app.core.texts import text as words
from app.entries import workflow
from app.entries.content import OPEN_STATES, RISK_LOWERING_KINDS, EntryKind, RejectionReason
from app.entries.models import Case, Entry
from app.review import oversight
from app.runtime import Services
from app.staff import officers
from app.staff.context import begin_as
from tests.support.clock import StandingClock
from tests.support.codes import open_green_code, tell, verified
from tests.support.desk import Desk, text_of
from tests.support.examples import examples
from tests.support.forms import STATED, page_of, save
from tests.support.office import Office, refused
from tests.support.people import Phone
from tests.support.terminal import open_terminal

Act = tuple[Any, ...]
_NAMES = count(1)
PASTS = ("green", "confirmed", "contact", "recovered", "ruled-out", "released")
_KINDS = st.sampled_from(list(EntryKind))
_WHO, _WHOM = st.sampled_from(["recorder", "colleague"]), st.integers(0, 1)
_RAISING = st.sampled_from([EntryKind.SUSPECTED, EntryKind.CONFIRMED, EntryKind.QUARANTINE, EntryKind.CONTACT])
_LOWERING = st.sampled_from(sorted(RISK_LOWERING_KINDS))
_ACTS = st.one_of(
    st.tuples(st.just("record"), _WHO, _KINDS, _WHOM, st.booleans()),
    st.tuples(st.just("record"), _WHO, _RAISING, _WHOM, st.just(True)),
    st.tuples(st.just("record_upon"), _RAISING, _LOWERING, _WHOM),
    st.tuples(st.just("withdraw"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([1, 12, 25, 24 * 8])),
    st.tuples(st.just("verify")),
    st.tuples(st.just("appeal"), st.integers(0, 3)),
)


@pytest.fixture
def office(services: Services) -> Office:
    office = Office(services)
    office.hire("appeals", "appeals")
    return office


class Story:
    """Two people and their twins, about whom nobody acts; what officers do alone."""

    def __init__(self, office: Office, clock: StandingClock, people: list[int], pasts: tuple[str, str]) -> None:
        self.office, self.clock, self.services = office, clock, office.services
        self.people = people
        self.twins = office.citizens(2)
        self.references = 0
        for one, twin, past in zip(self.people, self.twins, pasts, strict=True):
            for serial in (one, twin):
                self._live_through(past, serial)
        self.verify()

    def _live_through(self, past: str, serial: int) -> None:
        """What two officers have recorded of a person before."""
        self.references += 1
        stated = {"reference": f"示例旧{self.references}"}
        if past in ("confirmed", "recovered", "ruled-out"):
            self._together("confirmed", serial, **stated)
        if past in ("contact", "released"):
            self._together("contact", serial, case=self.office.case())
        if past in ("recovered", "ruled-out", "released"):
            self.clock.advance(minutes=1)
            self.office.propose("recorder", {"released": "release"}.get(past, past), [serial])
            self.wait(24 * 17)

    def _together(self, kind: str, serial: int, **stated: Any) -> None:
        assert self.office.approve("approver", self.office.propose("recorder", kind, [serial], **stated)) == "applied"

    def do(self, act: Act) -> None:
        with suppress(Problem):
            getattr(self, str(act[0]))(*act[1:])
        self.clock.advance(minutes=2)

    def record(self, by: str, kind: EntryKind, whom: int, urgent: bool) -> None:
        about = [self.people[whom]]
        case = self._case_of(self.people[1 - whom]) if kind is EntryKind.CONTACT else None
        self.office.propose(by, kind, about, urgent=urgent, **({} if case is None else {"case": case}))

    def record_upon(self, kind: EntryKind, lowering: EntryKind, whom: int) -> None:
        """Record something urgently, and upon it what lowers the risk."""
        self.do(("record", "recorder", kind, whom, True))
        self.record("recorder", lowering, whom, urgent=False)

    def _case_of(self, serial: int) -> str:
        with self.services.sessions() as session:
            return session.scalars(select(Case.number).where(Case.serial == serial)).first() or "none"

    def withdraw(self, which: int) -> None:
        mine = self._open_entries()
        if mine:
            entry = mine[which % len(mine)]
            self.office.refuse(self._recorder_of(entry), entry)

    def _open_entries(self) -> list[int]:
        with self.services.sessions() as session:
            return list(session.scalars(select(Entry.id).where(Entry.state.in_(OPEN_STATES)).order_by(Entry.id)))

    def _recorder_of(self, id_: int) -> str:
        with self.services.sessions() as session:
            recorder = session.get_one(Entry, id_).recorder_id
        return next(name for name, officer in self.office.ids.items() if officer == recorder)

    def wait(self, hours: int) -> None:
        """Let time pass, with what a worker does."""
        self.clock.advance(hours=hours)
        while self.office.lapse():
            pass
        self.verify()

    def verify(self) -> None:
        """Everybody declares anew, and the platform says yes."""
        for serial in (*self.people, *self.twins):
            tell(self.services, serial, *verified(self.clock.now()))

    def appeal(self, which: int) -> None:
        """The first person appeals; one officer withdraws what they can of the evidence."""
        now, serial = self.clock.now(), self.people[0]
        with self.services.begin() as session:
            id_ = appeals.file_appeal(session, self.services.encryption, NewAppeal(serial, "示例"), now).id
        with self.services.sessions() as session:
            rows = select(EvidenceRow.id).where(EvidenceRow.serial == serial, EvidenceRow.withdrawn_at.is_(None))
            known = list(session.scalars(rows.order_by(EvidenceRow.recorded_at.desc(), EvidenceRow.kind)))
        chosen = dict.fromkeys(known[: which + 1], RejectionReason.WRONG_FACTS)
        with suppress(Problem), self.office.acting("appeals") as context:
            resolution.overturn(context, id_, Correction(chosen))
        with self.services.begin() as session:  # the next one may be about anything
            session.get_one(Appeal, id_).state = "upheld"

    def run(self, acts: list[Act]) -> None:
        """Do what they do, let all of it end, and compare with the twins."""
        for act in acts:
            self.do(act)
        self.end()
        for one, twin in zip(self.people, self.twins, strict=True):
            color, untouched = (State[self.office.color(serial)] for serial in (one, twin))
            assert color <= max(untouched, State.YELLOW), (color, untouched)
            assert untouched is not State.GREEN or color is State.GREEN, color

    def end(self) -> None:
        """Let everything that nobody has approved end."""
        for entry in self._open_entries():
            with suppress(Problem):
                self.office.refuse(self._recorder_of(entry), entry)
        self.wait(25)


class ConsoleStory(Story):
    """What officers do alone at the console: all of them at one desk."""

    def __init__(
        self, office: Office, clock: StandingClock, recorder: Desk, citizens: list[Phone], pasts: tuple[str, str]
    ) -> None:
        self.desk, self.documents = recorder, [citizen.document for citizen in citizens]
        super().__init__(office, clock, [serial_of(office.services, citizen) for citizen in citizens], pasts)

    def record(self, by: str, kind: EntryKind, whom: int, urgent: bool) -> None:
        filled = {**STATED, "kind": str(kind), "urgent": "yes" if urgent else ""}
        if kind in (EntryKind.CONTACT, EntryKind.QUARANTINE):
            today = self.clock.now().astimezone(BEIJING).date()
            filled["place"] = "示例商场"
            days = {"contact": ("exposed_on",), "quarantine": ("first_day", "last_day")}[str(kind)]
            filled |= dict.fromkeys(days, str(today))
        if kind is EntryKind.CONTACT:
            filled["case"] = self._case_of(self.people[1 - whom])
        assert save(self.desk.ensure_logged_in(), self.documents[whom], **filled).status_code in (303, 422)

    def withdraw(self, which: int) -> None:
        mine = self._open_entries()
        if mine:
            page = f"/console/entries/{mine[which % len(mine)]}"
            assert self.desk.ensure_logged_in().send(f"{page}/withdraw", {"reason": "wrong-facts"}).status_code == 303


def serial_of(services: Services, citizen: Phone) -> int:
    with services.sessions() as session:
        serial = lookup.find_serial(session, services.encryption, DocumentType.ID_CARD, citizen.document)
    assert serial is not None
    return serial


@pytest.mark.slow
@settings(max_examples=examples(32), suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(pasts=("green", "green"), acts=[("record_upon", EntryKind.SUSPECTED, EntryKind.RECOVERED, 0)])
@given(pasts=st.tuples(st.sampled_from(PASTS), st.sampled_from(PASTS)), acts=st.lists(_ACTS, min_size=2, max_size=7))
def test_once_nothing_unapproved_is_left_no_code_is_worse_than_that_of_a_twin(
    office: Office, clock: StandingClock, phone: Callable[..., Phone], pasts: tuple[str, str], acts: list[Act]
) -> None:
    if any(act[0] == "appeal" for act in acts):
        person = serial_of(office.services, green_phone(phone))
    else:
        person = open_green_code(office.services)
    Story(office, clock, [person, open_green_code(office.services)], pasts).run(acts)


@pytest.mark.slow
@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(pasts=("green", "green"), acts=[("record_upon", EntryKind.CONFIRMED, EntryKind.RECOVERED, 0)])
@given(pasts=st.tuples(st.sampled_from(PASTS), st.sampled_from(PASTS)), acts=st.lists(_ACTS, min_size=2, max_size=6))
def test_at_the_console_no_code_is_worse_either(
    office: Office,
    clock: StandingClock,
    phone: Callable[..., Phone],
    desk: Callable[..., Desk],
    pasts: tuple[str, str],
    acts: list[Act],
) -> None:
    username = f"rec-{next(_NAMES)}"
    recorder, citizens = desk("recorder", username=username), [green_phone(phone) for _ in range(2)]
    with office.services.sessions() as session:
        office.ids[username] = officers.find_by_username(session, username).id
    ConsoleStory(office, clock, recorder, citizens, pasts).run(acts)


def green_phone(phone: Callable[..., Phone]) -> Phone:
    return phone(f"示例{chr(0x4E00 + next(_NAMES))}").become_green()


# --- each way by itself -----------------------------------------------------------------------------------------------


def test_a_recovery_from_what_nobody_has_approved_waits_and_ends_with_it(office: Office, clock: StandingClock) -> None:
    (serial,) = office.citizens()
    diagnosis = office.propose("recorder", "suspected", [serial], urgent=True)
    clock.advance(minutes=2)
    recovery = office.propose("recorder", "recovered", [serial])
    assert (office.state(recovery), office.color(serial)) == ("waiting", "RED")
    refused("invalid-request", lambda: office.propose("colleague", "recovered", [serial], urgent=True))
    office.refuse("recorder", diagnosis)
    assert (office.state(recovery), office.color(serial)) == ("rejected", "GREEN")


def test_a_recorder_is_not_blamed_for_recoveries_that_end_with_their_diagnosis(
    office: Office, clock: StandingClock
) -> None:
    serials = office.citizens(oversight.MIN_REJECTIONS)
    diagnoses = [office.propose("recorder", "suspected", [serial], urgent=True) for serial in serials]
    clock.advance(minutes=2)
    recoveries = [office.propose("recorder", "recovered", [serial]) for serial in serials]
    for diagnosis in diagnoses:
        office.refuse("recorder", diagnosis)
    assert {office.state(recovery) for recovery in recoveries} == {"rejected"}
    with office.acting("auditor") as context:
        assert oversight.load_summary(context.session, context.me, context.now).rejected == []


def test_a_recovery_that_two_approved_ends_with_the_diagnosis_that_nobody_did(
    office: Office, clock: StandingClock
) -> None:
    (serial,) = office.citizens()
    office.propose("recorder", "suspected", [serial], urgent=True)
    clock.advance(minutes=2)
    office.approve("approver", office.propose("recorder", "recovered", [serial]))
    assert office.color(serial) == "ORANGE"
    clock.advance(hours=24)
    assert (office.lapse(), office.color(serial)) == (1, "GREEN")


def test_a_recovery_stays_when_its_urgent_diagnosis_was_approved(office: Office, clock: StandingClock) -> None:
    (serial,) = office.citizens()
    diagnosis = office.propose("recorder", "suspected", [serial], urgent=True)
    clock.advance(minutes=2)
    office.approve("approver", diagnosis)
    assert office.state(office.propose("recorder", "recovered", [serial])) == "applied"
    clock.advance(hours=25)
    assert (office.lapse(), office.color(serial)) == (0, "ORANGE")


@pytest.mark.parametrize(("kind", "lowering"), [("suspected", "ruled-out"), ("quarantine", "release")])
def test_what_lowers_a_risk_at_once_is_withdrawn_with_what_it_ended(
    office: Office, clock: StandingClock, services: Services, kind: str, lowering: str
) -> None:
    (serial,) = office.citizens()
    entry = office.propose("recorder", kind, [serial], urgent=True)
    clock.advance(minutes=2)
    assert office.state(office.propose("recorder", lowering, [serial])) == "applied"
    office.refuse("approver", entry)
    assert office.color(serial) == "GREEN"
    with services.sessions() as session:
        rows = select(EvidenceRow.withdrawn_for).where(EvidenceRow.serial == serial, EvidenceRow.kind != "declaration")
        assert {"wrong-facts", "basis-ended"} <= set(session.scalars(rows))


def test_at_the_console_a_recovery_waits_and_ends_too(
    desk: Callable[..., Desk], green_citizen: Phone, clock: StandingClock
) -> None:
    citizen, recorder = green_citizen, desk("recorder", username="rec-1", district="长春市")
    diagnosis = page_of(save(recorder, citizen.document, kind="confirmed", urgent="yes", **STATED))
    clock.advance(minutes=2)
    recovery = page_of(save(recorder, citizen.document, kind="recovered", **STATED))
    assert "待审批" in text_of(recorder.get(recovery))
    recorder.send(f"{diagnosis}/withdraw", {"reason": "wrong-person"})
    assert words("rejection-reasons", "basis-ended", "zh") in text_of(recorder.get(recovery))
    assert citizen.color() == "GREEN"


def test_at_the_command_line_a_recovery_waits_and_ends_too(
    services: Services, green_citizen: Phone, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen, terminal = green_citizen, open_terminal(services, monkeypatch)
    terminal.record(citizen.document, "suspected", "--urgent")
    clock.advance(minutes=2)
    assert terminal.record(citizen.document, "recovered").output.startswith("Entry 2 waits for approval")
    clock.advance(hours=24)
    with begin_as(services, CLOCK) as context:
        workflow.lapse_overdue(context)
    assert terminal.color(citizen.document) == ("GREEN", "GREEN-VERIFIED")


def test_no_appeal_takes_a_verification_from_under_an_urgent_color(
    office: Office, green_citizen: Phone, services: Services, clock: StandingClock
) -> None:
    serial = serial_of(services, green_citizen)
    office.propose("recorder", "confirmed", [serial], urgent=True)
    problem = overturned(office, serial, "verification")
    assert [field.slug for field in problem.fields] == ["makes-worse"]
    clock.advance(hours=24)
    office.lapse()
    assert office.color(serial) == "GREEN"


def test_with_a_diagnosis_that_an_appeal_withdraws_ends_the_recovery_from_it(
    office: Office, green_citizen: Phone, services: Services, clock: StandingClock
) -> None:
    serial = serial_of(services, green_citizen)
    office.approve("approver", office.propose("recorder", "confirmed", [serial]))
    appeal = file_appeal(office, serial)
    clock.advance(minutes=2)
    assert office.state(office.propose("recorder", "recovered", [serial])) == "applied"
    assert office.color(serial) == "ORANGE"
    overturn(office, appeal, serial, "diagnosis", at_most=1)
    assert office.color(serial) == "GREEN", "nobody recovers from what they never had"


def file_appeal(office: Office, serial: int) -> int:
    with office.services.begin() as session:
        new = NewAppeal(serial, "示例")
        return appeals.file_appeal(session, office.services.encryption, new, office.services.clock.now()).id


def overturn(office: Office, appeal: int, serial: int, kind: str, at_most: int = 9) -> None:
    """Withdraw the oldest evidence of a kind by an appeal."""
    with office.services.sessions() as session:
        rows = select(EvidenceRow.id).where(EvidenceRow.serial == serial, EvidenceRow.kind == kind)
        chosen = list(session.scalars(rows.order_by(EvidenceRow.at).limit(at_most)))
    with office.acting("appeals") as context:
        resolution.overturn(context, appeal, Correction(dict.fromkeys(chosen, RejectionReason.WRONG_FACTS)))


def overturned(office: Office, serial: int, kind: str) -> Problem:
    appeal = file_appeal(office, serial)
    return refused("invalid-request", lambda: overturn(office, appeal, serial, kind))

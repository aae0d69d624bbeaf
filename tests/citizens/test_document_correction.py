"""A citizen corrects their document: they stay the same person, and nothing that is known of them is lost."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Actor
from app.citizens import declarations, lookup
from app.citizens.documents import DocumentType
from app.citizens.models import Account, Citizen, FormerDocument
from app.citizens.verification import reevaluate
from app.codes import ledger
from app.codes.evidence import NewEvidence
from app.codes.models import Code
from app.codes.states import State
from app.core.errors import Problem
from app.corrections import change, proof
from app.corrections import requests as asking
from app.corrections.models import DocumentCorrection
from app.corrections.requests import AtWindow, Wish
from app.entries.content import EntryContent, EntryKind, fact_of
from app.platform.messages import PlatformQuestion
from app.runtime import Services
from app.staff.context import OPERATOR, begin_as
from app.windows import administration
from app.windows.administration import NewWindow
from tests.support.claims import register_by_wechat, slug
from tests.support.clock import StandingClock
from tests.support.desk import make_officer
from tests.support.examples import examples
from tests.support.people import PASSWORD, Phone, Station, id_number

DOCUMENT = "/api/v1/accounts/me/document"
NO_WISH = Wish((DocumentType.PASSPORT, ""), "renewed", "长春市")
OLD, NEW = "E12345678", "E87654321"


def register_with_passport(person: Phone, number: str = OLD) -> Phone:
    """Somebody whom the platform knows by a passport, and who is green."""
    person.log_in_with_wechat()
    document = {"type": "passport", "number": number}
    answer = person.post("/api/v1/accounts", {**person.registration(), "document": document})
    assert answer.status_code == 201
    person.session = answer.json["session"]  # type: ignore[index]
    assert person.declare().json["color"] == "GREEN"  # type: ignore[index]
    return person


def correct(person: Phone, number: str = NEW, kind: str = "passport", **more: Any) -> Any:
    body = {"document": {"type": kind, "number": number}, "reason": "renewed", "district": "长春市"}
    return person.put(DOCUMENT, {**body, "password": PASSWORD, **more})


def serial_of(services: Services, number: str, kind: DocumentType = DocumentType.PASSPORT) -> int | None:
    with services.sessions() as session:
        return lookup.find_serial(session, services.encryption, kind, number)


def state_of(services: Services, serial: int = 1) -> State:
    with services.sessions() as session:
        return State(session.get_one(Code, serial).state)


@pytest.fixture
def citizen(phone: Callable[..., Phone]) -> Phone:
    return register_with_passport(phone("EXAMPLE PERSON"))


def test_a_renewed_passport_is_corrected_on_the_platforms_word_and_the_old_one_leads_to_the_same_person(
    services: Services, citizen: Phone, station: Station
) -> None:
    answer = correct(citizen)
    assert (answer.status_code, answer.json["state"]) == (200, "done")
    assert answer.json["account"]["document_number"] == "E*******1"
    assert (citizen.color(), serial_of(services, OLD), serial_of(services, NEW)) == ("GREEN", 1, 1)
    outcomes = [
        station.post("/api/v1/checks/document", {"type": "passport", "number": number, "name": "EXAMPLE PERSON"}).json
        for number in (NEW, OLD)
    ]
    assert [one["outcome"] for one in outcomes] == ["green", "not-found"]  # type: ignore[index]
    read = citizen.get("/api/v1/record/access?whose=own").json["entries"]  # type: ignore[index]
    assert [one["what"]["action"] for one in read[:2]] == ["document-corrected", "document-correction-asked"]
    made = citizen.post("/api/v1/accounts/me/export", {"password": PASSWORD}).json
    assert [(one["reason"], one["state"]) for one in made["corrections"]] == [("renewed", "done")]  # type: ignore[index]
    with services.sessions() as session:
        row = session.scalars(select(DocumentCorrection)).one()
        assert (row.document_ciphertext, row.former_ciphertext) == (None, None), "no number is kept in it"


@pytest.mark.parametrize("by", [OLD, NEW])
def test_a_list_with_either_number_finds_the_person_and_turns_them(
    services: Services, citizen: Phone, clock: StandingClock, by: str
) -> None:
    correct(citizen)
    with services.begin() as session:
        people = [(DocumentType.PASSPORT, OLD), (DocumentType.PASSPORT, NEW), (DocumentType.PASSPORT, "E00000001")]
        serials, added = lookup.find_or_add_many(session, services.encryption, people, clock.now())
    assert [serials[one] for one in people] == [1, 1, serials[people[2]]] and added == 1
    citizen.document = by
    with services.begin() as session:
        found = lookup.find_or_add(session, services.encryption, DocumentType.PASSPORT, by, clock.now())
        assert found.serial == 1


def test_nobody_registers_anew_with_the_former_number_neither_before_nor_after_an_erasure(
    services: Services, citizen: Phone, phone: Callable[..., Phone], clock: StandingClock
) -> None:
    correct(citizen)
    stranger = phone("EXAMPLE STRANGER")
    refused = register_by_wechat(stranger, document={"type": "passport", "number": OLD})
    assert (refused.status_code, slug(refused)) == (409, "document-registered")
    with services.begin() as session:
        World(services, session, clock, AtWindow(NO_WISH, 0, 0)).record(EntryKind.CONTACT, NEW)
    erased = citizen.post("/api/v1/accounts/me/erasure", {"password": PASSWORD})
    assert erased.status_code == 200
    with services.sessions() as session:
        assert session.get_one(Citizen, 1).document_ciphertext is None
    again = phone("EXAMPLE AGAIN")
    assert register_by_wechat(again, document={"type": "passport", "number": OLD}).status_code == 201
    assert state_of(services) is State.ORANGE, "the same code, and no fresh one"
    with services.sessions() as session:
        citizen_row = session.get_one(Citizen, 1)
        assert citizen_row.document_fingerprint == lookup.hash_of(services.encryption, (DocumentType.PASSPORT, OLD))
        assert session.scalars(select(FormerDocument.serial)).all() == [1], "now the other one is the former"
    assert serial_of(services, NEW) == 1


def test_a_document_that_is_anothers_is_never_given_and_the_answer_does_not_say_why(
    services: Services, citizen: Phone, phone: Callable[..., Phone], clock: StandingClock
) -> None:
    register_with_passport(phone("EXAMPLE OTHER"), NEW)
    answer = correct(citizen)
    assert (answer.status_code, answer.json["state"]) == (200, "waiting")
    assert (serial_of(services, OLD), serial_of(services, NEW)) == (1, 2)
    with_card = phone("示例丙").become_green()
    waits = correct(with_card, id_number(990), "id-card")  # known to nobody: a citizen number is for life
    assert (waits.status_code, waits.json["state"]) == (200, "waiting")
    assert waits.json.keys() == answer.json.keys()


def test_who_registered_with_the_number_and_was_never_confirmed_gives_way(
    services: Services, citizen: Phone, phone: Callable[..., Phone], platform: Callable[..., None], clock: StandingClock
) -> None:
    squatter, listed = phone("EXAMPLE SQUATTER"), "E00000009"
    platform(on=False)
    squatter.log_in_with_wechat()
    squatter.post("/api/v1/accounts", {**squatter.registration(), "document": {"type": "passport", "number": NEW}})
    platform(on=True)
    assert serial_of(services, NEW) == 2
    with services.begin() as session:
        World(services, session, clock, AtWindow(NO_WISH, 0, 0)).record(EntryKind.CONTACT, listed)
    clock.advance(days=1, minutes=1)
    assert correct(citizen).json["state"] == "done" and serial_of(services, NEW) == 1
    with services.sessions() as session:
        assert session.get(Account, 2) is None
    assert correct(citizen, listed).json["state"] == "waiting", "but nobody of whom something is recorded"


@pytest.mark.parametrize("known", [False, True])
def test_what_the_platform_contradicts_is_refused_alike_whether_the_number_is_known(
    services: Services, citizen: Phone, phone: Callable[..., Phone], platform_url: str, known: bool
) -> None:
    if known:
        register_with_passport(phone("EXAMPLE OTHER"), NEW)
    requests.put(f"{platform_url}/sandbox/people/{NEW}", json={"name": "EXAMPLE OTHER"}, timeout=5).raise_for_status()
    refused = correct(citizen)
    assert (refused.status_code, slug(refused)) == (422, "identity-mismatch")
    assert serial_of(services, OLD) == 1 and (serial_of(services, NEW) == 2) == known


def test_an_answer_about_the_former_document_verifies_nothing_of_who_has_the_new_one(
    services: Services, citizen: Phone, platform: Callable[..., None], clock: StandingClock
) -> None:
    platform(on=False)
    clock.advance(minutes=1)
    assert citizen.declare().json["waiting_for_platform"]  # type: ignore[index]
    platform(on=True)

    class Overtaken:
        def verify(self, question: PlatformQuestion) -> Any:
            answer = services.platform.verify(question)
            with services.begin() as session:  # two officers are faster than the answer
                ledger.lock_code(session, 1)
                change.apply(session, services.encryption, 1, (DocumentType.PASSPORT, NEW), services.clock.now())
            return answer

    reevaluate(replace(services, platform=Overtaken()), 1)  # type: ignore[arg-type]
    with services.sessions() as session:
        latest = declarations.latest(session, 1)
        assert latest is not None and latest.outcome == "waiting"


def test_without_an_answer_of_the_platform_nothing_changes(citizen: Phone, platform: Callable[..., None]) -> None:
    platform(on=False)
    refused = correct(citizen)
    assert (refused.status_code, slug(refused)) == (503, "document-not-confirmed")
    assert citizen.get(DOCUMENT).json["state"] is None  # type: ignore[index]


def test_who_was_never_confirmed_registers_anew_instead(
    phone: Callable[..., Phone], platform: Callable[..., None]
) -> None:
    platform(on=False)
    person = phone("示例甲")
    assert person.register().status_code == 201
    platform(on=True)
    platform(person, name="示例别人")
    person.declare()
    refused = correct(person, id_number(991), "id-card")
    assert (refused.status_code, slug(refused)) == (409, "correct-by-registering")
    anew = {**person.registration(), "document": {"type": "id-card", "number": id_number(991)}}
    assert person.post("/api/v1/accounts", {**anew, "username": "another1"}).status_code == 201


def test_whom_the_platform_does_not_know_any_more_leaves_no_record_behind_by_registering_another_document(
    services: Services, citizen: Phone, platform_url: str, clock: StandingClock
) -> None:
    with services.begin() as session:
        World(services, session, clock, AtWindow(NO_WISH, 0, 0)).record(EntryKind.CONTACT, OLD)
    requests.put(f"{platform_url}/sandbox/people/{OLD}", json={"name": "EXAMPLE OTHER"}, timeout=5).raise_for_status()
    citizen.declare()  # the passport is renewed: the platform denies the former one
    anew = {**citizen.registration(), "username": "another2", "document": {"type": "passport", "number": NEW}}
    refused = citizen.post("/api/v1/accounts", anew)
    assert (refused.status_code, slug(refused), serial_of(services, NEW)) == (409, "already-registered", None)
    assert correct(citizen).json["state"] == "done"
    assert (citizen.color(), state_of(services)) == ("ORANGE", State.ORANGE)


def test_every_mistake_is_said_at_once(citizen: Phone) -> None:
    answer = correct(citizen, "!", reason="because", district="巴黎")
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json["errors"]} == {"/document/number", "/reason", "/district"}
    assert correct(citizen, OLD).json["errors"][0]["pointer"] == "/document/number"
    assert correct(citizen, password="not-the-Password-1").status_code == 401


def test_one_request_at_a_time_and_three_in_a_month(
    services: Services, citizen: Phone, clock: StandingClock, phone: Callable[..., Phone]
) -> None:
    with_card = phone("示例丙").become_green()
    assert correct(with_card, id_number(992), "id-card").json["state"] == "waiting"
    assert slug(correct(with_card, id_number(993), "id-card")) == "correction-open"
    for number in ("E00000001", "E00000002", "E00000003"):
        assert correct(citizen, number).json["state"] == "done"
    last = correct(citizen, "E00000004")
    assert (last.status_code, slug(last)) == (429, "corrections-too-many") and "Retry-After" in last.headers
    assert {serial_of(services, number) for number in (OLD, "E00000001", "E00000002", "E00000003")} == {1}


def test_the_card_on_paper_is_dead(citizen: Phone, services: Services) -> None:
    assert citizen.post("/api/v1/paper-cards", {}).status_code in (200, 201)
    correct(citizen)
    assert citizen.get("/api/v1/paper-cards/current").status_code == 404


@pytest.mark.parametrize(
    ("former", "new", "proven"),
    [
        (("passport", OLD), ("passport", NEW), True),
        (("passport", OLD), ("permanent-residence", "USA123456789012"), True),
        (("hong-kong-macau-permit", "H12345678"), ("residence-permit", "810000199001010011"), True),
        (("residence-permit", "810000199001010011"), ("id-card", "229999199001010014"), True),
        (("residence-permit", "810000199001010011"), ("id-card", "229999199001020014"), False),
        (("id-card", "229999199001010014"), ("id-card", "229999199001010022"), False),
        (("id-card", "229999199001010014"), ("passport", NEW), False),
        (("birth-certificate", "A123456789"), ("id-card", "229999201901010014"), False),
    ],
)
def test_what_the_platforms_word_proves(former: tuple[str, str], new: tuple[str, str], proven: bool) -> None:
    a, b = ((DocumentType(kind), number) for kind, number in (former, new))
    assert proof.is_proof(a, b) is proven


NUMBERS = tuple(f"E9000000{n}" for n in range(3))
RECORDED = st.tuples(st.sampled_from([EntryKind.CONTACT, EntryKind.CONFIRMED]), st.sampled_from(NUMBERS))
STEPS = st.lists(RECORDED | st.sampled_from([*NUMBERS, "by officers", "objection"]), min_size=3, max_size=8)


@pytest.fixture
def desk(services: Services, monkeypatch: pytest.MonkeyPatch) -> AtWindow:
    """A clerk at a window, and as many requests as a test makes."""
    monkeypatch.setattr(asking, "MOST", 99)
    officer = make_officer(services, "clerk-1", "clerk", district="长春市")
    with begin_as(services, OPERATOR) as context:
        window = administration.add_window(context, NewWindow("示例窗口", "示例路 1 号", "长春市"))
        context.session.flush()
        return AtWindow(NO_WISH, window.id, officer.id)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=["by officers", (EntryKind.CONTACT, NUMBERS[0]), "objection"])  # recorded by the number that was given
@example(steps=[NUMBERS[0], (EntryKind.CONFIRMED, NUMBERS[0]), NUMBERS[1], "by officers", "objection"])  # theirs before
def test_no_color_improves_by_a_correction_and_no_number_loses_what_was_recorded_by_it(
    services: Services, citizen: Phone, clock: StandingClock, desk: AtWindow, steps: list[Any]
) -> None:
    """Officers record, the person corrects to and fro, two officers do too, the person objects: in any order."""
    with services.begin() as session, ledger.rolled_back(session):
        world = World(services, session, clock, desk)
        for step in steps:
            before = world.colors()
            world.take(step)
            after = world.colors()
            assert all(after[serial] >= color for serial, color in before.items()), steps
            assert all(after[world.find(number)] >= worst for number, worst in world.recorded.items()), steps


class World:
    """One citizen with a passport, and what happens to them, in one transaction that is rolled back."""

    def __init__(self, services: Services, session: Session, clock: StandingClock, desk: AtWindow) -> None:
        self.services, self.session, self.clock, self.desk = services, session, clock, desk
        self.recorded: dict[str, State] = {}

    def colors(self) -> dict[int, State]:
        rows = self.session.execute(select(Code.serial, Code.state)).all()
        return {serial: State(state) for serial, state in rows}

    def find(self, number: str) -> int:
        found = lookup.find_serial(self.session, self.services.encryption, DocumentType.PASSPORT, number)
        assert found is not None, f"{number} leads to nobody any more"
        return found

    def take(self, step: Any) -> None:
        self.clock.advance(hours=1)
        with suppress(Problem):
            if isinstance(step, tuple):
                self.record(*step)
            elif step == "objection":
                ledger.lock_code(self.session, 1)
                asking.object_to(self.session, self.services.encryption, 1, self.clock.now())
            else:
                self.correct(NUMBERS[0] if step == "by officers" else step, by_officers=step == "by officers")

    def record(self, kind: EntryKind, number: str) -> None:
        now, (place, where) = self.clock.now(), ("长春市疾病预防控制中心", "长疾控〔2020〕1号")
        document = DocumentType.PASSPORT, number
        serial = lookup.find_or_add(self.session, self.services.encryption, *document, now).serial
        day = now.date() if kind is EntryKind.CONTACT else None
        fact = fact_of(EntryContent(kind=kind, authority=place, reference=where, exposed_on=day), None, now)
        context = ledger.ChangeContext(self.session, self.services.policy, Actor("officer", "7"), now)
        ledger.record(context, serial, [NewEvidence(fact, place, where)])
        least = State.RED if kind is EntryKind.CONFIRMED else State.ORANGE
        self.recorded[number] = max(least, self.recorded.get(number, least))

    def correct(self, number: str, *, by_officers: bool) -> None:
        now, wish = self.clock.now(), Wish((DocumentType.PASSPORT, number), "renewed", "长春市")
        session, encryption = self.session, self.services.encryption
        ledger.lock_code(session, 1)
        if not by_officers:
            asking.ask(session, encryption, 1, wish, now)
            return
        with session.begin_nested():
            row = asking.propose_at_window(session, encryption, 1, self.desk._replace(wish=wish), now)
            asking.finish(session, encryption, row, Actor("officer", str(self.desk.officer)), now)

"""Follow-ups: who gets one, who may do what to it, what is evidence of it, and that none of it changes a color."""

from collections.abc import Sequence
from itertools import product
from typing import Final

import pytest
from sqlalchemy import select

from app.audit import PLATFORM, Actor, AuditEvent
from app.codes import ledger
from app.codes.evidence import NewEvidence, new_id
from app.codes.models import Code, EvidenceRow
from app.core.errors import Problem
from app.core.metrics import FOLLOW_UPS_OVERDUE
from app.core.texts import slugs
from app.follow_ups import keeping, tasks, workflow
from app.follow_ups.models import FollowUp
from app.follow_ups.transitions import LIVING, TRANSITIONS, FollowUpAct, Stated, allowed_acts
from app.follow_ups.workflow import perform, view_person
from app.privacy import retention
from app.review import oversight, pending
from app.rules import RECIPIENTS, Admission, Contact, Diagnosis, Evidence
from app.runtime import Services
from app.worker.due import evaluate_due_codes
from tests.support.clock import StandingClock
from tests.support.codes import tell
from tests.support.office import Office, refused

HERE, THERE = "长春市", "吉林市"
STATED: Final = Stated("示例医院", "示例入院 001", THERE)
ACTS: Final = [act for act in FollowUpAct if act is not FollowUpAct.END]


@pytest.fixture
def office(services: Services) -> Office:
    office = Office(services)
    office.hire("recorder elsewhere", "recorder", district=THERE)
    office.hire("province", "recorder", "approver")
    return office


def infected(office: Office) -> int:
    (serial,) = office.citizens()
    office.approve("approver", office.propose("recorder", "confirmed", [serial]))
    keeping.keep(office.services)
    return serial


def follow_ups(office: Office, serial: int) -> dict[str, FollowUp]:
    with office.services.sessions() as session:
        rows = session.scalars(select(FollowUp).filter_by(serial=serial, ended_at=None))
        return {one.recipient: one for one in rows}


def hospital(office: Office) -> int:
    """The follow-up of a hospital for somebody who is red."""
    return follow_ups(office, infected(office))["hospital"].id


def act(office: Office, by: str, id_: int, what: FollowUpAct, stated: Stated = STATED) -> str:
    with office.acting(by) as context:
        return perform(context, id_, what, stated).state


def through(office: Office, id_: int, *steps: tuple[str, FollowUpAct]) -> str:
    return [act(office, by, id_, what) for by, what in steps][-1]


RECEIVED: Final = (("recorder", FollowUpAct.HAND_OVER), ("approver", FollowUpAct.RECEIVE))
ADMITTED: Final = (*RECEIVED, ("recorder", FollowUpAct.ADMIT))


def kinds_of(office: Office, serial: int) -> Sequence[tuple[str, str, bool]]:
    with office.services.sessions() as session:
        rows = session.scalars(
            select(EvidenceRow).filter_by(serial=serial).order_by(EvidenceRow.recorded_at, EvidenceRow.kind)
        )
        stays = [row for row in rows if row.kind in ("admission", "transfer")]
        return [(row.kind, row.authority, row.withdrawn_at is None) for row in stays]


# --- who gets one -------------------------------------------------------------------------------------------------


def test_red_is_handed_over_to_both_and_a_contact_to_the_community_each_once(office: Office) -> None:
    serial = infected(office)
    (contact,) = office.citizens()
    case = office.number_of(serial)
    office.approve("approver", office.propose("recorder", "contact", [contact], case=case))
    for _ in range(2):
        keeping.keep(office.services)
    red, orange = follow_ups(office, serial), follow_ups(office, contact)
    assert (set(red), set(orange)) == (set(RECIPIENTS), {"community"})
    assert {one.number for one in red.values()} == {case}
    assert orange["community"].number == f"GJ-{orange['community'].id}", "not the number of somebody else's case"
    assert {one.district for one in (*red.values(), *orange.values())} == {HERE}


def test_whom_the_platform_alone_knows_is_of_no_district_until_the_province_assigns_them(office: Office) -> None:
    (serial,) = office.citizens()
    _record(office, serial, PLATFORM, Diagnosis(id=new_id(), at=office.services.clock.now(), status="suspected"))
    keeping.keep(office.services)
    id_ = follow_ups(office, serial)["hospital"].id
    refused("follow-up-not-found", lambda: act(office, "recorder", id_, FollowUpAct.HAND_OVER))
    assert act(office, "province", id_, FollowUpAct.ASSIGN) == "open"
    assert act(office, "elsewhere", id_, FollowUpAct.HAND_OVER) == "handed-over"


def test_whom_a_signed_list_names_is_of_the_district_of_who_signed_it(office: Office) -> None:
    (serial,) = office.citizens()
    signers = Actor("officer", f"{office.ids['elsewhere']}+{office.ids['province']}")
    now = office.services.clock.now()
    _record(office, serial, signers, Contact(id=new_id(), at=now, exposed_on=now.date()))
    keeping.keep(office.services)
    assert follow_ups(office, serial)["community"].district == THERE


def test_what_time_or_an_officer_ends_is_followed_up_no_more(office: Office, clock: StandingClock) -> None:
    serial = infected(office)
    clock.advance(hours=1)
    office.propose("recorder", "recovered", [serial])
    keeping.keep(office.services)
    assert set(follow_ups(office, serial)) == {"community"}, "the observation after the discharge"
    (contact,) = office.citizens()
    tell(office.services, contact, Contact(id=new_id(), at=clock.now(), exposed_on=clock.now().date()))
    keeping.keep(office.services)
    assert set(follow_ups(office, contact)) == {"community"}
    clock.advance(days=16)
    evaluate_due_codes(office.services)
    keeping.keep(office.services)
    assert (follow_ups(office, contact), follow_ups(office, serial)) == ({}, {})


def test_ended_follow_ups_are_deleted_after_their_time(office: Office, clock: StandingClock) -> None:
    serial = infected(office)
    clock.advance(hours=1)
    office.propose("recorder", "ruled-out", [serial])
    office.approve("approver", office.propose("recorder", "quarantine", office.citizens()))
    keeping.keep(office.services)
    clock.advance(days=91)
    with office.services.begin() as session:
        assert retention.delete_follow_ups(session, clock.now(), 500) == 2
        assert session.scalars(select(FollowUp.ended_at)).all() == [None]


# --- who may do what ----------------------------------------------------------------------------------------------


def test_every_act_and_every_state_has_words() -> None:
    assert set(slugs("follow-up-acts")) == set(slugs("follow-up-hints")) == set(ACTS)
    assert set(slugs("follow-up-states")) == {*LIVING, "ended"}
    assert {state for state, _ in TRANSITIONS} == set(LIVING)
    own = {f"{who}-{state}" for who, state in product(RECIPIENTS, LIVING)}
    never = {"hospital-done", "community-admitted", "community-transferring"}
    assert set(slugs("follow-up-steps")) == own - never


@pytest.mark.slow
@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_the_table_is_complete_and_closed(office: Office, recipient: str) -> None:
    """Each act in each state, by everybody: what has a row for the role and district is done, and nothing else."""
    serial = infected(office)
    id_ = follow_ups(office, serial)[recipient].id
    done = set()
    for state, what, by in product(LIVING, ACTS, ("recorder", "approver", "elsewhere")):
        _put(office, id_, state)
        with office.acting(by) as context:
            offered = what in allowed_acts(context, context.session.get_one(FollowUp, id_))
            roles = context.me.roles
        row, outcome = TRANSITIONS.get((state, what)), _outcome(office, by, id_, what)
        assert offered is (outcome == "done"), (state, what, by, outcome)
        if offered:
            assert row is not None and row.role in roles and row.recipient in (None, recipient)
            done.add((state, what, by))
    wanted = {key for key, row in TRANSITIONS.items() if row.role and row.recipient in (None, recipient)}
    assert {(state, what) for state, what, _ in done} == wanted - {("open", FollowUpAct.ASSIGN)}
    assert {what for _, what, by in done if by == "elsewhere"} == {FollowUpAct.ACCEPT, FollowUpAct.DECLINE}


def _outcome(office: Office, by: str, id_: int, what: FollowUpAct) -> str:
    try:
        act(office, by, id_, what)
    except Problem as problem:
        return problem.slug
    return "done"


def _put(office: Office, id_: int, state: str) -> None:
    """Put a follow-up into a state by somebody who is not among those who try."""
    on_its_way = {"proposed_district": THERE, "proposed_receiver": "示例医院"} if state == "transferring" else {}
    with office.services.begin() as session:
        one = session.get_one(FollowUp, id_)
        one.state, one.district, one.receiver, one.ended_at = state, HERE, "示例医院", None
        one.officer_id, one.proposed_district, one.proposed_receiver = office.ids["colleague"], None, None
        for name, value in on_its_way.items():
            setattr(one, name, value)
        serial, one.evidence_id = one.serial, new_id()
    if state in ("admitted", "transferring"):
        tell(office.services, serial, Admission(id=one.evidence_id, at=office.services.clock.now()))


def test_nobody_confirms_their_own_hand_over_admission_or_transfer(office: Office) -> None:
    id_ = hospital(office)
    act(office, "both", id_, FollowUpAct.HAND_OVER)
    refused("two-officers", lambda: act(office, "both", id_, FollowUpAct.RECEIVE))
    through(office, id_, ("approver", FollowUpAct.RECEIVE), ("both", FollowUpAct.ADMIT))
    refused("two-officers", lambda: act(office, "both", id_, FollowUpAct.CORRECT))
    act(office, "province", id_, FollowUpAct.TRANSFER)
    refused("two-officers", lambda: act(office, "province", id_, FollowUpAct.ACCEPT))


def test_what_is_stated_is_checked_all_of_it_at_once(office: Office) -> None:
    id_ = hospital(office)
    through(office, id_, *ADMITTED)
    problem = refused("invalid-request", lambda: act(office, "recorder", id_, FollowUpAct.TRANSFER, Stated("x")))
    assert [(one.pointer, one.slug) for one in problem.fields] == [
        ("/district", "not-a-choice"), ("/receiver", "required"),
    ]  # fmt: skip
    long = Stated("长" * 81, "", THERE)
    assert (
        refused("invalid-request", lambda: act(office, "recorder", id_, FollowUpAct.TRANSFER, long)).fields[0].slug
        == "too-long"
    )
    assert follow_ups(office, _serial(office, id_))["hospital"].state == "admitted"


# --- evidence -----------------------------------------------------------------------------------------------------


def test_admission_transfer_and_correction_are_evidence_and_change_no_color(office: Office) -> None:
    id_ = hospital(office)
    serial = _serial(office, id_)
    before = _decision(office, serial)
    through(office, id_, *ADMITTED, ("recorder", FollowUpAct.TRANSFER), ("elsewhere", FollowUpAct.ACCEPT))
    assert kinds_of(office, serial) == [("admission", "示例医院", True), ("transfer", "示例医院", True)]
    one = follow_ups(office, serial)["hospital"]
    assert (one.district, one.state, one.due_at) == (THERE, "admitted", None)
    refused("follow-up-not-found", lambda: act(office, "recorder", id_, FollowUpAct.TRANSFER))
    refused("two-officers", lambda: act(office, "elsewhere", id_, FollowUpAct.CORRECT))
    office.hire("approver elsewhere", "approver", district=THERE)
    assert act(office, "approver elsewhere", id_, FollowUpAct.CORRECT) == "received"
    assert kinds_of(office, serial) == [("admission", "示例医院", True), ("transfer", "示例医院", False)]
    assert _decision(office, serial) == before, "the same decision, not another one with the same color"


def test_a_transfer_that_is_not_accepted_stays_where_it_was(office: Office) -> None:
    id_ = hospital(office)
    through(office, id_, *ADMITTED, ("recorder", FollowUpAct.TRANSFER), ("elsewhere", FollowUpAct.DECLINE))
    refused("follow-up-not-found", lambda: act(office, "elsewhere", id_, FollowUpAct.ACCEPT))
    one = follow_ups(office, _serial(office, id_))["hospital"]
    assert (one.district, one.state, one.proposed_district) == (HERE, "admitted", None)


def test_a_discharge_is_an_entry_whose_color_the_policy_decides(office: Office, clock: StandingClock) -> None:
    id_ = hospital(office)
    serial = _serial(office, id_)
    through(office, id_, *ADMITTED)
    clock.advance(hours=1)
    office.propose("recorder", "recovered", [serial])
    keeping.keep(office.services)
    assert (office.color(serial), set(follow_ups(office, serial))) == ("ORANGE", {"community"})
    refused("follow-up-moved", lambda: act(office, "recorder", id_, FollowUpAct.TRANSFER))


# --- deadlines ----------------------------------------------------------------------------------------------------


def test_what_is_late_is_reminded_of_once_counted_and_shown_to_auditors(office: Office, clock: StandingClock) -> None:
    opened = [infected(office) for _ in range(3)]
    one = follow_ups(office, opened[0])["hospital"]
    assert one.due_at == office.services.policy.follow_ups_at(clock.now()).due_at("open", clock.now())
    clock.advance(hours=2)
    for _ in range(2):
        keeping.keep(office.services)
    assert [FOLLOW_UPS_OVERDUE.labels(who)._value.get() for who in RECIPIENTS] == [3, 3]
    assert _events(office, "follow-up-overdue") == 6
    with office.acting("recorder") as context:
        waiting = pending.count_tasks(context.session, context.me, context.now)
    assert (waiting["follow-ups-overdue"], "follow-ups" in waiting) == (6, False)
    with office.acting("auditor") as context:
        late = oversight.load_summary(context.session, context.me, context.now).overdue_follow_ups
    assert [(one.district, one.number) for one in late] == [(HERE, 6)]
    act(office, "recorder", one.id, FollowUpAct.HAND_OVER)
    with office.acting("approver") as context:
        assert tasks.count_tasks(context.session, context.me, context.now) == (1, 0)
    with office.acting("elsewhere") as context:
        assert tasks.count_tasks(context.session, context.me, context.now) == (0, 0)
    clock.advance(hours=2)
    keeping.keep(office.services)
    assert _events(office, "follow-up-overdue") == 7, "of the next state anew"


# --- who it is about ----------------------------------------------------------------------------------------------


def test_the_person_behind_a_number_is_an_access_of_the_district_alone(office: Office) -> None:
    id_ = hospital(office)
    for by, slug in (("elsewhere", "follow-up-not-found"), ("auditor", "not-your-role")):
        with pytest.raises(Problem) as caught, office.acting(by) as context:
            view_person(context, id_)
        assert caught.value.slug == slug
    assert _events(office, "record-read") == 0
    with office.acting("recorder") as context:
        view_person(context, id_)
    with office.services.sessions() as session:
        event = session.scalars(select(AuditEvent).filter_by(action="record-read")).one()
    assert (event.serial, event.reason, event.detail["what"]) == (_serial(office, id_), "quarantine-care", "identity")


def test_a_transfer_on_its_way_shows_the_other_district_no_person(office: Office) -> None:
    id_ = hospital(office)
    through(office, id_, *ADMITTED, ("recorder", FollowUpAct.TRANSFER))
    with office.acting("elsewhere") as context:
        assert workflow.find(context.session, context.me, id_).state == "transferring"
    with pytest.raises(Problem), office.acting("elsewhere") as context:
        view_person(context, id_)


def _record(office: Office, serial: int, by: Actor, fact: Evidence) -> None:
    services = office.services
    with services.begin() as session:
        change = ledger.ChangeContext(session, services.policy, by, services.clock.now())
        ledger.record(change, serial, [NewEvidence(fact, "示例疾控", "示例名单 1")])


def _serial(office: Office, id_: int) -> int:
    with office.services.sessions() as session:
        return session.get_one(FollowUp, id_).serial


def _decision(office: Office, serial: int) -> tuple[int, int | None]:
    with office.services.sessions() as session:
        row = session.get_one(Code, serial)
        return row.state, row.decision_id


def _events(office: Office, action: str) -> int:
    with office.services.sessions() as session:
        return len(session.scalars(select(AuditEvent.id).filter_by(action=action)).all())

"""The table of transitions is complete and closed: what it allows can be done, and nothing else."""

from collections.abc import Callable
from itertools import product
from typing import Any, Final

import pytest
from sqlalchemy import select, update

from app.audit import AuditEvent
from app.core.texts import slugs
from app.entries import workflow
from app.entries.content import OPEN_STATES, ClearanceReason, RejectionReason
from app.entries.models import Entry
from app.entries.transitions import TRANSITIONS, Act, allowed_acts
from app.runtime import Services
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Officer, Role
from tests.support.office import Office, refused

OFFICERS_ACTS: Final[dict[Act, Callable[[OfficerContext, int], Any]]] = {
    Act.APPROVE: workflow.approve,
    Act.REJECT: lambda context, id_: workflow.reject(context, id_, RejectionReason.WRONG_FACTS),
    Act.WITHDRAW: lambda context, id_: workflow.withdraw(context, id_, RejectionReason.WRONG_FACTS),
    Act.CLEAR_HOLD: lambda context, id_: workflow.clear_hold(context, id_, ClearanceReason.OUTBREAK),
}
STATES: Final = sorted(slugs("entry-states"))
PAIRS: Final = list(product(STATES, OFFICERS_ACTS))
OTHERS_ROWS: Final = [(state, act) for state, act in TRANSITIONS if act in OFFICERS_ACTS and act is not Act.WITHDRAW]


@pytest.fixture
def office(services: Services) -> Office:
    return Office(services)


def hire(office: Office, *roles: Role) -> Officer:
    """An officer of the same district who has had nothing to do with any entry."""
    officer = Officer(
        username="somebody", name="示例", password_hash="none", totp_ciphertext=b"none", roles=[*roles],
        district="长春市", created_at=office.services.clock.now(),
    )  # fmt: skip
    with office.services.begin() as session:
        session.add(officer)
    return officer


def recorder(office: Office) -> Officer:
    """Who records the entries here, with every role of the workflow."""
    with office.services.sessions() as session:
        return session.get_one(Officer, office.ids["both"])


def entry_in(office: Office, state: str) -> int:
    """An entry of `recorder` in this state, whatever way it took there."""
    id_ = office.propose("both", "quarantine", office.citizens())
    with office.services.begin() as session:
        session.execute(update(Entry).where(Entry.id == id_).values(state=state))
    return id_


def act_as(office: Office, officer: Officer, act: Act, id_: int) -> None:
    with begin_officer(office.services, officer) as context:
        OFFICERS_ACTS[act](context, id_)


def offered(office: Office, officer: Officer, id_: int) -> set[Act]:
    with begin_officer(office.services, officer) as context:
        return allowed_acts(context, context.session.get_one(Entry, id_))


def test_every_row_begins_in_an_open_state_and_ends_in_a_state_that_has_words() -> None:
    assert {state for state, _ in TRANSITIONS} == set(OPEN_STATES)
    assert {row.state for row in TRANSITIONS.values()} <= set(STATES)
    assert {act for _, act in TRANSITIONS} == set(Act)


@pytest.mark.parametrize(("state", "act"), PAIRS)
def test_what_has_a_row_is_done_and_what_has_none_is_refused(office: Office, state: str, act: Act) -> None:
    id_ = entry_in(office, state)
    officer = recorder(office) if act is Act.WITHDRAW else hire(office, Role.APPROVER, Role.AUDITOR)
    row = TRANSITIONS.get((state, act))
    assert (act in offered(office, officer, id_)) is (row is not None)
    if row is None:
        refused("entry-resolved", lambda: act_as(office, officer, act, id_))
        assert office.state(id_) == state
    else:
        act_as(office, officer, act, id_)
        assert office.state(id_) == row.state


@pytest.mark.parametrize("state", OPEN_STATES)
def test_nobody_but_its_recorder_withdraws_an_entry(office: Office, state: str) -> None:
    id_, other = entry_in(office, state), hire(office, *Role)
    refused("not-your-role", lambda: act_as(office, other, Act.WITHDRAW, id_))
    assert (office.state(id_), Act.WITHDRAW in offered(office, other, id_)) == (state, False)


@pytest.mark.parametrize(("state", "act"), OTHERS_ROWS)
def test_a_recorder_with_every_role_does_to_their_entry_nothing_but_withdraw_it(
    office: Office, state: str, act: Act
) -> None:
    id_ = entry_in(office, state)
    refused("two-persons", lambda: act_as(office, recorder(office), act, id_))
    assert (office.state(id_), offered(office, recorder(office), id_)) == (state, {Act.WITHDRAW})


@pytest.mark.parametrize(("state", "act"), OTHERS_ROWS)
def test_every_other_role_is_not_the_role_of_a_row(office: Office, state: str, act: Act) -> None:
    id_, needed = entry_in(office, state), TRANSITIONS[state, act].role
    other = hire(office, *(role for role in Role if role is not needed))
    refused("not-your-role", lambda: act_as(office, other, act, id_))
    assert (office.state(id_), act in offered(office, other, id_)) == (state, False)


def test_a_recorder_who_has_lost_the_role_still_withdraws_their_entry(office: Office) -> None:
    id_ = entry_in(office, "waiting")
    with office.services.begin() as session:
        session.get_one(Officer, office.ids["both"]).roles = [Role.APPROVER]
    act_as(office, recorder(office), Act.WITHDRAW, id_)
    assert office.state(id_) == "withdrawn"
    with office.services.sessions() as session:
        roles = session.scalars(select(AuditEvent.role).where(AuditEvent.action == "entry-withdrawn"))
        assert roles.all() == ["recorder"]

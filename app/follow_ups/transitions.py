"""The transitions of follow-ups: who may do what to one in which state, and what follows. One row for each.

What has no row cannot be done. `workflow.py` performs the rows. No row changes a color: an admission and a transfer are
evidence that no rule of a color asks for. A discharge is an entry, which two officers bring about or one, as the
entries have it; then the clock ends the follow-up.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from app.codes import ledger
from app.codes.evidence import NewEvidence, new_id
from app.codes.models import EvidenceRow
from app.core.errors import Problem
from app.follow_ups.models import FollowUp
from app.rules import RECIPIENTS, Admission, Transfer
from app.staff.context import OfficerContext
from app.staff.models import Role


class FollowUpAct(StrEnum):
    """What can be done to a follow-up."""

    ASSIGN = "assign"  # to a district, where nobody knows the person's
    HAND_OVER = "hand-over"
    RECEIVE = "receive"
    FINISH = "finish"  # the community has arranged for the person
    ADMIT = "admit"  # the hospital has taken the person in
    CORRECT = "correct"  # the admission was recorded in error
    TRANSFER = "transfer"
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    END = "end"  # the clock does, when the rule in force asks for none any more


class Stated(NamedTuple):
    """What an officer states with an act: the institution, the document it rests on, and a district."""

    receiver: str = ""
    reference: str = ""
    district: str = ""


def allow(_context: OfficerContext, _one: FollowUp) -> None:
    """Require nothing."""


def require_own(context: OfficerContext, one: FollowUp) -> None:
    """Require an officer of the district that follows up. Raises Problem `not-your-role`."""
    if not context.covers(one.district):
        raise Problem("not-your-role")


def require_unassigned(context: OfficerContext, one: FollowUp) -> None:
    """Require a follow-up that no district has, which only the province sees. Raises Problem `not-your-role`."""
    if one.district is not None:
        raise Problem("not-your-role")
    require_own(context, one)


def require_other(context: OfficerContext, one: FollowUp) -> None:
    """Require an officer of the district who did not act last. Raises Problem `not-your-role` or `two-officers`."""
    require_own(context, one)
    if context.me.id == one.officer_id:
        raise Problem("two-officers")


def require_receiving(context: OfficerContext, one: FollowUp) -> None:
    """Require an officer of the district to which a transfer goes, who did not propose it. Raises Problem."""
    if not context.covers(one.proposed_district):
        raise Problem("not-your-role")
    if context.me.id == one.officer_id:
        raise Problem("two-officers")


def require_not_recorder(context: OfficerContext, one: FollowUp) -> None:
    """Require an officer of the district who did not record the admission. Raises Problem."""
    require_own(context, one)
    row = context.session.get(EvidenceRow, (one.serial, one.evidence_id))
    if row is not None and row.recorded_by == str(context.actor):
        raise Problem("two-officers")


def nothing(_context: OfficerContext, _one: FollowUp, _stated: Stated) -> None:
    """Change nothing else."""


def assign(_context: OfficerContext, one: FollowUp, stated: Stated) -> None:
    one.district = stated.district


def hand_over(_context: OfficerContext, one: FollowUp, stated: Stated) -> None:
    one.receiver = stated.receiver


def withdraw(_context: OfficerContext, one: FollowUp, _stated: Stated) -> None:
    """Forget to whom it was handed over."""
    one.receiver = None


def admit(context: OfficerContext, one: FollowUp, stated: Stated) -> None:
    """Record the admission as evidence, in the name of the hospital that has received the person."""
    assert one.receiver is not None
    fact = Admission(id=new_id(), at=context.now)
    _record(context, one, NewEvidence(fact, one.receiver, stated.reference))


def correct(context: OfficerContext, one: FollowUp, _stated: Stated) -> None:
    """Withdraw the evidence of the admission."""
    assert one.evidence_id is not None
    ledger.withdraw(_change(context), one.serial, one.evidence_id, "wrong-facts")
    one.evidence_id = None


def propose(_context: OfficerContext, one: FollowUp, stated: Stated) -> None:
    one.proposed_district, one.proposed_receiver = stated.district, stated.receiver


def accept(context: OfficerContext, one: FollowUp, stated: Stated) -> None:
    """Record the transfer as evidence, in the name of the hospital that accepts; its district follows up from now."""
    assert one.proposed_receiver is not None
    one.district, one.receiver = one.proposed_district, one.proposed_receiver
    fact = Transfer(id=new_id(), at=context.now)
    _record(context, one, NewEvidence(fact, one.receiver, stated.reference))
    forget_proposal(context, one, stated)


def forget_proposal(_context: OfficerContext, one: FollowUp, _stated: Stated) -> None:
    one.proposed_district = one.proposed_receiver = None


def end(context: OfficerContext, one: FollowUp, stated: Stated) -> None:
    one.ended_at = context.now
    forget_proposal(context, one, stated)


def _record(context: OfficerContext, one: FollowUp, evidence: NewEvidence) -> None:
    ledger.record(_change(context), one.serial, [evidence])
    one.evidence_id = evidence.fact.id


def _change(context: OfficerContext) -> ledger.ChangeContext:
    return ledger.ChangeContext(context.session, context.policy, context.actor, context.now)


class FollowUpTransition(NamedTuple):
    """A row: the role that it takes (None: the clock), what must hold, what follows, and the next state.

    `needs` are the fields of `Stated` that it needs, `recipient` whose follow-ups have it (None: those of both).
    """

    role: Role | None
    guard: Callable[[OfficerContext, FollowUp], None]
    effect: Callable[[OfficerContext, FollowUp, Stated], None]
    state: str
    needs: tuple[str, ...] = ()
    recipient: str | None = None


_T, _A = FollowUpTransition, FollowUpAct
HOSPITAL, COMMUNITY = RECIPIENTS
RECORDER, APPROVER = Role.RECORDER, Role.APPROVER
TO, BY, REF = ("district",), ("receiver",), ("reference",)
LIVING: Final = ("open", "handed-over", "received", "done", "admitted", "transferring")  # has not ended
# fmt: off
TRANSITIONS: Final[Mapping[tuple[str, FollowUpAct], FollowUpTransition]] = {
    # state         act                role      guard                 effect           state           needs, whose
    ("open",         _A.ASSIGN):    _T(RECORDER, require_unassigned,   assign,          "open",         TO),
    ("open",         _A.HAND_OVER): _T(RECORDER, require_own,          hand_over,       "handed-over",  BY),
    ("handed-over",  _A.RECEIVE):   _T(APPROVER, require_other,        nothing,         "received"),
    ("handed-over",  _A.WITHDRAW):  _T(RECORDER, require_own,          withdraw,        "open"),
    ("received",     _A.FINISH):    _T(RECORDER, require_own,          nothing,         "done",         (), COMMUNITY),
    ("received",     _A.ADMIT):     _T(RECORDER, require_own,          admit,           "admitted",     REF, HOSPITAL),
    ("admitted",     _A.CORRECT):   _T(APPROVER, require_not_recorder, correct,         "received"),
    ("admitted",     _A.TRANSFER):  _T(RECORDER, require_own,          propose,         "transferring", TO + BY),
    ("transferring", _A.ACCEPT):    _T(APPROVER, require_receiving,    accept,          "admitted",     REF),
    ("transferring", _A.DECLINE):   _T(APPROVER, require_receiving,    forget_proposal, "admitted"),
    ("transferring", _A.WITHDRAW):  _T(RECORDER, require_own,          forget_proposal, "admitted"),
    **{(state, _A.END): _T(None, allow, end, "ended") for state in LIVING},
}
# fmt: on


def allowed_acts(context: OfficerContext, one: FollowUp) -> list[FollowUpAct]:
    """Return what the officer can do to a follow-up, for the forms of its page; each act checks again."""
    return [act for act in FollowUpAct if _is_allowed(context, one, act)]


def find_row(one: FollowUp, act: FollowUpAct) -> FollowUpTransition | None:
    """Return the row of an act to a follow-up as it is now, if there is one."""
    row = TRANSITIONS.get((one.state, act))
    return None if row is None or row.recipient not in (None, one.recipient) else row


def _is_allowed(context: OfficerContext, one: FollowUp, act: FollowUpAct) -> bool:
    row = find_row(one, act)
    if row is None or row.role is None or row.role not in context.me.roles:
        return False
    try:
        row.guard(context, one)
    except Problem:
        return False
    return True

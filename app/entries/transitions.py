"""The transitions of entries: who may do what to an entry in which state, and what follows. One row for each.

What has no row cannot be done. `workflow.py` performs the rows.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from app.core.errors import Problem
from app.entries.cases import covers_open_cases
from app.entries.content import EntryKind
from app.entries.effects import list_subjects, revoke, take_effect, withdraw_evidence
from app.entries.models import Entry
from app.staff.context import OfficerContext
from app.staff.models import Role


class Act(StrEnum):
    """What can be done to an entry that is saved."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    CLEAR_HOLD = "clear-hold"
    HOLD = "hold"  # an alarm does, at an approval
    LAPSE = "lapse"  # the clock does
    END_WITH_CASE = "end-with-case"  # at an approval, where the case was ruled out


def allow(_context: OfficerContext, _entry: Entry) -> None:
    """Require nothing."""


def require_recorder(context: OfficerContext, entry: Entry) -> None:
    """Require the officer who recorded the entry. Raises Problem `not-your-role`."""
    if context.me.id != entry.recorder_id:
        raise Problem("not-your-role")


def require_not_recorder(context: OfficerContext, entry: Entry) -> None:
    """Require an officer who did not record the entry. Raises Problem `two-persons`."""
    if context.me.id == entry.recorder_id:
        raise Problem("two-persons")


def require_other_officer(context: OfficerContext, entry: Entry) -> None:
    """Require an officer who neither recorded the entry nor cleared its hold. Raises Problem `two-persons`."""
    if context.me.id in (entry.recorder_id, entry.cleared_by):
        raise Problem("two-persons")


def require_signer(context: OfficerContext, entry: Entry) -> None:
    """Require another officer, who covers the district of each case that the entry ends. Raises Problem."""
    require_other_officer(context, entry)
    if entry.kind == EntryKind.RULED_OUT:
        serials = [one.serial for one in list_subjects(context.session, entry)]
        if not covers_open_cases(context, serials):
            raise Problem("other-districts-case")


def refuse_hold(_context: OfficerContext, _entry: Entry) -> None:
    """Refuse to hold: the entry is in effect, and lapses unless approved later. Raises Problem `too-many-at-once`."""
    raise Problem("too-many-at-once")


def nothing(_context: OfficerContext, _entry: Entry, _reason: str | None) -> None:
    """Change nothing else."""


class Transition(NamedTuple):
    """A row: the role that it takes (None: the guard alone decides), what must hold, what follows, and the next state.

    `audit` is the action that the audit gets, as `entry-<audit>`.
    """

    role: Role | None
    guard: Callable[[OfficerContext, Entry], None]
    effect: Callable[[OfficerContext, Entry, str | None], None]
    state: str
    audit: str


_T = Transition
APPROVER, AUDITOR = Role.APPROVER, Role.AUDITOR
# fmt: off
TRANSITIONS: Final[Mapping[tuple[str, Act], Transition]] = {
    # state      act                     role      guard                  effect             state        audit
    ("waiting", Act.APPROVE):       _T(APPROVER, require_signer,        take_effect,       "applied",   "approved"),
    ("urgent",  Act.APPROVE):       _T(APPROVER, require_other_officer, nothing,           "applied",   "approved"),
    ("waiting", Act.HOLD):          _T(APPROVER, require_other_officer, nothing,           "held",      "held"),
    ("urgent",  Act.HOLD):          _T(APPROVER, refuse_hold,           nothing,           "urgent",    "held"),
    ("held",    Act.CLEAR_HOLD):    _T(AUDITOR,  require_other_officer, nothing,           "waiting",   "hold-cleared"),
    ("waiting", Act.REJECT):        _T(APPROVER, require_not_recorder,  nothing,           "rejected",  "rejected"),
    ("urgent",  Act.REJECT):        _T(APPROVER, require_not_recorder,  revoke,            "rejected",  "rejected"),
    ("held",    Act.REJECT):        _T(AUDITOR,  require_not_recorder,  nothing,           "rejected",  "rejected"),
    ("waiting", Act.WITHDRAW):      _T(None,     require_recorder,      nothing,           "withdrawn", "withdrawn"),
    ("urgent",  Act.WITHDRAW):      _T(None,     require_recorder,      revoke,            "withdrawn", "withdrawn"),
    ("held",    Act.WITHDRAW):      _T(None,     require_recorder,      nothing,           "withdrawn", "withdrawn"),
    ("urgent",  Act.LAPSE):         _T(None,     allow,                 revoke,            "lapsed",    "lapsed"),
    ("waiting", Act.END_WITH_CASE): _T(APPROVER, require_other_officer, withdraw_evidence, "rejected",  "rejected"),
    ("urgent",  Act.END_WITH_CASE): _T(APPROVER, require_other_officer, revoke,            "rejected",  "rejected"),
}
# fmt: on
_OFFERED: Final = (Act.APPROVE, Act.REJECT, Act.WITHDRAW, Act.CLEAR_HOLD)  # what officers choose themselves


def allowed_acts(context: OfficerContext, entry: Entry) -> set[Act]:
    """Return what the officer can do with an entry, for the buttons of its page; each act checks again."""
    return {act for act in _OFFERED if _is_allowed(context, entry, act)}


def _is_allowed(context: OfficerContext, entry: Entry, act: Act) -> bool:
    row = TRANSITIONS.get((entry.state, act))
    if row is None or (row.role is not None and row.role not in context.me.roles):
        return False
    try:
        row.guard(context, entry)
    except Problem:
        return False
    return True

"""Consent at a service window: a clerk has the document of the dependant, or of a guardian and a child, in hand.

For the pages of the window: the context is the clerk's, whose transaction it is, and the audit names the clerk.
"""

from datetime import date

from app import audit
from app.core.errors import Problem
from app.families import invitations, ties
from app.families.children import check_age
from app.families.invitations import Answer, Invitation
from app.families.models import FamilyTie
from app.families.ties import MINOR_UNTIL, Consent, NewTie
from app.staff.context import OfficerContext


def list_at_window(context: OfficerContext, dependant: int) -> list[Invitation]:
    """Return the invitations that the person at the window may accept, as they would see them on a phone."""
    return list(invitations.list_invitations(context.session, context.encryption, dependant, context.now))


def accept_at_window(context: OfficerContext, dependant: int, invitation: str, *, may_declare: bool) -> FamilyTie:
    """Accept an invitation for the person who is present. Raises Problem as `invitations.accept` does."""
    session, holder = context.session, invitations.find_holder(context.session, invitation)
    ties.lock_both(session, dependant, holder)
    answer = Answer(invitation, may_declare, Consent.WINDOW)
    tie = invitations.accept(session, context.encryption, dependant, answer, context.now)
    _append_audit(context, tie)
    return tie


def add_child_at_window(context: OfficerContext, guardian: int, child: int, born_on: date) -> FamilyTie:
    """Tie a registered child under 14 to a guardian; both are present, and the clerk has seen the proof.

    Raises Problem `identity-unconfirmed`, as `children.add` does, or with the field of the age.
    """
    session, now = context.session, context.now
    check_age(born_on, now)
    ties.lock_both(session, guardian, child)
    if not ties.are_confirmed(session, guardian, child):
        raise Problem("identity-unconfirmed")
    ties.check_room_of_holder(session, guardian, now)
    ties.check_room_of_dependant(session, child, now)
    new = NewTie(guardian, child, Consent.GUARDIAN, True, ties.birthday(born_on, MINOR_UNTIL))
    tie = ties.tie(session, new, ties.family_actor(guardian), now)
    _append_audit(context, tie)
    return tie


def _append_audit(context: OfficerContext, tie: FamilyTie) -> None:
    role = None if context.role is None else context.role.value
    session, now = context.session, context.now
    audit.append(session, context.actor, "family-vouched", now, serial=tie.dependant, role=role, tie=tie.id)

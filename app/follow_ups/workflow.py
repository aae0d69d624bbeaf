"""What officers do to follow-ups, each act in the caller's transaction. `transitions.py` has the rules."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from app.audit import AccessReason, RecordPart
from app.citizens.documents import DocumentType
from app.citizens.models import Citizen
from app.core.errors import FieldError, Problem
from app.core.province import districts as all_districts
from app.follow_ups import messages
from app.follow_ups.models import FollowUp
from app.follow_ups.transitions import FollowUpAct, Stated, find_row
from app.staff.context import OfficerContext
from app.staff.models import Officer, Role

ROLES: Final = (Role.RECORDER, Role.APPROVER)  # who see follow-ups, and do one or another act
MIN_NAME, MAX_NAME = 2, 80  # letters of an institution or a document
OPEN_STATES: Final = ("open", "handed-over", "received", "transferring")  # an officer has something to do


class FollowedPerson(NamedTuple):
    """Who is followed up, as the officer who has to reach them reads it; empty where nothing is known."""

    name: str
    document_type: DocumentType | None
    number: str
    phone: str


def perform(context: OfficerContext, id_: int, act: FollowUpAct, stated: Stated) -> FollowUp:
    """Do an act to a follow-up. Raises Problem, with every bad field of what is stated."""
    context, one = context.acting_as(*ROLES), lock(context, id_)
    row = find_row(one, act)
    if row is None or row.role is None:
        raise Problem("follow-up-moved")
    context = context.acting_as(row.role)
    row.guard(context, one)
    stated = Stated(*(part.strip() for part in stated))
    if wrong := _find_errors(stated, row.needs):
        raise Problem("invalid-request", fields=tuple(wrong))
    move(context, one, act, stated)
    if act is FollowUpAct.RECEIVE:
        messages.notify_once(context.session, one, context.now)
    return one


def move(context: OfficerContext, one: FollowUp, act: FollowUpAct, stated: Stated) -> None:
    """Bring about what follows from an act, in the next state, and append that to the audit."""
    row = find_row(one, act)
    assert row is not None
    row.effect(context, one, stated)
    one.state, one.acted_at, one.reminded_at = row.state, context.now, None
    one.due_at = context.policy.follow_ups_at(context.now).due_at(row.state, context.now)
    one.officer_id = None if context.officer is None else context.officer.id
    detail: dict[str, Any] = {"follow_up": one.id, "recipient": one.recipient, "district": one.district}
    context.append_audit(f"follow-up-{act}", serial=one.serial, **detail)
    context.session.flush()


def _find_errors(stated: Stated, needs: Sequence[str]) -> list[FieldError]:
    wrong = []
    for name in needs:
        words = getattr(stated, name)
        if name == "district":
            if words not in all_districts():
                wrong.append(FieldError("/district", "not-a-choice"))
        elif len(words) < MIN_NAME:
            wrong.append(FieldError(f"/{name}", "required"))
        elif len(words) > MAX_NAME:
            wrong.append(FieldError(f"/{name}", "too-long"))
        elif not words.isprintable():
            wrong.append(FieldError(f"/{name}", "invalid"))
    return wrong


# --- reading ------------------------------------------------------------------------------------------------------


def seen_by(officer: Officer) -> ColumnElement[bool]:
    """Return the condition that an officer sees a follow-up: of their district, or on its way there."""
    if officer.district is None:
        return true()
    return or_(FollowUp.district == officer.district, FollowUp.proposed_district == officer.district)


def list_open(session: Session, officer: Officer, most: int) -> Sequence[FollowUp]:
    """List the follow-ups that an officer sees and that have not ended: what is due first."""
    rows = select(FollowUp).where(FollowUp.ended_at.is_(None), seen_by(officer))
    return session.scalars(rows.order_by(FollowUp.due_at.nulls_last(), FollowUp.id).limit(most)).all()


def find(session: Session, officer: Officer, id_: int) -> FollowUp:
    """Return a follow-up that the officer sees. Raises Problem `follow-up-not-found`."""
    one = session.scalars(select(FollowUp).where(FollowUp.id == id_, seen_by(officer))).first()
    if one is None:
        raise Problem("follow-up-not-found")
    return one


def lock(context: OfficerContext, id_: int) -> FollowUp:
    """Return a follow-up that the officer sees and that has not ended, locked. Raises Problem."""
    find(context.session, context.me, id_)
    one = context.session.get_one(FollowUp, id_, with_for_update=True, populate_existing=True)
    if one.ended_at is not None:
        raise Problem("follow-up-moved")
    return find(context.session, context.me, id_)  # it may have gone elsewhere meanwhile


def view_person(context: OfficerContext, id_: int) -> tuple[FollowUp, FollowedPerson]:
    """Return who is followed up, which is an access: the caller shows nothing before the commit. Raises Problem."""
    context = context.acting_as(*ROLES)
    one = find(context.session, context.me, id_)
    if one.ended_at is not None or not context.covers(one.district):
        raise Problem("follow-up-not-found")
    context.record_access(one.serial, AccessReason.QUARANTINE, RecordPart.IDENTITY)
    citizen, decrypt = context.session.get(Citizen, one.serial), context.encryption.decrypt
    if citizen is None:
        return one, FollowedPerson("", None, "", "")
    name, number, phone = (
        decrypt(f"citizens.{column}", kept) if (kept := getattr(citizen, f"{column}_ciphertext")) else ""
        for column in ("name", "document", "phone")
    )
    return one, FollowedPerson(name, DocumentType(citizen.document_type), number, phone)

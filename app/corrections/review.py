"""How two officers decide a correction: one proposes it, another does it, and each has seen both documents, masked.

Neither ever joins two people: a document that is known here as another person's is not given, whoever asks. So nobody
comes by another record, and nobody loses a color.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.audit import AccessReason, RecordPart
from app.citizens.documents import DocumentType, mask_name, mask_number
from app.citizens.models import Citizen
from app.codes import ledger
from app.codes.states import State
from app.core.db import WHOLE, Part
from app.core.errors import Problem
from app.corrections import change, proof, requests
from app.corrections.models import DocumentCorrection
from app.corrections.requests import LASTS, OPEN
from app.notifications import account_messages
from app.notifications.account_messages import Subject
from app.staff.context import OfficerContext
from app.staff.models import Officer, Role, Window
from app.wechat import login

PROPOSERS: Final = (Role.APPEALS,)
DECIDERS: Final = (Role.APPEALS, Role.APPROVER)


class CorrectionView(NamedTuple):
    """A request as an officer sees it: nothing of it is more than the holder recognizes.

    `remarks` are what speaks against it: slugs of texts. `stays` is the color, which it does not change.
    """

    row: DocumentCorrection
    window: Window | None
    name: str
    former: tuple[DocumentType, str]
    new: tuple[DocumentType, str]
    stays: State
    remarks: Sequence[str]
    is_mine: bool


def list_open(session: Session, officer: Officer, now: datetime, part: Part = WHOLE) -> Sequence[DocumentCorrection]:
    """List the requests that wait for somebody of the officer's district, oldest first."""
    waiting = select(DocumentCorrection).where(*_waiting(officer, now)).order_by(DocumentCorrection.id)
    return session.scalars(part.of(waiting)).all()


def count_open(session: Session, officer: Officer, now: datetime) -> int:
    """Count the requests that this officer can take a step further."""
    steps = DocumentCorrection.proposed_by.is_(None) | (DocumentCorrection.proposed_by != officer.id)
    if Role.APPEALS not in officer.roles:
        steps = steps & (DocumentCorrection.state == "proposed")
    return session.scalars(select(func.count()).where(*_waiting(officer, now), steps)).one()


def view(context: OfficerContext, id_: int) -> CorrectionView:
    """Return a request, which is an access to the record. Raises Problem `correction-not-found`."""
    context = context.acting_as(*DECIDERS)
    row = _find(context, id_)
    citizen = context.session.get(Citizen, row.serial, populate_existing=True)
    if citizen is None or citizen.name_ciphertext is None or citizen.document_ciphertext is None:
        raise Problem("correction-not-found")  # erased meanwhile
    context.record_access(row.serial, AccessReason.CORRECTION, RecordPart.IDENTITY)
    person, new = change.read_person(context.encryption, citizen), requests.new_document(context.encryption, row)
    former = person.kind, person.number
    taken = change.is_of_another(context.session, context.encryption, row.serial, new, context.now)
    remarks = [*(["of-another"] if taken else []), *(["other-birthday"] if proof.are_apart(former, new) else [])]
    return CorrectionView(
        row, None if row.window_id is None else context.session.get_one(Window, row.window_id),
        mask_name(person.name), (former[0], mask_number(former[1])), (new[0], mask_number(new[1])),
        State(ledger.get_code(context.session, row.serial).state), remarks, row.proposed_by == context.me.id,
    )  # fmt: skip


def propose(context: OfficerContext, id_: int) -> None:
    """Propose what a citizen asks for, to a second officer. Raises Problem."""
    context = context.acting_as(*PROPOSERS)
    row = _lock(context, id_)
    if row.state != "waiting":
        raise Problem("correction-not-found")
    row.state, row.proposed_by, row.proposed_at = "proposed", context.me.id, context.now
    context.append_audit("document-correction-proposed", serial=row.serial, correction=row.id)


def confirm(context: OfficerContext, id_: int) -> None:
    """Do what another officer has proposed. Raises Problem, among them `two-officers` and `document-of-another`."""
    context = context.acting_as(*DECIDERS)
    row = _lock(context, id_)
    if row.state != "proposed":
        raise Problem("correction-not-found")
    if row.proposed_by == context.me.id:
        raise Problem("two-officers")
    row.resolved_by = context.me.id
    row.is_return = change.apply(
        context.session, context.encryption, row.serial, requests.new_document(context.encryption, row), context.now
    )
    row.state, row.resolved_at, row.document_ciphertext = "done", context.now, None
    context.append_audit("document-corrected", serial=row.serial, correction=row.id, officer=row.proposed_by)
    _notify(context.session, row)


def refuse(context: OfficerContext, id_: int) -> None:
    """Refuse a request; nothing of the numbers in it is kept. Raises Problem."""
    context = context.acting_as(*DECIDERS)
    row = _lock(context, id_)
    row.state, row.resolved_at, row.resolved_by = "refused", context.now, context.me.id
    row.document_ciphertext = row.former_ciphertext = None
    context.append_audit("document-correction-refused", serial=row.serial, correction=row.id)
    _notify(context.session, row)


def _waiting(officer: Officer, now: datetime) -> list[ColumnElement[bool]]:
    row = DocumentCorrection
    where = [row.state.in_(OPEN), row.asked_at > now - LASTS]
    return where if officer.district is None else [*where, row.district == officer.district]


def _find(context: OfficerContext, id_: int) -> DocumentCorrection:
    """Return an open request of the officer's district. Raises Problem `correction-not-found`."""
    found = select(DocumentCorrection).filter_by(id=id_).where(*_waiting(context.me, context.now))
    row = context.session.scalar(found)
    if row is None:
        raise Problem("correction-not-found")
    return row


def _lock(context: OfficerContext, id_: int) -> DocumentCorrection:
    """Return an open request after its code, both locked, to an officer who has seen it. Raises Problem."""
    session = context.session
    ledger.lock_code(session, _find(context, id_).serial)
    row = session.get_one(DocumentCorrection, id_, with_for_update=True, populate_existing=True)
    if row.state not in OPEN:
        raise Problem("correction-not-found")
    context.require_seen(row.serial, AccessReason.CORRECTION, row.asked_at)
    return row


def _notify(session: Session, row: DocumentCorrection) -> None:
    assert row.resolved_at is not None
    subject = Subject("correction", row.id, row.serial)
    account_messages.announce(session, subject, login.list_user_ids(session, row.serial), row.resolved_at)

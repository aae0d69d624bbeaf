"""What a citizen asks for, and what becomes of it.

    waiting -> proposed           by an officer of the district; a clerk with the document in hand proposes at once
    proposed -> done              by a second officer
    waiting, proposed -> refused  by an officer; lapsed after LASTS
    done -> undone                by the person's objection, for OBJECTION_PERIOD

Where the platform's word is proof, a request is done at once. One answer says that it waits, whatever it waits for.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens import accounts, registration
from app.citizens.documents import DocumentType
from app.citizens.lookup import Document
from app.citizens.registration import Registration
from app.codes import claims, ledger
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem
from app.core.province import districts as all_districts
from app.corrections import change, proof
from app.corrections.change import Undoing
from app.corrections.models import DocumentCorrection
from app.staff.context import OfficerContext

MOST, MOST_PERIOD = 3, timedelta(days=30)
LASTS: Final = timedelta(days=14)
OBJECTION_PERIOD: Final = timedelta(days=7)
KEPT: Final = timedelta(days=90)  # without numbers
OPEN: Final = ("waiting", "proposed")
NEW_COLUMN, FORMER_COLUMN = "document_corrections.document", "document_corrections.former"


class CorrectionReason(StrEnum):
    """Why the document is another."""

    MISTYPED = "mistyped"
    RENEWED = "renewed"  # with another number
    OTHER_KIND = "other-kind"


class Wish(NamedTuple):
    """A correction as it is asked for. `district`: whose officers decide where the platform's word is no proof."""

    document: Document
    reason: str
    district: str


class AtWindow(NamedTuple):
    """What a clerk proposes for the person at their window, with the document in hand."""

    wish: Wish
    window: int
    officer: int


def make_form(session: Session, encryption: FieldEncryption, serial: int, wish: Wish, now: datetime) -> Registration:
    """Return what the platform is asked: name and phone of the account with the other document.

    Raises Problem with every bad field; `correct-by-registering` for an account that was never confirmed.
    """
    own = accounts.get_own_data(session, encryption, serial)
    if own is None:
        raise Problem("not-registered")
    kind, number = wish.document
    wrong = [] if wish.reason in set(CorrectionReason) else [FieldError("/reason", "not-a-choice")]
    wrong += [] if wish.district in all_districts() else [FieldError("/district", "not-a-choice")]
    form = registration.validate(Registration(None, None, own.name, kind, number, own.phone), now, wrong)
    if (form.document_type, form.document_number) == (own.document_type, own.document_number):
        raise Problem("invalid-request", fields=(FieldError("/document/number", "same-document"),))
    if ledger.get_code(session, serial).confirmed_at is None:
        raise Problem("correct-by-registering")
    return form


def ask(session: Session, encryption: FieldEncryption, serial: int, wish: Wish, now: datetime) -> DocumentCorrection:
    """Ask for a correction that the platform has confirmed, in a locked code; it is done at once where that is proof.

    Raises Problem `correction-open` or `corrections-too-many`.
    """
    row = _add(session, encryption, serial, wish, now)
    actor = Actor("citizen", str(serial))
    own = accounts.get_own_data(session, encryption, serial)
    former = DocumentType(row.former_type), "" if own is None else own.document_number
    audit.append(session, actor, "document-correction-asked", now, serial=serial, correction=row.id)
    proven = own is not None and own.phone is not None and proof.is_proof(former, wish.document)
    if proven and not change.is_of_another(session, encryption, serial, wish.document, now):
        finish(session, encryption, row, actor, now)
        claims.confirm(session, serial, now)  # whom the platform did not know by the former document any more
    return row


def propose_at_window(
    session: Session, encryption: FieldEncryption, serial: int, proposed: AtWindow, now: datetime
) -> DocumentCorrection:
    """Ask for the person at a window, in a locked code; another officer decides. Raises Problem as `ask` does."""
    row = _add(session, encryption, serial, proposed.wish, now)
    row.state, row.window_id, row.proposed_by, row.proposed_at = "proposed", proposed.window, proposed.officer, now
    session.flush()
    return row


def finish(session: Session, encryption: FieldEncryption, row: DocumentCorrection, actor: Actor, now: datetime) -> None:
    """Do a correction in a locked code. Raises Problem `document-of-another`."""
    row.is_return = change.apply(session, encryption, row.serial, new_document(encryption, row), now)
    row.state, row.resolved_at, row.document_ciphertext = "done", now, None
    if row.proposed_by is None:  # by the person themselves, who objects to nothing
        row.former_ciphertext = None
    audit.append(session, actor, "document-corrected", now, serial=row.serial, correction=row.id)
    session.flush()


def list_own(session: Session, serial: int) -> Sequence[DocumentCorrection]:
    """Return the requests of the holder of a code, the newest first."""
    claimed_at = ledger.get_code(session, serial).claimed_at
    own = select(DocumentCorrection).filter_by(serial=serial).where(DocumentCorrection.asked_at >= claimed_at)
    return session.scalars(own.order_by(DocumentCorrection.id.desc())).all()


def find_latest_done(session: Session, serial: int) -> DocumentCorrection | None:
    """Return the correction by which the holder of a code has their document: an earlier one is not undone alone."""
    return next((row for row in list_own(session, serial) if row.state == "done"), None)


def state_for_holder(row: DocumentCorrection) -> str:
    """Return the state as its person sees it: how far officers are is theirs."""
    return "waiting" if row.state in OPEN else row.state


def objection_ends_at(row: DocumentCorrection) -> datetime | None:
    """Return until when the person may object; None where officers did nothing, or not any more."""
    by_officers = row.resolved_at is not None and row.proposed_by is not None
    if row.state != "done" or not by_officers or row.former_ciphertext is None or row.resolved_at is None:
        return None
    return row.resolved_at + OBJECTION_PERIOD


def object_to(session: Session, encryption: FieldEncryption, serial: int, now: datetime) -> DocumentCorrection:
    """Undo what two officers did, as the holder of a locked code. Raises Problem `no-correction`, also a week later."""
    row = find_latest_done(session, serial)
    until = None if row is None else objection_ends_at(row)
    if row is None or until is None or now >= until:
        raise Problem("no-correction")
    _undo(session, encryption, row, Actor("citizen", str(serial)), now)
    return row


def undo_again(context: OfficerContext, correction_id: int) -> bool:
    """Undo after a restore what two officers did; return False where it stands no more, or was not done yet."""
    session = context.session
    row = session.get(DocumentCorrection, correction_id)
    if row is None:
        return False
    ledger.lock_code(session, row.serial)
    session.refresh(row)
    latest = find_latest_done(session, row.serial)
    if latest is not row or objection_ends_at(row) is None:
        return False
    _undo(session, context.encryption, row, context.actor, context.now)
    return True


def _undo(session: Session, encryption: FieldEncryption, row: DocumentCorrection, actor: Actor, now: datetime) -> None:
    assert row.former_ciphertext is not None  # while an objection is possible
    former = DocumentType(row.former_type), encryption.decrypt(FORMER_COLUMN, row.former_ciphertext)
    change.undo(session, encryption, row.serial, Undoing(former, row.asked_at, row.is_return), now)
    row.state, row.resolved_at, row.former_ciphertext = "undone", now, None
    audit.append(session, actor, "document-correction-undone", now, serial=row.serial, correction=row.id)


def new_document(encryption: FieldEncryption, row: DocumentCorrection) -> Document:
    """Return the document that an open request asks for."""
    assert row.document_ciphertext is not None
    return DocumentType(row.document_type), encryption.decrypt(NEW_COLUMN, row.document_ciphertext)


def forget(session: Session, serial: int, now: datetime) -> None:
    """Delete the numbers in the requests of somebody who is erased, and end one that is open."""
    mine = update(DocumentCorrection).filter_by(serial=serial)
    session.execute(mine.values(document_ciphertext=None, former_ciphertext=None))
    session.execute(mine.where(DocumentCorrection.state.in_(OPEN)).values(state="lapsed", resolved_at=now))


def delete_old(session: Session, now: datetime, limit: int) -> int:
    """End what waited too long, and delete numbers and rows that nobody needs any more; return their number."""
    row, unneeded = DocumentCorrection, {"document_ciphertext": None, "former_ciphertext": None}
    late = update(row).where(row.state.in_(OPEN), row.asked_at <= now - LASTS)
    session.execute(late.values(state="lapsed", resolved_at=now, **unneeded))
    over = update(row).where(row.state.not_in(OPEN), row.resolved_at <= now - OBJECTION_PERIOD)
    session.execute(over.where(row.former_ciphertext.is_not(None)).values(unneeded))
    old = select(row.id).where(row.state.not_in(OPEN), row.asked_at <= now - KEPT).limit(limit)
    gone = delete(row).where(row.id.in_(old)).returning(row.id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def _add(session: Session, encryption: FieldEncryption, serial: int, wish: Wish, now: datetime) -> DocumentCorrection:
    """Add a request of the holder of a locked code. Raises Problem."""
    own = accounts.get_own_data(session, encryption, serial)
    if own is None:
        raise Problem("not-registered")
    _require_room(session, serial, now)
    kind, number = wish.document
    row = DocumentCorrection(
        serial=serial, reason=wish.reason, district=wish.district, asked_at=now, state="waiting",
        document_type=kind, document_ciphertext=encryption.encrypt(NEW_COLUMN, number),
        former_type=own.document_type, former_ciphertext=encryption.encrypt(FORMER_COLUMN, own.document_number),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _require_room(session: Session, serial: int, now: datetime) -> None:
    """Raise Problem while a request is open, or when there were as many as one may have."""
    rows: Sequence[DocumentCorrection] = session.scalars(
        select(DocumentCorrection).filter_by(serial=serial).order_by(DocumentCorrection.asked_at)
    ).all()
    if any(row.state in OPEN and row.asked_at > now - LASTS for row in rows):
        raise Problem("correction-open")
    for row in rows:
        if row.state in OPEN:
            row.state, row.resolved_at = "lapsed", now
    session.flush()
    recent = [row.asked_at for row in rows if row.asked_at > now - MOST_PERIOD]
    if len(recent) >= MOST:
        wait = recent[-MOST] + MOST_PERIOD - now
        raise Problem("corrections-too-many", retry_after=int(wait.total_seconds()) + 1)

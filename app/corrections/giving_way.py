"""Records that give way to the person of a document: those of which nothing is known but the number.

Somebody who registered with a number that is not theirs, and whom the platform never confirmed, would keep its
person from it for good; so would a number that was typed once and of which nothing came.
"""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app import audit
from app.citizens.document_checks import identities
from app.citizens.models import Account, Citizen, FormerDocument
from app.codes import claims, ledger
from app.codes.models import EvidenceRow
from app.core.encryption import FieldEncryption
from app.entries.models import EntrySubject
from app.wechat import login


def gives_way(session: Session, serial: int, now: datetime) -> bool:
    """Return whether a record has no evidence in force, no entry, and no holder whom the platform ever confirmed."""
    code = ledger.get_code(session, serial)
    known = (
        exists().where(EvidenceRow.serial == serial, EvidenceRow.withdrawn_at.is_(None)),
        exists().where(EntrySubject.serial == serial),
        exists().where(FormerDocument.serial == serial),
    )
    if any(session.scalars(select(condition)).one() for condition in known):
        return False
    return claims.can_be_claimed(code, now)


def give_way(session: Session, encryption: FieldEncryption, serial: int, now: datetime) -> None:
    """Take the document from a record that gives way: its code stays, without a holder and without a document."""
    users = list(login.list_user_ids(session, serial))
    citizen = session.get_one(Citizen, serial, with_for_update={"key_share": True}, populate_existing=True)
    account = session.get(Account, serial)
    if account is not None:
        session.delete(account)
        login.unbind_all(session, serial)
        ledger.end_sessions(session, serial, actor=audit.CLOCK, now=now)
    identities.change(session, citizen, None)
    citizen.name_ciphertext = citizen.phone_ciphertext = citizen.document_ciphertext = None
    citizen.document_fingerprint = encryption.fingerprint("document:given-up", str(serial))[:15]
    citizen.erased_at = now
    claims.release(session, serial, actor=audit.CLOCK, now=now, users=users)
    session.flush()

"""Invitations: somebody asks to show another's code, and the other answers in their own account.

Whoever is invited is not looked up: an invitation is kept as keyed hashes of document and name, by one statement,
and found by the person who has both. So a number that we know, one that we do not, a wrong name, a refusal and a full
family are answered alike, and take the same time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from app import audit
from app.audit import Actor
from app.citizens.documents import mask_name
from app.citizens.models import Citizen
from app.codes import ledger
from app.codes.evidence import new_id
from app.codes.models import Code
from app.core.encryption import FieldEncryption
from app.core.errors import Problem, bad_field
from app.families import people, ties
from app.families.models import FamilyInvitation, FamilyTie
from app.families.people import Person
from app.families.ties import CHILD_UNTIL, MINOR_UNTIL, Consent, NewTie

LASTS = timedelta(days=7)
SILENCE = timedelta(days=30)  # an inviter who was declined MOST_DECLINED times within it is not shown
MOST_DECLINED = 2


class Invitation(NamedTuple):
    """An invitation as the invited person sees it: enough to recognize who asks, and no more."""

    id: str
    holder: int
    name: str  # masked
    phone_ends: str
    sent_at: datetime
    expires_at: datetime


class Answer(NamedTuple):
    """A dependant's consent: to which invitation, how it was given, and whether the holder may declare too."""

    invitation: str
    may_declare: bool
    consent: Consent = Consent.OWN_ACCOUNT


def send(session: Session, encryption: FieldEncryption, holder: int, person: Person, now: datetime) -> datetime:
    """Invite a person, and return when the invitation ends; one that is open already is renewed.

    Raises Problem for what concerns the holder alone: `identity-unconfirmed`, `family-full`, their own document.
    """
    code = ledger.get_code(session, holder)
    if not ties.are_confirmed(session, holder):
        raise Problem("identity-unconfirmed")
    ties.check_room_of_holder(session, holder, now)
    document, named = person.fingerprints(encryption)
    if session.scalar(select(Citizen.document_fingerprint).filter_by(serial=holder)) == document:
        raise bad_field("/document/number", "own-document")
    row = insert(FamilyInvitation).values(
        id=new_id(),
        holder=holder,
        holder_claimed_at=code.claimed_at,
        document_fingerprint=document,
        name_fingerprint=named,
        sent_at=now,
        expires_at=now + LASTS,
    )
    fresh = {"sent_at": now, "expires_at": now + LASTS, "holder_claimed_at": code.claimed_at}
    open_one = ["holder", "document_fingerprint", "name_fingerprint"]
    undeclined = FamilyInvitation.declined_at.is_(None)
    session.execute(row.on_conflict_do_update(index_elements=open_one, index_where=undeclined, set_=fresh))
    return now + LASTS


def list_invitations(session: Session, encryption: FieldEncryption, serial: int, now: datetime) -> Sequence[Invitation]:
    """Return the invitations that somebody may answer; none before the platform has confirmed them."""
    person = people.read(session, encryption, serial)
    if person is None or ledger.get_code(session, serial).confirmed_at is None:
        return []
    document, named = person.fingerprints(encryption)
    holder, declined = aliased(Code), aliased(FamilyInvitation)
    same_holder = and_(
        holder.serial == FamilyInvitation.holder, holder.claimed_at == FamilyInvitation.holder_claimed_at
    )
    times_declined = (
        select(func.count())
        .where(declined.holder == FamilyInvitation.holder, declined.document_fingerprint == document)
        .where(declined.declined_at > now - SILENCE)
        .scalar_subquery()
    )
    tied = exists(ties.in_force(now).where(FamilyTie.holder == holder.serial, FamilyTie.dependant == serial))
    found = (
        select(FamilyInvitation)
        .join(holder, same_holder)
        .filter_by(document_fingerprint=document, name_fingerprint=named, declined_at=None)
        .where(FamilyInvitation.expires_at > now, times_declined < MOST_DECLINED, ~tied)
        .order_by(FamilyInvitation.sent_at, FamilyInvitation.id)
    )
    return [_shown(session, encryption, row) for row in session.scalars(found)]


def _shown(session: Session, encryption: FieldEncryption, row: FamilyInvitation) -> Invitation:
    inviter = session.get_one(Citizen, row.holder)
    name = encryption.decrypt("citizens.name", inviter.name_ciphertext) if inviter.name_ciphertext else ""
    phone = encryption.decrypt("citizens.phone", inviter.phone_ciphertext) if inviter.phone_ciphertext else ""
    return Invitation(row.id, row.holder, name and mask_name(name), phone[-4:], row.sent_at, row.expires_at)


def find_holder(session: Session, invitation_id: str) -> int:
    """Return who sent an invitation; to be locked before it is answered. Raises Problem `invitation-not-found`."""
    holder = session.scalar(select(FamilyInvitation.holder).filter_by(id=invitation_id))
    if holder is None:
        raise Problem("invitation-not-found")
    return holder


def accept(session: Session, encryption: FieldEncryption, serial: int, answer: Answer, now: datetime) -> FamilyTie:
    """Tie the dependant, who consents, to whoever invited them; both codes are locked.

    Raises Problem `invitation-not-found`, also for that of another; `under-14`; `holders-full`, and `family-full`.
    """
    invitation = _find(session, encryption, serial, answer.invitation, now)
    person = people.read(session, encryption, serial)
    born_on = None if person is None else person.born_on
    if born_on is not None and now < ties.birthday(born_on, CHILD_UNTIL):
        raise Problem("under-14")
    ties.check_room_of_dependant(session, serial, now)
    ties.check_room_of_holder(session, invitation.holder, now)
    adult_at = None if born_on is None else ties.birthday(born_on, MINOR_UNTIL)
    ends_at = adult_at if adult_at is not None and adult_at > now else None
    session.execute(delete(FamilyInvitation).filter_by(id=invitation.id))
    new = NewTie(invitation.holder, serial, answer.consent, answer.may_declare, ends_at)
    return ties.tie(session, new, Actor("citizen", str(serial)), now)


def decline(session: Session, encryption: FieldEncryption, serial: int, invitation_id: str, now: datetime) -> None:
    """Decline an invitation, of which the inviter does not hear. Raises Problem `invitation-not-found`."""
    invitation = _find(session, encryption, serial, invitation_id, now)
    session.get_one(FamilyInvitation, invitation.id, with_for_update=True).declined_at = now
    actor = Actor("citizen", str(serial))
    holder, id_ = invitation.holder, invitation.id
    audit.append(session, actor, "family-declined", now, serial=serial, holder=holder, invitation=id_)


def readdress(session: Session, former: tuple[bytes, bytes], current: tuple[bytes, bytes]) -> None:
    """Have the invitations of somebody whose document was corrected find them; who sent both has sent one."""
    row = FamilyInvitation
    sent_anew = select(row.holder).filter_by(document_fingerprint=current[0], name_fingerprint=current[1])
    to_former = row.document_fingerprint == former[0]
    session.execute(delete(row).where(to_former, row.holder.in_(sent_anew.where(row.declined_at.is_(None)))))
    named = dict(zip(("document_fingerprint", "name_fingerprint"), current, strict=True))
    session.execute(update(row).where(to_former, row.name_fingerprint == former[1]).values(named))


def _find(session: Session, encryption: FieldEncryption, serial: int, invitation_id: str, now: datetime) -> Invitation:
    shown = list_invitations(session, encryption, serial, now)
    invitation = next((one for one in shown if one.id == invitation_id), None)
    if invitation is None:
        raise Problem("invitation-not-found")
    return invitation

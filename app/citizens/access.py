"""Accesses to and changes of a citizen's record: the audit as its citizen may read it.

Owns which part of an event is shown. It shows the role and the institution or district of an actor, never who they are.
A holder whom the platform has not confirmed sees only their own actions since they claimed the code.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from app.audit import Actor, AuditEvent
from app.citizens.document_checks import trail
from app.codes import ledger
from app.codes.models import Code, EvidenceRow
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.stations.models import Inspector, Station

# actions of registration and declaration; a decision or a withdrawal may rest on evidence of others
_OWN_ACTIONS = (
    "registered",
    "wechat-bound",
    "wechat-unbound",
    "family-tied",
    "family-ended",
    "family-declined",
    "evidence-recorded",
    "phone-deleted",
    "password-changed",
    "credentials-chosen",
    "exported",
    "name-corrected",
    "document-correction-asked",
    "document-corrected",
    "document-correction-undone",
    "paper-issued",
    "paper-revoked",
)
EARLIER_HOLDER = "earlier-holder"  # an account that had claimed the code before
_NO_OTHER_PERSON = ("citizen", "clock", "platform", "wechat")  # who acts so is the holder, or nobody


class Whose(StrEnum):
    """The events that are listed: those of other persons, or the holder's own and those of the system."""

    OTHERS = "others"
    OWN = "own"


class Access(NamedTuple):
    """One event, with the role of the actor, and their authority, district and reference, if any.

    `kind` is that of the actor, for a role without text. `number` counts the events in the list, the oldest first.
    """

    event: AuditEvent
    role: str
    kind: str
    authority: str | None
    district: str | None
    reference: str | None
    number: int


def list_accesses(
    session: Session, serial: int, limit: int, before: int | None = None, whose: Whose | None = None
) -> list[Access]:
    """Return the events of a code that its holder may read, newest first; `before` is the number of the last one seen.

    A number, not the id: ids count what is done to everybody.
    """
    wanted = select(AuditEvent).filter_by(serial=serial)
    code = ledger.get_code(session, serial)
    if whose is not None:
        own = _is_own(code)
        wanted = wanted.where(own if whose is Whose.OWN else not_(own))
    if code.confirmed_at is None:
        wanted = wanted.where(
            AuditEvent.actor == str(Actor("citizen", str(serial))),
            AuditEvent.action.in_(_OWN_ACTIONS),
            AuditEvent.at >= code.claimed_at,
        )
    newest = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    if before is not None:
        newest = min(newest, before - 1)
    oldest_first = wanted.order_by(AuditEvent.id).offset(max(0, newest - limit)).limit(min(limit, newest))
    events = session.scalars(oldest_first).all()[::-1]
    known = _Known(_evidence(session, serial, events), _districts(session, events))
    return [_access(event, newest - place, code, known) for place, event in enumerate(events)]


def list_document_checks(
    session: Session, encryption: FieldEncryption, serial: int, limit: int
) -> list[trail.SeenCheck]:
    """Return the checks of the holder's document, newest first; to a holder who is not confirmed, none."""
    if ledger.get_code(session, serial).confirmed_at is None:
        return []
    return trail.list_checks(session, encryption, serial, limit)


def _is_own(code: Code) -> ColumnElement[bool]:
    """Return the SQL expression for an event of the holder or of the system; those of an earlier holder are not."""
    role = func.coalesce(AuditEvent.role, func.split_part(AuditEvent.actor, ":", 1))
    own = role.in_(_NO_OTHER_PERSON)
    return own if code.claimed_at is None else and_(own, or_(role != "citizen", AuditEvent.at >= code.claimed_at))


class _Known(NamedTuple):
    """The evidence by id, and the districts by actor, that events name."""

    evidence: dict[str, EvidenceRow]
    districts: dict[str, str]


def _access(event: AuditEvent, number: int, code: Code, known: _Known) -> Access:
    kind = event.actor.partition(":")[0]
    role = event.role or kind
    if kind == "citizen" and code.claimed_at is not None and event.at < code.claimed_at:
        role = EARLIER_HOLDER
    fact = known.evidence.get(event.detail.get("evidence", "")) if kind == "officer" else None
    authority = fact.authority if fact else event.detail.get("authority")
    district = known.districts.get(event.actor)
    return Access(event, role, kind, authority, district, fact.reference if fact else None, number)


def _evidence(session: Session, serial: int, events: Sequence[AuditEvent]) -> dict[str, EvidenceRow]:
    ids = {event.detail["evidence"] for event in events if "evidence" in event.detail}
    rows = select(EvidenceRow).where(EvidenceRow.serial == serial, among(EvidenceRow.id, ids))
    return {row.id: row for row in session.scalars(rows)}


def _districts(session: Session, events: Sequence[AuditEvent]) -> dict[str, str]:
    """Return the district of each inspector's station, by actor."""
    actors = {event.actor for event in events if event.actor.startswith("inspector:")}
    ids = [int(actor.partition(":")[2]) for actor in actors]
    rows = select(Inspector.id, Station.district).join(Station, Inspector.station_id == Station.id)
    districts = session.execute(rows.where(among(Inspector.id, ids)))
    return {str(Actor("inspector", str(id_))): district for id_, district in districts}

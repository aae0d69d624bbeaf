"""Who looked at a person's record, and who changed it: the audit as that person may read it.

Owns what of an entry is told, and to whom. It tells in which role and for which institution or district somebody acted,
never who they are. A holder whom the platform has not confirmed sees what they did themselves since they held the code.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Actor, AuditEvent
from app.codes import ledger
from app.codes.models import Code, EvidenceRow
from app.core.db import among
from app.stations.models import Inspector, Station

# what somebody does who registers and declares; a decision, or what it ends, may rest on what others know
_OWN_ACTIONS = ("registered", "wechat-bound", "evidence-recorded", "phone-deleted")
EARLIER_HOLDER = "earlier-holder"  # whoever had registered with the same document before


class Access(NamedTuple):
    """One entry: in which role, for which authority or in which district, if any, and the document behind it.

    `kind` is the actor's, which says something where a role has no words.
    """

    event: AuditEvent
    role: str
    kind: str
    authority: str | None
    district: str | None
    reference: str | None


def list_accesses(session: Session, serial: int, limit: int, before: int | None = None) -> list[Access]:
    """The entries about a code that its holder may read, newest first; `before` is the entry from which to go on."""
    wanted = select(AuditEvent).filter_by(serial=serial).order_by(AuditEvent.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(AuditEvent.id < before)
    code = ledger.get_code(session, serial)
    if code.confirmed_at is None:
        wanted = wanted.where(
            AuditEvent.actor == str(Actor("citizen", str(serial))),
            AuditEvent.action.in_(_OWN_ACTIONS),
            AuditEvent.at >= code.claimed_at,
        )
    events = session.scalars(wanted).all()
    evidence, districts = _evidence(session, events), _districts(session, events)
    return [_access(event, code, evidence, districts) for event in events]


def _access(event: AuditEvent, code: Code, evidence: dict[str, EvidenceRow], districts: dict[str, str]) -> Access:
    kind = event.actor.partition(":")[0]
    role = event.role or kind
    if kind == "citizen" and code.claimed_at is not None and event.at < code.claimed_at:
        role = EARLIER_HOLDER
    fact = evidence.get(event.detail.get("evidence", "")) if kind == "officer" else None
    authority = fact.authority if fact else event.detail.get("authority")
    return Access(event, role, kind, authority, districts.get(event.actor), fact.reference if fact else None)


def _evidence(session: Session, events: Sequence[AuditEvent]) -> dict[str, EvidenceRow]:
    ids = {event.detail["evidence"] for event in events if "evidence" in event.detail}
    return {row.id: row for row in session.scalars(select(EvidenceRow).where(among(EvidenceRow.id, ids)))}


def _districts(session: Session, events: Sequence[AuditEvent]) -> dict[str, str]:
    """The district of each inspector's station, by the actor's name."""
    actors = {event.actor for event in events if event.actor.startswith("inspector:")}
    ids = [int(actor.partition(":")[2]) for actor in actors]
    rows = select(Inspector.id, Station.district).join(Station, Inspector.station_id == Station.id)
    found = session.execute(rows.where(among(Inspector.id, ids)))
    return {str(Actor("inspector", str(id_))): district for id_, district in found}

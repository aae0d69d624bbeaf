"""Who looked at a person's record, and who changed it: the audit as that person may read it.

Owns what of an entry is told, and to whom. It tells in which role and for which institution or district somebody acted,
never who they are. A holder whom the platform has not confirmed sees what they did themselves since they held the code.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Actor, AuditEntry
from app.codes import ledger
from app.codes.models import Code, EvidenceRow
from app.db import among
from app.stations.models import Inspector, Station

# what somebody does who registers and declares; a decision, or what it ends, may rest on what others know
_OWN_DEEDS = ("registered", "wechat-bound", "evidence-recorded", "phone-deleted")
EARLIER_HOLDER = "earlier-holder"  # whoever had registered with the same document before


class Access(NamedTuple):
    """One entry: in which role, for which authority or in which district, if any, and the document behind it.

    `kind` is the actor's, which says something where a role has no words.
    """

    entry: AuditEntry
    role: str
    kind: str
    authority: str | None
    district: str | None
    reference: str | None


def to_record(session: Session, serial: int, most: int, before: int | None = None) -> list[Access]:
    """The entries about a code that its holder may read, newest first; `before` is the entry from which to go on."""
    wanted = select(AuditEntry).filter_by(serial=serial).order_by(AuditEntry.id.desc()).limit(most)
    if before is not None:
        wanted = wanted.where(AuditEntry.id < before)
    code = ledger.code_of(session, serial)
    if code.confirmed_at is None:
        wanted = wanted.where(
            AuditEntry.actor == str(Actor("citizen", str(serial))),
            AuditEntry.action.in_(_OWN_DEEDS),
            AuditEntry.at >= code.held_since,
        )
    entries = session.scalars(wanted).all()
    evidence, districts = _evidence(session, entries), _districts(session, entries)
    return [_access(entry, code, evidence, districts) for entry in entries]


def _access(entry: AuditEntry, code: Code, evidence: dict[str, EvidenceRow], districts: dict[str, str]) -> Access:
    kind = entry.actor.partition(":")[0]
    role = entry.role or kind
    if kind == "citizen" and code.held_since is not None and entry.at < code.held_since:
        role = EARLIER_HOLDER
    fact = evidence.get(entry.detail.get("evidence", "")) if kind == "officer" else None
    authority = fact.authority if fact else entry.detail.get("authority")
    return Access(entry, role, kind, authority, districts.get(entry.actor), fact.reference if fact else None)


def _evidence(session: Session, entries: Sequence[AuditEntry]) -> dict[str, EvidenceRow]:
    ids = {entry.detail["evidence"] for entry in entries if "evidence" in entry.detail}
    return {row.id: row for row in session.scalars(select(EvidenceRow).where(among(EvidenceRow.id, ids)))}


def _districts(session: Session, entries: Sequence[AuditEntry]) -> dict[str, str]:
    """The district of each inspector's station, by the actor's name."""
    actors = {entry.actor for entry in entries if entry.actor.startswith("inspector:")}
    ids = [int(actor.partition(":")[2]) for actor in actors]
    rows = select(Inspector.id, Station.district).join(Station, Inspector.station_id == Station.id)
    found = session.execute(rows.where(among(Inspector.id, ids)))
    return {str(Actor("inspector", str(id_))): district for id_, district in found}

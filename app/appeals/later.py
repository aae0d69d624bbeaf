"""What happened since an appeal was filed: who had a part in the evidence, and what corrects it already.

Officers who recorded or approved evidence of the decision, or anything about the person since the appeal was filed, do
not resolve it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.appeals.models import Appeal
from app.audit import AuditEvent
from app.codes.models import DecisionRow, EvidenceRow
from app.core.db import among
from app.entries.models import MADE_EVIDENCE, Entry, EntrySubject
from app.staff.context import officer_ids_of
from app.staff.models import Officer


class LaterEntry(NamedTuple):
    """An entry about the person that is in effect and was recorded since the appeal was filed."""

    entry: int
    kind: str
    authority: str
    reference: str
    evidence: str


def may_resolve(session: Session, officer: Officer, appeal: Appeal) -> bool:
    """Return whether an officer who sees the appeal has no part in the evidence that it is about, or that answers it.

    That is the evidence of its decision, and whatever was recorded, approved, rejected or withdrawn about the person
    since the appeal was filed: otherwise one officer could record a release and overturn the decision with it.
    """
    since, evidence = appeal.filed_at, decision_of(session, appeal).evidence
    acted = (
        select(Entry.recorder_id, Entry.cleared_by, Entry.resolved_by)
        .join(EntrySubject, EntrySubject.entry_id == Entry.id)
        .outerjoin(EvidenceRow, MADE_EVIDENCE)
        .where(EntrySubject.serial == appeal.serial)
        .where(or_(among(EvidenceRow.id, evidence), EvidenceRow.recorded_at >= since, Entry.resolved_at >= since))
    )
    recorded = select(EvidenceRow.recorded_by).where(
        EvidenceRow.serial == appeal.serial, or_(among(EvidenceRow.id, evidence), EvidenceRow.recorded_at >= since)
    )
    withdrawn = select(AuditEvent.actor).where(
        AuditEvent.serial == appeal.serial, AuditEvent.action == "evidence-withdrawn", AuditEvent.at >= since
    )
    actors = [*session.scalars(recorded), *session.scalars(withdrawn)]
    return not any(officer.id in row for row in session.execute(acted)) and not any(
        officer.id in officer_ids_of(actor) for actor in actors
    )


def list_later_entries(session: Session, appeal: Appeal) -> Sequence[LaterEntry]:
    """List the entries about the person since the appeal that are in effect: one of these can overturn the decision."""
    rows = (
        select(Entry.id, Entry.kind, Entry.authority, Entry.reference, EvidenceRow.id)
        .select_from(EntrySubject)
        .join(EvidenceRow, MADE_EVIDENCE)
        .join(Entry, Entry.id == EntrySubject.entry_id)
        .where(
            Entry.state == "applied",
            EntrySubject.serial == appeal.serial,
            EvidenceRow.recorded_at >= appeal.filed_at,
            EvidenceRow.withdrawn_at.is_(None),
        )
        .order_by(Entry.id)
    )
    return [LaterEntry(*row) for row in session.execute(rows)]


def withdrawn_since(session: Session, appeal: Appeal) -> list[str]:
    """Return the evidence of the decision that was withdrawn after the appeal was filed, by anybody."""
    withdrawn = select(EvidenceRow.id).where(
        EvidenceRow.serial == appeal.serial,
        among(EvidenceRow.id, decision_of(session, appeal).evidence),
        EvidenceRow.withdrawn_at >= appeal.filed_at,
    )
    return list(session.scalars(withdrawn.order_by(EvidenceRow.at, EvidenceRow.id)))


def decision_of(session: Session, appeal: Appeal) -> DecisionRow:
    return session.get_one(DecisionRow, appeal.decision_id)

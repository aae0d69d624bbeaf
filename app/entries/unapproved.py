"""Unapproved evidence: what is in effect though one officer alone recorded it, and what was entered upon it.

An urgent entry is in effect before anybody approves it. What one officer alone may do is therefore judged twice: by all
evidence, and by the evidence without this. Whatever ends an infection or a restriction that is not there any more is
baseless, and is withdrawn with it: a recovery alone would begin an observation.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes import explanation, ledger
from app.codes.evidence import latest_moment
from app.codes.models import EvidenceRow
from app.codes.states import State
from app.core.db import among
from app.entries.models import MADE_EVIDENCE, Case, Entry, EntrySubject
from app.rules import Diagnosis, Evidence
from app.rules.evidence import Facts
from app.staff.context import OfficerContext

INFECTED_STATUSES = ("suspected", "confirmed")


def find_unapproved(session: Session, serials: Collection[int], now: datetime) -> frozenset[str]:
    """Return the ids of the unapproved evidence of these people, with what is baseless without it."""
    unapproved = _of_urgent_entries(session, serials) | _of_unapproved_cases(session, serials, now)
    if not unapproved:
        return frozenset()
    left = ledger.load_evidence_many(session, serials)
    for evidence in left.values():
        unapproved |= find_baseless((fact for fact in evidence if fact.id not in unapproved), now)
    return frozenset(unapproved)


def find_baseless(evidence: Iterable[Evidence], now: datetime) -> set[str]:
    """Return which of one person's evidence ends an infection or a restriction that the rest of it does not have."""
    known = list(evidence)
    now = latest_moment(known, now)  # what was recorded a moment ago may be dated just after it
    facts, infected, baseless = Facts(known, now), False, set()
    for diagnosis in facts.diagnoses:
        if diagnosis.status not in INFECTED_STATUSES and not infected:
            baseless.add(diagnosis.id)
        infected = diagnosis.status in INFECTED_STATUSES or (infected and diagnosis.status == "recovered")
    in_effect = {fact.id for fact in known if fact.in_effect(now)} - baseless
    return baseless | {release.id for release in facts.releases if release.releases not in in_effect}


def raises_risk(context: OfficerContext, facts: Mapping[int, list[Evidence]]) -> bool:
    """Return whether more facts would turn anybody orange or red who was better before, by either evidence."""
    unapproved = find_unapproved(context.session, facts, context.now)
    return any(
        then >= State.ORANGE and then > before
        for without in {frozenset(), unapproved}
        for before, then in explanation.preview_additions(context.session, context.policy, facts, context.now, without)
    )


def _of_urgent_entries(session: Session, serials: Collection[int]) -> set[str]:
    rows = (
        select(EntrySubject.evidence_id)
        .join(Entry, Entry.id == EntrySubject.entry_id)
        .where(among(EntrySubject.serial, serials), Entry.state == "urgent", EntrySubject.evidence_id.is_not(None))
    )
    return {id_ for id_ in session.scalars(rows) if id_ is not None}


def _of_unapproved_cases(session: Session, serials: Collection[int], now: datetime) -> set[str]:
    """Return the contacts, approved or not, of cases that would end with their unapproved diagnosis."""
    rows = session.execute(
        select(EvidenceRow.id, Case.serial)
        .join(EntrySubject, MADE_EVIDENCE)
        .join(Entry, Entry.id == EntrySubject.entry_id)
        .join(Case, Case.id == Entry.case_id)
        .where(among(EvidenceRow.serial, serials), EvidenceRow.withdrawn_at.is_(None), Case.ended_at.is_(None))
    ).all()
    infected = {row.serial for row in rows}
    unapproved = _of_urgent_entries(session, infected) if infected else set()
    if not unapproved:
        return set()
    evidence = ledger.load_evidence_many(session, infected)
    ending = {serial for serial in infected if not is_diagnosed(evidence.get(serial, ()), now, unapproved)}
    return {row.id for row in rows if row.serial in ending}


def is_diagnosed(evidence: Iterable[Evidence], now: datetime, without: Collection[str] = ()) -> bool:
    """Return whether a person has a suspected or confirmed diagnosis that was not ruled out later; recovered or not."""
    diagnosed = False
    for diagnosis in list_diagnoses([fact for fact in evidence if fact.id not in without], now):
        diagnosed = diagnosis.status in INFECTED_STATUSES or (diagnosed and diagnosis.status != "ruled_out")
    return diagnosed


def list_diagnoses(evidence: Sequence[Evidence], now: datetime) -> list[Diagnosis]:
    """List a person's diagnoses in effect as the rules read them, with what was dated just after a moment ago."""
    return Facts(evidence, latest_moment(evidence, now)).diagnoses

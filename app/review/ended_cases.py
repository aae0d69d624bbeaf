"""The cases that ended lately, for the auditors of their district and of whoever ended them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import AuditEvent
from app.core.db import among
from app.entries.content import CASE_ENDED
from app.entries.models import Case, Entry
from app.review import audit_search
from app.review.audit_search import AuditQuery, FoundEvent
from app.staff.models import Officer


class EndedCase(NamedTuple):
    """The event of its end, the number of the case, and the user names of who recorded and who approved that."""

    event: AuditEvent
    number: str
    usernames: Sequence[str]


def list_ended_cases(session: Session, auditor: Officer, since: datetime, most: int) -> Sequence[EndedCase]:
    """List the cases of the auditor's district, or that its officers ended, which have ended since, newest first."""
    found = audit_search.search(session, auditor, AuditQuery(action=CASE_ENDED), most)
    recent = [one for one in found if one.event.at > since]
    cases = {one.event.detail["case"] for one in recent}
    rows = session.execute(select(Case.id, Case.number).where(among(Case.id, cases)))
    numbers = {row.id: row.number for row in rows}
    recorders = _load_recorders(session, {one.event.detail["entry"] for one in recent if "entry" in one.event.detail})
    return [EndedCase(one.event, numbers[one.event.detail["case"]], _usernames(one, recorders)) for one in recent]


def _load_recorders(session: Session, entries: Collection[int]) -> dict[int, str]:
    rows = select(Entry.id, Officer.username).join(Officer, Officer.id == Entry.recorder_id)
    return {row.id: row.username for row in session.execute(rows.where(among(Entry.id, entries)))}


def _usernames(found: FoundEvent, recorders: dict[int, str]) -> Sequence[str]:
    """Return who recorded the entry that ended the case, if one did, then who brought it about; each once."""
    recorder = recorders.get(found.event.detail.get("entry", 0))
    return list(dict.fromkeys([*([recorder] if recorder else []), *found.usernames]))

"""That officers have viewed what they sign: an event that they were shown an entry, with a digest of what it then was.

Whoever approves, rejects or clears the hold of an entry has viewed it; after a change of the entry they view it again.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AuditEvent
from app.core.errors import Problem
from app.entries import effects, workflow
from app.entries.models import Entry, EntrySubject
from app.entries.queries import may_see
from app.entries.transitions import Act, allowed_acts
from app.staff.context import OfficerContext

# what a signature is for, and what has happened to the entry before it
_SIGNED: Final = ("kind", "authority", "reference", "place", "case_id", "exposed_on", "first_day", "last_day",
                  "urgent", "state", "alarm", "cleared_by", "clearance_reason")  # fmt: skip


def record_viewed(context: OfficerContext, entry: Entry, subjects: Sequence[EntrySubject]) -> None:
    """Record that the officer is shown an entry with all its people, before they are."""
    context.append_audit("entry-viewed", entry=entry.id, digest=_digest(entry, subjects))


def require_viewed(context: OfficerContext, entry_id: int, act: Act) -> None:
    """Require that the officer was shown the entry as it is now. Raises Problem `view-first`.

    Whoever may not do the act is left to `workflow`, which says why.
    """
    session = context.session
    workflow.lock_workflow(session)
    entry = session.get(Entry, entry_id, with_for_update=True, populate_existing=True)
    if entry is None or not may_see(session, context.me, entry) or act not in allowed_acts(context, entry):
        return
    if not _has_viewed(session, str(context.actor), entry):
        raise Problem("view-first")


def _has_viewed(session: Session, actor: str, entry: Entry) -> bool:
    views = select(AuditEvent.id).where(
        AuditEvent.action == "entry-viewed", audit.RARE, AuditEvent.actor == actor,
        AuditEvent.id >= audit.first_id_since(session, entry.recorded_at),
        AuditEvent.detail["entry"].as_integer() == entry.id,
        AuditEvent.detail["digest"].as_string() == _digest(entry, effects.list_subjects(session, entry)),
    )  # fmt: skip
    return session.scalar(views.limit(1)) is not None


def _digest(entry: Entry, subjects: Sequence[EntrySubject]) -> str:
    people = sorted((one.serial, str(one.exposed_on), one.line) for one in subjects)
    content = [str(getattr(entry, name)) for name in _SIGNED]
    return hashlib.sha256(json.dumps([content, people], ensure_ascii=False).encode()).hexdigest()

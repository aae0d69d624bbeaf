"""An officer's entry from the command line: options in, outcome out."""

from datetime import datetime
from typing import Any

from app.audit import Actor
from app.citizens.documents import document_type
from app.codes.states import State
from app.errors import bad_field
from app.officers import evidence
from app.officers.evidence import EntryKind, OfficerEntry
from app.services import Services

_LONGEST_NAME = 60


def enter(
    services: Services,
    *,
    kind: str,
    document_type_name: str,
    document_number: str,
    authority: str,
    reference: str,
    officer: str,
    exposed_on: datetime | None,
    first_day: datetime | None,
    last_day: datetime | None,
) -> dict[str, Any]:
    """Record one entry; tells the evidence's id, what follows, and what may be a mistake. Raises Problem."""
    entry = OfficerEntry(
        kind=_kind(kind),
        document_type=document_type(document_type_name),
        document_number=document_number,
        authority=authority,
        reference=reference,
        exposed_on=exposed_on.date() if exposed_on else None,
        first_day=first_day.date() if first_day else None,
        last_day=last_day.date() if last_day else None,
    )
    with services.begin() as session:
        recorded = evidence.record(
            session,
            services.policy,
            services.vault,
            entry,
            actor=officer_named(officer),
            now=services.clock.now(),
        )
        code = recorded.code
        return {
            "evidence": recorded.evidence_id,
            "state": State(code.state).name,
            "rule": code.rule,
            "over": recorded.over,
            "new_person": recorded.new_person,
        }


def officer_named(officer: str) -> Actor:
    """Who enters something, for the audit. Raises Problem: nobody enters anything without a name."""
    name = officer.strip()
    if len(name) < 2:
        raise bad_field("/officer", "required")
    if len(name) > _LONGEST_NAME:
        raise bad_field("/officer", "too-long")
    return Actor("officer", name)


def _kind(name: str) -> EntryKind:
    try:
        return EntryKind(name)
    except ValueError:
        raise bad_field("/kind", "not-a-choice") from None

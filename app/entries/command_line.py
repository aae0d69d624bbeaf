"""Officers at the command line: who they are, what they propose and approve, and the lists that two of them sign for.

Nothing counts here that would not count at the console: one officer records, and another one approves.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app import audit
from app.audit import AccessReason, Actor, RecordPart
from app.citizens.accounts import Document, find_or_add
from app.citizens.documents import normalize, parse_document_type
from app.codes import ledger
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.errors import Problem, bad_field
from app.entries import alarms, overlaps, preview, validation, workflow
from app.entries.content import EntryKind, is_past
from app.entries.lists import ListLine, find_serials
from app.entries.models import Case
from app.entries.validation import NewEntry
from app.runtime import Services
from app.staff import officers, sessions
from app.staff.models import Officer, Role

_IN_EFFECT = ("applied", "urgent")


def identify(services: Services, username: str, password: str, code: str) -> Officer:
    """The officer at the terminal.

    Raises Problem `wrong-log-in`, which does not tell what was wrong, and `must-change-password`: two people know it.
    """
    now = services.clock.now()
    with services.begin() as session:
        officer = sessions.authenticate(
            session,
            services.encryption,
            username=username,
            password=password,
            code=code,
            now=now,
            totp_now=services.real_clock.now(),
        )
        if officer is not None:
            audit.append(session, officers.actor_of(officer), "officer-identified", now)
    if officer is None:
        raise Problem("wrong-log-in")
    if officer.must_change_password:
        raise Problem("must-change-password")
    return officer


def record(
    services: Services,
    officer: Officer,
    *,
    kind: str,
    document_type_name: str,
    document_number: str,
    exposed_on: datetime | None,
    first_day: datetime | None,
    last_day: datetime | None,
    **stated: Any,
) -> dict[str, Any]:
    """Propose what is stated of one person; tells the entry, what is known already and what may be a mistake.

    Raises Problem.
    """
    now, type_ = services.clock.now(), parse_document_type(document_type_name)
    document = type_, normalize(type_, document_number, now.astimezone(BEIJING).date())
    new_entry = NewEntry(
        kind=_parse_kind(kind),
        exposed_on=exposed_on.date() if exposed_on else None,
        first_day=first_day.date() if first_day else None,
        last_day=last_day.date() if last_day else None,
        **stated,
    )
    with preview.record_access_on_error(services, officer, [document]), services.begin() as session:
        return _record(session, services, officer, new_entry, document, now)


def _record(
    session: Session, services: Services, officer: Officer, new_entry: NewEntry, document: Document, now: datetime
) -> dict[str, Any]:
    known = find_serials(session, services.encryption, [document]).values()
    validation.validate(session, officer, new_entry, 1, known, now)
    found = [overlap.slug for overlap in overlaps.find_overlaps(session, new_entry, known)]
    serial = find_or_add(session, services.encryption, *document, now).serial
    saved = workflow.save(session, services.policy, alarms.load_thresholds(), officer, new_entry, [serial], now)
    output = {"entry": saved.id, "state": saved.state, "alarm": saved.alarm, "found": found}
    output |= {"new_person": not known, "over": is_past(new_entry, services.policy, now)}
    actor = officers.actor_of(officer)
    audit.record_access(session, actor, Role.RECORDER, serial, AccessReason.CASE_REVIEW, RecordPart.STATE, now)
    if saved.state in _IN_EFFECT:
        code = ledger.get_code(session, serial)
        output |= {"code": State(code.state).name, "rule": code.rule}
    return output


def show(services: Services, officer: Officer, id_: int) -> dict[str, Any]:
    """What an approver is to look at before they approve: what is stated, and of whom, masked. Raises Problem."""
    if Role.APPROVER not in officer.roles:
        raise Problem("not-your-role")
    with services.begin() as session:
        entry = workflow.find_entry(session, officer, id_)
        case = session.get(Case, entry.case_id) if entry.case_id else None
        names = ("kind", "state", "authority", "reference", "place", "exposed_on", "first_day", "last_day", "people")
        output = {name: getattr(entry, name) for name in names} | {"case": case.number if case else None}
        people = preview.list_people(session, services.encryption, officer, entry, services.clock.now())
        return {**output, "documents": [f"{one.number}  {one.color}  {one.day or ''}".rstrip() for one in people]}


def approve(services: Services, officer: Officer, id_: int) -> dict[str, Any]:
    """Let an entry count. Raises Problem."""
    with services.begin() as session:
        me = _reload_officer(session, officer)
        settled = workflow.approve(session, services.policy, alarms.load_thresholds(), me, id_, services.clock.now())
        return {"entry": settled.id, "state": settled.state, "alarm": settled.alarm, "people": settled.people}


def require_recorder(officer: Officer) -> None:
    """Raises Problem `not-your-role` for who may not bring a list."""
    if Role.RECORDER not in officer.roles:
        raise Problem("not-your-role")


def sign_list(services: Services, recorder: Officer, approver: Officer, lines: Sequence[ListLine]) -> Actor:
    """Two officers sign for a list, which makes it a verified one; returns both as who records it. Raises Problem."""
    both, people = officers.actor_of_signers(recorder, approver), len({line.person for line in lines})
    with services.begin() as session:
        recorder, approver = _reload_officer(session, recorder), _reload_officer(session, approver)
        require_recorder(recorder)
        if Role.APPROVER not in approver.roles:
            raise Problem("not-your-role")
        if approver.id == recorder.id:
            raise Problem("two-persons")
        if approver.district not in (None, recorder.district):
            raise Problem("other-district")
        audit.append(session, both, "officer-list-signed", services.clock.now(), lines=len(lines), people=people)
    return both


def _reload_officer(session: Session, officer: Officer) -> Officer:
    """The officer as the database has them now: a terminal waits as long as somebody likes. Raises Problem."""
    found = session.get_one(Officer, officer.id)
    if found.disabled_at is not None or found.must_change_password:
        raise Problem("wrong-log-in")
    return found


def _parse_kind(name: str) -> EntryKind:
    try:
        return EntryKind(name)
    except ValueError:
        raise bad_field("/kind", "not-a-choice") from None

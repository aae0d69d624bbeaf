"""Officers at the command line: who they are, what they record and approve, and the lists that two of them sign.

The workflow is the console's: one officer records, and another one approves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app import audit
from app.audit import AccessReason, Actor, RecordPart
from app.citizens.documents import normalize, parse_document_type
from app.codes import ledger
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.errors import Problem, bad_field
from app.entries import effects, overlaps, preview, queries, validation, workflow
from app.entries.content import IN_EFFECT_STATES, EntryKind, NewEntry, is_past
from app.entries.lists import ListLine
from app.entries.models import Case
from app.entries.signing import approval
from app.entries.signing.view import view_before_signing
from app.runtime import Services
from app.staff import sessions
from app.staff.context import OfficerContext, actor_of, actor_of_signers, begin_officer
from app.staff.models import Officer, Role
from app.staff.sessions import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions:
    """The options of `jixiang evidence record`."""

    kind: str
    document_type_name: str
    document_number: str = field(repr=False)
    authority: str
    reference: str
    exposed_on: datetime | None
    first_day: datetime | None
    last_day: datetime | None
    place: str | None
    case: str | None
    urgent: bool


def identify(services: Services, credentials: Credentials) -> Officer:
    """Return the officer at the terminal.

    Raises Problem `wrong-log-in`, which does not say what was wrong, and `must-change-password`: two people know it.
    """
    now = services.clock.now()
    with services.begin() as session:
        officer = sessions.authenticate(session, services.encryption, credentials, now, services.real_clock.now())
        if officer is not None:
            audit.append(session, actor_of(officer), "officer-identified", now)
    if officer is None:
        raise Problem("wrong-log-in")
    if officer.must_change_password:
        raise Problem("must-change-password")
    return officer


def record(services: Services, officer: Officer, options: RecordOptions) -> dict[str, Any]:
    """Record an entry about one person; returns the entry, what is known already and what may be an error.

    Raises Problem.
    """
    type_ = parse_document_type(options.document_type_name)
    today = services.clock.now().astimezone(BEIJING).date()
    document = type_, normalize(type_, options.document_number, today)
    new_entry = NewEntry(
        kind=_parse_kind(options.kind),
        authority=options.authority,
        reference=options.reference,
        exposed_on=_date(options.exposed_on),
        first_day=_date(options.first_day),
        last_day=_date(options.last_day),
        place=options.place,
        case=options.case,
        urgent=options.urgent,
        people={document: None},
    )
    with preview.begin_entry(services, officer, [document]) as context:
        return _record(context.acting_as(Role.RECORDER), new_entry)


def _record(context: OfficerContext, new_entry: NewEntry) -> dict[str, Any]:
    known = validation.find_serials(context.session, context.encryption, new_entry.people).values()
    validation.validate(context, new_entry, known)
    found = [overlap.slug for overlap in overlaps.find_overlaps(context.session, new_entry, known)]
    saved = workflow.save(context, new_entry)
    (serial,) = (one.serial for one in effects.list_subjects(context.session, saved))
    output = {"entry": saved.id, "state": saved.state, "alarm": saved.alarm, "found": found}
    output |= {"new_person": not known, "over": is_past(new_entry, context.policy, context.now)}
    context.record_access(serial, AccessReason.CASE_REVIEW, RecordPart.STATE)
    if saved.state in IN_EFFECT_STATES:
        code = ledger.get_code(context.session, serial)
        output |= {"code": State(code.state).name, "rule": code.rule}
    return output


def show(services: Services, officer: Officer, id_: int) -> dict[str, Any]:
    """Return an entry and its people as an approver sees them before approving: masked where they may not.

    Raises Problem.
    """
    with begin_officer(services, officer) as context:
        context = context.acting_as(Role.APPROVER)
        entry = queries.find_entry(context.session, context.me, id_)
        case = context.session.get(Case, entry.case_id) if entry.case_id else None
        names = ("kind", "state", "authority", "reference", "place", "exposed_on", "first_day", "last_day", "people")
        signing = view_before_signing(context, entry)
        people = preview.list_people(context, entry) if signing is None else ()
        output = {name: getattr(entry, name) for name in names} | {"case": case.number if case else None}
        output |= {"documents": [f"{one.number}  {one.color}  {one.day or ''}".rstrip() for one in people]}
        return {**output, "signing": signing}


def approve(services: Services, officer: Officer, id_: int) -> dict[str, Any]:
    """Approve an entry. Raises Problem."""
    with services.sessions() as session:
        _reload_officer(session, officer)
    resolved = approval.approve(services, officer, id_)
    return {"entry": resolved.id, "state": resolved.state, "alarm": resolved.alarm, "people": resolved.people}


def require_recorder(officer: Officer) -> None:
    """Require the role that may submit a list. Raises Problem `not-your-role`."""
    if Role.RECORDER not in officer.roles:
        raise Problem("not-your-role")


def sign_list(services: Services, recorder: Officer, approver: Officer, lines: Sequence[ListLine]) -> Actor:
    """Let two officers sign a list; returns both as the actor that records it. Raises Problem.

    What the approver was shown of its people is an access; that of the recorder was recorded with the list.
    """
    both, people = actor_of_signers(recorder, approver), len({line.person for line in lines})
    with services.begin() as session:
        recorder, approver = _reload_officer(session, recorder), _reload_officer(session, approver)
        require_recorder(recorder)
        if Role.APPROVER not in approver.roles:
            raise Problem("not-your-role")
        if approver.id == recorder.id:
            raise Problem("two-persons")
        if approver.district not in (None, recorder.district):
            raise Problem("other-district")
        now = services.clock.now()
        audit.append(session, both, "officer-list-signed", now, lines=len(lines), people=people)
        signer = OfficerContext(session, services.policy, services.encryption, now, actor_of(approver), approver)
        preview.record_accesses(signer.acting_as(Role.APPROVER), {line.person for line in lines}, AccessReason.SIGNING)
    return both


def _reload_officer(session: Session, officer: Officer) -> Officer:
    """Return the officer as the database has them now. Raises Problem."""
    return _require_active(session.get_one(Officer, officer.id))


def _require_active(officer: Officer) -> Officer:
    """Require an account that still works: a terminal may have waited for any time. Raises Problem `wrong-log-in`."""
    if officer.disabled_at is not None or officer.must_change_password:
        raise Problem("wrong-log-in")
    return officer


def _date(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _parse_kind(name: str) -> EntryKind:
    try:
        return EntryKind(name)
    except ValueError:
        raise bad_field("/kind", "not-a-choice") from None

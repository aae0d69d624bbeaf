"""Officers at the command line: who they are, what they record and approve, and the lists that they sign together.

The workflow is the console's: one officer records, and another one approves.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app import audit
from app.audit import AccessReason, Actor, RecordPart
from app.citizens.documents import normalize, parse_document_type
from app.citizens.lookup import Document
from app.codes import ledger
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.errors import Problem, bad_field
from app.entries import effects, overlaps, preview, queries, validation, workflow
from app.entries.alarms.lists import count_restricted, needs_auditor
from app.entries.content import IN_EFFECT_STATES, EntryKind, NewEntry, is_past
from app.entries.lists.lines import ListLine
from app.entries.models import Case, SignedList
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
        ending = effects.find_ending(context, entry)
        output = {name: getattr(entry, name) for name in names} | {"case": case.number if case else None}
        output |= {} if ending is None else {"frees": ending.resting.shown, "rejects": ending.resting.entries}
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


class Signers(NamedTuple):
    """The officers who sign a list: a recorder and an approver, and an auditor where it restricts many people."""

    recorder: Officer
    approver: Officer
    auditor: Officer | None = None


def sign_list(services: Services, signers: Signers, lines: Sequence[ListLine]) -> Actor:
    """Let officers sign a list; returns them as the actor that records it.

    What approver and auditor were shown of its people is an access; that of the recorder was recorded with the list.
    Raises Problem, `list-needs-auditor` where it restricts too many people for two; that is in the audit too.
    """
    now, people = services.clock.now(), {line.person for line in lines}
    with services.sessions() as session:
        restricted = count_restricted(session, services.encryption, lines, services.policy, now)
    with services.begin() as session:
        workflow.lock_workflow(session)  # lists that are signed at once are added up too
        signers = _require_signers(session, signers)
        _record_views(services, session, signers, people)
        is_signed = _add_list(session, signers, restricted, now)
        actor = actor_of_signers(*filter(None, signers))
        numbers: dict[str, Any] = {"lines": len(lines), "people": len(people), "restricted": restricted}
        audit.append(session, actor, "officer-list-signed" if is_signed else "officer-list-refused", now, **numbers)
    if not is_signed:
        raise Problem("list-needs-auditor")
    return actor


def _record_views(services: Services, session: Session, signers: Signers, people: Collection[int | Document]) -> None:
    """Record that approver and auditor were shown the people of a list, before it is signed."""
    for officer, role in ((signers.approver, Role.APPROVER), (signers.auditor, Role.AUDITOR)):
        if officer is not None:
            now, who = services.clock.now(), actor_of(officer)
            context = OfficerContext(session, services.policy, services.encryption, now, who, officer)
            preview.record_accesses(context.acting_as(role), people, AccessReason.SIGNING)


def _add_list(session: Session, signers: Signers, restricted: int, now: datetime) -> bool:
    """Add a signed list, unless it restricts too many people without an auditor; return whether it was added."""
    recorder, approver, auditor = signers
    signed = SignedList(
        recorder_id=recorder.id, approver_id=approver.id, auditor_id=None if auditor is None else auditor.id,
        district=recorder.district, signed_at=now, restricted=restricted,
    )  # fmt: skip
    if auditor is None and needs_auditor(session, signed):
        return False
    session.add(signed)
    return True


def _require_signers(session: Session, signers: Signers) -> Signers:
    """Return the signers as the database has them now. Raises Problem where they may not sign together."""
    recorder, approver = (_reload_officer(session, one) for one in signers[:2])
    auditor = None if signers.auditor is None else _reload_officer(session, signers.auditor)
    require_recorder(recorder)
    if Role.APPROVER not in approver.roles or (auditor is not None and Role.AUDITOR not in auditor.roles):
        raise Problem("not-your-role")
    others = [approver] if auditor is None else [approver, auditor]
    if len({recorder.id, *(one.id for one in others)}) <= len(others):
        raise Problem("two-persons")
    if any(one.district not in (None, recorder.district) for one in others):
        raise Problem("other-district")
    return Signers(recorder, approver, auditor)


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

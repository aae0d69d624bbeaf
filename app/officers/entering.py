"""Officers at the command line: who they are, what they propose and approve, and the lists that two of them sign for.

Nothing counts here that would not count at the console: one officer records, and another one approves.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor, ReadPart, ReadReason
from app.citizens.accounts import Document, find_or_add
from app.citizens.documents import document_type, normalize
from app.clock import BEIJING
from app.codes import ledger
from app.codes.states import State
from app.errors import Problem, bad_field
from app.officers import accounts, alarms, drafts, looking, overlaps, proposals, sessions
from app.officers.drafts import Draft
from app.officers.evidence import EntryKind, is_over
from app.officers.lists import Line, serials_of
from app.officers.models import Case, Officer, Role
from app.services import Services

_COUNTS = ("applied", "urgent")


def identify(services: Services, username: str, password: str, code: str) -> Officer:
    """The officer at the terminal.

    Raises Problem `wrong-log-in`, which does not tell what was wrong, and `password-given`: two people know it.
    """
    now = services.clock.now()
    with services.begin() as session:
        officer = sessions.identify(
            session,
            services.vault,
            username=username,
            password=password,
            code=code,
            now=now,
            code_at=services.real_clock.now(),
        )
        if officer is not None:
            audit.enter(session, accounts.actor_of(officer), "officer-identified", now)
    if officer is None:
        raise Problem("wrong-log-in")
    if officer.password_given:
        raise Problem("password-given")
    return officer


def propose(
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
    now, type_ = services.clock.now(), document_type(document_type_name)
    document = type_, normalize(type_, document_number, now.astimezone(BEIJING).date())
    draft = Draft(
        kind=_kind(kind),
        exposed_on=exposed_on.date() if exposed_on else None,
        first_day=first_day.date() if first_day else None,
        last_day=last_day.date() if last_day else None,
        **stated,
    )
    with looking.what_a_refusal_tells(services, officer, [document]), services.begin() as session:
        return _proposed(session, services, officer, draft, document, now)


def _proposed(
    session: Session, services: Services, officer: Officer, draft: Draft, document: Document, now: datetime
) -> dict[str, Any]:
    known = serials_of(session, services.vault, [document]).values()
    drafts.check(session, officer, draft, 1, known, now)
    found = [overlap.slug for overlap in overlaps.find(session, draft, known)]
    serial = find_or_add(session, services.vault, *document, now).serial
    saved = proposals.propose(session, services.policy, alarms.load(), officer, draft, [serial], now)
    told = {"entry": saved.id, "state": saved.state, "alarm": saved.alarm, "found": found}
    told |= {"new_person": not known, "over": is_over(draft, services.policy, now)}
    actor = accounts.actor_of(officer)
    audit.read(session, actor, Role.RECORDER, serial, ReadReason.CASE_REVIEW, ReadPart.STATE, now)
    if saved.state in _COUNTS:
        code = ledger.code_of(session, serial)
        told |= {"code": State(code.state).name, "rule": code.rule}
    return told


def look(services: Services, officer: Officer, id_: int) -> dict[str, Any]:
    """What an approver is to look at before they approve: what is stated, and of whom, masked. Raises Problem."""
    if Role.APPROVER not in officer.roles:
        raise Problem("not-your-role")
    with services.begin() as session:
        proposal = proposals.find(session, officer, id_)
        case = session.get(Case, proposal.case_id) if proposal.case_id else None
        names = ("kind", "state", "authority", "reference", "place", "exposed_on", "first_day", "last_day", "people")
        told = {name: getattr(proposal, name) for name in names} | {"case": case.number if case else None}
        people = looking.people_of(session, services.vault, officer, proposal, services.clock.now())
        return {**told, "documents": [f"{one.number}  {one.color}  {one.day or ''}".rstrip() for one in people]}


def approve(services: Services, officer: Officer, id_: int) -> dict[str, Any]:
    """Let an entry count. Raises Problem."""
    with services.begin() as session:
        me = _still(session, officer)
        settled = proposals.approve(session, services.policy, alarms.load(), me, id_, services.clock.now())
        return {"entry": settled.id, "state": settled.state, "alarm": settled.alarm, "people": settled.people}


def check_recorder(officer: Officer) -> None:
    """Raises Problem `not-your-role` for who may not bring a list."""
    if Role.RECORDER not in officer.roles:
        raise Problem("not-your-role")


def sign(services: Services, recorder: Officer, approver: Officer, lines: Sequence[Line]) -> Actor:
    """Two officers sign for a list, which makes it a verified one; returns both as who records it. Raises Problem."""
    both, people = accounts.actor_of_two(recorder, approver), len({line.person for line in lines})
    with services.begin() as session:
        recorder, approver = _still(session, recorder), _still(session, approver)
        check_recorder(recorder)
        if Role.APPROVER not in approver.roles:
            raise Problem("not-your-role")
        if approver.id == recorder.id:
            raise Problem("two-persons")
        if approver.district not in (None, recorder.district):
            raise Problem("other-district")
        audit.enter(session, both, "officer-list-signed", services.clock.now(), lines=len(lines), people=people)
    return both


def _still(session: Session, officer: Officer) -> Officer:
    """The officer as the database has them now: a terminal waits as long as somebody likes. Raises Problem."""
    found = session.get_one(Officer, officer.id)
    if found.disabled_at is not None or found.password_given:
        raise Problem("wrong-log-in")
    return found


def _kind(name: str) -> EntryKind:
    try:
        return EntryKind(name)
    except ValueError:
        raise bad_field("/kind", "not-a-choice") from None

"""Keeping follow-ups as the decisions have it: by the clock, so that whatever changes a color needs to know nothing.

Whoever the policy follows up gets one for each recipient, and it ends when the rule in force asks for none. Nothing is
missed, whichever way a color changed, and nothing is doubled: one person has one open follow-up of a recipient.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app import audit
from app.audit import CLOCK
from app.codes.models import Code, EvidenceRow
from app.codes.states import State
from app.core.db import among
from app.core.metrics import FOLLOW_UPS_OVERDUE
from app.entries.content import CASE_OPENING_KINDS, IN_EFFECT_STATES, EntryKind
from app.entries.models import Case, Entry, EntrySubject
from app.follow_ups.models import OPEN, FollowUp
from app.follow_ups.transitions import FollowUpAct, Stated
from app.follow_ups.workflow import move
from app.rules import RECIPIENTS
from app.runtime import Services
from app.staff.context import OfficerContext, begin_as, officer_ids_of
from app.staff.models import Officer

BATCH: Final = 500
_RESTRICTING: Final = (EntryKind.CONTACT, EntryKind.QUARANTINE, *CASE_OPENING_KINDS)


def keep(services: Services) -> None:
    """Open, end and remind of follow-ups, each batch in a transaction of its own."""
    for recipient in RECIPIENTS:
        for keep_batch in (_open_missing, _end_needless):
            while True:
                with begin_as(services, CLOCK) as context:
                    kept = keep_batch(context, recipient)
                if kept < BATCH:
                    break
    with begin_as(services, CLOCK) as context:
        _remind(context)


def _open_missing(context: OfficerContext, recipient: str) -> int:
    """Open the follow-ups of a recipient that are missing, the gravest first; return their number."""
    session, rules = context.session, context.policy.follow_ups_at(context.now)
    known = select(FollowUp.serial).where(
        FollowUp.serial == Code.serial, FollowUp.recipient == recipient, FollowUp.ended_at.is_(None)
    )
    missing = (
        select(Code.serial)
        .where(Code.state >= State.ORANGE, Code.rule.in_(rules.rules_of(recipient)), ~known.exists())
        .order_by(Code.state.desc(), Code.serial)
        .limit(BATCH)
    )
    serials = session.scalars(missing).all()
    if not serials:
        return 0
    due_at, of = rules.due_at("open", context.now), _find_districts(session, serials)
    common = {"recipient": recipient, "state": "open", "opened_at": context.now, "due_at": due_at}
    rows = [{"serial": serial, **common, **of.get(serial, _UNKNOWN)} for serial in serials]
    added = insert(FollowUp).on_conflict_do_nothing(index_elements=["serial", "recipient"], index_where=OPEN)
    opened = session.execute(added.returning(FollowUp.id, FollowUp.serial, FollowUp.district), rows).all()
    events = [
        (context.now, one.serial, {"follow_up": one.id, "recipient": recipient, "district": one.district})
        for one in opened
    ]
    audit.append_many(session, CLOCK, "follow-up-opened", events)
    return len(serials)


_UNKNOWN: Final[Mapping[str, Any]] = {"case_number": None, "district": None}  # the province assigns it


def _find_districts(session: Session, serials: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the open case of each of these people and its district; else that of the newest entry or signed list."""
    entries = (
        select(EntrySubject.serial, Entry.district)
        .join(Entry, Entry.id == EntrySubject.entry_id)
        .where(among(EntrySubject.serial, serials), Entry.state.in_(IN_EFFECT_STATES), Entry.kind.in_(_RESTRICTING))
        .order_by(Entry.id)
    )
    found = _find_districts_of_lists(session, serials)
    found |= {row.serial: {"case_number": None, "district": row.district} for row in session.execute(entries)}
    cases = select(Case).where(among(Case.serial, serials), Case.ended_at.is_(None)).order_by(Case.id)
    return found | {
        case.serial: {"case_number": case.number, "district": case.district} for case in session.scalars(cases)
    }


def _find_districts_of_lists(session: Session, serials: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the district of the first officer who signed the newest evidence about each of these people."""
    evidence = (
        select(EvidenceRow.serial, EvidenceRow.recorded_by)
        .where(among(EvidenceRow.serial, serials), EvidenceRow.kind.in_(("contact", "quarantine", "diagnosis")))
        .where(EvidenceRow.withdrawn_at.is_(None))
        .order_by(EvidenceRow.recorded_at, EvidenceRow.id)
    )
    signers = {row.serial: ids[0] for row in session.execute(evidence) if (ids := officer_ids_of(row.recorded_by))}
    officers = select(Officer.id, Officer.district).where(among(Officer.id, set(signers.values())))
    districts = {row.id: row.district for row in session.execute(officers)}
    return {serial: {"case_number": None, "district": districts.get(id_)} for serial, id_ in signers.items()}


def _end_needless(context: OfficerContext, recipient: str) -> int:
    """End the follow-ups of a recipient that the rules in force do not ask for any more; return their number."""
    rules = context.policy.follow_ups_at(context.now)
    is_over = or_(Code.state < State.ORANGE, Code.rule.is_(None), Code.rule.not_in(rules.rules_of(recipient)))
    needless = (
        select(FollowUp)
        .join(Code, Code.serial == FollowUp.serial)
        .where(FollowUp.ended_at.is_(None), FollowUp.recipient == recipient, is_over)
        .order_by(FollowUp.id)
        .limit(BATCH)
    )
    ended = context.session.scalars(needless.with_for_update(of=FollowUp)).all()
    for one in ended:
        move(context, one, FollowUpAct.END, Stated())
    return len(ended)


def _remind(context: OfficerContext) -> None:
    """Remind of what is overdue, once for each state that was not left in time, and count it for the metrics."""
    overdue = FollowUp.ended_at.is_(None), FollowUp.due_at <= context.now
    late = update(FollowUp).where(*overdue, FollowUp.reminded_at.is_(None)).values(reminded_at=context.now)
    changed = late.returning(FollowUp).execution_options(synchronize_session=False)
    for one in context.session.scalars(changed).all():
        detail: dict[str, Any] = {"follow_up": one.id, "recipient": one.recipient, "district": one.district}
        context.append_audit("follow-up-overdue", serial=one.serial, **detail)
    counted = select(FollowUp.recipient, func.count()).where(*overdue).group_by(FollowUp.recipient)
    found = {row[0]: row[1] for row in context.session.execute(counted)}
    for recipient in RECIPIENTS:
        FOLLOW_UPS_OVERDUE.labels(recipient).set(found.get(recipient, 0))

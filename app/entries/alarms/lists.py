"""Lists that two officers sign: how many people they newly restrict, and when an auditor must sign too."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.citizens.lookup import Document
from app.codes.models import EvidenceRow
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.entries.alarms.thresholds import thresholds_at
from app.entries.alarms.totals import DAY
from app.entries.content import EntryContent, EntryKind, finding_key, is_past
from app.entries.lists.lines import ListLine
from app.entries.models import SignedList
from app.entries.validation import find_serials
from app.rules import Policy


def count_restricted(
    session: Session, encryption: FieldEncryption, lines: Sequence[ListLine], policy: Policy, now: datetime
) -> int:
    """Count the people of whom a list has a contact or quarantine that is not over and not on record.

    Also those whose quarantine begins later, and those who are orange by something else: it lasts longer for them.
    """
    lasting = {content: _lasts(content, policy, now) for content in {line.content for line in lines}}
    restricting = [line for line in lines if lasting[line.content]]
    serials = find_serials(session, encryption, {line.person for line in restricting})
    rows = select(EvidenceRow.serial, EvidenceRow.dedup_key).where(
        among(EvidenceRow.serial, set(serials.values())), EvidenceRow.dedup_key.is_not(None)
    )
    known = {(row.serial, row.dedup_key) for row in session.execute(rows)}
    return len({line.person for line in restricting if not _is_known(line, serials, known)})


def needs_auditor(session: Session, new: SignedList) -> bool:
    """Return whether a list, with those of the last day that no auditor has signed, restricts too many people.

    Added up by recorder, by approver, and by district.
    """

    def with_others(which: ColumnElement[bool]) -> int:
        others = select(func.coalesce(func.sum(SignedList.restricted), 0)).where(
            which, SignedList.auditor_id.is_(None), SignedList.signed_at > new.signed_at - DAY
        )
        return new.restricted + int(session.scalars(others).one())

    def signed_by(officer_id: int) -> ColumnElement[bool]:
        return or_(SignedList.recorder_id == officer_id, SignedList.approver_id == officer_id)

    sums = (
        signed_by(new.recorder_id),
        signed_by(new.approver_id),
        SignedList.district.is_not_distinct_from(new.district),
    )
    most = thresholds_at(new.signed_at).restricted_by_lists_in_a_day
    return new.restricted > 0 and any(with_others(which) > most for which in sums)


def _lasts(content: EntryContent, policy: Policy, now: datetime) -> bool:
    return content.kind is not EntryKind.RELEASE and not is_past(content, policy, now)


def _is_known(line: ListLine, serials: Mapping[int | Document, int], known: set[tuple[int, str | None]]) -> bool:
    return (serials.get(line.person), finding_key(line.content)) in known

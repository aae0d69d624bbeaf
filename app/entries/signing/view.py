"""What an approver or an auditor sees of the people of an open entry before they act: whole, and the doubtful first.

Each person is an access with the reason `signing`, and the view itself an event on which a signature rests; both are
recorded before anything is shown. Nothing here decides.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import AccessReason, RecordPart
from app.citizens.documents import DocumentType
from app.citizens.models import Citizen
from app.codes import ledger
from app.codes.models import Code
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.db import among
from app.core.errors import Problem
from app.entries import effects
from app.entries.content import IN_EFFECT_STATES, NOT_APPROVED, EntryKind, NewEntry
from app.entries.models import Entry, EntrySubject
from app.entries.overlaps import Overlap, find_overlaps
from app.entries.signing import remarks
from app.entries.signing.viewed import record_viewed
from app.entries.transitions import Act, allowed_acts
from app.staff.context import OfficerContext
from app.staff.models import Role

_SIGNING_ACTS: Final = frozenset({Act.APPROVE, Act.REJECT, Act.CLEAR_HOLD})


class SigningLine(NamedTuple):
    """A person of an entry: the number of their line in the list, and the color without and with the entry.

    `confirmed` is False while the platform has not confirmed the name. `remarks` are slugs of [remarks].
    """

    line: int | None
    number: str
    name: str
    confirmed: bool
    day: date | None
    before: State
    after: State
    remarks: Sequence[str]
    overlaps: Sequence[Overlap]

    @property
    def doubtful(self) -> bool:
        """Return whether the entry has no effect on this person, is implausible, or repeats or contradicts records."""
        return bool(self.remarks or self.overlaps)

    @property
    def rank(self) -> int:
        """Return which lines come first: without effect, implausible, overlapping, of a new person, all others."""
        implausible = bool(set(self.remarks) - {"new-person"})
        ranks = ["no-effect" in self.remarks, implausible, bool(self.overlaps), bool(self.remarks), True]
        return ranks.index(True)


class SigningView(NamedTuple):
    """The people of an entry, the doubtful first, and the remarks that are about all of them."""

    remarks: Sequence[str]
    lines: Sequence[SigningLine]


class _Known(NamedTuple):
    """What an entry says, the usual day of its people, and what is known of them, by serial."""

    content: NewEntry
    usual: date | None
    citizens: Mapping[int, Citizen]
    confirmed: Collection[int]
    before: Mapping[int, State]
    after: Mapping[int, State]
    overlaps: Mapping[int, Sequence[Overlap]]


def view_before_signing(context: OfficerContext, entry: Entry) -> SigningView | None:
    """View an entry that the officer may approve or reject, or whose hold they may clear; None for any other.

    Records the accesses and the view; the caller shows nothing before the commit.
    """
    if _SIGNING_ACTS.isdisjoint(allowed_acts(context, entry)):
        return None
    context = context.acting_as(Role.AUDITOR if entry.state == "held" else Role.APPROVER)
    subjects = effects.list_subjects(context.session, entry)
    people = {one.serial: one.exposed_on for one in subjects}
    context.record_accesses(people, AccessReason.SIGNING, RecordPart.ENTRY)
    record_viewed(context, entry, subjects)
    content = _content_of(entry)
    known = _load(context, entry, content, people)
    lines = [_make_line(context, entry, known, one) for one in subjects]
    of_all = remarks.find_content_remarks(content, context.policy, entry.recorded_at)
    return SigningView(of_all, sorted(lines, key=lambda line: (line.rank, line.line or 0)))


def _content_of(entry: Entry) -> NewEntry:
    return NewEntry(
        kind=EntryKind(entry.kind), authority=entry.authority, reference=entry.reference,
        exposed_on=entry.exposed_on, first_day=entry.first_day, last_day=entry.last_day,
    )  # fmt: skip


def _load(context: OfficerContext, entry: Entry, content: NewEntry, people: Mapping[int, date | None]) -> _Known:
    session = context.session
    before, after = _find_colors(context, entry, content, people)
    citizens = session.scalars(select(Citizen).where(among(Citizen.serial, people)))
    confirmed = session.scalars(select(Code.serial).where(among(Code.serial, people), Code.confirmed_at.is_not(None)))
    return _Known(
        content, remarks.usual_day(people.values()),
        {citizen.serial: citizen for citizen in citizens}, set(confirmed), before, after,
        _find_overlaps(session, entry, content, people),
    )  # fmt: skip


def _find_colors(
    context: OfficerContext, entry: Entry, content: NewEntry, people: Mapping[int, date | None]
) -> tuple[Mapping[int, State], Mapping[int, State]]:
    """Return the colors without and with the entry: written or revoked like a real one, and rolled back."""
    session, in_effect = context.session, entry.state in IN_EFFECT_STATES
    now = _load_states(session, people)
    try:
        with ledger.rolled_back(session):
            if in_effect:
                effects.withdraw_evidence(context, entry, NOT_APPROVED)
            else:
                change = ledger.ChangeContext(session, context.policy, context.actor, context.now)
                ledger.record_many(change, effects.make_evidence(context, content, people))
            other = _load_states(session, people)
    except Problem:  # what a release ends was withdrawn meanwhile
        other = now
    return (other, now) if in_effect else (now, other)


def _load_states(session: Session, serials: Collection[int]) -> dict[int, State]:
    rows = session.execute(select(Code.serial, Code.state).where(among(Code.serial, serials)))
    return {row.serial: State(row.state) for row in rows}


def _find_overlaps(
    session: Session, entry: Entry, content: NewEntry, people: Mapping[int, date | None]
) -> Mapping[int, Sequence[Overlap]]:
    """Return the overlaps with everything but the entry itself."""
    of_entry = select(EntrySubject.evidence_id).where(EntrySubject.entry_id == entry.id)
    own = {id_ for id_ in session.scalars(of_entry) if id_ is not None}
    days = {serial: day for serial, day in people.items() if day is not None}
    found: dict[int, list[Overlap]] = defaultdict(list)
    for overlap in find_overlaps(session, content, people, days):
        if overlap.entry_id != entry.id and overlap.evidence_id not in own:
            found[overlap.serial].append(overlap)
    return found


def _make_line(context: OfficerContext, entry: Entry, known: _Known, one: EntrySubject) -> SigningLine:
    citizen, decrypt = known.citizens.get(one.serial), context.encryption.decrypt
    number = name = ""
    if citizen is not None and citizen.document_ciphertext is not None:
        number = decrypt("citizens.document", citizen.document_ciphertext)
    if citizen is not None and citizen.name_ciphertext is not None:
        name = decrypt("citizens.name", citizen.name_ciphertext)
    before, after = known.before[one.serial], known.after[one.serial]
    found = ["no-effect"] if before == after else []
    if citizen is not None and citizen.created_at >= entry.recorded_at and not name:
        found.append("new-person")
    document = (DocumentType(citizen.document_type), number) if citizen is not None and number else None
    found += _find_own_remarks(context, entry, known, document, one.exposed_on)
    return SigningLine(
        one.line, number or "—", name, one.serial in known.confirmed, one.exposed_on, before, after, found,
        known.overlaps.get(one.serial, ()),
    )  # fmt: skip


def _find_own_remarks(
    context: OfficerContext, entry: Entry, known: _Known, document: tuple[DocumentType, str] | None, day: date | None
) -> list[str]:
    """Return the remarks on a person's document and own day; those on the days of the entry are about all."""
    content = known.content
    today = entry.recorded_at.astimezone(BEIJING).date()
    if day is None:
        return remarks.find_person_remarks(document, content, today)
    own = replace(content, exposed_on=day)
    found = remarks.find_content_remarks(own, context.policy, entry.recorded_at)
    found += ["other-day"] if remarks.is_apart(day, known.usual) else []
    return found + remarks.find_person_remarks(document, own, today)

"""The preview of an entry: its people, masked, with their colors of now, and the colors that the entry would change.

Whoever previews an entry, or brings a list, accesses the record of everybody in it who is known, however many they are:
recorded before anything is shown. Numbers are suppressed as everywhere. Nothing here decides.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from app.audit import AccessReason, RecordPart
from app.citizens.documents import mask_number
from app.citizens.lookup import Document
from app.citizens.models import Citizen
from app.codes import ledger
from app.codes.models import Code
from app.codes.states import State
from app.core.db import among
from app.core.errors import Problem
from app.core.suppression import AtLeast, Cell, suppress_parts
from app.entries import cases, effects, overlaps, validation
from app.entries.cases import CaseEnding
from app.entries.content import NewEntry
from app.entries.lists.lines import ListLine
from app.entries.models import Entry, EntrySubject
from app.entries.overlaps import Overlap
from app.runtime import Services
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Officer, Role

MAX_SHOWN = 50  # people on a page
# errors that reveal something about the people of an entry
_REVEALING_ERRORS = frozenset({"own-contact", "nothing-to-release", "no-diagnosis", "urgent-before"})


class MaskedPerson(NamedTuple):
    """A person on a page: masked, with the color of now, and the overlaps that the officer should see."""

    number: str
    color: str
    overlaps: Sequence[Overlap] = ()
    day: date | None = None


class EntryPreview(NamedTuple):
    """What an entry would do: the codes that would change, from and to, and its first people, overlaps first.

    `number` is how many people it has, `new` how many of them are not known, `noted` how many have overlaps, `ending`
    is the end of cases that it brings.
    """

    changes: Sequence[tuple[tuple[State, State], Cell | AtLeast]]
    people: Sequence[MaskedPerson]
    number: int
    new: Cell | AtLeast
    noted: Cell | AtLeast
    ending: CaseEnding | None


@contextmanager
def begin_entry(services: Services, officer: Officer, people: Collection[int | Document]) -> Iterator[OfficerContext]:
    """Begin a transaction about an entry. An error that reveals something about its people is recorded as an access."""
    try:
        with begin_officer(services, officer) as context:
            yield context
    except Problem as problem:
        if _REVEALING_ERRORS.intersection(field.slug for field in problem.fields):
            with begin_officer(services, officer) as context:
                record_accesses(context.acting_as(Role.RECORDER), people)
        raise


def preview(context: OfficerContext, new_entry: NewEntry) -> EntryPreview:
    """Preview an entry. Raises Problem with every bad field. Writes accesses into the audit, and nothing else."""
    context = context.acting_as(Role.RECORDER)
    known = validation.find_serials(context.session, context.encryption, new_entry.people)
    validation.validate(context, new_entry, known.values())
    with ledger.rolled_back(
        context.session
    ):  # written like a real entry, because nothing else is sure to agree with it
        changes = _preview_changes(context, new_entry)
    record_accesses(context, new_entry.people)
    found = _find_overlaps(context, new_entry, known)
    order = sorted(new_entry.people, key=lambda person: known.get(person, 0) not in found)
    people = [_preview_person(context, new_entry, one, known.get(one), found) for one in order[:MAX_SHOWN]]
    number = len(new_entry.people)
    new, _ = suppress_parts([number - len(known), len(known)])
    noted, _ = suppress_parts([len(found), number - len(found)])
    ending = cases.find_ending(context, new_entry.kind, known.values())
    return EntryPreview(suppress_changes(changes, number), people, number, new, noted, ending)


def suppress_changes(
    changes: Mapping[tuple[State, State], int], people: int
) -> list[tuple[tuple[State, State], Cell | AtLeast]]:
    """Return how many codes change, from and to, of so many people, as it may be shown."""
    ordered = sorted(changes.items())
    numbers = [number for _, number in ordered]
    *shown, _ = suppress_parts([*numbers, people - sum(numbers)])
    return [(change, cell) for (change, _), cell in zip(ordered, shown, strict=True)]


def _preview_changes(context: OfficerContext, new_entry: NewEntry) -> Counter[tuple[State, State]]:
    evidence = effects.make_evidence(context, new_entry, effects.resolve_people(context, new_entry.people))
    changed = ledger.record_many(
        ledger.ChangeContext(context.session, context.policy, context.actor, context.now), evidence
    )
    return Counter(change for change in changed.states.values() if change[0] != change[1])


def _find_overlaps(
    context: OfficerContext, new_entry: NewEntry, known: Mapping[int | Document, int]
) -> dict[int, list[Overlap]]:
    own_days = {known[one]: day for one, day in new_entry.people.items() if one in known and day is not None}
    found: dict[int, list[Overlap]] = {}
    for overlap in overlaps.find_overlaps(context.session, new_entry, list(known.values()), own_days):
        found.setdefault(overlap.serial, []).append(overlap)
    return found


def _preview_person(
    context: OfficerContext,
    new_entry: NewEntry,
    person: int | Document,
    serial: int | None,
    found: Mapping[int, Sequence[Overlap]],
) -> MaskedPerson:
    number, day = str(person) if isinstance(person, int) else mask_number(person[1]), new_entry.people[person]
    if serial is None:
        return MaskedPerson(number, "", (), day)
    color = State(context.session.get_one(Code, serial).state).name
    return MaskedPerson(number, color, found.get(serial, ()), day)


# --- an entry that was saved --------------------------------------------------------------------------------------


def list_people(context: OfficerContext, entry: Entry) -> Sequence[MaskedPerson]:
    """List the people of an entry that was saved, masked, as many as are shown."""
    context = context.acting_as(Role.APPROVER, Role.AUDITOR, Role.RECORDER)
    subjects = effects.list_subjects(context.session, entry)[:MAX_SHOWN]
    context.record_accesses([one.serial for one in subjects], AccessReason.CASE_REVIEW, RecordPart.STATE)
    return [_mask_person(context, one) for one in subjects]


def _mask_person(context: OfficerContext, one: EntrySubject) -> MaskedPerson:
    citizen = context.session.get(Citizen, one.serial)
    ciphertext = citizen.document_ciphertext if citizen else None
    number = mask_number(context.encryption.decrypt("citizens.document", ciphertext)) if ciphertext else "—"
    return MaskedPerson(number, State(context.session.get_one(Code, one.serial).state).name, (), one.exposed_on)


# --- accesses -----------------------------------------------------------------------------------------------------


def record_list_access(services: Services, officer: Officer, lines: Sequence[ListLine]) -> None:
    """Record that an officer brings a list, also for a dry run, and an access to everybody in it who is known."""
    people = {line.person for line in lines}
    with begin_officer(services, officer) as context:
        context = context.acting_as(Role.RECORDER)
        context.append_audit("officer-list-brought", lines=len(lines), people=len(people))
        record_accesses(context, people)


def record_accesses(
    context: OfficerContext,
    people: Collection[int | Document],
    reason: AccessReason = AccessReason.CASE_REVIEW,
    part: RecordPart = RecordPart.STATE,
) -> None:
    """Record an access to those of these people who are known, leaving out serials that nobody has."""
    serials = set(validation.find_serials(context.session, context.encryption, people).values())
    known = context.session.scalars(select(Code.serial).where(among(Code.serial, serials))).all()
    context.record_accesses(known, reason, part)

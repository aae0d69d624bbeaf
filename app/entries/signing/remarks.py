"""Remarks for a second officer: what is implausible about an entry, a day or a person, each by a slug of [remarks].

Pure, and the one place of its limits. A remark rejects nothing: the officer decides.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

from app.citizens.documents import birth_date
from app.citizens.lookup import Document
from app.core.clock import BEIJING
from app.entries.content import EntryContent, is_past
from app.entries.lists.cells import is_rounded
from app.rules import Policy

# the project's own choice: beyond these a wrong digit is likelier than the truth
OLD_CONTACT: Final = timedelta(days=14)  # between the last day of contact and the entry
APART: Final = timedelta(days=7)  # between a person's own day and that of most others
LONG_QUARANTINE: Final = timedelta(days=30)
FAR_AWAY: Final = timedelta(days=60)  # between today and the first or the last day of a quarantine
MINOR_YEARS: Final = 14
AGED_YEARS: Final = 100


def find_content_remarks(content: EntryContent, policy: Policy, recorded_at: datetime) -> list[str]:
    """Return what is implausible about the days of a content, whoever it is about."""
    today, found = recorded_at.astimezone(BEIJING).date(), []
    if is_past(content, policy, recorded_at):
        found.append("over")
    if content.exposed_on and today - content.exposed_on > OLD_CONTACT:
        found.append("old-contact")
    if content.first_day and content.last_day:
        if content.last_day - content.first_day > LONG_QUARANTINE:
            found.append("long-quarantine")
        if abs(content.first_day - today) > FAR_AWAY or abs(content.last_day - today) > FAR_AWAY:
            found.append("far-away")
    return found


def find_person_remarks(document: Document | None, content: EntryContent, today: date) -> list[str]:
    """Return what is implausible about a person, as far as their document says so."""
    born = None if document is None else birth_date(*document)
    if document is None or born is None:
        return []
    found = ["rounded-number"] if is_rounded(document[1]) else []
    if any(day and day < born for day in (content.exposed_on, content.first_day)):
        return [*found, "not-born"]
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return found + (["minor"] if years < MINOR_YEARS else ["aged"] if years >= AGED_YEARS else [])


def usual_day(days: Iterable[date | None]) -> date | None:
    """Return the day in the middle of all."""
    known = sorted(day for day in days if day is not None)
    return known[len(known) // 2] if known else None


def is_apart(day: date | None, usual: date | None) -> bool:
    """Return whether a person's own day is far from that of most others."""
    return day is not None and usual is not None and abs(day - usual) > APART

"""What two officers see of a list before they sign it: the doubtful lines first, by number, and what would change.

No document number and no name: the officers have the list. Small numbers are suppressed.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from app.audit import Actor
from app.citizens.lookup import Document
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.suppression import AtLeast, Cell
from app.entries import bulk_import
from app.entries.lists.lines import ListLine
from app.entries.signing import remarks
from app.rules import Policy
from app.runtime import Services


class ListSummary(NamedTuple):
    """The numbers of doubtful lines by their remarks, slugs of [remarks]; how many codes would change, from and to."""

    doubtful: Mapping[Sequence[str], Sequence[int]]
    changes: Sequence[tuple[tuple[State, State], Cell | AtLeast]]


def summarize(services: Services, lines: Sequence[ListLine], actor: Actor) -> ListSummary:
    """Summarize a list by a dry run. The caller has recorded the access to its people. Raises Problem."""
    *_, progress = bulk_import.import_lines(services, lines, actor=actor, dry_run=True)
    doubtful = find_doubtful(lines, services.policy, services.clock.now(), progress.unchanged)
    return ListSummary(doubtful, bulk_import.numbers_of(progress, dry_run=True).changes)


def find_doubtful(
    lines: Sequence[ListLine], policy: Policy, now: datetime, unchanged: Collection[int | Document] = ()
) -> dict[Sequence[str], list[int]]:
    """Find the lines to check, by number. Without `unchanged` a recorder alone may see it: it is all in the list."""
    doubtful: dict[Sequence[str], list[int]] = {}
    usual, today = remarks.usual_day(line.content.exposed_on for line in lines), now.astimezone(BEIJING).date()
    for line in lines:
        found = ["no-effect"] if line.person in unchanged else []
        found += remarks.find_content_remarks(line.content, policy, now) + _find_own(line, usual, today)
        if found:
            doubtful.setdefault(tuple(found), []).append(line.number)
    return dict(sorted(doubtful.items(), key=lambda one: "no-effect" not in one[0]))


def _find_own(line: ListLine, usual: date | None, today: date) -> list[str]:
    document = None if isinstance(line.person, int) else line.person
    apart = ["other-day"] if remarks.is_apart(line.content.exposed_on, usual) else []
    return apart + remarks.find_person_remarks(document, line.content, today)

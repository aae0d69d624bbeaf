"""Succession of policies: check that past decisions stay explained when a policy follows the one in force.

A decision is explained by the policy version that made it and by the entries of its day, and caches refer to rules by
their position. So a changed policy has a version of its own, adds entries for future days, and appends rules.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any

from app.rules.evidence import day_of, midnight
from app.rules.policy import Parameters, Policy


def find_conflicts(in_force: Policy, proposed: Policy, now: datetime) -> list[str]:
    """Return the reasons why a policy cannot follow the one in force, each with what to do; none when it can."""
    conflicts = []
    if proposed.version == in_force.version and proposed != in_force:
        conflicts.append(
            f"version {in_force.version} is in force with other content: give the file a version of its own"
        )
    for before, after in zip(in_force.rules, (*proposed.rules, *in_force.rules), strict=False):
        if before != after:
            conflicts.append(f"{before} was moved or left out: caches know rules by their place, so only append rules")
            break
    for name, day in _edited(in_force, proposed, midnight(day_of(now))):
        conflicts.append(f"{name} was changed as of {day}: put the old entries back, and add one from a day to come")
    return conflicts


def _edited(in_force: Policy, proposed: Policy, today: datetime) -> Iterator[tuple[str, object]]:
    """Yield each entry that differs for a day that is past or has begun, with the first such day.

    An entry may be added for today: the policy in force has not been applied with it yet.
    """
    for field in fields(Parameters):
        yield from _first(field.name, in_force.parameters, proposed.parameters, today, _number_of(field.name))
    for rule in set(in_force.texts) & set(proposed.texts):
        yield from _first(f"the text of {rule}", in_force.texts[rule], proposed.texts[rule], today, lambda texts: texts)


def _first(name: str, old: Any, new: Any, today: datetime, of: Callable[[Any], Any]) -> Iterator[tuple[str, object]]:
    """Yield the first day for which dated entries differ, if there is one."""
    days = {day for day, _ in old if day <= today} | {day for day, _ in new if day < today}
    differ = [day for day in days if of(_on(old, day)) != of(_on(new, day))]
    if differ:
        yield name, day_of(min(differ))


def _on(entries: Any, day: datetime) -> Any:
    """Return the value in force on a day; before the first entry, that of the first."""
    return next((value for begins, value in reversed(entries) if begins <= day), entries[0][1])


def _number_of(name: str) -> Callable[[Any], Any]:
    return lambda numbers: getattr(numbers, name)

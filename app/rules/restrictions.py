"""RED and ORANGE: diagnoses, restrictions with their ends, and the verification that must follow an end.

Owns when a restriction begins, ends and is over. A restriction ends by the clock or by a release, never because a
person states something in their own favor.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import NamedTuple

from app.rules.decision import AppliedRule
from app.rules.evidence import Diagnosis, Facts, day_of, midnight, midnight_after
from app.rules.policy import Policy

_CASES = {"confirmed": "RED-CONFIRMED", "suspected": "RED-SUSPECTED"}


class Restriction(NamedTuple):
    """A span during which a rule holds: from `start` on, before `end`. The first evidence is what a release names."""

    rule: str
    start: datetime
    end: datetime
    evidence: tuple[str, ...]


class EndedRestriction(NamedTuple):
    """The end of a restriction or of RED, and the evidence of both."""

    at: datetime
    evidence: tuple[str, ...]


def red(facts: Facts, policy: Policy) -> AppliedRule | None:
    """RED-CONFIRMED, RED-SUSPECTED: the latest diagnosis says so."""
    if not facts.diagnoses or facts.diagnoses[-1].status not in _CASES:
        return None
    latest = facts.diagnoses[-1]
    first = list(takewhile(lambda fact: fact.status == latest.status, reversed(facts.diagnoses)))[-1]
    return policy.applied(_CASES[latest.status], (first.id, latest.id), since=first.at)


def restrictions(facts: Facts, policy: Policy) -> list[Restriction]:
    """All restrictions: past, present and ordered for later. One that was recorded after its end never was."""
    ends: dict[str, tuple[datetime, str]] = {}
    for release in reversed(facts.releases):
        ends[release.releases] = release.at, release.id  # the earliest is set last
    every = [*_quarantines(facts), *_contacts(facts, policy), *_recoveries(facts, policy)]
    released = (_released(restriction, ends) for restriction in every)
    return [restriction for restriction in released if restriction.start < restriction.end]


def _released(restriction: Restriction, ends: dict[str, tuple[datetime, str]]) -> Restriction:
    at, release = ends.get(restriction.evidence[0], (restriction.end, ""))
    if at >= restriction.end:
        return restriction
    return restriction._replace(end=at, evidence=(*restriction.evidence, release))


def _quarantines(facts: Facts) -> Iterator[Restriction]:
    for order in facts.quarantines:
        start = max(order.at, midnight(order.first_day))
        yield Restriction("ORANGE-QUARANTINE", start, midnight_after(order.last_day), (order.id,))


def _contacts(facts: Facts, policy: Policy) -> Iterator[Restriction]:
    """What is recorded, and what citizens state against themselves: that counts at once."""
    recorded = [("ORANGE-CONTACT", fact.id, fact.at, fact.exposed_on) for fact in facts.contacts]
    declared = [
        ("ORANGE-DECLARED-CONTACT", fact.id, fact.at, fact.contact_on)
        for fact in facts.declarations
        if fact.contact_on is not None
    ]
    for rule, fact_id, at, day in recorded + declared:
        yield Restriction(rule, at, policy.lapse(midnight_after(day), "quarantine_days", at), (fact_id,))


def _recoveries(facts: Facts, policy: Policy) -> Iterator[Restriction]:
    """Observation after a recovery; the same recovery recorded again does not start it anew."""
    before: Diagnosis | None = None
    for fact in facts.diagnoses:
        if fact.status == "recovered" and (before is None or before.status != "recovered"):
            end = policy.lapse(midnight_after(day_of(fact.at)), "recovery_days", fact.at)
            yield Restriction("ORANGE-RECOVERED", fact.at, end, (fact.id,))
        before = fact


def current_restrictions(every: Sequence[Restriction], policy: Policy, now: datetime) -> list[AppliedRule]:
    """ORANGE-QUARANTINE, -CONTACT, -DECLARED-CONTACT, -RECOVERED: each that runs now, until its last day in a row."""
    present = [restriction for restriction in every if restriction.start <= now < restriction.end]
    return [
        _merge_consecutive(rule, [restriction for restriction in every if restriction.rule == rule], policy, now)
        for rule in sorted({restriction.rule for restriction in present})
    ]


def _merge_consecutive(rule: str, every: Sequence[Restriction], policy: Policy, now: datetime) -> AppliedRule:
    """What runs now by one rule, with what follows without a gap: an order that is known already is no surprise."""
    row: list[Restriction] = []
    until = now
    for restriction in sorted(every, key=lambda restriction: restriction.start):
        if restriction.start <= until and restriction.end > now:
            row.append(restriction)
            until = max(until, restriction.end)
    evidence = (fact_id for restriction in row for fact_id in restriction.evidence)
    return policy.applied(rule, evidence, since=row[0].start, until=until)


def reverify(facts: Facts, every: Sequence[Restriction], policy: Policy, now: datetime) -> AppliedRule | None:
    """ORANGE-REVERIFY: a restriction or RED has ended, and no verification has closed it since."""
    ends = [EndedRestriction(restriction.end, restriction.evidence) for restriction in every if restriction.end <= now]
    ends += _ruled_out(facts)
    clearance = _last_clearance(facts, policy)
    unclosed = [end for end in ends if not _closes(clearance, end, policy)]
    if not unclosed:
        return None
    evidence = (fact_id for end in unclosed for fact_id in end.evidence)
    return policy.applied("ORANGE-REVERIFY", evidence, since=max(end.at for end in unclosed))


def _closes(clearance: tuple[datetime, datetime] | None, end: EndedRestriction, policy: Policy) -> bool:
    if clearance is None:
        return False
    stated, verified = clearance
    return verified >= end.at and stated >= fresh_from(end.at, policy)


def fresh_from(end: datetime, policy: Policy) -> datetime:
    """The moment from which on a declaration may be dated to stand for the health after an end."""
    return end - timedelta(days=policy.at(end).release_declaration_days)


def _ruled_out(facts: Facts) -> Iterator[EndedRestriction]:
    """Ends of RED that no observation follows."""
    for before, after in pairwise(facts.diagnoses):
        if before.status in _CASES and after.status == "ruled_out":
            yield EndedRestriction(after.at, (before.id, after.id))


def _last_clearance(facts: Facts, policy: Policy) -> tuple[datetime, datetime] | None:
    """When the last declaration to clear its person was stated and verified: free of symptoms, the latest, still held.

    Both moments only grow from one clearance to the next, so that what any of them closes the last one closes too.
    """
    for verification in reversed(facts.verifications):
        place = bisect_right(facts.declarations, verification.at, key=lambda fact: fact.at) - 1
        latest = facts.declarations[place]
        held = verification.at < policy.lapse(latest.at, "declaration_days", latest.at)
        if latest.id == verification.declaration and not latest.symptoms and held:
            return latest.at, verification.at
    return None

"""RED and ORANGE: diagnoses, restrictions with their ends, and the verification that must follow an end.

Owns when a restriction begins and ends. It ends by the clock or by a release, never because a citizen declares
something in their own favor.
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
    """A period in which a rule applies: from `start` on, before `end`. A release names the first evidence."""

    rule: str
    start: datetime
    end: datetime
    evidence: tuple[str, ...]


class EndedRestriction(NamedTuple):
    """The end of a restriction or of RED, and the evidence of both."""

    at: datetime
    evidence: tuple[str, ...]


def red(facts: Facts, policy: Policy) -> AppliedRule | None:
    """Apply RED-CONFIRMED or RED-SUSPECTED if that is the latest diagnosis."""
    if not facts.diagnoses or facts.diagnoses[-1].status not in _CASES:
        return None
    latest = facts.diagnoses[-1]
    first = list(takewhile(lambda fact: fact.status == latest.status, reversed(facts.diagnoses)))[-1]
    return policy.applied(_CASES[latest.status], (first.id, latest.id), since=first.at)


def restrictions(facts: Facts, policy: Policy) -> list[Restriction]:
    """Return all restrictions, past, present and future; one that was recorded after its end has no effect."""
    every = [*_quarantines(facts), *_contacts(facts, policy), *_recoveries(facts, policy)]
    if facts.releases:
        ends = {release.releases: (release.at, release.id) for release in reversed(facts.releases)}  # the earliest last
        every = [_released(restriction, ends) for restriction in every]
    return [restriction for restriction in every if restriction.start < restriction.end]


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
    """Yield recorded contacts, and declared ones, which take effect at once too."""
    for contact in facts.contacts:
        end = policy.lapse(midnight_after(contact.exposed_on), "quarantine_days", contact.at)
        yield Restriction("ORANGE-CONTACT", contact.at, end, (contact.id,))
    for declaration in facts.declarations:
        if declaration.contact_on is not None:
            end = policy.lapse(midnight_after(declaration.contact_on), "quarantine_days", declaration.at)
            yield Restriction("ORANGE-DECLARED-CONTACT", declaration.at, end, (declaration.id,))


def _recoveries(facts: Facts, policy: Policy) -> Iterator[Restriction]:
    """Yield the observation after each recovery; recording the same recovery again does not restart it."""
    before: Diagnosis | None = None
    for fact in facts.diagnoses:
        if fact.status == "recovered" and (before is None or before.status != "recovered"):
            end = policy.lapse(midnight_after(day_of(fact.at)), "recovery_days", fact.at)
            yield Restriction("ORANGE-RECOVERED", fact.at, end, (fact.id,))
        before = fact


def current_restrictions(every: Sequence[Restriction], policy: Policy, now: datetime) -> list[AppliedRule]:
    """Apply ORANGE-QUARANTINE, -CONTACT, -DECLARED-CONTACT and -RECOVERED if in effect, until the end without a gap."""
    present = [restriction for restriction in every if restriction.start <= now < restriction.end]
    return [
        _merge_consecutive(rule, [restriction for restriction in every if restriction.rule == rule], policy, now)
        for rule in sorted({restriction.rule for restriction in present})
    ]


def _merge_consecutive(rule: str, every: Sequence[Restriction], policy: Policy, now: datetime) -> AppliedRule:
    """Apply one rule until the end of its current restrictions and of those that follow without a gap."""
    consecutive: list[Restriction] = []
    until = now
    for restriction in sorted(every, key=lambda restriction: restriction.start):
        if restriction.start <= until and restriction.end > now:
            consecutive.append(restriction)
            until = max(until, restriction.end)
    evidence = (fact_id for restriction in consecutive for fact_id in restriction.evidence)
    return policy.applied(rule, evidence, since=consecutive[0].start, until=until)


def reverify(facts: Facts, every: Sequence[Restriction], policy: Policy, now: datetime) -> AppliedRule | None:
    """Apply ORANGE-REVERIFY if a restriction or RED has ended and no verification has closed it since."""
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
    declared, verified = clearance
    return verified >= end.at and declared >= fresh_from(end.at, policy)


def fresh_from(end: datetime, policy: Policy) -> datetime:
    """Return the earliest moment of a declaration that is recent enough to close a restriction with this end."""
    return end - timedelta(days=policy.at(end).release_declaration_days)


def _ruled_out(facts: Facts) -> Iterator[EndedRestriction]:
    """Yield the ends of RED that no observation follows."""
    for before, after in pairwise(facts.diagnoses):
        if before.status in _CASES and after.status == "ruled_out":
            yield EndedRestriction(after.at, (before.id, after.id))


def _last_clearance(facts: Facts, policy: Policy) -> tuple[datetime, datetime] | None:
    """Return when the last clearance was declared and verified: a latest, valid declaration without symptoms.

    Both moments only grow from one clearance to the next, so that the last one closes whatever any of them closes.
    """
    for verification in reversed(facts.verifications):
        place = bisect_right(facts.declarations, verification.at, key=lambda fact: fact.at) - 1
        latest = facts.declarations[place]
        valid = verification.at < policy.lapse(latest.at, "declaration_days", latest.at)
        if latest.id == verification.declaration and not latest.symptoms and valid:
            return latest.at, verification.at
    return None

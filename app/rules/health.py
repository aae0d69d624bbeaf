"""YELLOW, GREEN and the states without a color: temperatures, declarations and the platform's verifications.

Owns how long a declaration and a verification are valid. What citizens declare to their disadvantage takes effect at
once; what they declare in their favor takes effect when the platform has verified it.
"""

from datetime import datetime
from itertools import takewhile

from app.rules.decision import AppliedRule
from app.rules.evidence import Declaration, Facts
from app.rules.policy import Policy


def fever(facts: Facts, policy: Policy) -> AppliedRule | None:
    """Apply YELLOW-FEVER if the latest temperature is a fever by the threshold of its day; a normal one ends it."""
    if not facts.temperatures:
        return None
    streak = list(
        takewhile(lambda fact: fact.celsius >= policy.at(fact.at).fever_celsius, reversed(facts.temperatures))
    )
    if not streak:
        return None
    return policy.applied("YELLOW-FEVER", (streak[-1].id, streak[0].id), since=streak[-1].at)


def symptoms(facts: Facts, policy: Policy) -> AppliedRule | None:
    """Apply YELLOW-SYMPTOMS if symptoms were declared and no later declaration without them is verified."""
    declared = _unresolved_symptoms(facts)
    if not declared:
        return None
    return policy.applied("YELLOW-SYMPTOMS", (declared[-1].id, declared[0].id), since=declared[-1].at)


def _unresolved_symptoms(facts: Facts) -> list[Declaration]:
    """Return the declarations with symptoms since the last verified one without, the latest first."""
    unresolved = []
    for fact in reversed(facts.declarations):
        if fact.symptoms:
            unresolved.append(fact)
        elif fact.id in facts.latest_verification:
            break
    return unresolved


def green(facts: Facts, valid_until: datetime | None, policy: Policy, now: datetime) -> AppliedRule | None:
    """Apply GREEN-VERIFIED if the newest verified declaration is still valid and no symptoms were declared since."""
    declaration = facts.newest_verified
    if declaration is None or valid_until is None or valid_until <= now or _unresolved_symptoms(facts):
        return None
    verification = facts.latest_verification[declaration.id]
    return policy.applied("GREEN-VERIFIED", (declaration.id, verification.id), since=verification.at, until=valid_until)


def declared_until(declaration: Declaration, policy: Policy) -> datetime:
    """Return the moment at which a declaration expires."""
    return policy.lapse(declaration.at, "declaration_days", declaration.at)


def verified_until(facts: Facts, policy: Policy) -> datetime | None:
    """Return when the newest verified declaration or its latest verification expires, whichever is first, if any."""
    declaration = facts.newest_verified
    if declaration is None:
        return None
    verification = facts.latest_verification[declaration.id]
    expires = policy.lapse(verification.at, "verification_days", verification.at)
    return min(declared_until(declaration, policy), expires)


def without_color(facts: Facts, policy: Policy, now: datetime) -> AppliedRule:
    """Apply NOT-DECLARED, UNVERIFIED-EXPIRED or UNVERIFIED-WAITING, of which one applies when no other rule does."""
    if not facts.declarations:
        return policy.applied("NOT-DECLARED", (), since=now)
    latest, verified_end = facts.declarations[-1], verified_until(facts, policy)
    end = declared_until(latest, policy)
    if end <= now:
        return policy.applied("UNVERIFIED-EXPIRED", (latest.id,), since=end)
    since = latest.at if verified_end is None else max(latest.at, verified_end)
    return policy.applied("UNVERIFIED-WAITING", (latest.id,), since=since, until=end)


def next_missing(facts: Facts, policy: Policy, now: datetime, fresh_from: datetime | None = None) -> str:
    """Return the next step to a verified declaration that is not older than `fresh_from`."""
    latest = facts.declarations[-1] if facts.declarations else None
    if latest is None or (fresh_from is not None and latest.at < fresh_from):
        return "declaration"
    if latest.symptoms:
        return "symptom-free-declaration"
    return "declaration" if declared_until(latest, policy) <= now else "verification"

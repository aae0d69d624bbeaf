"""YELLOW, GREEN and the states without a color: temperatures, declarations and the platform's answers.

Owns how long a declaration and an answer hold. What citizens state against themselves counts at once; what speaks for
them counts once the platform has verified it.
"""

from datetime import datetime
from itertools import takewhile

from app.rules.decision import AppliedRule
from app.rules.evidence import Declaration, Facts
from app.rules.policy import Policy


def fever(facts: Facts, policy: Policy) -> AppliedRule | None:
    """YELLOW-FEVER: the latest temperature is a fever by the threshold of its day; a normal one ends it."""
    streak = list(
        takewhile(lambda fact: fact.celsius >= policy.at(fact.at).fever_celsius, reversed(facts.temperatures))
    )
    if not streak:
        return None
    return policy.applied("YELLOW-FEVER", (streak[-1].id, streak[0].id), since=streak[-1].at)


def symptoms(facts: Facts, policy: Policy) -> AppliedRule | None:
    """YELLOW-SYMPTOMS: symptoms were declared, and no later declaration without them has been verified."""
    stated = _unanswered_symptoms(facts)
    if not stated:
        return None
    return policy.applied("YELLOW-SYMPTOMS", (stated[-1].id, stated[0].id), since=stated[-1].at)


def _unanswered_symptoms(facts: Facts) -> list[Declaration]:
    """Declarations with symptoms since the last verified one without, the latest first."""
    since = takewhile(
        lambda fact: bool(fact.symptoms) or fact.id not in facts.latest_verification, reversed(facts.declarations)
    )
    return [fact for fact in since if fact.symptoms]


def green(facts: Facts, policy: Policy, now: datetime) -> AppliedRule | None:
    """GREEN-VERIFIED: the newest verified declaration and its answer hold, and no symptoms were stated since."""
    declaration = newest_verified(facts)
    if declaration is None or _unanswered_symptoms(facts):
        return None
    answer, until = facts.latest_verification[declaration.id], verified_until(declaration, facts, policy)
    if until <= now:
        return None
    return policy.applied("GREEN-VERIFIED", (declaration.id, answer.id), since=answer.at, until=until)


def newest_verified(facts: Facts) -> Declaration | None:
    """The newest declaration about which the platform has answered."""
    answered = (fact for fact in reversed(facts.declarations) if fact.id in facts.latest_verification)
    return next(answered, None)


def declared_until(declaration: Declaration, policy: Policy) -> datetime:
    """The moment at which a declaration no longer holds."""
    return policy.lapse(declaration.at, "declaration_days", declaration.at)


def verified_until(declaration: Declaration, facts: Facts, policy: Policy) -> datetime:
    """The moment at which a verified declaration or its latest answer no longer holds."""
    answer = facts.latest_verification[declaration.id]
    return min(declared_until(declaration, policy), policy.lapse(answer.at, "verification_days", answer.at))


def without_color(facts: Facts, policy: Policy, now: datetime) -> AppliedRule:
    """NOT-DECLARED, UNVERIFIED-EXPIRED, UNVERIFIED-WAITING: why a person to whom no other rule applies has no color."""
    if not facts.declarations:
        return policy.applied("NOT-DECLARED", (), since=now)
    latest, verified = facts.declarations[-1], newest_verified(facts)
    end = declared_until(latest, policy)
    if end <= now:
        return policy.applied("UNVERIFIED-EXPIRED", (latest.id,), since=end)
    since = latest.at if verified is None else max(latest.at, verified_until(verified, facts, policy))
    return policy.applied("UNVERIFIED-WAITING", (latest.id,), since=since, until=end)


def next_missing(facts: Facts, policy: Policy, now: datetime, fresh_from: datetime | None = None) -> str:
    """What comes next on the way to a verified declaration that is not older than `fresh_from`."""
    latest = facts.declarations[-1] if facts.declarations else None
    if latest is None or (fresh_from is not None and latest.at < fresh_from):
        return "declaration"
    if latest.symptoms:
        return "symptom-free-declaration"
    return "declaration" if declared_until(latest, policy) <= now else "verification"

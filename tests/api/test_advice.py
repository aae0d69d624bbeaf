"""A code tells one way: the advice of the rule that gives the color, and none of a milder one beside it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import combinations_with_replacement

from app.api.responses import code_response
from app.codes.display import CodeReason, DisplayedCode
from app.codes.states import State
from app.rules import Contact, Declaration, Diagnosis, Evidence, Quarantine, Temperature, Verification, decide
from app.rules.evidence import BEIJING
from app.rules.policy import KNOWN_RULES
from app.runtime import Services

NOW = datetime(2026, 12, 1, 12, tzinfo=BEIJING)
HOUR, MONTH = NOW - timedelta(hours=1), NOW - timedelta(days=30)
TODAY, YESTERDAY = date(2026, 12, 1), date(2026, 11, 30)


def declared(name: str, at: datetime = HOUR, symptoms: tuple[str, ...] = (), on: date | None = None) -> Declaration:
    return Declaration(id=name, at=at, symptoms=symptoms, contact_on=on)


# What makes each rule apply, by itself.
APPLIES: dict[str, tuple[Evidence, ...]] = {
    "RED-CONFIRMED": (Diagnosis(id="confirmed", at=HOUR, status="confirmed"),),
    "RED-SUSPECTED": (Diagnosis(id="suspected", at=HOUR, status="suspected"),),
    "ORANGE-QUARANTINE": (Quarantine(id="order", at=HOUR, first_day=TODAY, last_day=TODAY),),
    "ORANGE-CONTACT": (Contact(id="contact", at=HOUR, exposed_on=YESTERDAY),),
    "ORANGE-DECLARED-CONTACT": (declared("met", on=YESTERDAY),),
    "ORANGE-RECOVERED": (
        Diagnosis(id="was", at=MONTH, status="confirmed"),
        Diagnosis(id="recovered", at=HOUR - timedelta(hours=1), status="recovered"),
    ),
    "ORANGE-REVERIFY": (Quarantine(id="over", at=MONTH, first_day=MONTH.date(), last_day=YESTERDAY),),
    "YELLOW-FEVER": (Temperature(id="fever", at=HOUR, celsius=Decimal("38.0")),),
    "YELLOW-SYMPTOMS": (declared("ill", symptoms=("cough",)),),
    "GREEN-VERIFIED": (
        declared("well", at=HOUR - timedelta(days=5)),
        Verification(id="verified", at=HOUR - timedelta(days=5), declaration="well"),
    ),
    "UNVERIFIED-WAITING": (declared("waits"),),
    "UNVERIFIED-EXPIRED": (declared("expired", at=MONTH),),
    "NOT-DECLARED": (),
}


def test_every_pair_of_rules_tells_one_way_that_of_the_color(services: Services) -> None:
    assert set(APPLIES) == set(KNOWN_RULES)
    beside = set()
    for one, other in combinations_with_replacement(KNOWN_RULES, 2):
        decision = decide([*APPLIES[one], *(APPLIES[other] if other != one else ())], services.policy, NOW)
        assert decision.color == services.policy.colors[decision.rule]
        reasons = tuple(CodeReason(rule.rule, rule.since, rule.until, ()) for rule in decision.rules)
        state = State[decision.color or "UNVERIFIED"]
        for language in ("zh", "en"):
            shown = code_response(services, DisplayedCode(state, reasons, (), "", False), language, NOW).reasons
            advice = services.policy.text(decision.rule, language).advice
            assert [reason.advice for reason in shown] == [advice] + [""] * (len(reasons) - 1), (one, other)
            assert all(reason.title and reason.explanation for reason in shown)
        beside |= {(decision.color, rule.rule) for rule in decision.rules[1:]}
        if one == other:
            assert decision.rule == one, "it applies by itself"
    for color in ("RED", "ORANGE", "YELLOW"):
        assert (color, "GREEN-VERIFIED") in beside, "where its advice to pass would be fatal"

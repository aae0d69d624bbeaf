"""Invented people for the properties: evidence of every kind, in every order.

Moments lie on full hours of six weeks, so that many of them coincide; some evidence is withdrawn or lies in the future.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from app.rules import Contact, Declaration, Diagnosis, Evidence, Quarantine, Release, Temperature, Verification
from app.rules.evidence import Status
from tests.rules.situations import moment

FIRST = moment("2020-03-01 00:00")
HOURS = 6 * 7 * 24

moments = st.integers(0, HOURS).map(lambda hours: FIRST + timedelta(hours=hours))
presents = st.integers(HOURS // 4, HOURS).map(lambda hours: FIRST + timedelta(hours=hours))
days = st.integers(0, HOURS // 24).map(lambda count: FIRST.date() + timedelta(days=count))
celsius = st.sampled_from([Decimal(text) for text in ("36.5", "37.0", "37.2", "37.3", "39.0")])
statuses: st.SearchStrategy[Status] = st.sampled_from(["suspected", "confirmed", "ruled_out", "recovered"])
cough = st.sampled_from([(), (), ("cough",)])


@st.composite
def facts(draw: st.DrawFn, name: str, known: Sequence[str]) -> Evidence:
    """One piece of evidence that may speak of evidence known before."""
    about: dict[str, Any] = {
        "id": name,
        "at": draw(moments),
        "withdrawn_at": draw(st.just(None) if draw(st.integers(0, 5)) else moments),
    }
    first = draw(days)
    kinds: list[Any] = [
        lambda: Declaration(symptoms=draw(cough), contact_on=draw(st.none() | st.none() | days), **about),
        lambda: Verification(declaration=draw(st.sampled_from(known)), **about),
        lambda: Temperature(celsius=draw(celsius), **about),
        lambda: Contact(exposed_on=first, **about),
        lambda: Quarantine(first_day=first, last_day=first + timedelta(days=draw(st.integers(0, 20))), **about),
        lambda: Diagnosis(status=draw(statuses), **about),
        lambda: Release(releases=draw(st.sampled_from(known)), **about),
    ]
    weights = [0, 0, 0, 1, 1, 1, 1, 2, 3, 3, 4, 5, 6]
    fact: Evidence = kinds[draw(st.sampled_from(weights))]()
    return fact


@st.composite
def people(draw: st.DrawFn) -> list[Evidence]:
    """All evidence about one person, who often has a verified declaration."""
    evidence: list[Evidence] = []
    for n in range(draw(st.integers(0, 2))):
        at = draw(presents)
        answered = at + timedelta(hours=draw(st.integers(0, 9 * 24)))
        evidence.append(Declaration(id=f"d{n}", at=at, symptoms=draw(cough), contact_on=None))
        evidence.append(Verification(id=f"v{n}", at=answered, declaration=f"d{n}"))
    for n in range(draw(st.sampled_from(range(9)))):
        evidence.append(draw(facts(f"e{n}", [fact.id for fact in evidence] or ["nothing"])))
    return evidence


@st.composite
def grave_facts(draw: st.DrawFn, now: datetime) -> Evidence:
    """Evidence against a person that counts at `now`, of any moment before."""
    about: dict[str, Any] = {"id": "grave", "at": min(draw(moments), now)}
    choices: list[Evidence] = [
        Declaration(symptoms=("cough",), contact_on=draw(st.none() | days), **about),
        Temperature(celsius=Decimal("39.0"), **about),
        Contact(exposed_on=draw(days), **about),
        Quarantine(first_day=draw(days), last_day=date(2020, 5, 1), **about),
        Diagnosis(status="suspected", **about),
        Diagnosis(status="confirmed", **about),
    ]
    return draw(st.sampled_from(choices))

"""Conversion of evidence, and of the rules of a decision, between their rows and the typed values of the rules.

Owns the stored form. Nothing here decides.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from app.rules import (
    Admission,
    Color,
    Contact,
    Decision,
    Declaration,
    Diagnosis,
    Evidence,
    Quarantine,
    Release,
    Temperature,
    Transfer,
    Verification,
)

_KEY_LETTERS = 23  # of a deduplication key: 92 bits among the evidence of one person, in 24 bytes of a row
# reason to withdraw a declaration: the platform's register has another name for the document
IDENTITY_MISMATCH = "identity-mismatch"
# reason to withdraw an unverified declaration: another account has registered as the citizen
OTHER_HOLDER = "other-holder"

KINDS: dict[str, type[Evidence]] = {
    "declaration": Declaration,
    "verification": Verification,
    "temperature": Temperature,
    "contact": Contact,
    "quarantine": Quarantine,
    "diagnosis": Diagnosis,
    "release": Release,
    "admission": Admission,
    "transfer": Transfer,
}
_KIND_OF = {kind: name for name, kind in KINDS.items()}
_FACTS = {
    name: tuple(f.name for f in fields(kind) if f.name not in ("id", "at", "withdrawn_at"))
    for name, kind in KINDS.items()
}
_COLORS = {color[0]: color for color in Color}
_EMPTY: dict[str, Any] = {"symptoms": [], "contact_on": None}  # what a fact has that its row leaves out
_REFERENCES = {"verification": "declaration", "release": "releases"}  # the fact of a kind that is in `refers_to`
_READ: dict[str, Callable[[Any], Any]] = {
    "symptoms": lambda words: tuple(words or ()),
    "contact_on": lambda text: None if text is None else date.fromisoformat(text),
    "exposed_on": date.fromisoformat,
    "first_day": date.fromisoformat,
    "last_day": date.fromisoformat,
    "celsius": Decimal,
}


def _plain(value: Any) -> Any:
    """Return a value as JSON stores it."""
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, date | Decimal) else value


class NewEvidence(NamedTuple):
    """A fact to record in the ledger, with its authority and reference.

    `dedup_key` identifies a fact that its source reports again and again, so that it is stored once.
    """

    fact: Evidence
    authority: str
    reference: str
    dedup_key: str | None = None


def in_order(items: Sequence[NewEvidence], known: Sequence[Evidence], now: datetime) -> list[NewEvidence]:
    """Return new evidence of a locked code, with what happens `now` dated after everything that is known of the person.

    The order in which the lock was given decides, not the clocks of the machines, which are never the same.
    """
    last = latest_moment(known, now)
    if last == now:
        return list(items)
    after = last + timedelta(microseconds=1)
    return [item._replace(fact=replace(item.fact, at=after)) if item.fact.at == now else item for item in items]


def latest_moment(evidence: Sequence[Evidence], now: datetime) -> datetime:
    """Return the latest moment in evidence, and not before `now`."""
    for fact in evidence:
        if fact.at > now:
            now = fact.at
        if fact.withdrawn_at is not None and fact.withdrawn_at > now:
            now = fact.withdrawn_at
    return now


@lru_cache(1024)  # a list has the same content for thousands
def dedup_key_of(kind: str, authority: str, reference: str, *content: date | str | None) -> str:
    """Return the key by which a fact is recognized when its source reports it again.

    It is made of the source and the content of the fact, not of who recorded it and when: kind, authority, reference,
    day of exposure, first and last day, and for a release the id of what it releases. Stored keys depend on the order.
    """
    content_hash = sha256(json.dumps((kind, authority, reference, *content), default=str).encode())
    return content_hash.hexdigest()[:_KEY_LETTERS]


def new_id() -> str:
    """Return an id for new evidence."""
    return str(uuid.uuid4())


def to_row(new_evidence: NewEvidence, serial: int, recorded_by: str, now: datetime) -> dict[str, Any]:
    """Return the columns of the row for new evidence."""
    kind = _KIND_OF[type(new_evidence.fact)]
    facts = {name: _plain(getattr(new_evidence.fact, name)) for name in _FACTS[kind]}
    refers_to = facts.pop(_REFERENCES.get(kind, ""), None)
    return {
        "id": new_evidence.fact.id,
        "serial": serial,
        "kind": kind,
        "at": new_evidence.fact.at,
        "facts": {name: value for name, value in facts.items() if value},
        "refers_to": refers_to,
        "authority": new_evidence.authority,
        "reference": new_evidence.reference,
        "dedup_key": new_evidence.dedup_key,
        "recorded_at": now,
        "recorded_by": recorded_by,
    }


def to_fact(row: Any) -> Evidence:
    """Return the typed fact in a row of `evidence`; its `facts` may be the text of their JSON."""
    facts = _read_text(row.kind, row.facts) if isinstance(row.facts, str) else _read(row.kind, row.facts)
    if row.refers_to is not None:
        facts = {**facts, _REFERENCES[row.kind]: row.refers_to}
    return KINDS[row.kind](id=row.id, at=row.at, withdrawn_at=row.withdrawn_at, **facts)


def _read(kind: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: read(facts.get(name)) for name, read in _READERS[kind]}


@lru_cache(4_096)  # thousands have the same facts: nothing but their day, or none at all
def _read_text(kind: str, facts: str) -> Mapping[str, Any]:
    return _read(kind, json.loads(facts))


def complete_facts(row: Any) -> dict[str, Any]:
    """Return all facts in a row of `evidence`. Rows of older releases have them all in `facts`."""
    facts = {name: row.facts.get(name, _EMPTY.get(name)) for name in _FACTS[row.kind]}
    if row.refers_to is not None:
        facts[_REFERENCES[row.kind]] = row.refers_to
    return facts


def rules_to_column(decision: Decision) -> list[str]:
    """Return the rules that apply: the id of each, the initial of its color or "-", and the places of its evidence."""
    place = {id_: str(place) for place, id_ in enumerate(decision.evidence)}
    return [
        " ".join([rule.rule, rule.color[0] if rule.color else "-", *(place[id_] for id_ in rule.evidence)])
        for rule in decision.rules
    ]


def rule_from_column(column: str | dict[str, Any], evidence: Sequence[str]) -> dict[str, Any]:
    """Return a rule that applied: `rule`, `color` and `evidence`. Decisions of older releases have just that."""
    if isinstance(column, dict):
        return column
    rule, initial, *places = column.split()
    return {"rule": rule, "color": _COLORS.get(initial), "evidence": [evidence[int(place)] for place in places]}


def rule_name(column: str | dict[str, Any]) -> str:
    """Return the id of a rule that applied."""
    return str(column["rule"]) if isinstance(column, dict) else column.partition(" ")[0]


def _as_it_is(value: Any) -> Any:
    return value


_READERS = {kind: tuple((name, _READ.get(name, _as_it_is)) for name in names) for kind, names in _FACTS.items()}

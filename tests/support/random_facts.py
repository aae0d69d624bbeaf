"""Facts and entries at random, and many codes that change together."""

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.codes import ledger
from app.codes.evidence import NewEvidence, new_id
from app.rules import Contact, Declaration, Diagnosis, Evidence, Quarantine, Release, Temperature, Verification
from app.runtime import Services
from tests.support.clock import START
from tests.support.codes import OFFICER


def facts_of(chance: random.Random, at: datetime, before: Sequence[NewEvidence] = ()) -> list[Evidence]:
    """Something that may become known of a person at a moment, of any kind."""
    day = at.date() - timedelta(days=chance.randrange(20))
    earlier = [entry.fact for entry in before]
    declared = Declaration(id=new_id(), at=at, symptoms=chance.choice([(), (), ("cough",)]), contact_on=None)
    restricting = [fact.id for fact in earlier if isinstance(fact, Contact | Quarantine)]
    status: Any = chance.choice(["suspected", "confirmed", "ruled_out", "recovered"])
    kinds: list[list[Evidence]] = [
        [declared],
        [declared, Verification(id=new_id(), at=at, declaration=declared.id)],
        [Temperature(id=new_id(), at=at, celsius=Decimal(chance.choice(["36.5", "38.2"])))],
        [Contact(id=new_id(), at=at, exposed_on=day)],
        [Quarantine(id=new_id(), at=at, first_day=day, last_day=day + timedelta(days=chance.randrange(30)))],
        [Diagnosis(id=new_id(), at=at, status=status)],
        [Release(id=new_id(), at=at, releases=chance.choice(restricting or [new_id()]))],
        [],
    ]
    chosen = chance.sample(kinds, k=chance.choice([1, 1, 2]))
    return list({fact.id: fact for some in chosen for fact in some}.values())


def entries_of(chance: random.Random, at: datetime, before: Sequence[NewEvidence] = ()) -> list[NewEvidence]:
    """The same as new evidence, some of which its source reports again and again."""
    new = [NewEvidence(fact, "示例疾控", f"文书{chance.randrange(3)}") for fact in facts_of(chance, at, before)]
    return [entry._replace(dedup_key=chance.choice([None, None, "reported again"])) for entry in new]


def contact_entry(at: datetime = START, dedup_key: str | None = "contact") -> NewEvidence:
    return NewEvidence(Contact(id=new_id(), at=at, exposed_on=date(2020, 3, 19)), "示例疾控", "文书", dedup_key)


def record_many(services: Services, serials: Sequence[int]) -> ledger.BatchResult:
    entries = {serial: [contact_entry()] for serial in serials}
    with services.begin() as session:
        return ledger.record_many(
            ledger.ChangeContext(session, services.policy, OFFICER, services.clock.now()), entries
        )

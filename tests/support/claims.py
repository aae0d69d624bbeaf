"""Claims on a document: how somebody registers with WeChat's phone, and what officers have recorded of its person."""

from typing import Any

import requests

from app.audit import Actor
from app.citizens import lookup
from app.citizens.documents import DocumentType
from app.codes import ledger
from app.codes.evidence import NewEvidence
from app.entries.content import EntryContent, EntryKind, fact_of
from app.runtime import Services
from tests.support.people import Phone


def slug(answer: Any) -> str:
    """The last part of the type of a problem."""
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def phone_code(person: Phone, number: str = "13912345678") -> str:
    """A code of WeChat's phone button, of a person with this number."""
    user = f"{person.wechat}/sandbox/users/{person.name}"
    requests.patch(user, json={"number": number, "country_code": "86"}, timeout=5).raise_for_status()
    code: str = requests.post(f"{user}/phone-code", timeout=5).json()["code"]
    return code


def register_by_wechat(person: Phone, **changes: Any) -> Any:
    """Register with the number of the person's WeChat, by a tap on its button."""
    person.log_in_with_wechat()
    form = {**person.registration(), "phone": None, "phone_code": phone_code(person), **changes}
    answer = person.post("/api/v1/accounts", form)
    if answer.status_code == 201:
        person.session = answer.json["session"]  # type: ignore[index]
    return answer


def record(services: Services, person: Phone, kind: EntryKind, **days: Any) -> None:
    """Have officers record something about the person of a document."""
    stated = EntryContent(kind=kind, authority="长春市疾病预防控制中心", reference="长疾控〔2020〕1号", **days)
    now = services.clock.now()
    with services.begin() as session:
        serial = lookup.find_or_add(session, services.encryption, DocumentType.ID_CARD, person.document, now).serial
        entry = NewEvidence(fact_of(stated, None, now), stated.authority, stated.reference)
        ledger.record(ledger.ChangeContext(session, services.policy, Actor("officer", "7"), now), serial, [entry])

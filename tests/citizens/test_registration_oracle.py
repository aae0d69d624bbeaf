"""What a registration reveals of somebody else's document: nothing, neither by its answer nor by its time."""

import random
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.audit import Actor
from app.citizens import lookup
from app.citizens.documents import DocumentType
from app.codes import ledger
from app.codes.evidence import NewEvidence
from app.core import passwords
from app.entries.content import EntryContent, EntryKind, fact_of
from app.runtime import Services
from tests.support.people import Phone, id_number
from tests.support.statements import count_statements

TRIES = 30
SAVEPOINTS = {"SAVEPOINT", "RELEASE", "ROLLBACK"}  # undoing one takes a statement more


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def make_known(services: Services, number: str) -> None:
    """Have officers know somebody by this number: a confirmed case."""
    stated = EntryContent(kind=EntryKind.CONFIRMED, authority="长春市疾病预防控制中心", reference="长疾控〔2020〕1号")
    now = services.clock.now()
    with services.begin() as session:
        serial = lookup.find_or_add(session, services.encryption, DocumentType.ID_CARD, number, now).serial
        entry = NewEvidence(fact_of(stated, None, now), stated.authority, stated.reference)
        ledger.record(ledger.ChangeContext(session, services.policy, Actor("officer", "7"), now), serial, [entry])


def register(person: Phone, number: str, username: str) -> Any:
    document = {"type": "id-card", "number": number}
    return person.post("/api/v1/accounts", {**person.registration(), "username": username, "document": document})


def kind_of(statement: str) -> str:
    """What a statement does to which table, such as "INSERT INTO codes"; one of another kind is compared whole."""
    doing = r"(INSERT INTO|UPDATE|DELETE FROM|COPY) (\w+)|(SELECT).*?FROM (\w+)|(SAVEPOINT|RELEASE|ROLLBACK)"
    found = re.match(doing, statement.strip(), re.DOTALL | re.IGNORECASE)
    return " ".join(part for part in found.groups() if part) if found else statement


def auc(one: list[float], other: list[float]) -> float:
    """How often a time of `one` is below one of `other`: a half when nothing tells the two apart."""
    below = sum((a < b) + (a == b) / 2 for a in one for b in other)
    return below / (len(one) * len(other))


@pytest.fixture
def taken(phone: Callable[..., Phone]) -> Phone:
    """Somebody who has an account."""
    owner = phone("示例甲")
    owner.register()
    return owner


@pytest.fixture
def visitor(phone: Callable[..., Phone]) -> Phone:
    visitor = phone("示例乙")
    visitor.log_in_with_wechat()
    return visitor


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was hashed."""
    made: list[str] = []
    hasher = passwords._hasher

    class Counting:
        def hash(self, password: str) -> str:
            made.append("hash")
            return hasher.hash(password)

        def verify(self, *given: Any) -> bool:
            made.append("verify")
            return hasher.verify(*given)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    return made


def test_with_a_taken_user_name_every_document_gets_the_same_answer_for_the_same_work(
    services: Services, visitor: Phone, taken: Phone, hashes: list[str]
) -> None:
    known, unknown = id_number(701), id_number(702)
    make_known(services, known)
    register(visitor, unknown, taken.username)  # whatever is loaded at the first time
    seen = set()
    for number in (unknown, known, taken.document):
        hashes.clear()
        with count_statements(services.engine) as statements:
            answer = register(visitor, number, taken.username)
        seen.add((answer.status_code, answer.data, tuple(statements), tuple(hashes)))
    assert len(seen) == 1
    assert slug(answer) == "username-taken"


def test_whom_officers_know_registers_by_the_same_statements_as_whom_nobody_knows(
    services: Services, phone: Callable[..., Phone], hashes: list[str]
) -> None:
    phone("示例丙").register()  # whatever is loaded at the first time
    done = []
    for n, known in ((703, False), (704, True), (705, False), (706, True)):
        if known:
            make_known(services, id_number(n))
        person = phone("示例" + "戊己庚辛"[n - 703])
        person.log_in_with_wechat()
        hashes.clear()
        with count_statements(services.engine) as statements:
            answer = register(person, id_number(n), f"person-{n}")
        assert answer.status_code == 201
        done.append(([kind_of(one) for one in statements if kind_of(one) not in SAVEPOINTS], len(hashes)))
    for one in done:
        assert one == done[0]


def test_the_time_of_a_refusal_does_not_tell_whom_officers_know(
    services: Services, visitor: Phone, taken: Phone
) -> None:
    """By ranks of interleaved tries, so that load on the machine touches both alike; see decision 32."""
    known, unknown = id_number(707), id_number(708)
    make_known(services, known)
    times: dict[str, list[float]] = {known: [], unknown: [], taken.document: []}
    order = [number for number in times for _ in range(TRIES)]
    random.Random(7).shuffle(order)
    for number in order:
        begun = time.perf_counter()
        assert slug(register(visitor, number, taken.username)) == "username-taken"
        times[number].append(time.perf_counter() - begun)
    assert 0.2 < auc(times[known], times[unknown]) < 0.8
    assert 0.2 < auc(times[taken.document], times[unknown]) < 0.8

"""A document is corrected by two officers: at a window with the document in hand, or as a citizen asks for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.audit import AuditEvent
from app.citizens import lookup
from app.citizens.documents import DocumentType
from app.corrections import requests
from app.corrections.models import DocumentCorrection
from app.entries.content import EntryKind
from app.runtime import Services
from tests.support.claims import record
from tests.support.clock import StandingClock
from tests.support.desk import Desk, text_of
from tests.support.people import PASSWORD, Phone, Station, id_number
from tests.support.windows import DISTRICT, DONE, Clerk

NEW = id_number(801)
LIST, ONE = "/console/corrections", "/console/corrections/1"
ASKED = {"document": {"type": "id-card", "number": NEW}, "reason": "mistyped", "district": DISTRICT}


def propose(clerk: Clerk, citizen: Phone, number: str = NEW, kind: str = "id-card") -> Any:
    visit = clerk.visit(citizen.name, citizen.document)
    form = {"new_type": kind, "new_number": number, "reason": "mistyped"}
    return clerk.desk.send(f"{visit}/document", form)


def owner_of(services: Services, number: str) -> int | None:
    with services.sessions() as session:
        return lookup.find_serial(session, services.encryption, DocumentType.ID_CARD, number)


@pytest.fixture
def citizen(phone: Callable[..., Phone], clerk: Clerk) -> Phone:
    return phone("示例甲").become_green()


@pytest.fixture
def officer(desk: Callable[..., Desk]) -> Desk:
    """An appeals officer of the district, who also approves entries."""
    return desk("appeals", "approver", username="officer-a", district=DISTRICT)


@pytest.fixture
def second(desk: Callable[..., Desk]) -> Desk:
    return desk("approver", username="officer-b", district=DISTRICT)


def test_a_clerk_proposes_another_officer_does_it_and_the_person_is_the_same(
    console: Services, clerk: Clerk, citizen: Phone, second: Desk, station: Station, phone: Callable[..., Phone],
    clock: StandingClock, work: Callable[[], None],
) -> None:  # fmt: skip
    record(console, citizen, EntryKind.CONTACT, exposed_on=clock.now().date())
    inviter = phone("示例丁").become_green()
    asked = {"name": citizen.name, "document": {"type": "id-card", "number": citizen.document}}
    assert inviter.post("/api/v1/family/invitations", asked).status_code in (200, 201, 202)
    work()  # the message about the color is sent
    citizen.subscribe()
    assert propose(clerk, citizen).status_code == DONE
    assert owner_of(console, NEW) is None, "nothing changes before a second officer"
    page = text_of(second.get(ONE))
    assert citizen.document not in page and NEW not in page and "橙" in page
    assert second.sign(f"{ONE}/confirm").status_code == DONE
    assert (owner_of(console, NEW), owner_of(console, citizen.document), citizen.color()) == (1, 1, "ORANGE")
    assert len(citizen.get("/api/v1/family/invitations").json["invitations"]) == 1  # type: ignore[index]
    work()
    assert citizen.messages()[-1]["fields"][0]["value"] == "证件已更正"
    read = citizen.get("/api/v1/record/access?whose=others").json["entries"]  # type: ignore[index]
    actions = [one["what"]["action"] for one in read]
    assert actions[0] == "document-corrected" and "document-correction-proposed" in actions
    former = clerk.visit(citizen.name, citizen.document)
    assert former and clerk.color(former) == "orange", "who is looked up by the former number is found"


def test_nobody_does_it_alone_nor_in_another_district_nor_unseen(
    console: Services, clerk: Clerk, citizen: Phone, officer: Desk, second: Desk, desk: Callable[..., Desk]
) -> None:
    answer = citizen.put("/api/v1/accounts/me/document", {**ASKED, "password": PASSWORD})
    assert answer.json["state"] == "waiting"  # type: ignore[index]
    elsewhere = desk("appeals", username="officer-c", district="吉林市")
    assert elsewhere.get(ONE).status_code == 404 and elsewhere.send(f"{ONE}/propose").status_code == 404
    assert officer.send(f"{ONE}/propose").status_code == 409, "not seen"
    assert second.sign(f"{ONE}/propose").status_code == 403, "an approver proposes nothing"
    assert second.sign(f"{ONE}/confirm").status_code == 404, "not proposed"
    assert officer.sign(f"{ONE}/propose").status_code == DONE
    assert officer.sign(f"{ONE}/confirm").status_code == 403, "two officers"
    assert owner_of(console, NEW) is None
    assert "待办理的证件更正" in text_of(second.get("/console/"))
    assert second.sign(f"{ONE}/confirm").status_code == DONE
    assert owner_of(console, NEW) == 1
    assert second.sign(f"{ONE}/confirm").status_code == 404


def test_a_document_of_another_is_not_given_by_two_officers_either(
    console: Services, clerk: Clerk, citizen: Phone, second: Desk, phone: Callable[..., Phone], clock: StandingClock
) -> None:
    listed = phone("示例乙", document=NEW)
    record(console, listed, EntryKind.CONTACT, exposed_on=clock.now().date())
    assert propose(clerk, citizen).status_code == DONE
    assert "已属于另一份记录" in text_of(second.get(ONE))
    answer = second.sign(f"{ONE}/confirm")
    assert answer.status_code == 409 and owner_of(console, NEW) != 1
    assert second.sign(f"{ONE}/refuse").status_code == DONE
    state = citizen.get("/api/v1/accounts/me/document").json
    assert state["state"] == "refused"  # type: ignore[index]
    with console.sessions() as session:
        row = session.scalars(select(DocumentCorrection)).one()
        assert (row.document_ciphertext, row.former_ciphertext) == (None, None)


def test_the_person_objects_for_a_week_and_has_the_former_document_back(
    console: Services, clerk: Clerk, citizen: Phone, second: Desk, clock: StandingClock
) -> None:
    clock.advance(minutes=1)
    propose(clerk, citizen)
    second.get(ONE)
    second.sign(f"{ONE}/confirm")
    assert citizen.get("/api/v1/accounts/me/document").json["object_until"]  # type: ignore[index]
    undone = citizen.post("/api/v1/accounts/me/document/objection", {})
    assert (undone.status_code, undone.json["state"]) == (200, "undone")  # type: ignore[index]
    assert (owner_of(console, citizen.document), owner_of(console, NEW)) == (1, None)
    assert citizen.post("/api/v1/accounts/me/document/objection", {}).status_code == 404
    with console.begin() as session:
        late = session.get_one(DocumentCorrection, 1)
        late.state, late.resolved_at = "done", clock.now() - timedelta(days=7)
        late.former_ciphertext = console.encryption.encrypt(requests.FORMER_COLUMN, citizen.document)
    assert citizen.post("/api/v1/accounts/me/document/objection", {}).status_code == 404
    with console.begin() as session:
        requests.delete_old(session, clock.now(), 10)
        assert session.get_one(DocumentCorrection, 1).former_ciphertext is None


def test_what_nobody_decides_lapses_and_what_is_erased_is_forgotten(
    console: Services, clerk: Clerk, citizen: Phone, clock: StandingClock
) -> None:
    propose(clerk, citizen)
    erased = citizen.post("/api/v1/accounts/me/erasure", {"password": PASSWORD})
    assert erased.status_code == 200
    with console.begin() as session:
        row = session.get_one(DocumentCorrection, 1)
        assert (row.state, row.document_ciphertext, row.former_ciphertext) == ("lapsed", None, None)
        row.state, row.document_ciphertext = "waiting", b"x"
    with console.begin() as session:
        requests.delete_old(session, clock.now() + timedelta(days=14), 10)
        row = session.get_one(DocumentCorrection, 1)
        assert (row.state, row.document_ciphertext) == ("lapsed", None)
        assert requests.delete_old(session, clock.now() + timedelta(days=90), 10) == 1


def test_a_mistake_is_said_beside_its_field_and_the_audit_names_no_number(
    console: Services, clerk: Clerk, citizen: Phone
) -> None:
    wrong = propose(clerk, citizen, "1")
    assert wrong.status_code == 422 and 'id="new_number-mistake"' in wrong.text
    assert propose(clerk, citizen, citizen.document).status_code == 422
    assert propose(clerk, citizen).status_code == DONE
    assert propose(clerk, citizen).status_code == 409, "one at a time"
    with console.sessions() as session:
        said = " ".join(str(one.detail) for one in session.scalars(select(AuditEvent)))
    assert NEW not in said and citizen.document not in said

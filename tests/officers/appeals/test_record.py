"""What an officer is shown of an appeal, and when every district sees it."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.codes.states import State
from tests.support.appeals import AUTHORITY, REFERENCE, SAID, Office, filed, picture, refused
from tests.support.clock import StandingClock
from tests.support.codes import contact, tell
from tests.support.people import Phone


def test_an_officer_sees_exactly_the_evidence_that_the_color_rests_on(
    office: Office, citizen: Phone, contact_of_a_case: str, clock: StandingClock
) -> None:
    id_ = filed(citizen)
    clock.advance(hours=2)
    office.apply("quarantine", 1, reference="示例隔离令")
    opened = office.read(id_)
    assert opened.text == SAID
    record = opened.record
    assert (record.state, record.rule) == (State.ORANGE, "ORANGE-CONTACT")
    assert [line.kind for line in record.evidence].count("contact") == 1 and len(record.evidence) == 3
    [line] = [line for line in record.evidence if line.kind == "contact"]
    assert (line.kind, line.authority, line.reference, line.rules) == (
        "contact", AUTHORITY, REFERENCE, ("ORANGE-CONTACT",),
    )  # fmt: skip
    assert line.recorded_at == clock.now() - timedelta(hours=2)
    assert [later.decided_at for later in record.later] == [clock.now()]
    assert [new.reference for new in record.new] == ["示例隔离令"]
    assert office.deeds()[-1] == (f"officer:{office.ids['appeals']}", "appeal-read")
    shown = repr(opened.record)
    assert citizen.name not in shown and citizen.document not in shown


def test_an_officer_sees_the_appeals_of_their_district(office: Office, citizen: Phone, contact_of_a_case: str) -> None:
    id_ = filed(citizen)
    seen = {name: office.waiting_for(name) for name in ("appeals", "colleague", "elsewhere", "province")}
    assert seen == {"appeals": [id_], "colleague": [id_], "elsewhere": [], "province": [id_]}
    for act in (office.read, office.uphold, office.mend):
        refused("appeal-not-found", lambda act=act: act(id_, by="elsewhere"))
        refused("not-your-role", lambda act=act: act(id_, by="no appeals"))
        refused("appeal-not-found", lambda act=act: act(99, by="province"))
    refused("not-your-role", lambda: office.waiting_for("no appeals"))


def test_an_attachment_is_given_to_officers_of_the_appeal_alone(
    office: Office, citizen: Phone, contact_of_a_case: str
) -> None:
    filed(citizen, attached=(picture("PNG"),))
    refused("appeal-not-found", lambda: office.attachment(1, "elsewhere"))
    refused("not-your-role", lambda: office.attachment(1, "no appeals"))
    refused("appeal-not-found", lambda: office.attachment(2))
    assert office.attachment(1).kind == "jpeg"


@pytest.mark.parametrize("case", ["nobody proposed it", "two districts"])
def test_what_is_no_districts_is_the_provinces(
    office: Office, citizen: Phone, contact_of_a_case: str, case: str
) -> None:
    if case == "nobody proposed it":
        tell(office.services, 1, contact(office.services.clock.now()))
        with office.services.begin() as session:
            session.execute(text("delete from entry_subjects where serial = 1"))
    else:
        with office.services.begin() as session:
            session.execute(text("update officers set district = '吉林市' where username = 'approver'"))
        office.apply("quarantine", 1, by="elsewhere", reference="示例隔离令")
    filed(citizen)
    assert (office.waiting_for("appeals"), office.waiting_for("province")) == ([], [1])

"""Who signs a list, and that a look at it is an access."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from app.appeals import resolution
from app.appeals.resolution import UpholdReason
from app.citizens.models import Citizen
from app.core.errors import Problem
from app.runtime import Services
from app.staff import officers as staff_officers
from app.staff import totp
from tests.support.acting import acting
from tests.support.codes import everything, open_green_code, open_green_codes
from tests.support.desk import SECRET, make_officer
from tests.support.lists import CONTACTS, Import, facts, numbers, told
from tests.support.people import Phone, id_number
from tests.support.terminal import APPROVER, RECORDER


def test_a_list_is_recorded_when_two_officers_sign_it_and_audit_and_evidence_name_both(
    import_list: Import, services: Services
) -> None:
    assert import_list(numbers(972, 973), **CONTACTS).exit_code == 0
    with services.engine.connect() as connection:
        entries = connection.execute(text("select actor, action, serial, detail::text from audit order by id")).all()
        recorded = connection.scalars(text("select distinct recorded_by from evidence")).all()
    deeds = [(row.actor, row.action) for row in entries if row.action != "officer-added"]
    assert deeds == [
        ("officer:1", "officer-identified"),
        ("officer:1", "officer-list-brought"),
        ("officer:2", "officer-identified"),
        ("officer:1+2", "officer-list-signed"),
        *[("officer:1+2", "evidence-recorded")] * 2,
        *[("officer:1+2", "decided")] * 2,
    ]
    assert recorded == ["officer:1+2"]
    assert len({row.serial for row in entries if row.serial}) == 2
    assert id_number(972) not in str(entries)
    assert id_number(972) not in str(everything(services)), "sealed wherever it stands"


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ({"approver": ""}, "Give --approver"),
        ({"approver": "both-1", "officer": "both-1"}, "another person has to"),
        (
            {"officer": "Both-1", "approver": "both-1", "env": {"JIXIANG_APPROVER_CODE": "later"}},
            "another person has to",
        ),
        ({"officer": APPROVER, "approver": "both-1"}, "Your role does not allow this"),
        ({"approver": "rec-2"}, "Your role does not allow this"),
        ({"officer": "here-1", "approver": "else-1"}, "does not work for the recorder's district"),
        ({"env": {"JIXIANG_APPROVER_CODE": "000000"}}, "User name, password or code is wrong"),
        ({"env": {"JIXIANG_OFFICER_PASSWORD": "wrong"}}, "User name, password or code is wrong"),
    ],
)
def test_nothing_is_written_unless_a_recorder_and_an_approver_sign(
    import_list: Import, services: Services, who: dict[str, Any], told: str
) -> None:
    make_officer(services, "both-1", "recorder", "approver")
    make_officer(services, "rec-2", "recorder")
    make_officer(services, "here-1", "recorder", district="长春市")
    make_officer(services, "else-1", "approver", district="吉林市")
    before = facts(services)
    if "later" in who.get("env", {}).values():
        later = totp.code_at(SECRET, services.clock.now() + timedelta(seconds=30))
        who = {**who, "env": {"JIXIANG_APPROVER_CODE": later}}
    outcome = import_list(numbers(971), **CONTACTS, **who)
    assert outcome.exit_code in (1, 2)
    assert told in outcome.stderr
    assert facts(services) == before


def test_a_dry_run_needs_no_second_officer_and_still_a_first(import_list: Import, services: Services) -> None:
    assert import_list(numbers(974), "--dry-run", approver="", **CONTACTS).exit_code == 0
    wrong = {"JIXIANG_OFFICER_CODE": "000000"}
    assert import_list(numbers(974), "--dry-run", approver="", env=wrong, **CONTACTS).exit_code == 1


def looks(services: Services) -> list[tuple[str, int | None, str | None, object]]:
    """What officers did with lists and looked at, but for who they are."""
    with services.engine.connect() as connection:
        rows = connection.execute(text("select action, serial, reason, detail from audit order by id")).all()
    shown = ("officer-list-brought", "record-read")
    return [(row.action, row.serial, row.reason, row.detail.get("lines")) for row in rows if row.action in shown]


def test_a_dry_run_is_an_access_to_everybody_known_however_many_they_are(
    green_citizen: Phone, import_list: Import, services: Services
) -> None:
    citizen = green_citizen
    with services.sessions() as session:
        serial = session.scalars(select(Citizen.serial)).one()
    unknown = "".join(f"{id_number(n)}\n" for n in range(950, 1000))
    padded = f"document_number\n{citizen.document}\n{unknown}"
    outcome = told(import_list(padded, "--dry-run", "--json", approver="", **CONTACTS))
    look = ("record-read", serial, "case-review", None)
    assert looks(services) == [("officer-list-brought", None, None, 51), look], "those nobody knows hide nobody"
    assert [(one["from"], one["codes"]) for one in outcome["changes"]] == [("NOT_DECLARED", "≥42"), ("GREEN", "<10")]
    assert (outcome["new_people"], outcome["recorded"], outcome["known"]) == ("≥42", 51, 0)
    known = sorted([serial, *open_green_codes(services, 30)])
    many = "serial\n" + "".join(f"{one}\n" for one in known)
    assert import_list(many, "--dry-run", approver="", **CONTACTS).exit_code == 0
    theirs = [("record-read", one, "case-review", None) for one in known]
    assert looks(services)[2:] == [("officer-list-brought", None, None, 31), *theirs]


def test_a_list_that_is_refused_for_what_is_known_of_its_people_is_an_access_to_them(
    import_list: Import, services: Services
) -> None:
    serial = open_green_code(services)
    release = {"kind": "release", "authority": CONTACTS["authority"], "reference": CONTACTS["reference"]}
    assert import_list(f"serial\n{serial}\n", "--dry-run", approver="", **release).exit_code == 1
    assert looks(services) == [("officer-list-brought", None, None, 1), ("record-read", serial, "case-review", None)]
    several = sorted({serial, *open_green_codes(services, 9)})
    lines = "serial\n" + "".join(f"{one}\n" for one in several)
    assert import_list(lines, "--dry-run", approver="", **release).exit_code == 1
    many = [("record-read", one, "case-review", None) for one in several]
    assert looks(services)[2:] == [("officer-list-brought", None, None, 10), *many]


@pytest.mark.parametrize("who", [RECORDER, APPROVER])
def test_who_signed_a_list_does_not_resolve_an_appeal_about_it(
    green_citizen: Phone, import_list: Import, services: Services, who: str
) -> None:
    citizen = green_citizen
    import_list(f"document_number\n{citizen.document}\n", **CONTACTS)
    assert citizen.color() == "ORANGE"
    assert citizen.post("/api/v1/appeals", {"text": "我没有去过"}).status_code == 201
    with services.begin() as session:
        officer = staff_officers.find_by_username(session, who)
        officer.roles = [*officer.roles, "appeals"]
    with services.sessions() as session:
        officer = staff_officers.find_by_username(session, who)
        with pytest.raises(Problem, match="own-record"):
            resolution.uphold(acting(services, session, officer), 1, UpholdReason.DOCUMENT_CONFIRMS)
        officer = make_officer(services, "third-1", "appeals")
        assert (
            resolution.uphold(acting(services, session, officer), 1, UpholdReason.DOCUMENT_CONFIRMS).state == "upheld"
        )

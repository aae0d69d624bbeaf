"""Guardians: by the word of the platform a child has a code, until the guardian, the years or an account end it."""

from datetime import date

import pytest
import requests
from sqlalchemy import text

from app.audit import Actor
from app.core.errors import Problem
from app.families import window
from app.runtime import Services
from app.staff.context import begin_as
from tests.support.claims import register_by_wechat, slug
from tests.support.clock import StandingClock
from tests.support.family import FAMILY, People, declare_for, holders, invitations, invite, members, named, put_child
from tests.support.people import PASSWORD, Phone, id_number_of_birth

CHILD, BORN = id_number_of_birth("20120501"), "2012-05-01"


@pytest.fixture
def father(green_citizen: Phone, platform_url: str) -> Phone:
    father = green_citizen
    put_child(platform_url, CHILD, name="示例孩子", born_on=BORN, guardians=[father.document])
    return father


def add(
    guardian: Phone, name: str = "示例孩子", number: str = CHILD, *, consent: bool = True, kind: str = "id-card"
) -> object:
    return guardian.post(f"{FAMILY}/children", {**named(name, number, kind), "consent": consent})


def test_a_guardian_adds_a_child_declares_for_it_and_shows_its_code(father: Phone, station: object) -> None:
    answer = add(father)
    assert answer.status_code == 201, answer.json  # type: ignore[attr-defined]
    [member] = members(father)
    assert (member["name"], member["consent"], member["may_declare"]) == ("示***", "guardian", True)
    assert (member["code"], member["without_code"]) == (None, "尚未进行健康申报，申报后即可查看吉祥码")
    assert member["ends_at"] == "2030-05-01T00:00:00+08:00"
    declared = declare_for(father, member["id"])
    assert (declared.status_code, declared.json["color"]) == (201, "GREEN")
    [member] = members(father)
    assert station.check(member["code"]["token"]).json["action"] == "pass"  # type: ignore[attr-defined]
    assert father.get("/api/v1/record/access?whose=others").json["entries"] == []  # type: ignore[index]


def test_one_answer_for_a_stranger_an_unknown_child_and_a_wrong_name(father: Phone, phone: People) -> None:
    stranger = phone("示例他人").become_green()
    asked = [add(stranger), add(father, name="示例别人"), add(father, number=id_number_of_birth("20130501"))]
    assert {(answer.status_code, slug(answer)) for answer in asked} == {(422, "not-guardian")}  # type: ignore[attr-defined]
    assert members(father) == members(stranger) == []


def test_a_platform_that_cannot_say_changes_nothing(father: Phone, platform_url: str, services: Services) -> None:
    for how in ({"on": False}, {"garbage": True}):
        requests.put(f"{platform_url}/sandbox/switch", json=how, timeout=5)
        services.redis.delete("jx:platform-pause")
        answer = add(father)
        assert (answer.status_code, slug(answer)) == (503, "guardianship-waits")  # type: ignore[attr-defined]
    with services.engine.connect() as connection:
        assert connection.scalar(text("select count(*) from citizens")) == 1


def test_all_that_is_wrong_with_a_child_is_said_at_once(father: Phone) -> None:
    answer = add(father, name="1", number="2299", consent=False)
    pointers = [error["pointer"] for error in answer.json["errors"]]  # type: ignore[attr-defined]
    assert pointers == ["/name", "/document/number", "/consent"]
    grown = add(father, number=id_number_of_birth("20060320"))  # 14 today
    assert [error["pointer"] for error in grown.json["errors"]] == ["/document/number"]  # type: ignore[attr-defined]


def test_an_infant_has_a_birth_certificate(father: Phone, platform_url: str) -> None:
    put_child(platform_url, "U220000001", name="示例婴", born_on="2020-01-05", guardians=[father.document])
    assert add(father, "示例婴", "U220000001", kind="birth-certificate").status_code == 201  # type: ignore[attr-defined]
    put_child(platform_url, "U220000002", name="示例婴", born_on="2004-01-05", guardians=[father.document])
    grown = add(father, "示例婴", "U220000002", kind="birth-certificate")
    assert grown.status_code == 422, "as old as the platform knows"  # type: ignore[attr-defined]


def test_both_parents_show_a_child_and_it_is_erased_with_the_last(
    father: Phone, phone: People, platform_url: str, services: Services
) -> None:
    mother = phone("示例母亲").become_green()
    put_child(platform_url, CHILD, name="示例孩子", born_on=BORN, guardians=[father.document, mother.document])
    assert add(father).status_code == add(mother).status_code == 201  # type: ignore[attr-defined]
    assert slug(add(mother)) == "family-already"
    mine, hers = members(father)[0]["id"], members(mother)[0]["id"]
    declare_for(father, mine)
    assert members(mother)[0]["code"]["color"] == "GREEN"
    assert father.post(f"{FAMILY}/members/end", {"id": mine}).status_code == 204
    assert members(mother)[0]["code"]["color"] == "GREEN"
    assert mother.post(f"{FAMILY}/members/end", {"id": hers}).status_code == 204
    with services.engine.connect() as connection:
        left = text("select count(*) from citizens where num_nonnulls(name_ciphertext, document_ciphertext) > 0")
        assert connection.scalar(left) == 2, "the parents"
        assert connection.scalar(text("select count(*) from accounts")) == 2


def test_a_guardian_who_is_erased_takes_the_child_along(father: Phone, services: Services) -> None:
    add(father)
    assert father.post("/api/v1/accounts/me/erasure", {"password": PASSWORD}).status_code == 200
    with services.engine.connect() as connection:
        left = text("select count(*) from citizens where num_nonnulls(name_ciphertext, document_ciphertext) > 0")
        assert connection.scalar(left) == 0


def test_it_ends_when_the_child_has_an_account_of_its_own(father: Phone, phone: People) -> None:
    add(father)
    child = phone("示例孩子", document=CHILD)
    squatting = child.registration()
    child.log_in_with_wechat()
    assert slug(child.post("/api/v1/accounts", squatting)) == "document-registered", "a typed phone takes no child over"
    assert len(members(father)) == 1
    assert register_by_wechat(child).status_code == 201
    assert members(father) == holders(child) == []


def test_at_fourteen_the_child_itself_may_agree(father: Phone, phone: People, clock: StandingClock) -> None:
    add(father)
    clock.advance_to("2026-05-01 00:00")
    father.log_in_with_wechat()
    assert len(members(father)) == 1, "a guardian's goes on to 18"
    child = phone("示例孩子", document=CHILD)
    assert register_by_wechat(child).status_code == 201
    assert invite(father, child).status_code == 202
    assert len(invitations(child)) == 1


def test_at_a_window_a_person_without_a_phone_agrees_and_a_guardian_is_vouched_for(
    father: Phone, phone: People, services: Services
) -> None:
    grandmother = phone("示例祖母").become_green()
    invite(father, grandmother)
    child = phone("示例孩子", document=CHILD).become_green()
    clerk = Actor("officer", "7")
    with begin_as(services, clerk) as context:
        [asked] = window.list_at_window(context, 2)
        window.accept_at_window(context, 2, asked.id, may_declare=True)
        born_on = date(2012, 5, 1)
        window.add_child_at_window(context, 1, 3, born_on)
        with pytest.raises(Problem) as refused:
            window.add_child_at_window(context, 1, 3, born_on)
        assert refused.value.slug == "family-already"
    assert sorted((one["consent"], one["may_declare"]) for one in members(father)) == [
        ("guardian", True),
        ("window", True),
    ]
    acts = [one["what"]["action"] for one in grandmother.get("/api/v1/record/access").json["entries"]]  # type: ignore[index]
    assert acts[:2] == ["family-vouched", "family-tied"]
    assert len(holders(child)) == 1


def test_whoever_squats_on_the_number_of_a_child_is_not_shown_as_the_child(
    father: Phone, phone: People, platform_url: str, services: Services
) -> None:
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5)
    assert phone("示例占号", document=CHILD).register().status_code == 201
    requests.put(f"{platform_url}/sandbox/switch", json={"on": True}, timeout=5)
    services.redis.delete("jx:platform-pause")
    assert slug(add(father)) == "document-registered"
    assert members(father) == []

"""The end of a tie: by either side, by the clock, by a registration, an erasure or a log-out; at once, for good."""

import pytest
import requests
from sqlalchemy import text

from app.audit import Actor
from app.privacy import erasure
from app.runtime import Services
from app.wechat.models import WeChatUser
from tests.support.claims import register_by_wechat, slug
from tests.support.clock import StandingClock
from tests.support.family import FAMILY, People, declare_for, holders, invite, members, tie
from tests.support.jobs import run_worker
from tests.support.people import PASSWORD, Phone, id_number_of_birth


@pytest.fixture
def daughter(green_citizens: list[Phone]) -> Phone:
    return green_citizens[0]


@pytest.fixture
def mother(green_citizens: list[Phone]) -> Phone:
    return green_citizens[1]


def rows(services: Services, table: str) -> int:
    with services.engine.connect() as connection:
        return connection.scalar(text(f"select count(*) from {table}")) or 0


@pytest.mark.parametrize("side", ["members", "holders"])
def test_either_side_ends_it_at_once(daughter: Phone, mother: Phone, side: str) -> None:
    id_ = tie(daughter, mother, may_declare=True)
    who = daughter if side == "members" else mother
    assert who.post(f"{FAMILY}/{side}/end", {"id": id_}).status_code == 204
    assert members(daughter) == holders(mother) == []
    assert slug(declare_for(daughter, id_)) == "tie-not-found"
    assert slug(who.post(f"{FAMILY}/{side}/end", {"id": id_})) == "tie-not-found"
    tie(daughter, mother)
    assert len(members(daughter)) == 1, "and may begin again"


def test_a_tie_of_others_is_nobody_elses(daughter: Phone, mother: Phone, phone: People) -> None:
    id_ = tie(daughter, mother, may_declare=True)
    other = phone("示例他人").become_green()
    for side in ("members", "holders"):
        assert slug(other.post(f"{FAMILY}/{side}/end", {"id": id_})) == "tie-not-found"
    assert slug(declare_for(other, id_)) == "tie-not-found"
    assert slug(daughter.post(f"{FAMILY}/holders/end", {"id": id_})) == "tie-not-found", "each has a list of their own"
    assert len(members(daughter)) == 1


def test_a_session_that_ended_shows_nobody(daughter: Phone, mother: Phone) -> None:
    tie(daughter, mother)
    assert daughter.post("/api/v1/accounts/logout", {}).status_code == 204
    assert slug(daughter.get(FAMILY)) == "session-expired"


def test_another_registration_on_either_side_makes_it_void(
    daughter: Phone, mother: Phone, phone: People, services: Services
) -> None:
    tie(daughter, mother), tie(mother, daughter)
    new = phone(mother.name, document=mother.document)
    new.name = "示例母亲新机"
    requests.post(f"{new.wechat}/sandbox/users", json={"name": new.name}, timeout=5)
    registration = register_by_wechat(new, name=mother.name, username="mother.new")
    assert registration.status_code == 201, registration.json
    assert members(daughter) == holders(daughter) == members(new) == holders(new) == []
    run_worker(services, "end-void-families")
    with services.engine.connect() as connection:
        ended = connection.execute(text("select ended_by, count(*) from family_ties group by 1")).all()
    assert [tuple(row) for row in ended] == [("registration", 2)]


def test_it_ends_at_eighteen(daughter: Phone, phone: People, clock: StandingClock, services: Services) -> None:
    child = phone("示例孩子", document=id_number_of_birth("20020401")).become_green()
    id_ = tie(daughter, child, may_declare=True)
    clock.advance_to("2020-03-31 23:59")
    assert len(members(daughter)) == 1
    clock.advance_to("2020-04-01 00:00")
    assert members(daughter) == holders(child) == []
    assert slug(declare_for(daughter, id_)) == "tie-not-found", "by the clock, with no worker"
    run_worker(services, "end-families")
    with services.engine.connect() as connection:
        assert connection.scalar(text("select ended_by from family_ties")) == "clock"


@pytest.mark.parametrize("side", ["holder", "dependant"])
def test_an_erasure_of_either_leaves_nothing_of_it(
    daughter: Phone, mother: Phone, phone: People, services: Services, side: str
) -> None:
    tie(daughter, mother)
    members(daughter)
    gone, left = (daughter, mother) if side == "holder" else (mother, daughter)
    other = phone("示例他人").become_green()
    invite(other, gone), invite(gone, other)
    assert gone.post("/api/v1/accounts/me/erasure", {"password": PASSWORD}).status_code == 200
    assert members(left) == holders(left) == []
    assert {table: rows(services, table) for table in ("family_ties", "family_shows", "family_invitations")} == {
        "family_ties": 0,
        "family_shows": 0,
        "family_invitations": 0,
    }


def test_what_was_shown_is_read_by_day_by_the_dependant(
    daughter: Phone, mother: Phone, clock: StandingClock, services: Services
) -> None:
    tie(daughter, mother)
    for _ in range(3):
        members(daughter)
    assert holders(mother)[0]["shown_today"] == 3
    clock.advance_to("2020-03-21 00:00")
    run_worker(services, "end-families")
    assert holders(mother)[0]["shown_today"] == 0
    [shown] = mother.get("/api/v1/record/access?whose=others").json["entries"]  # type: ignore[index]
    assert (shown["what"]["action"], shown["what"]["times"]) == ("code-shown", 3)
    assert (shown["who"]["role"], shown["who"]["words"]) == ("family", "您的家人")
    own = {one["what"]["action"] for one in mother.get("/api/v1/record/access?whose=own").json["entries"]}  # type: ignore[index]
    assert "family-tied" in own and "code-shown" not in own


def test_ended_ties_and_old_invitations_are_deleted(
    daughter: Phone, mother: Phone, clock: StandingClock, services: Services
) -> None:
    daughter.post(f"{FAMILY}/members/end", {"id": tie(daughter, mother)})
    invite(daughter, mother)
    clock.advance(days=29)
    run_worker(services, "purge-personal-data")
    assert (rows(services, "family_ties"), rows(services, "family_invitations")) == (1, 0)
    clock.advance(days=1)
    run_worker(services, "purge-personal-data")
    assert rows(services, "family_ties") == 0


def test_wechats_word_erases_ties_too(daughter: Phone, mother: Phone, services: Services) -> None:
    tie(daughter, mother)
    with services.begin() as session:
        user = session.get_one(WeChatUser, 1)
        assert erasure.erase(session, user, actor=Actor("wechat"), now=services.clock.now()) == 1
    assert holders(mother) == []

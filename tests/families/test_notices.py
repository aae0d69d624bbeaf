"""Notices: a change of a dependant's code reaches each who may show it once, on their own credit, and by name."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import text

from app.families import notices
from app.notifications.notices import DeliveryPostponed
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.family import FAMILY, People, declare_for, tie
from tests.support.people import Phone, Station


@pytest.fixture
def daughter(green_citizens: list[Phone]) -> Phone:
    daughter = green_citizens[0]
    daughter.subscribe()
    return daughter


@pytest.fixture
def mother(green_citizens: list[Phone], clock: StandingClock) -> Phone:
    mother = green_citizens[1]
    clock.advance(minutes=1)
    return mother


SEND = "/cgi-bin/message/subscribe/send"
Work = Callable[[], None]


def inbox(holder: Phone) -> list[tuple[str, str, str]]:
    found = holder.get(f"{FAMILY}/notices").json["notices"]  # type: ignore[index]
    return [(one["name"], one["previous"], one["state"]) for one in found]


def deliveries(services: Services) -> list[str]:
    with services.engine.connect() as connection:
        return sorted(connection.scalars(text("select delivery from family_notices")))


def test_a_change_reaches_holder_and_dependant_once_each(
    daughter: Phone, mother: Phone, station: Station, work: Work, services: Services
) -> None:
    tie(daughter, mother), mother.subscribe()
    station.measure(mother.code()["token"], 38.0)
    work(), work()
    [own], [message] = mother.messages(), daughter.messages()
    assert fields(own)["thing2"] == fever_title(mother)
    assert fields(message)["thing2"].startswith("示**：")
    assert fields(message)["phrase1"] == fields(own)["phrase1"] == "黄码"
    assert (daughter.balance(), mother.balance()) == (0, 0)
    assert inbox(daughter) == [("示**", "GREEN", "YELLOW")], "nothing from before the tie"
    assert deliveries(services) == ["sent"]


def fields(message: dict[str, Any]) -> dict[str, str]:
    return {part["key"]: part["value"] for part in message["fields"]}


def fever_title(person: Phone) -> str:
    title: str = person.inbox()[0]["title"]
    return title


def test_without_a_credit_the_inbox_alone_tells(
    phone: People, mother: Phone, station: Station, work: Work, services: Services
) -> None:
    son = phone("示例儿子").become_green()
    tie(son, mother)
    station.measure(mother.code()["token"], 38.0)
    work()
    assert son.messages() == [] and inbox(son) == [("示**", "GREEN", "YELLOW")]
    assert deliveries(services) == ["no-subscription"]


def test_who_declares_has_seen_it_and_the_other_holder_hears_of_it(
    daughter: Phone, mother: Phone, phone: People, work: Work, clock: StandingClock
) -> None:
    son = phone("示例儿子").become_green()
    son.subscribe()
    id_ = tie(daughter, mother, may_declare=True)
    tie(son, mother)
    assert declare_for(daughter, id_, ("cough",)).json["color"] == "YELLOW"
    work()
    assert (len(daughter.messages()), len(son.messages())) == (0, 1)
    assert mother.history()[0]["evidence"][0]["authority"] == "家人代为申报"
    clock.advance(minutes=1)
    assert mother.declare().json["color"] == "GREEN"  # type: ignore[index]
    work()
    assert len(daughter.messages()) == 1


def test_a_message_that_wechat_did_not_take_is_tried_again_and_one_of_unknown_outcome_is_not(
    daughter: Phone, mother: Phone, station: Station, services: Services, clock: StandingClock, work: Work
) -> None:
    tie(daughter, mother)
    station.measure(mother.code()["token"], 38.0)
    with services.begin() as session:  # a worker died between the lease and the outcome
        session.execute(
            text("""
            insert into family_notices (tie_id, decision_id, delivery, updated_at)
            select t.id, n.decision_id, 'sending', :now from family_ties t join notices n on n.serial = t.dependant
            where n.created_at >= t.since order by n.id desc limit 1
        """),
            {"now": services.clock.now()},
        )
    clock.advance(minutes=3)
    work()
    assert daughter.messages() == [] and deliveries(services) == ["unknown"]
    assert daughter.balance() == 1


def test_after_the_end_nothing_is_sent_any_more(daughter: Phone, mother: Phone, station: Station, work: Work) -> None:
    id_ = tie(daughter, mother)
    station.measure(mother.code()["token"], 38.0)
    mother.post(f"{FAMILY}/holders/end", {"id": id_})
    work()
    assert daughter.messages() == [] and inbox(daughter) == []


def test_a_wechat_that_is_busy_is_asked_again(
    daughter: Phone, mother: Phone, station: Station, work: Work, services: Services, wechat_url: str
) -> None:
    tie(daughter, mother)
    station.measure(mother.code()["token"], 38.0)
    requests.put(f"{wechat_url}/sandbox/failures", json={"path": SEND, "errcode": -1}, timeout=5).raise_for_status()
    with pytest.raises(DeliveryPostponed):
        notices.deliver(services, [2])
    assert deliveries(services) == ["waiting"] and daughter.balance() == 1
    requests.delete(f"{wechat_url}/sandbox/failures", timeout=5).raise_for_status()
    notices.deliver(services, [2])
    assert deliveries(services) == ["sent"] and daughter.balance() == 0

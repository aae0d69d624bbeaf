"""What nobody asks to be erased is deleted after its time, by a worker."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy import select, text

from app.entries.models import Entry
from app.runtime import Services
from app.staff.models import OfficerSession
from tests.support.clock import StandingClock
from tests.support.codes import open_green_codes
from tests.support.desk import Desk, make_officer
from tests.support.jobs import run_worker
from tests.support.office import Office
from tests.support.people import Phone

DAYS = 90


def purge(services: Services) -> None:
    """The daily task, as the worker runs it."""
    with services.engine.begin() as connection:
        connection.execute(text("delete from procrastinate_jobs where task_name = 'purge-personal-data'"))
    run_worker(services, "purge-personal-data")


def users(services: Services) -> int:
    with services.engine.connect() as connection:
        return connection.scalar(text("select count(*) from wechat_users")) or 0


def test_a_visitor_is_forgotten_after_ninety_days_and_a_citizen_is_not(
    services: Services, phone: Callable[..., Phone], clock: StandingClock
) -> None:
    citizen, visitor = phone("示例甲").become_green(), phone("示例访客")
    visitor.log_in_with_wechat()
    visitor.subscribe()
    clock.advance(days=DAYS, seconds=-1)
    purge(services)
    assert users(services) == 2
    clock.advance(seconds=1)
    purge(services)
    assert users(services) == 1
    assert citizen.post("/api/v1/wechat/login", {"code": citizen.wx_login()}).json["account"] is not None  # type: ignore[index]
    visitor.session = None
    assert visitor.log_in_with_wechat().status_code == 200, "they are a new visitor"


def test_who_logs_in_again_is_kept(services: Services, phone: Callable[..., Phone], clock: StandingClock) -> None:
    visitor = phone("示例访客")
    visitor.log_in_with_wechat()
    clock.advance(days=DAYS - 1)
    visitor.log_in_with_wechat()
    clock.advance(days=DAYS - 1)
    purge(services)
    assert users(services) == 1


def test_sessions_of_officers_go_ninety_days_after_their_end(
    services: Services, app: Flask, clock: StandingClock
) -> None:
    make_officer(services, "officer-1")
    Desk(app, services).ensure_logged_in()
    lasts = services.settings.officers.lasts
    clock.advance(seconds=int((timedelta(days=DAYS) + lasts).total_seconds()) - 1)
    Desk(app, services).ensure_logged_in()
    purge(services)
    with services.sessions() as session:
        assert len(session.scalars(select(OfficerSession)).all()) == 2
    clock.advance(seconds=1)
    purge(services)
    with services.sessions() as session:
        assert [row.id for row in session.scalars(select(OfficerSession))] == [2]


def test_the_place_of_an_entry_goes_when_it_is_long_past(services: Services, clock: StandingClock) -> None:
    office, people = Office(services), open_green_codes(services, 2)
    decided, _ = (office.propose("recorder", "quarantine", [serial]) for serial in people)
    office.approve("approver", decided)

    def places() -> list[str | None]:
        with services.sessions() as session:
            return list(session.scalars(select(Entry.place).order_by(Entry.id)))

    clock.advance(days=DAYS)
    purge(services)
    assert places() == ["示例酒店", "示例酒店"], "its last day was two weeks after it was decided"
    clock.advance(days=14)
    purge(services)
    assert places() == ["示例酒店", "示例酒店"]
    clock.advance(days=1)
    purge(services)
    assert places() == [None, "示例酒店"], "the other one is not decided"

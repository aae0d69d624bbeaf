"""The queries of docs/explanation/privacy.md find something before it is deleted, and nothing afterwards."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.citizens.document_checks import trail
from app.codes.models import Code
from app.codes.paper.models import PaperCard
from app.codes.states import State
from app.codes.tokens import Paper
from app.core.db import Base
from app.corrections.models import DocumentCorrection
from app.families import notices
from app.follow_ups.models import FollowUp
from app.notifications.models import AccountMessage
from app.runtime import Services
from app.staff.models import Officer, Window
from app.stations import alerts
from app.stations.models import CheckAlert, Venue
from app.venues.handovers import LASTS
from app.venues.models import VenueApplication, VenueHandover
from app.web import kept_forms
from app.wechat.models import OfficialFollower, WeChatUser
from app.windows.models import FormerBinding, Recovery, WindowLookup, WindowStatement
from tests.support.apps import Apps
from tests.support.clock import StandingClock
from tests.support.codes import open_green_code
from tests.support.desk import Desk, make_officer
from tests.support.devices import Device
from tests.support.family import FAMILY, holders, invite, members, tie
from tests.support.jobs import run_worker
from tests.support.office import Office
from tests.support.partners import Asker
from tests.support.people import PASSWORD, Phone, Station
from tests.wechat.callbacks.endpoint import Endpoint, at_the_examples, openid
from tests.wechat.callbacks.examples import about

PAGE, CHINESE = (
    (Path(__file__).parents[2] / f"docs/explanation/privacy{ending}").read_text(encoding="utf-8")
    for ending in (".md", ".zh.md")
)
HEADINGS = {"After the erasure of an account": "账号注销之后", "After its time": "期满之后", "Redis": "Redis"}
HOURS = {"seconds": 1 / 3600, "minutes": 1 / 60, "hour": 1, "hours": 1, "day": 24, "days": 24}
YEARS = 3600 * 24 * 365 * 2  # seconds: the pushes of the examples are made at one moment


def rows(heading: str, page: str = PAGE) -> list[list[str]]:
    """The rows of the table under a heading, without its first two."""
    section = page.split(f"### {heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines[2:]}) == 1 and len(lines) > 4
    return lines[2:]


def queries(heading: str) -> dict[str, str]:
    """The query of each row, by what it is about; each asks the table of its row."""
    found = {}
    for what, where, _, query in rows(heading):
        assert where.strip("`") in re.findall(r"from (\w+)", query), what
        found[f"{what}, {where}"] = query.strip("`")
    return found


def run(services: Services, asked: dict[str, str], **known: Any) -> dict[str, int]:
    with services.engine.connect() as connection:
        return {
            what: connection.scalar(text(query), {name: known[name] for name in re.findall(r":(\w+)", query)}) or 0
            for what, query in asked.items()
        }


@pytest.fixture
def endpoint(services: Services, apps: Apps) -> Endpoint:
    accepting = at_the_examples(services, window_seconds=YEARS, capture=True)
    return Endpoint(apps.of("endpoint for years that captures", accepting))


def appeal_with_picture(person: Phone) -> None:
    person.declare(symptoms=("cough",))  # there is something to appeal
    attached = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
    assert person.post("/api/v1/appeals", {"text": "示例", "attachments": [attached]}).status_code == 201


def at_a_window(services: Services, serial: int, user: int) -> None:
    """What is kept of somebody who was served at a service window."""
    now = services.clock.now()
    with services.begin() as session:
        clerk = Officer(
            username="clerk-1", name="示例", password_hash="none", totp_ciphertext=b"none", roles=["clerk"],
            created_at=now,
        )  # fmt: skip
        window = Window(name="示例服务窗口", place="示例路", district="长春市", created_at=now)
        session.add_all([clerk, window])
        session.flush()
        known = {"window_id": window.id, "serial": serial}
        recovery = Recovery(officer_id=clerk.id, at=now, **known)
        session.add_all(
            [
                WindowLookup(officer_id=clerk.id, at=now, **known),
                DocumentCorrection(
                    reason="renewed",
                    district="长春市",
                    asked_at=now,
                    state="proposed",
                    proposed_by=clerk.id,
                    document_type="passport",
                    document_ciphertext=b"none",
                    former_type="id-card",
                    former_ciphertext=b"none",
                    **known,
                ),
                WindowStatement(recorded_by=clerk.id, recorded_at=now, symptoms=["fever"], **known),
                recovery,
            ]
        )
        session.flush()
        session.add(FormerBinding(recovery_id=recovery.id, wechat_user_id=user))
        of_recovery = {"kind": "recovery", "about": recovery.id, "serial": serial, "user_id": user}
        session.add(AccountMessage(**of_recovery, created_at=now))
        unionid = session.get_one(WeChatUser, user).unionid_hash
        follower = {"openid_hash": b"none", "openid_ciphertext": b"none", "unionid_hash": unionid}
        session.add(OfficialFollower(**follower, followed_at=now, seen_at=now))


def manage_a_venue(services: Services, serial: int) -> None:
    """They applied for a venue, manage it, and offer it to somebody."""
    now = services.clock.now()
    place = {"name": "示例商场", "kind": "mall", "district": "长春市", "address": "示例大街 1 号", "hours": [""] * 7}
    place |= {"credit_code": "91220101MA00000000"}
    with services.begin() as session:
        claimed_at = session.get_one(Code, serial).claimed_at
        assert claimed_at is not None
        venue = Venue(manager=serial, manager_claimed_at=claimed_at, created_at=now, **place)
        session.add(venue)
        session.flush()
        session.add(
            VenueApplication(
                serial=serial, claimed_at=claimed_at, entrances=["东门"], applied_at=now, state="approved",
                resolved_at=now, venue_id=venue.id, **place,
            )
        )  # fmt: skip
        hashes = {"document_fingerprint": b"none", "name_fingerprint": b"none"}
        offer = VenueHandover(venue_id=venue.id, manager=serial, manager_claimed_at=claimed_at, **hashes)
        offer.sent_at, offer.expires_at = now, now + LASTS
        session.add(offer)


def check_document(station: Station, person: Phone) -> None:
    body = {"type": "id-card", "number": person.document, "name": person.name}
    assert station.post("/api/v1/checks/document", body).json["outcome"] != "not-found"  # type: ignore[index]


def scan_card(services: Services, person: Phone, station: Station) -> None:
    assert person.post("/api/v1/paper-cards", None).status_code == 201
    with services.sessions() as session:
        card = session.scalars(select(PaperCard)).one()
        token = services.paper_tokens.mint(Paper(card.id, card.issued_at, card.ends_at))
    body = {"token": token, "document_tail": person.document[-4:]}
    assert station.post("/api/v1/checks/paper", body).status_code == 200


def followed_up_and_checked(services: Services, serial: int) -> None:
    """What is kept of somebody who was red, and whose code was checked meanwhile."""
    now = services.clock.now()
    with services.begin() as session:
        session.add(CheckAlert(serial=serial, day=now.date(), hour=12))
        session.add(FollowUp(serial=serial, recipient="hospital", state="ended", opened_at=now, ended_at=now))


def live_as_a_family(citizen: Phone, holder: Phone, services: Services) -> None:
    """The citizen's code is shown by another, whom the next change reaches; and another invitation waits."""
    tie(holder.become_green(), citizen)
    members(holder)
    invite(citizen, holder)
    citizen.declare(symptoms=("fatigue",))
    notices.deliver(services, [1])


def test_after_an_erasure_every_query_finds_nothing(
    services: Services, endpoint: Endpoint, phone: Callable[..., Phone], station: Station, work: Callable[[], None]
) -> None:
    citizen, other = phone("示例甲").become_green(), phone("示例新机")
    citizen.subscribe()
    scan_card(services, citizen, station)
    appeal_with_picture(citizen)
    check_document(station, citizen)
    trail.store_waiting(services)
    live_as_a_family(citizen, phone("示例家人"), services)
    other.log_in_with_wechat()
    other.post("/api/v1/accounts/login", {"username": citizen.username, "password": PASSWORD})
    at_a_window(services, 1, 1)
    followed_up_and_checked(services, 1)
    manage_a_venue(services, 1)
    hashed = services.encryption.fingerprint("openid", openid(citizen))
    asked = queries("After the erasure of an account")
    assert endpoint.push(about(openid(citizen), "user_authorization_cancellation")).text == "success"
    with services.sessions() as session:
        person = trail.person_of(session, 1)
    known = {"serial": 1, "openid_hash": hashed, "visitor": 1, "person": person}
    before = run(services, asked, **known)
    assert [what for what, number in before.items() if not number] == [], "a query that finds nothing says nothing"
    work()
    assert {what: number for what, number in run(services, asked, **known).items() if number} == {}


def test_after_its_time_every_query_finds_nothing(
    services: Services, endpoint: Endpoint, app: Flask, phone: Callable[..., Phone], station: Station,
    clock: StandingClock, work: Callable[[], None],
) -> None:  # fmt: skip
    citizen, visitor, office = phone("示例甲").become_green(), phone("示例访客"), Office(services)
    visitor.log_in_with_wechat()
    visitor.subscribe()
    scan_card(services, citizen, station)
    appeal_with_picture(citizen)
    check_document(station, citizen)
    trail.store_waiting(services)
    holder = phone("示例家人")
    live_as_a_family(citizen, holder, services)
    citizen.post(f"{FAMILY}/holders/end", {"id": holders(citizen)[0]["id"]})
    office.approve("approver", office.propose("recorder", "quarantine", [open_green_code(services)]))
    at_a_window(services, 1, 1)
    followed_up_and_checked(services, 1)
    manage_a_venue(services, 1)
    make_officer(services, "officer-1", "appeals")
    desk = Desk(app, services).ensure_logged_in()
    assert desk.sign("/console/appeals/1/uphold", {"reason": "document-confirms"}).status_code == 303
    endpoint.push(about(openid(citizen), "user_authorization_revoke", RevokeInfo="8"))
    work()
    clock.advance(days=220)
    with services.engine.begin() as connection:  # the queue goes by the clock of the database
        connection.execute(text("update procrastinate_events set at = at - interval '2 days'"))
    asked, now = queries("After its time"), clock.now()
    before = run(services, asked, now=now)
    assert [what for what, number in before.items() if not number] == [], "a query that finds nothing says nothing"
    run_worker(services, "forget-callbacks", "forget-appeals", "purge-personal-data", "rescue")
    assert {what: number for what, number in run(services, asked, now=now).items() if number} == {}


def check_at_a_gate(services: Services, citizen: Phone) -> None:
    """By document and by code, with a temperature: all that a device leaves."""
    gate = Device.add(citizen.client, services)
    document = {"type": "id-card", "number": citizen.document, "name": citizen.name}
    assert gate.post("checks", {"number": str(uuid4()), "document": document}).status_code == 200
    assert gate.measure(36.5).status_code == 200


def test_every_key_of_redis_ends_in_time(services: Services, green_citizen: Phone, station: Station) -> None:
    citizen = green_citizen
    assert station.check(citizen.code()["token"]).status_code == 200
    check_document(station, citizen)
    alerts.note(services, 1, State.RED, services.clock.now())
    wrong = {"username": citizen.username, "password": f"not {PASSWORD}"}
    assert citizen.post("/api/v1/accounts/login", wrong).status_code == 401
    assert kept_forms.keep(services, 1, "/console/entries/new", {"place": "示例路"})
    check_at_a_gate(services, citizen)
    services.redis.set("jx:receipt:1", 1, ex=81)  # as of a receipt that was scanned: tests/venues/test_visits.py
    assert Asker.add(citizen.client, services).ask("verification", citizen.code()["token"]).status_code == 200
    for what, pattern, most in rows("Redis"):
        keys = list(services.redis.scan_iter(pattern.strip("`")))
        number, unit = most.split()
        lives = [services.redis.ttl(key) for key in keys]
        assert keys and all(0 < life <= int(number) * HOURS[unit] * 3600 for life in lives), (what, lives)


def test_every_column_that_names_a_person_is_on_the_page() -> None:
    named = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(column.name.endswith(("_ciphertext", "openid_hash", "password_hash")) or column.name == "ciphertext"
               for column in table.columns)
    }  # fmt: skip
    on_page = set(re.findall(r"`(\w+)`", PAGE))
    assert named - {"officers", "inspectors"} <= on_page, "and of these two the page says that they stay"


@pytest.mark.parametrize("heading", HEADINGS)
def test_each_row_of_a_table_stands_in_chinese_with_its_query_and_its_days(heading: str) -> None:
    def compared(row: list[str]) -> list[object]:
        """The table or pattern, the numbers of how long it stays, and the query."""
        _, where, long, *query = row
        return [where, re.findall(r"`\w+`|\d+", long), *query]

    chinese = rows(HEADINGS[heading], CHINESE)
    assert [compared(row) for row in chinese] == [compared(row) for row in rows(heading)]


def test_what_people_read_has_as_many_paragraphs_in_chinese() -> None:
    said = [[part.count("\n**") for part in page.split("\n## ")] for page in (PAGE, CHINESE)]
    assert said[0] == said[1] and sum(said[0]) > 20

"""Claims: what somebody who only knows a document number can see and do, and how the citizen gets the code back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit import Actor
from app.citizens import accounts, declarations
from app.citizens.declarations import Statement
from app.citizens.verification import reevaluate
from app.codes import ledger
from app.codes.models import Notice
from app.core.errors import Problem
from app.entries.content import EntryKind
from app.platform.messages import PlatformQuestion
from app.privacy.erasure import delete_phone, erase
from app.runtime import Services
from app.wechat.models import WeChatUser
from tests.support.claims import record, slug
from tests.support.clock import StandingClock
from tests.support.metrics import counted
from tests.support.people import PASSWORD, Phone, Station
from tests.support.platform import own_client

Work = Callable[[], None]


def test_who_only_knows_a_document_number_learns_nothing_of_the_persons_health(
    services: Services,
    phone: Callable[..., Phone],
    platform: Callable[..., None],
    squat: Callable[[Phone], Any],
    work: Work,
) -> None:
    stranger = phone("示例甲")
    stranger.log_in_with_wechat()
    record(services, stranger, EntryKind.CONFIRMED)
    squat(stranger)
    stranger.subscribe()
    record(services, stranger, EntryKind.RECOVERED)
    work()
    platform(on=False)
    declared = stranger.declare()
    assert (declared.status_code, declared.json["state"], declared.json["color"]) == (202, "UNVERIFIED", None)
    assert stranger.color() == "UNVERIFIED"
    assert [change["state"] for change in stranger.history()] == ["UNVERIFIED"], "their own declaration"
    assert stranger.inbox() == []
    assert stranger.messages() == []
    with services.sessions() as session:
        assert set(session.scalars(select(Notice.delivery))) <= {"withheld", "no-subscription", "seen"}


def test_once_the_platform_has_confirmed_them_the_person_sees_everything(
    services: Services, phone: Callable[..., Phone], squat: Callable[[Phone], Any]
) -> None:
    at_once, person = phone("示例乙"), phone("示例甲")
    record(services, at_once, EntryKind.CONFIRMED)
    at_once.register()
    assert at_once.color() == "RED", "confirmed at registration"
    record(services, person, EntryKind.CONFIRMED)
    squat(person)
    assert slug(person.get("/api/v1/code")) == "not-declared", "as for somebody of whom nobody knows anything"
    assert person.declare().json["state"] == "RED"
    assert person.color() == "RED"
    assert [change["state"] for change in person.history()].count("RED") >= 1


def test_evidence_that_comes_before_the_platforms_answer_does_not_keep_the_clock_from_asking(
    services: Services, phone: Callable[..., Phone], platform: Callable[..., None], clock: StandingClock, work: Work
) -> None:
    person = phone("示例甲")
    person.register()
    platform(on=False)
    person.declare()
    record(services, person, EntryKind.CONFIRMED)
    platform(on=True)
    clock.advance(seconds=10)
    work()
    assert person.color() == "RED"


def test_a_denied_holder_has_no_token_passes_no_station_and_can_register_anew_with_the_right_name(
    phone: Callable[..., Phone],
    platform: Callable[..., None],
    squat: Callable[[Phone], Any],
    station: Station,
    clock: StandingClock,
) -> None:
    person = phone("示例甲")
    squat(person)
    platform(on=False)
    person.declare()
    token = person.code()["token"]
    platform(on=True)
    platform(person, result="identity-mismatch")
    clock.advance(seconds=10)
    assert slug(person.declare()) == "identity-mismatch"
    assert slug(person.get("/api/v1/code")) == "identity-mismatch"
    assert slug(station.check(token)) == "not-declared"
    platform(person, result="consistent")
    person.username = "right-name"
    assert person.register().status_code == 201
    assert person.declare().json["state"] == "GREEN"


def test_the_person_can_register_where_a_denied_stranger_sits_and_takes_nothing_over_from_them(
    phone: Callable[..., Phone], platform: Callable[..., None], squat: Callable[[Phone], Any], clock: StandingClock
) -> None:
    stranger = phone("示例甲")
    squat(stranger)
    platform(on=False)
    stranger.declare(contact_on="2020-03-19")  # against the person, out of malice
    stranger.declare(symptoms=("cough",))
    platform(on=True)
    platform(stranger, result="identity-mismatch")
    clock.advance(seconds=10)
    stranger.declare()
    platform(stranger, result="consistent")
    person = phone("示例乙", document=stranger.document)
    assert person.register().status_code == 201
    assert slug(stranger.get("/api/v1/code")) == "session-expired"
    assert person.declare().json["state"] == "GREEN"
    assert stranger.log_in_with_wechat().json["account"] is None


def test_an_account_that_nobody_has_confirmed_makes_room_after_a_day_and_a_confirmed_one_never(
    phone: Callable[..., Phone], squat: Callable[[Phone], Any], clock: StandingClock
) -> None:
    squatter, person, late = phone("示例甲"), phone("示例乙"), phone("示例丙")
    person.document = late.document = squatter.document
    squat(squatter)
    assert slug(squat(person)) == "document-registered", "neither of the two is confirmed"
    clock.advance(days=1, seconds=1)
    assert squat(person).status_code == 201
    assert person.declare().json["state"] == "GREEN"
    clock.advance(days=20)
    assert slug(late.register()) == "document-registered"


def test_whoever_registers_after_an_erased_person_is_not_green_by_what_that_person_declared(
    services: Services, phone: Callable[..., Phone], platform: Callable[..., None]
) -> None:
    person = phone("示例甲").become_green()
    with services.begin() as session:
        user = session.scalars(select(WeChatUser)).one()
        erase(session, user, actor=Actor("citizen"), now=services.clock.now())
    stranger = phone("示例乙", document=person.document)
    assert stranger.register().status_code == 201
    assert slug(stranger.get("/api/v1/code")) == "not-declared"


def test_a_code_that_is_overdue_is_no_way_round(
    services: Services, phone: Callable[..., Phone], platform: Callable[..., None], clock: StandingClock
) -> None:
    stranger = phone("示例甲")
    platform(on=False)
    stranger.register()
    stranger.declare()
    record(services, stranger, EntryKind.QUARANTINE, first_day=date(2020, 3, 20), last_day=date(2020, 3, 21))
    clock.advance(days=3)
    shown = stranger.code()
    assert (shown["state"], shown["stale"]) == ("UNVERIFIED", False)


def test_what_an_erased_person_declared_and_was_stays_closed_to_who_registers_next(
    services: Services, phone: Callable[..., Phone], platform: Callable[..., None], clock: StandingClock, work: Work
) -> None:
    person = phone("示例甲").become_green()
    clock.advance(minutes=1)
    person.declare(symptoms=("cough",))
    with services.begin() as session:
        user = session.scalars(select(WeChatUser)).one()
        erase(session, user, actor=Actor("citizen"), now=services.clock.now())
    clock.advance(minutes=1)
    stranger = phone("示例乙", document=person.document)
    platform(on=False)
    stranger.register()
    stranger.subscribe()
    stranger.declare()
    work()
    assert "cough" not in str(stranger.history())
    assert [change["previous"] for change in stranger.history() if change["previous"] in ("GREEN", "RED")] == []
    assert stranger.messages() == []
    assert stranger.color() == "UNVERIFIED"


def test_a_log_in_that_a_new_holder_overtakes_opens_nothing(
    services: Services, phone: Callable[..., Phone], squat: Callable[[Phone], Any], clock: StandingClock
) -> None:
    stranger = phone("示例甲")
    squat(stranger)
    with services.sessions() as session:
        checked = accounts.log_in(session, stranger.username, PASSWORD)
    clock.advance(days=2)
    assert phone("示例乙", document=stranger.document).register().status_code == 201
    with pytest.raises(Problem, match="wrong-credentials"), services.begin() as session:
        accounts.relock(session, checked)


def test_an_answer_about_an_earlier_holder_confirms_nobody(
    services: Services, phone: Callable[..., Phone], platform: Callable[..., None], clock: StandingClock
) -> None:
    first = phone("示例甲")
    platform(on=False)
    first.register()
    first.declare()
    platform(on=False)  # again, which closes the circuit

    class Slow:
        def verify(self, question: PlatformQuestion) -> Any:
            clock.advance(days=2)
            assert phone("示例乙", document=first.document).register().status_code == 201
            platform(on=True)
            return services.platform.verify(question)

    assert reevaluate(replace(services, platform=Slow()), 1)  # type: ignore[arg-type]
    with services.sessions() as session:
        assert ledger.get_code(session, 1).confirmed_at is None


def test_a_malformed_answer_about_one_person_keeps_nobody_else_waiting_and_is_asked_for_again(
    client: FlaskClient,
    phone: Callable[..., Phone],
    platform: Callable[..., None],
    platform_url: str,
    clock: StandingClock,
    work: Work,
) -> None:
    one, other = phone("示例甲"), phone("示例乙")
    one.register()
    skipped = 'jixiang_partner_values_skipped_total{place="platform-answer"}'
    before = counted(client).get(skipped, 0)
    platform(garbage=True)
    assert one.declare().status_code == 202
    assert counted(client)[skipped] == before + 1
    requests.put(f"{platform_url}/sandbox/switch", json={}, timeout=5).raise_for_status()  # nothing closes a circuit
    assert other.become_green().color() == "GREEN"
    assert one.color() == "UNVERIFIED"
    clock.advance(minutes=10)
    work()
    assert one.color() == "GREEN"


def test_without_the_phone_name_and_number_confirm_nobody(
    services: Services, phone: Callable[..., Phone], squat: Callable[[Phone], Any]
) -> None:
    stranger = phone("示例甲")
    squat(stranger)
    with services.begin() as session:
        delete_phone(session, 1, actor=Actor("citizen"), now=services.clock.now())
    assert slug(stranger.declare()) == "identity-mismatch"
    assert slug(stranger.get("/api/v1/code")) == "identity-mismatch"
    assert stranger.register().status_code == 201, "with a phone, at once"
    assert stranger.declare().json["state"] == "GREEN"


def test_nobody_is_asked_about_for_ever(services: Services, green_citizen: Phone, clock: StandingClock) -> None:
    person = green_citizen
    with services.begin() as session:
        user = session.scalars(select(WeChatUser)).one()
        erase(session, user, actor=Actor("citizen"), now=services.clock.now())
    clock.advance(days=8)  # the answer no longer holds
    record(services, person, EntryKind.SUSPECTED)
    record(services, person, EntryKind.RULED_OUT)
    reevaluate(services, 1)
    with services.sessions() as session:
        assert ledger.get_code(session, 1).retry_at is None


def test_a_question_that_the_platform_refuses_holds_up_nobody_else(
    services: Services, phone: Callable[..., Phone], work: Work
) -> None:
    class Picky(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            refuses = b'"reference"' in body and first.document.encode() in body
            answer = b'{"code":40001}' if refuses else GOOD
            self.send_response(400 if refuses else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    first, second = phone("示例甲"), phone("示例乙")
    first.register()
    second.register()
    server = HTTPServer(("127.0.0.1", 0), Picky)
    Thread(target=server.serve_forever, daemon=True).start()
    replaced = replace(services, platform=own_client(f"http://127.0.0.1:{server.server_port}", "k", "s", 2.0))
    try:
        with services.sessions() as session:
            serials = [ledger.get_code(session, serial).serial for serial in (1, 2)]
        for serial in serials:
            with services.begin() as session:
                now = services.clock.now()
                own = ledger.ChangeContext(session, services.policy, Actor("citizen", str(serial)), now)
                declarations.declare(own, serial, Statement((), None))
        assert [reevaluate(replaced, serial) for serial in serials] == [False, True]
    finally:
        replaced.platform.close()
        server.shutdown()
        server.server_close()
    assert second.color() == "GREEN"


GOOD = (
    '{"code":0,"message":"ok","data":{"result":"consistent","reference":"r-1",'
    f'"checked_at":"{datetime.now(UTC).isoformat()}","findings":[]}}}}'
).encode()

"""Venue codes: receipts that last a minute and are good once, prints that rotate, a photo that is scanned abroad."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from app import create_app
from app.audit import AuditEvent
from app.backup.repetition.removals import Removal
from app.backup.repetition.repeating import repeat
from app.codes.models import Code, DecisionRow, EvidenceRow, Notice
from app.codes.states import State
from app.notifications.account_messages import Subject
from app.runtime import Services
from app.staff.context import OPERATOR, begin_as, begin_officer
from app.stations import counts, rollup
from app.stations.counts import RECEIPT, SCAN, StationEvent
from app.stations.models import StationCount, Venue
from app.visits import alarms, exposures, messages, receipts, venue_codes
from app.visits.exposures import NewExposure
from app.visits.models import ExposureNotice, VenueAlarm, VenueCode
from tests.support.claims import slug
from tests.support.clock import StandingClock
from tests.support.desk import Desk, make_officer
from tests.support.jobs import run_worker
from tests.support.pages_of_pdf import is_clean, letters_of
from tests.support.people import Phone, Station
from tests.support.statements import count_statements
from tests.support.valkey import remembered_seconds
from tests.support.venues import VENUES, manage, open_venue, overview, start_shift
from tests.support.waiting import PATIENCE, wait_until

RECEIPTS = "/api/v1/visits/receipts"


@pytest.fixture
def visitor(green_citizens: list[Phone]) -> Phone:
    return green_citizens[1]


def make_code(manager: Phone, venue: Any, entrance: int = 0, **more: bool) -> None:
    body = {"venue": venue["id"], "entrance": venue["entrances"][entrance]["id"], **more}
    assert manage(manager, "codes", **body).status_code == 201


def poster(services: Services, venue: Any, entrance: int = 0) -> str:
    """What the QR code on the poster says: whoever stands before it, or has a photo of it, has this."""
    with services.sessions() as session:
        return venue_codes.mint(services, session.get_one(VenueCode, venue["entrances"][entrance]["id"]))


def scan(visitor: Phone, code: str) -> Any:
    answer = visitor.post(RECEIPTS, {"code": code})
    assert answer.status_code == 200, answer.json
    return answer.json


def colors(services: Services) -> list[Any]:
    """All that a change of color would leave."""
    with services.sessions() as session:
        codes = session.execute(select(Code.serial, Code.state, Code.version, Code.decision_id).order_by(Code.serial))
        tables = (EvidenceRow, DecisionRow, Notice)
        return [*map(tuple, codes), *(session.scalar(select(func.count()).select_from(one)) for one in tables)]


def counted(services: Services, action: str) -> int:
    rollup.roll_up(services, rollup.last_hours(services.clock.now(), 2))
    with services.sessions() as session:
        numbers = select(func.coalesce(func.sum(StationCount.number), 0)).where(StationCount.action == action)
        return int(session.scalars(numbers).one())


def test_a_receipt_is_scanned_once_at_its_venue_within_its_minute(
    client: FlaskClient, manager: Phone, visitor: Phone, venue: Any, station: Station, services: Services,
    clock: StandingClock, desk: Desk,
) -> None:  # fmt: skip
    make_code(manager, venue)
    code, gate = poster(services, venue), start_shift(client, manager, venue, "gate-one", entrance=1)
    before = colors(services)
    receipt = scan(visitor, f"{code}\r\n")
    shown = {name: receipt[name] for name in ("name", "entrance", "color", "expires_in", "kept_days")}
    assert shown == {"name": "示例商场", "entrance": "东门", "color": "GREEN", "expires_in": 60, "kept_days": 14}
    assert slug(station.check(receipt["receipt"])) == "receipt-elsewhere"
    used: list[Any] = []
    kept = remembered_seconds(services.redis, "jx:receipt:*", lambda: used.append(gate.check(receipt["receipt"])))
    assert used[0].json["action"] == "pass", "at the other entrance of the venue"
    assert kept >= receipt["expires_in"] + 2 * services.settings.tokens.skew_seconds, "by whichever machine's clock"
    assert slug(gate.check(receipt["receipt"])) == "receipt-used"
    late = scan(visitor, code)["receipt"]
    assert slug(gate.measure(late, 36.6)) == "receipt-no-temperature"
    clock.advance(seconds=71)
    assert slug(gate.check(late)) == "receipt-expired", "as is any picture of it"
    assert slug(gate.check(code)) == "token-malformed", "the poster is no proof"
    assert (counted(services, SCAN), counted(services, RECEIPT), counted(services, "pass")) == (2, 1, 1)
    assert colors(services) == before


def test_a_forged_receipt_and_one_of_an_unknown_venue_are_refused(
    client: FlaskClient, manager: Phone, visitor: Phone, venue: Any, services: Services
) -> None:
    make_code(manager, venue)
    gate = start_shift(client, manager, venue, "gate-one")
    receipt = scan(visitor, poster(services, venue))["receipt"]
    changed = receipt[:60] + ("0" if receipt[60] != "0" else "1") + receipt[61:]
    assert slug(gate.check(changed)) in ("token-forged", "token-malformed")
    foreign = services.venue_tokens.mint_receipt(2, 10**6, services.clock.now())
    assert slug(gate.check(foreign)) == "receipt-elsewhere"
    for wrong in (receipt, "JX4:", visitor.code()["token"]):
        assert slug(visitor.post(RECEIPTS, {"code": wrong})) == "venue-code-wrong"
    assert manage(manager, "close", venue=venue["id"]).status_code == 204
    assert slug(visitor.post(RECEIPTS, {"code": poster(services, venue)})) == "venue-code-wrong"


def test_prints_rotate_with_an_overlap_and_after_abuse_at_once(
    manager: Phone, visitor: Phone, venue: Any, services: Services, clock: StandingClock
) -> None:
    first_entrance = {"venue": venue["id"], "entrance": venue["entrances"][0]["id"]}
    place = "/api/v1/venues/codes/current.pdf?venue={venue}&entrance={entrance}".format(**first_entrance)
    assert slug(manager.get(place)) == "venue-code-none"
    make_code(manager, venue)
    first, printed = poster(services, venue), manager.get(place)
    assert printed.data.startswith(b"%PDF") and slug(visitor.get(place)) == "venue-not-found"
    make_code(manager, venue)
    second = poster(services, venue)
    make_code(manager, venue)
    assert poster(services, venue) == second, "of an answer that was lost: the first still hangs"
    assert scan(visitor, first) and scan(visitor, second)
    clock.advance(hours=72)
    assert slug(visitor.post(RECEIPTS, {"code": first})) == "venue-code-old"
    make_code(manager, venue, at_once=True)
    assert slug(visitor.post(RECEIPTS, {"code": second})) == "venue-code-old"
    clock.advance(days=32)
    visitor.log_in_with_wechat()
    assert slug(visitor.post(RECEIPTS, {"code": poster(services, venue)})) == "venue-code-old", "its days are over"
    assert slug(manage(visitor, "codes", **first_entrance)) == "venue-not-found"


def test_a_restore_ends_the_print_that_was_replaced_since_and_withdraws_a_notice_again(
    manager: Phone, visitor: Phone, venue: Any, services: Services
) -> None:
    make_code(manager, venue)
    abused, later = poster(services, venue), services.clock.now() + timedelta(seconds=1)
    with begin_as(services, OPERATOR) as context:
        notice = ExposureNotice(
            venue_id=venue["id"], begins_at=later, ends_at=later, expires_at=later, reason="case", state="published",
            proposed_by=1, proposed_at=later,
        )  # fmt: skip
        context.session.add(notice)
        context.session.flush()
        removals = {
            "venue-code-made": {"station": venue["entrances"][0]["id"]},
            "exposure-withdrawn": {"notice": notice.id},
        }
        done = [Removal(later, action, None, json.dumps(ids)) for action, ids in removals.items()]
        assert [repeat(context, one) for one in done] == [True, True]
        assert notice.state == "withdrawn"
    assert slug(visitor.post(RECEIPTS, {"code": abused})) == "venue-code-old"


@pytest.mark.slow
def test_a_photo_that_is_scanned_a_thousand_times_raises_one_alarm_and_changes_no_color(
    manager: Phone, visitor: Phone, venue: Any, desk: Desk, services: Services
) -> None:
    make_code(manager, venue)
    code, before, current = poster(services, venue), colors(services), services.current_code(2)
    for _ in range(1000):
        with services.sessions() as session:
            place = venue_codes.find_place(services, session, code, services.clock.now())
        receipts.scan(services, place, 2, current)
    for _ in range(3):  # as the worker does each minute
        assert counted(services, SCAN) == 1000
        alarms.watch(services)
    assert colors(services) == before
    with services.sessions() as session:
        (alarm,) = session.scalars(select(VenueAlarm)).all()
        assert (alarm.scans, alarm.receipts) == (1000, 0)
        events = select(func.count()).where(AuditEvent.action == "venue-code-alarm")
        assert session.scalars(events).one() == 1
    assert "1000" in desk.get("/console/venues").text and "场所码扫码异常" in desk.get("/console/").text
    assert overview(manager)["venues"][0]["entrances"][0]["code"]["alarm"] is True
    make_code(manager, venue, at_once=True)
    assert overview(manager)["venues"][0]["entrances"][0]["code"]["alarm"] is False
    assert "场所码扫码异常" not in desk.get("/console/venues").text


def test_a_worker_that_stood_still_raises_the_alarm_of_a_print_that_is_still_there(
    manager: Phone, venue: Any, services: Services, clock: StandingClock
) -> None:
    for entrance, one in enumerate(venue["entrances"][:2]):
        make_code(manager, venue, entrance)
        for _ in range(201):
            counts.increment(services.redis, StationEvent(one["id"], clock.now(), State.EMPTY, SCAN))
    clock.advance(hours=5)
    make_code(manager, venue, 1, at_once=True)
    run_worker(services, "roll-up-counts", "watch-venue-codes")
    run_worker(services, "fold-all-counts")
    shown = overview(manager)["venues"][0]["entrances"]
    assert [one["code"]["alarm"] for one in shown[:2]] == [True, False]


def test_the_manager_hears_once_of_alarms_and_officers_read_no_small_number(
    manager: Phone, venue: Any, desk: Desk, services: Services, work: Callable[[], None]
) -> None:
    work()  # the venue was approved
    manager.subscribe(), manager.subscribe()
    for entrance, one in enumerate(venue["entrances"][:2]):
        make_code(manager, venue, entrance)
        events = [SCAN] * 217 + [RECEIPT] * (7 - entrance)
        for action in events:
            counts.increment(services.redis, StationEvent(one["id"], services.clock.now(), State.EMPTY, action))
    rollup.roll_up(services, rollup.last_hours(services.clock.now(), 2))
    alarms.watch(services)
    work()
    heard = [message["fields"][0]["value"] for message in manager.messages()]
    assert heard.count("场所码异常") == 1, "two entrances, one message"
    page = desk.get("/console/venues").text
    assert page.count('<td data-label="扫码">210</td>') == 2 == page.count(">&lt;10</td>"), "neither 217 nor 6 and 7"
    with services.sessions() as session:
        first = session.scalars(select(VenueAlarm).order_by(VenueAlarm.id)).all()[0]
        subject = Subject("venue-alarm", first.id, session.get_one(Venue, venue["id"]).manager or 0)
        assert messages.find_words(session, subject, None, first.raised_at) is not None
        assert messages.find_words(session, subject._replace(serial=1_000), None, first.raised_at) is None
    make_code(manager, venue, at_once=True)
    with services.sessions() as session:
        assert messages.find_words(session, subject, None, services.clock.now()) is None, "the print was replaced"


def test_codes_of_venues_have_a_limit_of_their_own(manager: Phone, venue: Any, services: Services) -> None:
    limits = services.settings.limits.model_copy(update={"paper": "1 per hour", "venue_codes": "2 per hour"})
    settings = services.settings.model_copy(update={"limits": limits})
    manager.client = create_app(replace(services, settings=settings)).test_client()
    for _ in range(2):
        make_code(manager, venue, at_once=True)
    body = {"venue": venue["id"], "entrance": venue["entrances"][0]["id"]}
    assert manage(manager, "codes", **body).status_code == 429


@pytest.mark.parametrize(
    ("name", "entrance"),
    [
        ("示例商场", "东门"),
        ("长春市朝阳区示例大街百货商场南广场店", "地铁一号口"),
        ("示" * 40, "门" * 18),
        ("W" * 40, "M" * 18),
    ],
    ids=["short", "usual", "longest", "widest"],
)
def test_whatever_the_names_nothing_on_a_poster_is_over_another(
    manager: Phone, desk: Desk, name: str, entrance: str
) -> None:
    venue = open_venue(manager, desk, name=name, entrances=[entrance])
    make_code(manager, venue)
    printed = manager.get(f"{VENUES}/codes/current.pdf?venue={venue['id']}&entrance={venue['entrances'][0]['id']}")
    letters, _ = letters_of(printed.data)
    assert is_clean(printed.data) and {*entrance} < {one.char for one in letters}


EXPOSURES = "/console/exposures"
NOTICE = {"venue": "示例商场", "day": "2020-03-20", "begins": "9", "ends": "11:00", "reason": "case"}


def published(client: FlaskClient, services: Services) -> Any:
    """The content of the list that everybody reads, once its signature is verified by the published keys."""
    answer = client.get("/api/v1/visits/exposures")
    signed = answer.json
    header = json.loads(decoded(signed["protected"]))
    assert (header["alg"], header["typ"], answer.headers["Cache-Control"]) == (
        "EdDSA", "jixiang-exposures", "public, max-age=300",
    )  # fmt: skip
    (key,) = [one for one in client.get("/.well-known/jixiang-keys").json["keys"] if one["kid"] == header["kid"]]
    message = f"{signed['protected']}.{signed['payload']}".encode()
    Ed25519PublicKey.from_public_bytes(decoded(key["x"])).verify(decoded(signed["signature"]), message)
    again = client.get("/api/v1/visits/exposures", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    return json.loads(decoded(signed["payload"]))["notices"]


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_notice_takes_two_officers_and_goes_when_it_is_withdrawn_or_over(
    client: FlaskClient, manager: Phone, venue: Any, services: Services, app: Flask, clock: StandingClock
) -> None:
    make_officer(services, "recorder-1", "recorder", "approver", district="长春市")
    make_officer(services, "approver-1", "approver", district="长春市")
    make_officer(services, "approver-2", "approver", district="吉林市")
    desks = (Desk(app, services, name).ensure_logged_in() for name in ("recorder-1", "approver-1", "approver-2"))
    recorder, approver, far = desks
    before = colors(services)
    for wrong, pointer in (
        ({"venue": "示例没有"}, "没有这个场所"), ({"ends": "13"}, "整点时段"), ({"begins": "11"}, "整点时段"),
        ({"day": "2020-03-01"}, "整点时段"), ({"begins": "x"}, "整点时段"), ({"reason": "x"}, "不在可选范围内"),
    ):  # fmt: skip
        refused = recorder.send(EXPOSURES, {**NOTICE, **wrong})
        assert refused.status_code == 422 and pointer in refused.text, wrong
    assert recorder.send(EXPOSURES, NOTICE).status_code == 303
    overlapping = recorder.send(EXPOSURES, {**NOTICE, "begins": "10", "ends": "12"})
    assert overlapping.status_code == 422 and "已有公告" in overlapping.text
    assert published(client, services) == []
    assert recorder.send(f"{EXPOSURES}/1/publish").status_code == 403, "two persons"
    assert far.send(f"{EXPOSURES}/1/publish").status_code == 404
    assert "待发布的涉疫场所公告" in approver.get("/console/").text
    assert approver.send(f"{EXPOSURES}/1/publish").status_code == 303
    (notice,) = published(client, services)
    assert notice == {
        "id": 1, "venue": venue["id"], "name": "示例商场", "district": "长春市", "reason": "case",
        "begins_at": "2020-03-20T09:00:00+08:00", "ends_at": "2020-03-20T11:00:00+08:00",
        "until": "2020-04-03T11:00:00+08:00",
    }  # fmt: skip
    assert far.send(f"{EXPOSURES}/1/withdraw").status_code == 404
    assert recorder.send(f"{EXPOSURES}/1/withdraw").status_code == 303
    assert published(client, services) == []
    assert approver.send(f"{EXPOSURES}/1/publish").status_code == 404
    assert recorder.send(EXPOSURES, NOTICE).status_code == 303 == approver.send(f"{EXPOSURES}/2/publish").status_code
    clock.advance(days=14)
    assert published(client, services) == [] and colors(services) == before


def test_the_list_is_made_once_for_all_who_ask_until_another_is_published(
    client: FlaskClient, venue: Any, services: Services, app: Flask, clock: StandingClock
) -> None:
    """All phones of a province ask each hour; with 500 notices each answer took a tenth of a second."""
    make_officer(services, "recorder-1", "recorder", "approver", district="长春市")
    make_officer(services, "approver-1", "approver", district="长春市")
    recorder, approver = (Desk(app, services, name).ensure_logged_in() for name in ("recorder-1", "approver-1"))
    for id_, (begins, ends) in enumerate(((8, 9), (9, 10), (10, 11)), 1):
        assert recorder.send(EXPOSURES, {**NOTICE, "begins": str(begins), "ends": str(ends)}).status_code == 303
        assert approver.send(f"{EXPOSURES}/{id_}/publish").status_code == 303
        assert len(published(client, services)) == id_
    with count_statements(services.engine) as executed:
        assert len(published(client, services)) == 3
    assert [one for one in executed if "exposure_notices.reason" in one] == [], "asked what is new, and read no list"
    assert recorder.send(f"{EXPOSURES}/1/withdraw").status_code == 303
    assert [one["id"] for one in published(client, services)] == [3, 2]
    assert recorder.send(EXPOSURES, {**NOTICE, "begins": "8", "ends": "9"}).status_code == 303
    assert (
        approver.send(f"{EXPOSURES}/4/publish").status_code
        == 303
        == recorder.send(f"{EXPOSURES}/2/withdraw").status_code
    )
    assert [one["id"] for one in published(client, services)] == [4, 3], "as many as before, and others"
    first = client.get("/api/v1/visits/exposures").json
    clock.advance(minutes=5)
    assert client.get("/api/v1/visits/exposures").json != first, "as of a later moment"
    with services.begin() as session:
        session.execute(text("update exposure_notices set expires_at = :now where id = 4"), {"now": clock.now()})
    assert [one["id"] for one in published(client, services)] == [3], "nobody has done anything: it is over"


def test_a_notice_that_waited_until_it_was_over_is_not_said_to_be_published(
    venue: Any, services: Services, app: Flask, clock: StandingClock
) -> None:
    for name, role in (("recorder-1", "recorder"), ("approver-1", "approver")):
        make_officer(services, name, role, district="长春市")
    desk = Desk(app, services, "recorder-1").ensure_logged_in()
    assert desk.send(EXPOSURES, NOTICE).status_code == 303
    clock.advance(days=14)
    approver = Desk(app, services, "approver-1").ensure_logged_in()
    assert "示例商场" not in approver.get(EXPOSURES).text
    late = approver.send(f"{EXPOSURES}/1/publish")
    assert late.status_code == 404 and "已过期" in late.text


def test_of_two_officers_who_propose_the_same_hours_at_once_one_sees_the_notice_of_the_other(
    venue: Any, services: Services, app: Flask
) -> None:
    one, other = (make_officer(services, f"recorder-{number}", "recorder", district="长春市") for number in (1, 2))
    desk = Desk(app, services, other.username).ensure_logged_in()
    waits = text(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )
    with ThreadPoolExecutor(1) as pool:
        with begin_officer(services, one) as context:
            exposures.propose(context, NewExposure("示例商场", "2020-03-20", 8, 12, "case"))
            later = pool.submit(desk.send, EXPOSURES, NOTICE)
            with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watching:
                wait_until(lambda: later.done() or watching.scalar(waits))
        refused = later.result(PATIENCE)
    assert refused.status_code == 422 and "已有公告" in refused.text
    assert "/console/exposures/1/withdraw" in refused.text, "in the list above"
    rest = {**NOTICE, "begins": "7", "ends": "8"}
    assert desk.send(EXPOSURES, rest).status_code == 303, "hours that no notice has"
    assert desk.send(f"{EXPOSURES}/1/withdraw").status_code == 303 == desk.send(EXPOSURES, NOTICE).status_code


def test_a_notice_is_of_the_days_that_the_policy_says(venue: Any, services: Services, app: Flask) -> None:
    since, rules = services.policy.venue_codes[0]
    shorter = replace(rules, visits_kept_days=21, notice_days=2)
    there = create_app(replace(services, policy=replace(services.policy, venue_codes=((since, shorter),))))
    make_officer(services, "recorder-1", "recorder", district="长春市")
    recorder = Desk(there, services, "recorder-1").ensure_logged_in()
    refused = recorder.send(EXPOSURES, {**NOTICE, "day": "2020-03-17"})
    assert refused.status_code == 422 and refused.text.count("最近 2 天内") == 3, "over at once; hint, field and list"

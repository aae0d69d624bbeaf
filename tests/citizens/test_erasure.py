"""Erasure of an account: personal data is deleted, evidence for the prevention of the epidemic stays."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests
from sqlalchemy import text

from app.runtime import Services
from app.wechat.callbacks.events import event_key
from app.wechat.callbacks.message import normal_message
from app.worker.callback_effects import apply_callback
from app.worker.due import evaluate_due
from tests.support.apps import Apps
from tests.support.clock import StandingClock
from tests.support.codes import contact, tell
from tests.support.people import PASSWORD, Phone, Station
from tests.wechat.callbacks.endpoint import Endpoint, at_the_examples, openid, outcomes
from tests.wechat.callbacks.examples import SECONDS, about

Work = Callable[[], None]
CANCELLATION = "user_authorization_cancellation"


@pytest.fixture
def endpoint(services: Services, apps: Apps) -> Endpoint:
    accepting = at_the_examples(services, window_seconds=3600 * 24 * 365)
    return Endpoint(apps.of("endpoint for a year", accepting))


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


@pytest.fixture
def cancel(endpoint: Endpoint, work: Work) -> Callable[[Phone], None]:
    """The person deletes the account in WeChat, and the job has run."""

    def run(person: Phone) -> None:
        assert endpoint.push(about(openid(person), CANCELLATION)).text == "success"
        work()

    return run


def rows(services: Services, *tables: str) -> dict[str, list[Any]]:
    with services.engine.connect() as connection:
        return {table: list(connection.execute(text(f"select * from {table} order by 1"))) for table in tables}


def everything(services: Services) -> str:
    """All rows of all tables as one text."""
    with services.engine.connect() as connection:
        tables = list(connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")))
        return "\n".join(str(row) for table in tables for row in connection.execute(text(f'select * from "{table}"')))


def test_who_the_person_is_goes(services: Services, citizen: Phone, cancel: Callable[[Phone], None]) -> None:
    citizen.subscribe()
    cancel(citizen)
    gone = rows(services, "accounts", "wechat_users", "subscriptions", "subscription_accepts")
    assert set(map(len, gone.values())) == {0}
    [row] = rows(services, "citizens")["citizens"]
    assert (row.name_ciphertext, row.phone_ciphertext, row.document_ciphertext) == (None, None, None)
    assert row.erased_at == services.clock.now() and len(row.document_fingerprint) == 15
    assert citizen.username not in everything(services)
    assert outcomes(services) == ["erased; evidence stays under code 1"]


def test_no_hash_of_the_openid_is_left(
    services: Services, endpoint: Endpoint, citizen: Phone, cancel: Callable[[Phone], None]
) -> None:
    endpoint.push(about(openid(citizen), "user_authorization_revoke", RevokeInfo="8"))
    cancel(citizen)
    keyed = services.encryption.fingerprint("openid", openid(citizen))
    kept = everything(services)
    assert keyed.hex() not in kept and str(keyed)[2:-1] not in kept
    assert [row.status for row in rows(services, "procrastinate_jobs")["procrastinate_jobs"]].count("succeeded") >= 2


def test_the_key_of_a_receipt_cannot_be_computed_from_the_openid(
    services: Services, endpoint: Endpoint, citizen: Phone
) -> None:
    message = about(openid(citizen), "user_authorization_revoke", RevokeInfo="8")
    assert [endpoint.push(message).text for _ in range(2)] == ["success"] * 2
    [receipt] = rows(services, "wechat_callbacks")["wechat_callbacks"]
    assert receipt.event_key != event_key(normal_message(message)), "a retry is recognized all the same"


def test_jobs_of_others_keep_their_locks(
    services: Services, endpoint: Endpoint, citizen: Phone, phone: Callable[..., Phone], work: Work
) -> None:
    other = phone("示例乙").become_green()
    work()
    for person, event in ((citizen, CANCELLATION), (other, "user_authorization_revoke")):
        endpoint.push(about(openid(person), event, RevokeInfo="8"))
    locks = {row.lock for row in rows(services, "procrastinate_jobs")["procrastinate_jobs"] if row.status == "todo"}
    assert {
        f"wechat:{services.encryption.fingerprint('openid', openid(one)).hex()}" for one in (citizen, other)
    } <= locks


def test_what_was_found_out_stays(services: Services, citizen: Phone, cancel: Callable[[Phone], None]) -> None:
    tell(services, 1, contact(services.clock.now()))
    kept = ("evidence", "decisions", "declarations", "notices")
    before = rows(services, *kept)
    cancel(citizen)
    after = rows(services, *kept)
    del before["notices"], after["notices"]  # their delivery goes on: nobody is there to be told
    assert after == before
    assert [entry.action for entry in rows(services, "audit")["audit"]][-2:] == ["sessions-ended", "erased"]


def test_every_session_of_the_person_ends(
    services: Services, citizen: Phone, phone: Callable[..., Phone], cancel: Callable[[Phone], None]
) -> None:
    other = phone("示例新机")
    other.log_in_with_wechat()
    bound = other.post("/api/v1/accounts/login", {"username": citizen.username, "password": PASSWORD})
    other.session = bound.json["session"]
    assert other.color() == "GREEN"
    cancel(citizen)
    for device in (citizen, other):
        assert device.get("/api/v1/code").status_code == 401
    assert rows(services, "wechat_users")["wechat_users"] == []
    again = other.log_in_with_wechat()
    assert (again.status_code, again.json["account"]) == (200, None), "a visitor, as at the first time"
    assert [user.serial for user in rows(services, "wechat_users")["wechat_users"]] == [None]
    citizen.session = None
    refused = citizen.post("/api/v1/accounts/login", {"username": citizen.username, "password": PASSWORD})
    assert refused.json["type"] == "/problems/wrong-credentials"


def test_who_registers_again_in_quarantine_is_orange_still(
    services: Services, citizen: Phone, cancel: Callable[[Phone], None], clock: StandingClock
) -> None:
    tell(services, 1, contact(clock.now()))
    cancel(citizen)
    clock.advance(days=1)
    citizen.session = None
    assert citizen.register().status_code == 201
    assert citizen.declare().json["color"] == "ORANGE"
    assert citizen.get("/api/v1/accounts/me").json["phone"] == "138****0000"
    assert len(citizen.history()) >= 2, "all that was decided is there again"
    [row] = rows(services, "citizens")["citizens"]
    assert row.serial == 1 and row.erased_at is None and row.document_ciphertext


def test_the_user_name_is_free_again(
    citizen: Phone, phone: Callable[..., Phone], cancel: Callable[[Phone], None]
) -> None:
    cancel(citizen)
    other = phone("示例乙", username=citizen.username)
    assert other.register().status_code == 201


def test_a_visitor_is_forgotten_as_well(
    services: Services, phone: Callable[..., Phone], cancel: Callable[[Phone], None]
) -> None:
    visitor = phone("示例访客")
    visitor.log_in_with_wechat()
    visitor.subscribe()
    cancel(visitor)
    assert rows(services, "wechat_users")["wechat_users"] == []
    assert outcomes(services) == ["erased"]
    assert visitor.get("/api/v1/subscriptions").status_code == 401


def test_others_are_left_alone(
    services: Services, citizen: Phone, phone: Callable[..., Phone], cancel: Callable[[Phone], None]
) -> None:
    other = phone("示例乙").become_green()
    other.subscribe()
    cancel(citizen)
    assert (other.color(), other.balance()) == ("GREEN", 1)
    assert other.get("/api/v1/accounts/me").json["username"] == other.username


def test_an_event_that_comes_after_the_erasure_is_about_nobody(
    services: Services, endpoint: Endpoint, citizen: Phone, cancel: Callable[[Phone], None], work: Work
) -> None:
    cancel(citizen)
    endpoint.push(about(openid(citizen), "user_authorization_revoke", RevokeInfo="8"))
    work()
    assert outcomes(services)[1] == "unknown user"


def test_a_cancellation_that_comes_twice_erases_nobody_who_came_back(
    services: Services, citizen: Phone, cancel: Callable[[Phone], None]
) -> None:
    cancel(citizen)
    citizen.session = None
    citizen.register()
    cancel(citizen)
    assert citizen.get("/api/v1/accounts/me").status_code == 200


@pytest.mark.parametrize(
    ("event", "late", "outcome"),
    [
        (CANCELLATION, 61, "outdated"),
        (CANCELLATION, 60, "erased; evidence stays under code 1"),
        ("user_authorization_revoke", 61, "outdated"),
    ],
)
def test_what_was_withdrawn_before_the_registration_leaves_the_new_account_alone(
    services: Services, endpoint: Endpoint, citizen: Phone, work: Work, event: str, late: int, outcome: str
) -> None:
    endpoint.push(about(openid(citizen), event, RevokeInfo="8", CreateTime=SECONDS - late))
    work()
    assert outcomes(services) == [outcome]
    account = citizen.get("/api/v1/accounts/me")
    assert (account.status_code == 200 and account.json["phone"] is not None) == (outcome == "outdated")


def test_wechat_does_not_know_of_a_clock_that_is_set_ahead(
    services: Services, endpoint: Endpoint, phone: Callable[..., Phone], clock: StandingClock
) -> None:
    clock.advance(days=14)
    citizen = phone("示例甲").become_green()
    endpoint.push(about(openid(citizen), CANCELLATION))
    with services.engine.connect() as connection:
        receipt = connection.scalar(text("select id from wechat_callbacks"))
    apply_callback(replace(services, real_clock=StandingClock()), receipt, 1)
    assert outcomes(services) == ["erased; evidence stays under code 1"]


def test_of_who_is_erased_the_platform_is_not_asked_and_the_clock_does_not_spin(
    services: Services,
    phone: Callable[..., Phone],
    cancel: Callable[[Phone], None],
    clock: StandingClock,
    work: Work,
    platform_url: str,
) -> None:
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    waiting = phone("示例甲")
    waiting.register()
    assert waiting.declare().status_code == 202
    requests.put(f"{platform_url}/sandbox/switch", json={}, timeout=5).raise_for_status()
    cancel(waiting)
    before = requests.get(f"{platform_url}/sandbox/calls", timeout=5).json()
    for _ in range(3):
        clock.advance(days=1)
        work()
        assert evaluate_due(services) == 0, "what time alone can change is settled"
    assert requests.get(f"{platform_url}/sandbox/calls", timeout=5).json() == before


def test_quarantine_of_who_is_erased_ends_at_its_time(
    services: Services, citizen: Phone, cancel: Callable[[Phone], None], clock: StandingClock, work: Work
) -> None:
    tell(services, 1, contact(clock.now()))
    cancel(citizen)
    clock.advance(days=20)
    work()
    citizen.session = None
    citizen.register()
    assert citizen.declare().json["color"] == "GREEN"


def test_who_is_bound_by_the_password_alone_takes_nothing_of_the_owner_along(
    services: Services,
    endpoint: Endpoint,
    citizen: Phone,
    phone: Callable[..., Phone],
    cancel: Callable[[Phone], None],
    work: Work,
) -> None:
    helper = phone("示例乙")
    helper.log_in_with_wechat()
    helper.post("/api/v1/accounts/login", {"username": citizen.username, "password": PASSWORD})
    assert helper.log_in_with_wechat().json["account"]["username"] == citizen.username  # type: ignore[index]
    endpoint.push(about(openid(helper), "user_authorization_revoke", RevokeInfo="8"))
    work()
    cancel(helper)
    account = citizen.get("/api/v1/accounts/me")
    assert (account.status_code, account.json["phone"] is not None) == (200, True)  # type: ignore[index]
    assert citizen.color() == "GREEN"
    assert helper.log_in_with_wechat().json["account"] is None  # type: ignore[index]
    assert outcomes(services) == ["no phone was stored", "erased"]
    cancel(citizen)
    assert citizen.get("/api/v1/accounts/me").status_code == 401


def test_the_token_of_who_is_erased_takes_no_temperature(
    services: Services, citizen: Phone, station: Station, cancel: Callable[[Phone], None], clock: StandingClock
) -> None:
    token = citizen.code()["token"]
    clock.advance(seconds=1)
    cancel(citizen)
    assert station.measure(token, 38.5).json["type"] == "/problems/token-expired"
    clock.advance(seconds=1)
    citizen.session = None
    citizen.register()
    assert station.measure(token, 38.5).json["type"] == "/problems/token-expired"
    assert sorted(row.kind for row in rows(services, "evidence")["evidence"]) == ["declaration", "verification"]

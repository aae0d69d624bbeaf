"""Recovering an account at a window: old sessions and bindings end, who was bound is told and may object."""

import time
from collections.abc import Callable

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.audit import AuditEvent
from app.citizens.models import Account
from app.notifications import account_messages
from app.notifications.account_messages import Subject
from app.notifications.notices import DeliveryPostponed
from app.runtime import Services
from app.web import login_delays
from app.web.login_delays import Counter
from app.wechat.models import WeChatUser
from app.windows.messages import find_words
from tests.support.clock import StandingClock
from tests.support.desk import Desk, text_of
from tests.support.people import PASSWORD, Phone, id_number
from tests.support.windows import DONE, WINDOW, Clerk

NEW = "another-Password-2"
HOME = "/api/v1/home"
RECOVERY, OBJECTION = "/api/v1/accounts/me/recovery", "/api/v1/accounts/me/recovery/objection"


@pytest.fixture
def holder(green_citizen: Phone) -> Phone:
    return green_citizen


@pytest.fixture
def auditor(desk: Callable[..., Desk]) -> Desk:
    return desk("auditor", username="aud-1", district="长春市")


@pytest.fixture
def recovered(clerk: Clerk, holder: Phone) -> str:
    """The visit in which the account of the holder was recovered."""
    visit = clerk.visit("示例甲", holder.document)
    answer = clerk.recover(visit, NEW)
    assert answer.status_code == DONE, text_of(answer)
    return visit


def log_in(client: FlaskClient, username: str, password: str) -> Phone | None:
    answer = client.post("/api/v1/accounts/login", json={"username": username, "password": password})
    if answer.status_code != 200:
        return None
    return _Session(client, answer.json["session"])  # type: ignore[index,return-value]


class _Session:
    """Somebody with a browser of their own, outside WeChat."""

    def __init__(self, client: FlaskClient, session: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {session}"}

    def get(self, path: str) -> int:
        return self.client.get(path, headers=self.headers).status_code

    def send(self, method: str, path: str, body: object) -> tuple[int, str]:
        answer = self.client.open(path, method=method, json=body, headers=self.headers)
        return answer.status_code, (answer.json or {}).get("type", "").rpartition("/")[2]


def test_password_and_phone_are_lost_and_the_account_is_recovered(
    holder: Phone, recovered: str, client: FlaskClient, clerk: Clerk
) -> None:
    assert holder.get("/api/v1/accounts/me").status_code == 401, "old sessions end"
    assert log_in(client, holder.username, PASSWORD) is None
    me = log_in(client, holder.username, NEW)
    assert me is not None and me.get("/api/v1/code") == 200, "the color is as it was"
    holder.log_in_with_wechat()
    assert holder.get("/api/v1/accounts/me").status_code == 403, "the lost phone opens nothing"
    assert "24 小时的异议期未满" in clerk.sees(recovered)
    assert clerk.recover(recovered, NEW).status_code == 409


def test_who_was_bound_is_told_and_objects_which_freezes_the_account_and_not_the_color(
    holder: Phone, recovered: str, client: FlaskClient, clerk: Clerk
) -> None:
    assert holder.get(HOME).json["session_good"] is False, "old sessions end"  # type: ignore[index]
    holder.log_in_with_wechat()
    told = holder.get(RECOVERY).json["recovery"]  # type: ignore[index]
    home = holder.get(HOME).json
    assert (home["session_good"], home["recovery"]) == (True, told), "with the columns, in one call"  # type: ignore[index]
    assert (told["window"], told["objected_at"], told["outcome"]) == (WINDOW, None, None)
    impostor = log_in(client, holder.username, NEW)
    assert isinstance(impostor, _Session)
    erasure = ("POST", "/api/v1/accounts/me/erasure", {"password": NEW})
    assert impostor.send(*erasure) == (409, "recovery-open")
    first, again = holder.post(OBJECTION, {}), holder.post(OBJECTION, {})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json == again.json and first.json["recovery"]["objected_at"]  # type: ignore[index]
    for method, path, body in (
        erasure,
        ("PUT", "/api/v1/accounts/me/password", {"current": NEW, "password": "yet-another-Pass-3"}),
        ("POST", "/api/v1/accounts/me/bindings/end", {"number": 1}),
    ):
        assert impostor.send(method, path, body) == (409, "account-frozen"), path
    assert impostor.get("/api/v1/code") == 200
    assert clerk.recover(recovered, NEW).status_code == 409
    assert "提出异议" in clerk.sees(recovered)


def test_while_it_is_frozen_nobody_is_bound_to_the_account(
    holder: Phone, recovered: str, phone: Callable[..., Phone], console: Services
) -> None:
    holder.log_in_with_wechat()
    holder.post(OBJECTION, {})
    other = phone("示例乙")
    other.log_in_with_wechat()
    entered = other.post("/api/v1/accounts/login", {"username": holder.username, "password": NEW})
    assert entered.status_code == 200
    with console.sessions() as session:
        assert set(session.scalars(select(WeChatUser.serial))) == {None}


def test_given_back_the_password_ends_and_who_was_bound_is_bound_again(
    holder: Phone, recovered: str, client: FlaskClient, auditor: Desk, console: Services
) -> None:
    holder.log_in_with_wechat()
    holder.post(OBJECTION, {})
    assert "对账号找回的异议 1" in text_of(auditor.get("/console/"))
    decide = "/console/audit/recoveries/1/decide"
    assert auditor.send(decide, {"outcome": "perhaps"}).status_code == 404
    assert auditor.send(decide, {"outcome": "undone"}).status_code == DONE
    assert auditor.send(decide, {"outcome": "kept"}).status_code == 404
    assert log_in(client, holder.username, NEW) is None
    holder.log_in_with_wechat()
    assert holder.color() == "GREEN"
    assert holder.get(RECOVERY).json["recovery"]["outcome"] == "undone"  # type: ignore[index]
    with console.sessions() as session:
        assert session.get_one(Account, 1).username is None
    read = holder.get("/api/v1/record/access").json["entries"]  # type: ignore[index]
    assert {"recovery-decided", "recovery-objected", "account-recovered"} <= {one["what"]["action"] for one in read}


def test_kept_the_account_is_as_recovered(holder: Phone, recovered: str, client: FlaskClient, auditor: Desk) -> None:
    holder.log_in_with_wechat()
    holder.post(OBJECTION, {})
    assert auditor.send("/console/audit/recoveries/1/decide", {"outcome": "kept"}).status_code == DONE
    me = log_in(client, holder.username, NEW)
    assert isinstance(me, _Session)
    body = {"current": NEW, "password": "yet-another-Pass-3"}
    assert me.send("PUT", "/api/v1/accounts/me/password", body)[0] == 200
    assert holder.post(OBJECTION, {}).status_code == 200, "it was made, and again changes nothing"


def test_an_objection_comes_within_a_day_and_from_who_was_bound(
    holder: Phone, recovered: str, phone: Callable[..., Phone], clock: StandingClock
) -> None:
    stranger = phone("示例乙")
    stranger.log_in_with_wechat()
    assert stranger.get(RECOVERY).json == {"recovery": None}
    assert stranger.post(OBJECTION, {}).status_code == 404
    clock.advance(hours=24)
    holder.log_in_with_wechat()
    assert holder.post(OBJECTION, {}).status_code == 409


def test_the_clerk_decides_nothing_about_their_own_recovery(
    holder: Phone, recovered: str, clerk: Clerk, console: Services
) -> None:
    from app.staff import officers

    holder.log_in_with_wechat()
    holder.post(OBJECTION, {})
    with console.begin() as session:
        officers.find_by_username(session, "clerk-1").roles = ["clerk", "auditor"]
    assert clerk.desk.send("/console/audit/recoveries/1/decide", {"outcome": "kept"}).status_code == 403


def test_an_account_without_a_user_name_gets_one(clerk: Clerk, client: FlaskClient) -> None:
    visit = clerk.register_visitor("示例老人", id_number(710))
    assert clerk.recover(visit, NEW, username="").status_code == 422
    assert clerk.recover(visit, "short", username="old.person").status_code == 422
    assert clerk.recover(visit, NEW, username="old.person").status_code == DONE
    assert log_in(client, "old.person", NEW) is not None


def test_two_passwords_that_differ_change_nothing(clerk: Clerk, holder: Phone) -> None:
    visit = clerk.visit("示例甲", holder.document)
    answer = clerk.desk.send(f"{visit}/recover", {"password": NEW, "again": PASSWORD})
    assert answer.status_code == 422 and "不一致" in text_of(answer)
    assert holder.color() == "GREEN"


def test_a_log_in_that_has_to_wait_is_let_in_at_once(
    clerk: Clerk, holder: Phone, client: FlaskClient, console: Services
) -> None:
    body = {"username": holder.username, "password": PASSWORD}
    account = console.encryption.fingerprint("username", f"citizen:{holder.username}").hex()
    for attempt in range(8):  # of strangers, an hour's worth of waiting
        strangers = Counter(f"{{{account}}}:strangers", 72_000)
        login_delays.reserve(console.redis, [strangers], time.time() + 100 * attempt)
    assert client.post("/api/v1/accounts/login", json=body).status_code == 429
    visit = clerk.visit("示例甲", holder.document)
    assert clerk.desk.send(f"{visit}/unlock").status_code == DONE
    assert client.post("/api/v1/accounts/login", json=body).status_code == 200
    with console.sessions() as session:
        assert session.scalars(select(AuditEvent.serial).filter_by(action="login-delay-ended")).all() == [1]


def test_who_was_bound_and_subscribed_gets_a_message_in_wechat_once(
    clerk: Clerk, holder: Phone, work: Callable[[], None]
) -> None:
    holder.subscribe()
    before = len(holder.messages())
    clerk.recover(clerk.visit("示例甲", holder.document), NEW)
    work()
    (message,) = holder.messages()[before:]
    assert message["fields"][0]["value"] == "账号找回"
    assert message["page"] == "pages/home/home"


def test_a_message_waits_for_wechat_and_is_not_sent_when_it_is_too_late(
    clerk: Clerk, holder: Phone, console: Services, wechat_url: str, clock: StandingClock
) -> None:
    holder.subscribe()
    clerk.recover(clerk.visit("示例甲", holder.document), NEW)
    busy = {"path": "/cgi-bin/message/subscribe/send", "errcode": 43108}
    requests.put(f"{wechat_url}/sandbox/failures", json=busy, timeout=5).raise_for_status()
    with console.engine.connect() as connection:
        serial = connection.scalar(text("select serial from account_messages"))
    subject = Subject("recovery", 1, serial)
    with pytest.raises(DeliveryPostponed):
        account_messages.deliver(console, subject, find_words)
    requests.delete(f"{wechat_url}/sandbox/failures", timeout=5).raise_for_status()
    clock.advance(hours=24)
    account_messages.deliver(console, subject, find_words)
    assert holder.messages() == []

"""Captures of callbacks, and how operators see them."""

import json
import stat
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit import AuditEvent
from app.runtime import Services
from app.wechat.callbacks import capture
from app.wechat.callbacks.envelope import Stamp, write_callback
from app.wechat.callbacks.models import WeChatCapture
from app.wechat.callbacks.replay_file import CapturedRequest
from app.worker.retention import purge_callbacks
from tests.support.apps import Apps
from tests.support.clock import START, StandingClock
from tests.wechat.callbacks.examples import FORMS, MESSAGES, NONCE, OTHER, PERSON, event
from tests.wechat.callbacks.replaying import KEYS, ORIGIN, Jixiang, records, runner, with_callbacks


@pytest.fixture
def jixiang(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jixiang:
    return runner(services, tmp_path, monkeypatch)


@pytest.fixture
def endpoint(services: Services, apps: Apps) -> FlaskClient:
    """A server that captures, and accepts plain callbacks as well."""
    settings = with_callbacks(services.settings, capture=True, allow_plaintext=True)
    return apps.of("endpoint that captures and accepts plain ones", replace(services, settings=settings)).test_client()


def push(endpoint: FlaskClient, message: dict[str, Any], mode: Any = "safe", form: Any = "json") -> bytes:
    """Push an event as WeChat does; return the body of the request."""
    stamp = replace(Stamp.fresh(datetime.now(UTC)), nonce=NONCE)
    query, body = write_callback(KEYS, message, mode, form, stamp)
    headers = {"User-Agent": "Mozilla/4.0", "Content-Type": f"text/{form}", "X-Forwarded-For": "192.0.2.7"}
    answer = endpoint.post("/wechat/callback", query_string=query, data=body, headers=headers)
    assert (answer.status_code, answer.data) == (200, b"success")
    return body


def rows(services: Services) -> list[WeChatCapture]:
    with services.sessions() as session:
        return list(session.scalars(select(WeChatCapture)))


@pytest.mark.parametrize(("mode", "form"), FORMS)
def test_a_callback_is_kept_as_it_came(services: Services, endpoint: FlaskClient, mode: Any, form: Any) -> None:
    body = push(endpoint, MESSAGES["popup"], mode, form)
    with services.sessions() as session:
        [kept] = capture.find_captures(session, services.encryption)
    assert kept.request.body == body
    assert kept.request.at == START
    assert kept.request.query["nonce"] == NONCE
    assert kept.request.headers == {"content-type": f"text/{form}", "user-agent": "Mozilla/4.0"}


def test_nothing_is_kept_unless_the_settings_say_so(services: Services, client: FlaskClient) -> None:
    push(client, MESSAGES["popup"])
    assert rows(services) == []


def test_captures_are_encrypted(services: Services, endpoint: FlaskClient) -> None:
    body = push(endpoint, MESSAGES["popup"], "plain", "json")
    [row] = rows(services)
    assert row.size == len(body)
    assert PERSON.encode() not in row.ciphertext and b64encode(body)[:40] not in row.ciphertext


def test_a_repeat_of_wechat_is_kept_as_well(services: Services, endpoint: FlaskClient) -> None:
    for _ in range(3):
        push(endpoint, MESSAGES["popup"])
    assert len(rows(services)) == 3


def test_captures_are_deleted_after_their_days(services: Services, endpoint: FlaskClient, clock: StandingClock) -> None:
    push(endpoint, MESSAGES["popup"])
    clock.advance(days=7)
    purge_callbacks(services)
    assert len(rows(services)) == 1
    push(endpoint, MESSAGES["change"])
    clock.advance(seconds=1)
    purge_callbacks(services)
    assert [row.at for row in rows(services)] == [START + timedelta(days=7)]


def test_the_list_names_events_and_nobody(endpoint: FlaskClient, jixiang: Jixiang) -> None:
    push(endpoint, MESSAGES["popup"], "safe", "xml")
    push(endpoint, MESSAGES["cancellation"], "plain", "json")
    listed = jixiang("capture", "list")
    assert listed.exit_code == 0
    assert "subscribe_msg_popup_event" in listed.stdout and "2020-03-20T12:00:00+08:00" in listed.stdout
    assert PERSON not in listed.output and PERSON[-4:] in listed.output
    [first, second] = records(jixiang("capture", "list", "--json"))
    assert first["person"] == second["person"] == "oD…o0De", "the person, not the platform that sends the event"
    assert (first["id"], second["event"]) == (1, "user_authorization_cancellation")


def test_the_list_is_narrowed_by_time_and_event(endpoint: FlaskClient, jixiang: Jixiang, clock: StandingClock) -> None:
    for name in ("popup", "change", "sent", "popup of one"):
        push(endpoint, MESSAGES[name])
        clock.advance(hours=1)

    def ids(*options: str) -> list[int]:
        return [record["id"] for record in records(jixiang("capture", "list", "--json", *options))]

    assert ids() == [1, 2, 3, 4]
    assert ids("--since", "2020-03-20T13:00:00+08:00", "--until", "2020-03-20T15:00:00+08:00") == [2, 3]
    assert ids("--event", "subscribe_msg_popup_event") == [1, 4]
    assert jixiang("capture", "list", "--since", "yesterday").exit_code == 1


def keep_of(services: Services, keys: Any) -> None:
    query, body = write_callback(keys, MESSAGES["popup"], "safe", "xml", Stamp.fresh(START))
    with services.begin() as session:
        capture.store_capture(session, services.encryption, CapturedRequest(START, query, {}, body))


def test_what_our_keys_cannot_decrypt_is_listed_and_shown_as_it_is(services: Services, jixiang: Jixiang) -> None:
    keep_of(services, ORIGIN)
    [listed] = records(jixiang("capture", "list", "--json"))
    assert (listed["event"], listed["person"]) == ("", "")
    shown = json.loads(jixiang("capture", "show", 1).stdout)
    assert shown["opens"] is False
    assert b64decode(shown["body"]).startswith(b"<xml>")


@pytest.mark.parametrize(("mode", "form"), FORMS)
def test_a_callback_is_shown_decrypted(
    services: Services, endpoint: FlaskClient, jixiang: Jixiang, mode: Any, form: Any
) -> None:
    push(endpoint, event("subscribe_msg_change_event", OTHER, List=MESSAGES["change"]["List"]), mode, form)
    shown = jixiang("capture", "show", 1)
    assert OTHER in shown.stdout
    assert json.loads(shown.stdout)["message"]["List"] == [
        {"TemplateId": "template-1", "SubscribeStatusString": "reject"}
    ]
    assert (json.loads(shown.stdout)["mode"], json.loads(shown.stdout)["format"]) == (mode, form)


def test_an_unknown_number_is_reported_in_one_line(services: Services, jixiang: Jixiang) -> None:
    shown = jixiang("capture", "show", 7)
    assert shown.exit_code == 1
    assert shown.stderr == "Error: There is no callback 7, or no more; choose one of `jixiang wechat capture list`.\n"


def test_access_to_callbacks_is_in_the_audit(
    services: Services, endpoint: FlaskClient, jixiang: Jixiang, tmp_path: Path
) -> None:
    push(endpoint, MESSAGES["popup"])
    jixiang("capture", "list")
    jixiang("capture", "show", 1)
    jixiang("capture", "export", tmp_path / "day.jsonl")
    with services.sessions() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
        accesses = [(event.actor, event.action, event.detail) for event in events]
    assert accesses == [
        ("operator", "capture-shown", {"capture": 1}),
        ("operator", "captures-exported", {"callbacks": 1}),
    ]


def test_the_export_is_for_its_owner_alone_and_never_replaces_a_file(
    endpoint: FlaskClient, jixiang: Jixiang, tmp_path: Path
) -> None:
    body = push(endpoint, MESSAGES["popup"], "safe", "xml")
    push(endpoint, MESSAGES["change"])
    file = tmp_path / "day.jsonl"
    exported = jixiang("capture", "export", file, "--event", "subscribe_msg_popup_event")
    assert exported.stdout.startswith("1 callbacks are in ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    [line] = map(json.loads, file.read_text().splitlines())
    assert line["at"] == "2020-03-20T04:00:00.000+00:00"
    assert b64decode(line["body"]) == body
    assert line["headers"] == {"content-type": "text/xml", "user-agent": "Mozilla/4.0"}
    assert line["query"]["openid"] == PERSON
    again = jixiang("capture", "export", file)
    assert (again.exit_code, len(file.read_text().splitlines())) == (1, 1)
    assert "File exists" in again.stderr


def test_a_summary_of_callbacks_and_subscriptions_is_shown(
    services: Services, client: FlaskClient, jixiang: Jixiang, phone: Callable[[], Any], work: Callable[[], None]
) -> None:
    phone().become_green().subscribe()
    push(client, MESSAGES["popup"])
    push(client, MESSAGES["unknown"])
    waiting, done = records(jixiang("callbacks", "--json"))
    assert (waiting["event"], waiting["outcome"]) == ("subscribe_msg_popup_event", "waiting")
    assert (done["event"], done["outcome"], done["callbacks"]) == ("weapp_audit_success", "nothing to do", 1)
    work()
    assert records(jixiang("callbacks", "--json"))[0]["outcome"] == "unknown user"
    assert "2020-03-20T12:00:00+08:00" in jixiang("callbacks").stdout
    [total] = records(jixiang("subscriptions", "--json"))
    assert total == {"template": "demo-color-change", "users": 1, "with credit": 1, "credits": 1, "accepting": 1}
    assert "demo-color-change" in jixiang("subscriptions").stdout

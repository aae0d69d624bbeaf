"""The callback endpoint: accepted callbacks, their receipts, and refusals."""

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from flask import Flask
from sqlalchemy import QueuePool, text

from app import create_app
from app.core.db import make_engine
from app.core.settings import CallbackSettings
from app.runtime import Services
from app.wechat.callbacks import capture
from app.wechat.callbacks.crypto import sign
from app.wechat.callbacks.envelope import MAX_BODY_BYTES, Mode
from app.wechat.callbacks.message import Format
from tests.support.clock import StandingClock
from tests.support.codes import with_engine
from tests.support.people import Phone
from tests.support.settings import AES_KEY, TOKEN
from tests.support.waiting import wait_until
from tests.wechat.callbacks.endpoint import URL, Endpoint, jobs, make_endpoint, openid, outcomes, receipts, slug
from tests.wechat.callbacks.examples import FORMS, KEYS, MESSAGES, NO_KEY, OTHER, PERSON, SECONDS, about, event

POPUP, ENTERED = MESSAGES["popup"], MESSAGES["tempsession"]
MODES_AND_FORMATS = pytest.mark.parametrize(("mode", "form"), FORMS)


# --- the check of our address -------------------------------------------------------------------------------------


def ask(endpoint: Endpoint, echo: str = "5837397576599132", seconds: int = SECONDS, **changed: str) -> Any:
    query = {"timestamp": str(seconds), "nonce": "1", "echostr": echo}
    query["signature"] = sign(KEYS, query["timestamp"], query["nonce"])
    return endpoint.client.get(URL, query_string={**query, **changed})


def test_the_echo_comes_back_as_plain_text(endpoint: Endpoint) -> None:
    answer = ask(endpoint)
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "5837397576599132", "text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_url_check_that_wechat_did_not_sign_gets_no_echo(endpoint: Endpoint) -> None:
    assert slug(ask(endpoint, signature="0" * 40)) == "callback-refused"
    assert slug(ask(endpoint, seconds=SECONDS - 301)) == "callback-refused"
    assert slug(ask(endpoint, echo="<script>")) == "bad-request"
    assert slug(endpoint.client.get(URL)) == "callback-refused"


def test_without_a_token_there_is_no_endpoint(services: Services) -> None:
    client = create_app(replace(services, callback_keys=None)).test_client()
    assert slug(client.get(URL)) == slug(client.post(URL, data=b"<xml/>")) == "not-found"


def test_a_key_without_a_token_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ValueError, match="token_file"):
        CallbackSettings(aes_key_file=Path("key"))


# --- six forms ----------------------------------------------------------------------------------------------------


@pytest.fixture
def pushing(services: Services, serve: Callable[[Flask], str], wechat_url: str) -> Callable[[Mode, Format], None]:
    """Let WeChat push to a running server in one of the forms."""
    callbacks = services.settings.wechat.callbacks.model_copy(update={"allow_plaintext": True})
    wechat = services.settings.wechat.model_copy(update={"callbacks": callbacks})
    address = serve(create_app(replace(services, settings=services.settings.model_copy(update={"wechat": wechat}))))

    def start(mode: Mode, form: Format) -> None:
        to = {"url": address + URL, "token": TOKEN, "aes_key": AES_KEY, "mode": mode, "format": form}
        requests.put(f"{wechat_url}/sandbox/push", json=to, timeout=5).raise_for_status()

    return start


def pushes(wechat_url: str) -> list[tuple[str, str]]:
    """Return the events that WeChat pushed, oldest first, and the result of each."""
    answer = requests.get(f"{wechat_url}/sandbox/pushes?wait=1", timeout=70).json()
    return [(push["event"], push["outcome"]) for push in reversed(answer)]


@pytest.mark.parametrize(("mode", "form"), [("plain", "json"), ("safe", "xml")])  # the others differ until read
def test_a_push_of_wechat_arrives_and_is_applied(
    services: Services,
    pushing: Callable[[Mode, Format], None],
    green_citizen: Phone,
    work: Callable[[], None],
    wechat_url: str,
    mode: Mode,
    form: Format,
) -> None:
    pushing(mode, form)
    citizen = green_citizen
    assert requests.post(f"{wechat_url}/sandbox/push/check", timeout=5).json()["ok"]
    user = f"{wechat_url}/sandbox/users/示例甲"
    requests.post(f"{user}/subscribe", json={"demo-color-change": "accept"}, timeout=5).raise_for_status()
    for path in ("modified", "enter"):
        requests.post(f"{user}/{path}", timeout=5).raise_for_status()
    requests.post(f"{user}/revoke", json={"info": ["8"]}, timeout=5).raise_for_status()
    pushed = pushes(wechat_url)
    work()
    assert [outcome for _, outcome in pushed] == ["delivered"] * 4
    assert [receipt.name for receipt in receipts(services)] == [name for name, _ in pushed]
    assert citizen.balance() == 1
    assert citizen.get("/api/v1/accounts/me").json["phone"] is None
    requests.post(f"{user}/cancel", timeout=5).raise_for_status()
    assert pushes(wechat_url)[-1] == ("user_authorization_cancellation", "delivered")
    work()
    assert citizen.get("/api/v1/accounts/me").status_code == 401


@MODES_AND_FORMATS
def test_wechats_own_test_message_is_answered_at_once_in_its_form(
    services: Services, pushing: Callable[[Mode, Format], None], wechat_url: str, mode: Mode, form: Format
) -> None:
    pushing(mode, form)
    push = requests.post(f"{wechat_url}/sandbox/push/debug", json={"debug_str": "hello"}, timeout=10).json()
    assert (push["outcome"], push["answer"]) == ("delivered", '{"demo_resp":"good luck"}')
    assert receipts(services) == []


def test_a_plain_message_is_refused_where_messages_are_encrypted(services: Services) -> None:
    strict = make_endpoint(services)
    assert slug(strict.push(POPUP, "plain")) == "bad-request"
    assert strict.push(POPUP, "safe").text == "success"


def test_without_a_key_plain_messages_are_what_is_taken(services: Services) -> None:
    endpoint = make_endpoint(services)
    endpoint.app.extensions["jixiang"] = replace(endpoint.app.extensions["jixiang"], callback_keys=NO_KEY)
    assert endpoint.push(POPUP, "plain", "xml").text == "success"
    assert slug(endpoint.push(POPUP, "safe")) == "bad-request"


# --- what is kept -------------------------------------------------------------------------------------------------


def test_an_event_with_an_effect_is_stored_encrypted_with_its_job(services: Services, endpoint: Endpoint) -> None:
    answer = endpoint.push(POPUP)
    assert (answer.status_code, answer.text) == (200, "success")
    [receipt] = receipts(services)
    assert (receipt.name, receipt.received_at, receipt.handled_at) == (POPUP["Event"], services.clock.now(), None)
    assert receipt.message_ciphertext is not None and PERSON.encode() not in receipt.message_ciphertext
    assert jobs(services) == ['{"receipt": 1}'], "nothing about the person"


def test_once_it_is_handled_the_message_is_deleted(
    services: Services, endpoint: Endpoint, work: Callable[[], None]
) -> None:
    endpoint.push(POPUP)
    work()
    [receipt] = receipts(services)
    assert (receipt.outcome, receipt.message_ciphertext) == ("unknown user", None)
    assert receipt.handled_at == services.clock.now()


@pytest.mark.parametrize("name", ["modified", "tempsession", "unknown", "text"])
def test_an_event_without_effect_is_acknowledged_and_its_message_not_stored(
    services: Services, endpoint: Endpoint, name: str
) -> None:
    assert endpoint.push(MESSAGES[name]).text == "success"
    [receipt] = receipts(services)
    assert (receipt.outcome, receipt.message_ciphertext) == ("nothing to do", None)
    assert jobs(services) == []


def counted(endpoint: Endpoint, name: str) -> dict[str, float]:
    lines = [line for line in endpoint.client.get("/metrics").text.splitlines() if line.startswith(name)]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def test_events_are_counted_by_name_and_all_unknown_ones_together(endpoint: Endpoint) -> None:
    before = counted(endpoint, "jixiang_wechat_callbacks_total")
    for name in ("weapp_audit_success", "made-up-1", "made-up-2"):
        endpoint.push(event(name))
    endpoint.push(ENTERED)
    endpoint.push(ENTERED)
    after = counted(endpoint, "jixiang_wechat_callbacks_total")
    more = {line: after[line] - before.get(line, 0) for line in after if after[line] != before.get(line, 0)}
    assert more == {
        'jixiang_wechat_callbacks_total{event="unknown",result="new"}': 3,
        'jixiang_wechat_callbacks_total{event="user_enter_tempsession",result="new"}': 1,
        'jixiang_wechat_callbacks_total{event="user_enter_tempsession",result="repeated"}': 1,
    }


def test_what_is_refused_is_counted_by_its_reason(endpoint: Endpoint) -> None:
    before = counted(endpoint, "jixiang_wechat_callbacks_refused_total")
    endpoint.push(POPUP, seconds=SECONDS - 301)
    after = counted(endpoint, "jixiang_wechat_callbacks_refused_total")
    stale = 'jixiang_wechat_callbacks_refused_total{reason="stale"}'
    assert after[stale] - before.get(stale, 0) == 1


def test_callbacks_are_captured_only_where_that_is_wanted(services: Services, endpoint: Endpoint) -> None:
    endpoint.push(POPUP)
    wanted = make_endpoint(services, capture=True)
    wanted.push(POPUP)
    wanted.push(POPUP, "safe", "xml")
    with services.sessions() as session:
        kept = [one.request.body[:5] for one in capture.find_captures(session, services.encryption)]
    assert kept == [b'{"ToU', b"<xml>"], "retries as well, as they came"


def test_nothing_of_a_callback_gets_into_the_logs(
    endpoint: Endpoint, work: Callable[[], None], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint.push(POPUP)
    endpoint.push({**POPUP, "List": "broken"})
    work()
    written = "".join(capsys.readouterr()) + caplog.text
    assert "callback" in written
    assert [word for word in (PERSON, "template-1", KEYS.token, "signature=") if word in written] == []


# --- once ---------------------------------------------------------------------------------------------------------


def test_a_retry_is_known_in_another_form_and_with_another_signature(services: Services, endpoint: Endpoint) -> None:
    for number, (mode, form) in enumerate(FORMS):
        answer = endpoint.push(POPUP, mode, form, seconds=SECONDS + number, nonce=str(number))
        assert answer.text == "success"
    assert len(receipts(services)) == len(jobs(services)) == 1


def test_a_storm_of_retries_is_one_event_with_one_effect(
    services: Services, endpoint: Endpoint, green_citizen: Phone, work: Callable[[], None]
) -> None:
    citizen = green_citizen
    accept = {"TemplateId": "demo-color-change", "SubscribeStatusString": "accept", "PopupScene": 0}
    message = event("subscribe_msg_popup_event", openid(citizen), List=accept)
    with ThreadPoolExecutor(20) as pool:
        answers = [job.result() for job in [pool.submit(endpoint.push, message) for _ in range(20)]]
    assert {answer.text for answer in answers} == {"success"}
    assert len(receipts(services)) == len(jobs(services)) == 1
    work()
    endpoint.push(message)
    work()
    assert (outcomes(services), citizen.balance()) == (["credits given: 1"], 1)


def test_two_people_who_cancel_in_the_same_second_are_two(services: Services, endpoint: Endpoint) -> None:
    for person in (PERSON, OTHER):
        endpoint.push(about(person, "user_authorization_cancellation"))
    assert len(receipts(services)) == len(jobs(services)) == 2


def test_jobs_of_one_person_wait_for_each_other_and_for_nobody_else(services: Services, endpoint: Endpoint) -> None:
    for person in (PERSON, OTHER):
        endpoint.push(about(person, "user_authorization_revoke", RevokeInfo="8"))
        endpoint.push(about(person, "user_authorization_cancellation"))
    with services.engine.connect() as connection:
        locks = list(connection.scalars(text("select lock from procrastinate_jobs order by id")))
    assert locks[0] == locks[1] != locks[2] == locks[3]
    assert not any(person in lock for lock in locks for person in (PERSON, OTHER))


# --- what is not let in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("apart", "status"), [(-301, 403), (-300, 200), (0, 200), (300, 200), (301, 403)])
def test_a_callback_counts_for_five_minutes_around_its_time(endpoint: Endpoint, apart: int, status: int) -> None:
    assert endpoint.push(POPUP, seconds=SECONDS + apart).status_code == status


def test_the_window_is_a_setting(services: Services) -> None:
    endpoint = make_endpoint(services, window_seconds=60)
    assert slug(endpoint.push(POPUP, seconds=SECONDS - 61)) == "callback-refused"
    assert endpoint.push(POPUP, seconds=SECONDS - 60).text == "success"


def test_the_time_of_callbacks_is_real_time_however_far_our_clock_was_moved(
    services: Services, clock: StandingClock
) -> None:
    real = StandingClock()
    endpoint = Endpoint(create_app(replace(services, callback_keys=KEYS, real_clock=real)))
    clock.advance(days=14)
    assert endpoint.push(POPUP).text == "success"
    [receipt] = receipts(services)
    assert receipt.received_at == clock.now()


@pytest.mark.parametrize("changed", [{"appid": "wx9999999999999999"}, {"token": "anothertoken"}])
def test_what_was_meant_for_others_is_refused(services: Services, endpoint: Endpoint, changed: dict[str, str]) -> None:
    other = Endpoint(endpoint.app, replace(KEYS, **changed))
    assert slug(other.push(POPUP)) == "callback-refused"
    assert receipts(services) == []


@pytest.mark.parametrize("body", [b"", b"{", b"<xml>", b"\xff\xfe", b"[]", b'{"Encrypt":1}', b"<xml/>"])
def test_what_is_no_message_is_refused_in_problem_form(endpoint: Endpoint, body: bytes) -> None:
    answer = endpoint.send({}, body)
    assert answer.status_code in (400, 403)
    assert slug(answer) in ("bad-request", "callback-refused")


def test_a_known_event_that_is_malformed_is_refused_and_not_kept(services: Services, endpoint: Endpoint) -> None:
    assert slug(endpoint.push({**POPUP, "List": ["broken", "broken"]})) == "bad-request"
    assert receipts(services) == []


def test_a_message_may_be_as_large_as_wechats_limit_and_no_larger(services: Services, endpoint: Endpoint) -> None:
    assert services.settings.limits.body_bytes < 60_000 < MAX_BODY_BYTES
    assert endpoint.push({**ENTERED, "SessionFrom": "x" * 60_000}, "plain").text == "success"
    for size in (MAX_BODY_BYTES + 1, 10 * MAX_BODY_BYTES):
        assert slug(endpoint.send({}, b"x" * size)) == "too-large"


def test_other_methods_are_refused(endpoint: Endpoint) -> None:
    assert slug(endpoint.client.put(URL, data=b"x")) == "method-not-allowed"


# --- when the database is slow or away ----------------------------------------------------------------------------


def test_while_the_table_is_locked_wechat_is_asked_to_retry(services: Services, endpoint: Endpoint) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("lock table wechat_callbacks in access exclusive mode"))
        answer = endpoint.push(POPUP)
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        assert connection.scalar(text(waiting)) == 0, "nobody waits on behind an answer that was given"
    assert slug(answer) == "unavailable" and answer.status_code == 503 and answer.headers["Retry-After"]
    assert receipts(services) == []
    assert endpoint.push(POPUP).text == "success"
    assert len(receipts(services)) == len(jobs(services)) == 1


def elsewhere(services: Services, port: int) -> Endpoint:
    """The endpoint of a server whose database is at this port."""
    engine = make_engine(f"postgresql+psycopg://nobody@127.0.0.1:{port}/none?gssencmode=disable", 2)
    return make_endpoint(
        with_engine(services, engine),
        allow_plaintext=True,
    )


def test_without_a_database_wechat_is_asked_to_retry(services: Services) -> None:
    assert slug(elsewhere(services, 1).push(POPUP)) == "unavailable"


@contextmanager
def one_who_never_answers() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.slow
def test_a_database_that_never_answers_does_not_keep_wechat_waiting(services: Services) -> None:
    with one_who_never_answers() as port:
        assert slug(elsewhere(services, port).push(POPUP)) == "unavailable"


@contextmanager
def asleep(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.skipif("JIXIANG_TEST_DATABASE_URL" in os.environ, reason="the server's processes are not ours")
def test_a_database_that_falls_asleep_does_not_keep_wechat_waiting_and_the_retry_is_known(
    services: Services,
) -> None:
    engine = make_engine(services.settings.database.url, 1)
    endpoint = make_endpoint(with_engine(services, engine))
    with engine.connect() as connection:
        process = connection.scalar(text("select pg_backend_pid()"))
    assert isinstance(process, int)
    with asleep(process):
        assert slug(endpoint.push(POPUP)) == "unavailable"
        assert receipts(services) == []
    assert endpoint.push(POPUP).text == "success"
    wait_until(lambda: not cast(QueuePool, engine.pool).checkedout(), "what fell asleep does not wake up")
    engine.dispose()
    assert len(receipts(services)) == len(jobs(services)) == 1


def test_the_message_of_the_test_needs_no_database(services: Services) -> None:
    assert elsewhere(services, 1).push(MESSAGES["debug"], "plain").text == '{"demo_resp":"good luck"}'

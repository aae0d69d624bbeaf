"""A form that is sent after the session ended is there again after the next log-in, and nobody else ever sees it."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.runtime import Services
from app.web.kept_forms import KEPT_FOR
from tests.support.clock import StandingClock
from tests.support.codes import without_redis
from tests.support.desk import Desk, text_of
from tests.support.forms import ORDER
from tests.support.people import id_number
from tests.support.sheets import xlsx

Desks = Callable[..., Desk]
NEW = "/console/entries/new"
LOGIN, KEPT = "/console/login?done=session-ended", "/console/login?done=session-ended-form-kept"
RESTORED = f"{NEW}?kept=yes&done=form-restored"
NUMBER = id_number(1)


@pytest.fixture
def token(recorder: Desk) -> str:
    return recorder.form_token()


def send_too_late(recorder: Desk, token: str, clock: StandingClock, path: str = NEW, **filled: str) -> str:
    """Send a form after fifteen idle minutes; returns where that leads."""
    clock.advance(minutes=15)
    return recorder.send(path, filled or {**ORDER, "numbers": NUMBER, "previewed": "yes"}, token=token).location


def next_page(one: Desk, clock: StandingClock) -> str:
    clock.advance(seconds=60)
    return one.log_in().location


def test_what_was_filled_in_is_restored_once_and_nothing_is_saved(
    recorder: Desk, token: str, clock: StandingClock, console: Services
) -> None:
    assert send_too_late(recorder, token, clock) == KEPT
    assert "已加密保留 15 分钟" in text_of(recorder.get(KEPT))
    [key] = console.redis.keys("jx:console:form:*")
    kept = console.redis.get(key)
    assert NUMBER.encode() not in kept and ORDER["place"].encode() not in kept
    assert 0 < console.redis.ttl(key) <= KEPT_FOR.total_seconds()
    assert next_page(recorder, clock) == RESTORED
    page = recorder.get(RESTORED)
    assert NUMBER in page.text and ORDER["place"] in page.text and 'name="kind" value="quarantine"' in page.text
    assert "暂无" in text_of(recorder.get("/console/entries")), "nothing was saved"
    assert NUMBER not in recorder.get(RESTORED).text, "it is shown once"
    assert next_page(recorder, clock) == "/console/"


def test_a_file_is_restored_as_its_lines_without_its_names(recorder: Desk, token: str, clock: StandingClock) -> None:
    clock.advance(minutes=15)
    rows = [("姓名", "证件号码"), ("示例丙", NUMBER)]
    answer = recorder.send(NEW, {**ORDER, "file": (io.BytesIO(xlsx(rows)), "名单.xlsx")}, token=token)
    assert answer.location == KEPT
    assert next_page(recorder, clock) == RESTORED
    page = recorder.get(RESTORED).text
    assert NUMBER in page and ORDER["place"] in page and "示例丙" not in page


def test_nobody_else_sees_it_and_it_is_gone_after_minutes(
    recorder: Desk, desk: Desks, token: str, clock: StandingClock, console: Services
) -> None:
    other = desk("recorder", username="rec-2", district="长春市")
    send_too_late(recorder, token, clock)
    assert next_page(other, clock) == "/console/"
    assert NUMBER not in other.get(RESTORED).text
    [key] = console.redis.keys("jx:console:form:*")
    console.redis.rename(key, key.replace(b":1", b":2"))
    assert next_page(other, clock) == "/console/", "it is bound to its officer"
    assert timedelta(minutes=5) <= KEPT_FOR <= timedelta(minutes=15)


@pytest.mark.parametrize("how", ["another site", "no token", "another form", "too large", "no session"])
def test_what_our_own_long_forms_did_not_send_is_not_kept(
    how: str, recorder: Desk, token: str, clock: StandingClock, console: Services
) -> None:
    clock.advance(minutes=15)
    headers = {"Sec-Fetch-Site": "cross-site" if how == "another site" else "same-origin"}
    if how == "no session":
        recorder.client.set_cookie("officer", "x" * 43)
    path = "/console/entries/1/reject" if how == "another form" else NEW
    numbers = NUMBER * 60_000 if how == "too large" else NUMBER
    answer = recorder.send(path, {**ORDER, "numbers": numbers}, "" if how == "no token" else token, headers)
    assert (answer.status_code, answer.location) == (303, LOGIN)
    assert console.redis.keys("jx:console:form:*") == []


def test_without_redis_the_officer_is_brought_to_the_log_in_all_the_same(
    recorder: Desk, token: str, clock: StandingClock, console: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(recorder.app.extensions, "jixiang", without_redis(console))
    assert send_too_late(recorder, token, clock) == LOGIN
    assert next_page(recorder, clock) == "/console/"

"""A recorded day of callbacks, with repeats and in disorder, leaves the same database however often it comes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from app import create_app
from app.codes.models import Notice
from app.migrations.schema import tables
from app.runtime import Services
from app.wechat.models import CallbackReceipt, WeChatUser
from tests.support.clock import StandingClock
from tests.support.examples import FULL
from tests.support.people import Phone, Station
from tests.wechat.callbacks.examples import FORMS, NOW, PLATFORM
from tests.wechat.callbacks.replaying import Jixiang, captured_line, records, runner, with_callbacks, write_lines

pytestmark = pytest.mark.slow

TEMPLATE = "demo-color-change"
EVENTS, SEED = 500 if FULL else 200, 20200320
Message = dict[str, Any]


@pytest.fixture
def jixiang(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jixiang:
    return runner(services, tmp_path, monkeypatch, allow_plaintext=True)


def openids(services: Services) -> list[str]:
    with services.sessions() as session:
        users = session.scalars(select(WeChatUser).order_by(WeChatUser.id))
        return [services.encryption.decrypt("wechat_users.openid", user.openid_ciphertext) for user in users]


def messages_sent(services: Services) -> list[str]:
    """WeChat's numbers of the messages that it has taken from us."""
    with services.sessions() as session:
        return [str(msgid) for msgid in session.scalars(select(Notice.msgid).where(Notice.msgid.is_not(None)))]


def message(random: Random, people: list[str], msgids: list[str], second: int) -> Message:
    """One event of the day; the last two of the people have their phone revoked and their account cancelled."""
    person, name = (
        random.choice(people),
        random.choice(["popup"] * 6 + ["change", "sent", "unknown", "revoke", "cancel"]),
    )
    answer = {"TemplateId": TEMPLATE, "SubscribeStatusString": random.choice(["accept", "accept", "reject"])}
    code = random.choice([0, 0, 43101])
    result = {"TemplateId": TEMPLATE, "MsgID": random.choice(msgids), "ErrorCode": code, "ErrorStatus": str(code)}
    about: Message = {"FromUserName": PLATFORM, "AppID": "wx0000000000000000"}
    fields: dict[str, Message] = {
        "popup": {"Event": "subscribe_msg_popup_event", "List": [answer]},
        "change": {"Event": "subscribe_msg_change_event", "List": [answer | {"SubscribeStatusString": "reject"}]},
        "sent": {"Event": "subscribe_msg_sent_event", "FromUserName": people[0], "List": [result]},
        "unknown": {"Event": "user_enter_tempsession"},
        "revoke": {**about, "Event": "user_authorization_revoke", "OpenID": people[-2], "RevokeInfo": "8"},
        "cancel": {**about, "Event": "user_authorization_cancellation", "OpenID": people[-1]},
    }
    sender = {"ToUserName": "gh_0123456789ab", "FromUserName": person, "MsgType": "event"}
    return {**sender, "CreateTime": int(NOW.timestamp()) + second, **fields[name]}


def day(random: Random, people: list[str], msgids: list[str]) -> list[str]:
    """The lines of the file: every fifth is a repeat of an earlier one, and they came in another order than made."""
    made: list[Message] = []
    for number in range(EVENTS):
        is_repeat = number % 5 == 4
        made.append(random.choice(made[-20:]) if is_repeat else message(random, people, msgids, number * 100))
    order = sorted(range(EVENTS), key=lambda number: number + random.uniform(0, 8))
    assert order != sorted(order)
    return [
        captured_line(made[number], *random.choice(FORMS), NOW + timedelta(seconds=100 * place))
        for place, number in enumerate(order)
    ]


def dump(services: Services) -> dict[str, list[str]]:
    """Every row of every table, and of the queue."""
    names = [*tables().tables, "procrastinate_jobs"]
    with services.engine.connect() as connection:
        return {
            name: sorted(map(str, connection.scalars(text(f'select to_jsonb(t)::text from "{name}" t'))))
            for name in names
        }


@pytest.fixture
def people(
    phone: Callable[..., Phone], station: Station, clock: StandingClock, work: Callable[[], None]
) -> list[Phone]:
    """Six citizens; the first has had a message."""
    citizens = [phone(f"示例{name}").become_green() for name in "甲乙丙丁戊己"]
    citizens[0].subscribe()
    clock.advance(minutes=1)
    assert station.measure(citizens[0].code()["token"], 38.0).status_code == 200
    work()
    return citizens


def test_a_day_that_is_replayed_twice_leaves_what_it_left_once(
    services: Services,
    serve: Callable[[Flask], str],
    people: list[Phone],
    jixiang: Jixiang,
    work: Callable[[], None],
    tmp_path: Path,
) -> None:
    known, msgids = openids(services), messages_sent(services)
    assert (len(known), len(msgids)) == (6, 1)
    everybody = [known[0], "oStranger0Stranger0Stranger0", *known[1:]]
    file = write_lines(tmp_path / "day.jsonl", *day(Random(SEED), everybody, msgids))
    server = create_app(replace(services, settings=with_callbacks(services.settings, allow_plaintext=True)))
    command = ["replay", file, "--to", serve(server), "--wait", "0", "--json"]

    first = jixiang(*command)
    assert first.exit_code == 0, first.stderr
    work()
    once = dump(services)
    assert_that_much_has_happened(services, once)

    again = jixiang(*command, "--shuffle", "--seed", "7", "--duplicate", "1", "--concurrency", "4")
    assert again.exit_code == 0, again.stderr
    assert {record["changed"] for record in records(again)} == {"nothing: a duplicate"}
    work()
    assert dump(services) == once


def assert_that_much_has_happened(services: Services, once: dict[str, list[str]]) -> None:
    """The comparison is worth something: there were repeats, and each kind of event has left its trace."""
    assert EVENTS * 0.6 < len(once["wechat_callbacks"]) <= EVENTS * 0.8
    with services.sessions() as session:
        assert session.scalars(select(CallbackReceipt).filter_by(handled_at=None)).all() == []
        outcomes = " / ".join({str(outcome) for outcome in session.scalars(select(CallbackReceipt.outcome))})
    for trace in ("credits given: 1", "credits set to 0", "failed", "phone deleted", "erased", "unknown user"):
        assert trace in outcomes, outcomes

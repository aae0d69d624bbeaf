"""WeChat in trouble: a token that ends, a time without WeChat, an answer that is lost; nothing is sent twice.

One citizen goes through all of it, and the last chapter counts what has reached their phone. Whatever is ordered to
fail is put right again at the end of its chapter, also when a step does not come true.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import requests

from devstack.demo.actors import Citizen, Station, World
from devstack.demo.transcript import expect

POPUP = "subscribe_msg_popup_event"
SEND = "/cgi-bin/message/subscribe/send"
RENEWAL = "/cgi-bin/stable_token"
FEVER = 37.3  # °C, from which a code is yellow
TRIES = 4
LATE_SECONDS = 120  # by when the event about a message without a number has been believed


def opened(world: World, name: str) -> Citizen:
    """Somebody new who has opened the mini-program, without an account."""
    citizen = Citizen(world, name)
    expect(citizen.log_in_with_wechat().status_code, 200, "the status")
    return citizen


def credits_are(citizen: Citizen, number: int) -> None:
    """Raises NotTrue unless the ledger has so many credits."""
    expect(citizen.balance(), number, "the credits")
    citizen.world.transcript.note(f"余额 credits: {number}")


def acted_upon(world: World, event: str) -> None:
    """Wait until every callback of this event has come, and a worker has done what it asks for."""
    world.wechat("GET", "/sandbox/pushes?wait=1")
    world.wait_until("the work on the callbacks", lambda: _waiting(world, event) == 0)


def _waiting(world: World, event: str) -> int:
    rows = [json.loads(line) for line in world.ask_jixiang("wechat", "callbacks", "--json").splitlines()]
    return sum(row["callbacks"] for row in rows if row["event"] == event and row["outcome"] == "waiting")


def expire_token(world: World) -> None:
    step = world.transcript.step
    with step("注册、申报、订阅五次 · register, declare, and accept five messages"):
        citizen = world.citizens["a"] = opened(world, "示例庚")
        expect(citizen.register().status_code, 201, "the status")
        expect(citizen.declare().json()["state"], "GREEN", "the state")
        citizen.subscribe(5)
        acted_upon(world, POPUP)
        credits_are(citizen, 5)
    with step("第一条提醒送达 · the first notice arrives"):
        world.station = Station(world)
        world.station.log_in()
        _told(world, citizen, 37.8, "黄码")
    with step("接口凭证中途失效：第二条仍送达，只换一次 · the token ends: the second arrives, after one renewal"):
        before = world.calls(RENEWAL)
        world.at_wechat("POST", "/sandbox/tokens/expire")
        _told(world, citizen, 36.5, "绿码")
        expect(world.calls(RENEWAL) - before, 1, "the renewals of the token")


def _told(world: World, citizen: Citizen, celsius: float, word: str) -> None:
    """A temperature changes the color, and one WeChat message reports it."""
    before = len(citizen.messages())
    _measure(world, citizen, celsius)
    world.wait_until("the end of the notice", lambda: citizen.notices()[0]["wechat"] == "sent")
    _one_more(world, citizen, before, word)


def _measure(world: World, citizen: Citizen, celsius: float) -> None:
    """Every measurement of the story changes the color, and so makes a notice."""
    assert world.station is not None
    state = "YELLOW" if celsius >= FEVER else "GREEN"
    expect(world.station.measure(citizen, celsius)["state"], state, "the state")
    expect(citizen.notices()[0]["state"], state, "the newest notice in the inbox")


def _one_more(world: World, citizen: Citizen, before: int, word: str) -> None:
    """On the phone is one message more, with this color."""
    messages = citizen.messages()
    expect(len(messages) - before, 1, "the number of new messages")
    fields = [part["value"] for part in messages[before]["fields"]]
    world.transcript.note("微信: " + " | ".join(fields))
    expect(fields[0], word, "the color in the message")


def fall_silent(world: World) -> None:
    step = world.transcript.step
    with _healthy_afterwards(world):
        with step("微信所有接口都答 -1：变码照常，站内消息都在 · WeChat is dead: changes go on, the inbox has them"):
            citizen = world.citizens["a"]
            told, calls, since = len(citizen.messages()), world.calls(SEND), time.monotonic()
            world.at_wechat("PUT", "/sandbox/failures", {"path": "*", "errcode": -1})
            for celsius in (38.0, 36.6, 38.2):
                _measure(world, citizen, celsius)
        with step("系统隔 1、2、4… 秒再试，无一送达 · it tries again after 1, 2, 4 … seconds; nothing arrives"):
            world.wait_until(f"try number {TRIES}", lambda: world.calls(SEND) - calls >= TRIES)
            world.transcript.note(f"tries: {world.calls(SEND) - calls}")
            expect(len(citizen.messages()), told, "the messages on the phone")
        with step("微信恢复：只告知最新一次 · WeChat is back: the newest change is told, and only that"):
            world.at_wechat("DELETE", "/sandbox/failures")
            world.transcript.note(f"WeChat was dead for {time.monotonic() - since:.0f} seconds.")
            world.wait_until("the end of the notice", lambda: citizen.notices()[0]["wechat"] == "sent")
            _one_more(world, citizen, told, "黄码")
            deliveries = [notice["wechat"] for notice in citizen.notices()[:3]]
            expect(deliveries, ["sent", "superseded", "superseded"], "what became of the three notices")
            credits_are(citizen, 2)  # three messages have arrived, and what WeChat did not take was given back


def lose_an_answer(world: World) -> None:
    with (
        _healthy_afterwards(world),
        world.transcript.step("微信已发，回答丢失：结果未知，不重发 · sent, the answer lost: unknown, not sent again"),
    ):
        citizen = world.citizens["a"]
        told, calls = len(citizen.messages()), world.calls(SEND)
        world.at_wechat("PUT", "/sandbox/failures", {"path": SEND, "drop": "after", "times": 1})
        _measure(world, citizen, 36.4)
        world.wait_until("an unknown outcome", lambda: citizen.notices()[0]["wechat"] == "unknown")
        _one_more(world, citizen, told, "绿码")
        expect(world.calls(SEND) - calls, 1, "the calls to WeChat")
        credits_are(citizen, 1)


@contextmanager
def _healthy_afterwards(world: World) -> Iterator[None]:
    """Whatever was ordered to fail in the block fails no more after it."""
    try:
        yield
    finally:
        with suppress(requests.RequestException):
            world.wechat("DELETE", "/sandbox/failures")


def settle(world: World) -> None:
    with world.transcript.step("微信事后的回执：未知的那条已送达 · WeChat's own event tells: the unknown one arrived"):
        citizen = world.citizens["a"]
        world.wait_until("the late result", lambda: citizen.notices()[0]["wechat"] == "sent", LATE_SECONDS)
    with world.transcript.step("无一遗失，无一重复 · nothing is lost, and nothing was told twice"):
        deliveries = Counter(notice["wechat"] for notice in citizen.notices())
        world.transcript.note(", ".join(f"{times} {delivery}" for delivery, times in deliveries.items()))
        # the first code was seen on the screen that asked for it
        expect(dict(deliveries), {"sent": 4, "superseded": 2, "seen": 1}, "what became of the changes")
        expect(len(citizen.messages()), 4, "the messages on the phone")
        expect(citizen.balance(), 1, "the credits: five less four messages")

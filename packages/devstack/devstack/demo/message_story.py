"""The chapter of who has no subscription: the official account, one text message, and what ends both."""

import json
from typing import Any

from devstack.demo.actors import Citizen, Station, World
from devstack.demo.transcript import expect

_SEND = "/cgi-bin/message/subscribe/send"
_SWITCH = "/api/v1/accounts/me/text-messages"


def get_text_messages(world: World) -> None:
    step = world.transcript.step
    citizen, station = Citizen(world, "示例丁"), Station(world)
    with step("未订阅者：注册、申报 · without subscription: register and declare"):
        station.log_in()
        citizen.log_in_with_wechat()
        citizen.register()
        expect(citizen.declare().json()["state"], "GREEN", "the state")
    with step("变码：一条短信，不含颜色、姓名和链接 · a change: one text message, without color, name or link"):
        before = world.calls(_SEND)
        expect(station.measure(citizen, 38.0)["state"], "YELLOW", "the state")
        newest = _settled(world, citizen, "sent")
        [text] = world.texts(citizen.phone)
        world.transcript.note(f"短信 text message: {text}")
        expect(any(word in text for word in ("黄", "YELLOW", "http", citizen.name)), False, "color, name or link in it")
        expect((newest["channel"], world.calls(_SEND) - before), ("sms", 0), "the channel, and calls to WeChat")
    with step("关闭短信通知：只记入消息 · text messages switched off: in the inbox alone"):
        expect(citizen.call("PUT", _SWITCH, {"on": False}).json()["on"], False, "the switch")
        expect(station.measure(citizen, 36.5)["state"], "GREEN", "the state")
        newest = _settled(world, citizen, "no-subscription")
        world.transcript.note(f"站内消息: {newest['word']} {newest['title']}，{newest['advice']}")
        expect((len(world.texts(citizen.phone)), citizen.messages()), (1, []), "text messages, and messages in WeChat")


def follow_official_account(world: World) -> None:
    step = world.transcript.step
    citizen, station = Citizen(world, "示例己"), Station(world)
    with step("关注公众号：由 unionid 认出 · following the official account: known by the unionid"):
        station.log_in()
        citizen.log_in_with_wechat()
        citizen.register()
        expect(citizen.declare().json()["state"], "GREEN", "the state")
        _follow(world, citizen, "follow", "subscribe")
    with step("变码：公众号一条消息，不含颜色和姓名 · a change: one message by the account, without color and name"):
        before = world.calls(_SEND)
        expect(station.measure(citizen, 38.0)["state"], "YELLOW", "the state")
        newest = _settled(world, citizen, "sent")
        [message] = world.wechat("GET", f"/sandbox/users/{citizen.handle}/official-messages")
        shown = " · ".join(field["value"] for field in message["fields"])
        world.transcript.note(f"公众号 official account: {message['title']} {shown}")
        expect(any(word in shown for word in ("黄", "YELLOW", citizen.name)), False, "color or name in it")
        expect((newest["channel"], world.calls(_SEND) - before), ("official", 0), "the channel, and other messages")
        expect(world.texts(citizen.phone), [], "text messages")
    with step("取消关注：立即停止，改由短信 · unfollowing ends it at once: a text message is next"):
        _follow(world, citizen, "unfollow", "unsubscribe")
        expect(station.measure(citizen, 36.5)["state"], "GREEN", "the state")
        newest = _settled(world, citizen, "sent", state="GREEN")
        expect((newest["channel"], len(world.texts(citizen.phone))), ("sms", 1), "the channel, and text messages")


def _follow(world: World, citizen: Citizen, what: str, event: str) -> None:
    """Follow or unfollow the account; its event has been applied when this returns."""
    world.at_wechat("POST", f"/sandbox/users/{citizen.handle}/{what}")
    world.wechat("GET", "/sandbox/official/pushes?wait=1")

    def applied() -> bool:
        rows = world.ask_jixiang("wechat", "callbacks", "--json").splitlines()
        return not any(row["event"] == event and row["outcome"] == "waiting" for row in map(json.loads, rows))

    world.wait_until(f"the effect of {event}", applied)


def _settled(world: World, citizen: Citizen, delivery: str, state: str = "") -> dict[str, Any]:
    """The newest notice, once its message has come to this end."""
    notices: list[dict[str, Any]] = []

    def settled() -> bool:
        notices[:] = citizen.look("/api/v1/notices")["notices"]
        return bool(notices) and notices[0]["wechat"] == delivery and state in ("", notices[0]["state"])

    world.wait_until("the notice in the inbox", settled)
    return notices[0]

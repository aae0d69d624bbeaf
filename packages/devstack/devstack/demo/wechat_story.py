"""The story of WeChat, chapter by chapter: callbacks in every form, credits, repeats, who leaves, and replay.

`wechat_trouble.py` has the chapters in which WeChat fails. Whatever a chapter turns over in the sandbox it puts right
again at its end, also when a step does not come true.
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from app.cli.language import translate_callback
from app.core.clock import BEIJING
from devstack.demo.actors import TEMPLATE, Citizen, World
from devstack.demo.transcript import expect
from devstack.demo.wechat_trouble import (
    POPUP,
    acted_upon,
    credits_are,
    expire_token,
    fall_silent,
    lose_an_answer,
    opened,
    settle,
)

REVOKE = "user_authorization_revoke"
GOOD_LUCK = '{"demo_resp":"good luck"}'
AGAIN = "nothing: a duplicate"
FORMS = tuple((mode, form) for mode in ("plain", "compatible", "safe") for form in ("json", "xml"))


def push_callbacks(world: World) -> None:
    step = world.transcript.step
    with _push_as_made(world):
        with step("微信校验服务器地址 · WeChat checks the address of the server"):
            _set_push(world, "safe", "json")  # somebody may have turned the pushes off
            answer = world.at_wechat("POST", "/sandbox/push/check")
            expect((answer["ok"], answer["status"]), (True, 200), "the check")
        with step("六人打开小程序，一人一种形式 · six people open the mini-program, one for each form"):
            phones = [opened(world, f"示例{mode}{form}") for mode, form in FORMS]
        for (mode, form), citizen in zip(FORMS, phones, strict=True):
            _push_in_form(world, citizen, mode, form)
        with step("微信重试时已是安全模式：被拒的两次未丢失 · the refused come again in safe mode: nothing is lost"):
            _all_have_come(world, phones)
        for form in ("json", "xml"):
            with step(f"debug_demo（{form}）得到加密回复 · debug_demo in {form} gets an encrypted answer"):
                _set_push(world, "safe", form)
                push = world.at_wechat("POST", "/sandbox/push/debug", {"debug_str": "hello"})
                world.transcript.came(f"{push['status']} {push['answer']}, decrypted by WeChat")
                expect((push["outcome"], push["answer"]), ("delivered", GOOD_LUCK), "the answer")


def _push_in_form(world: World, citizen: Citizen, mode: str, form: str) -> None:
    """A server with a key takes nothing in plain: that would let anybody leave the encryption out."""
    refused = mode == "plain"
    words = "本服务器有密钥，拒绝明文 · refused: a server with a key takes nothing in plain"
    with world.transcript.step(f"{mode} {form}：{words if refused else '确认 · acknowledged'}"):
        _set_push(world, mode, form)
        world.at_wechat("POST", f"/sandbox/users/{citizen.handle}/subscribe", {TEMPLATE: "accept"})
        world.wait_until("the first try", lambda: bool(_push_of(world, citizen)["attempts"]))
        push = _push_of(world, citizen)
        world.transcript.came(push["fault"] or f"{push['status']} {push['answer']}")
        if refused:
            expect(push["status"] in (400, 403), True, "a refusal, and no other status")
        else:
            expect((push["status"], push["answer"]), (200, "success"), "the answer")


def _push_of(world: World, citizen: Citizen) -> dict[str, Any]:
    """The newest callback about somebody."""
    pushes: list[dict[str, Any]] = world.wechat("GET", "/sandbox/pushes")
    newest: dict[str, dict[str, Any]] = {push["openid"]: push for push in reversed(pushes)}
    return newest[citizen.openid]


def _all_have_come(world: World, phones: Sequence[Citizen]) -> None:
    """What WeChat pushed about each has been taken, if not at the first try, and is one credit."""
    world.wechat("GET", "/sandbox/pushes?wait=1")
    for citizen in phones:
        expect(_push_of(world, citizen)["outcome"], "delivered", "the push")
    world.wait_until("a credit for each", lambda: [citizen.balance() for citizen in phones] == [1] * len(phones))
    tries = [_push_of(world, citizen)["attempts"] for citizen in phones]
    world.transcript.note(f"tries: {tries}, credits: {[citizen.balance() for citizen in phones]}")


def _set_push(world: World, mode: str, form: str) -> None:
    """Let WeChat push in this form, with the token and the key of the run."""
    token, aes_key = ((world.place.directory / name).read_text() for name in ("wechat-token", "wechat-aes-key"))
    given = {"url": f"{world.place.web}/wechat/callback", "token": token, "aes_key": aes_key}
    world.wechat("PUT", "/sandbox/push", {**given, "mode": mode, "format": form})


@contextmanager
def _push_as_made(world: World) -> Iterator[None]:
    """Afterwards callbacks are pushed as `jixiang-dev run` has set them up, if WeChat is still there."""
    try:
        yield
    finally:
        with suppress(requests.RequestException):
            _set_push(world, "safe", "json")


def subscribe(world: World) -> None:
    step = world.transcript.step
    with step("弹窗点一次允许，小程序上报、微信也推送：只记一次 · one tap, reported and pushed: one credit"):
        citizen = opened(world, "示例戊")
        citizen.subscribe(1)
        acted_upon(world, POPUP)
        credits_are(citizen, 1)
    with step("在微信设置中关闭：余额为零 · switched off in WeChat's settings: zero"):
        world.at_wechat("POST", f"/sandbox/users/{citizen.handle}/settings", {TEMPLATE: "reject"})
        world.wait_until("no credit", lambda: citizen.balance() == 0)
        credits_are(citizen, 0)


def storm(world: World) -> None:
    with world.transcript.step("同一推送同时来 20 次：只生效一次 · the same callback 20 times at once: one effect"):
        citizen = opened(world, "示例己")
        with _written([_popup(citizen, int(time.time()))]) as file:
            printed = _replay(world, file, "--json", "--duplicate", "19", "--concurrency", "8")
        rows = [json.loads(line) for line in printed.splitlines()]
        counts = Counter((row["answer"], row["changed"]) for row in rows)
        for (answer, change), times in counts.items():
            world.transcript.came(f"{times} × {answer}: {change}")
        expect(dict(counts), {("success", "credits given: 1"): 1, ("success", AGAIN): 19}, "answers and effects")
        credits_are(citizen, 1)


def leave(world: World) -> None:
    step = world.transcript.step
    with step("注册后登记为密接：橙码 · registered, and recorded as a close contact: orange"):
        citizen = opened(world, "示例辛")
        expect(citizen.register().status_code, 201, "the status")
        today = world.now().astimezone(BEIJING).date()
        expect(world.record(citizen, "contact", exposed_on=today), "ORANGE", "the state")
    with step("撤回手机号授权：手机号已删除 · the phone number is taken back: it is gone"):
        expect(bool(citizen.look("/api/v1/accounts/me")["phone"]), True, "a phone number before")
        world.at_wechat("POST", f"/sandbox/users/{citizen.handle}/revoke", {"info": ["8"]})
        world.wait_until("no phone number", lambda: citizen.look("/api/v1/accounts/me")["phone"] is None)
        world.transcript.note("GET /api/v1/accounts/me: phone=null")
    with step("注销：账号已删除，会话作废 · the account is deleted, and its session with it"):
        world.at_wechat("POST", f"/sandbox/users/{citizen.handle}/cancel")
        world.wait_until("no session", lambda: "session-expired" in citizen.look("/api/v1/accounts/me").get("type", ""))
        expect(citizen.log_in_with_wechat().json()["account"], None, "the account")
    with step("同一证件再次注册，经核验仍是橙码 · the same person registers again: orange still, once confirmed"):
        expect(citizen.register().status_code, 201, "the status")
        citizen.declare()
        world.wait_until("ORANGE", lambda: citizen.state() == "ORANGE")
        reason = citizen.code()["reasons"][0]
        expect(reason["rule"], "ORANGE-CONTACT", "the rule")
        world.transcript.note(f"{reason['title']}（{'、'.join(reason['authorities'])}，自 {reason['since']}）")


def replay(world: World) -> None:
    step, at = world.transcript.step, int(time.time())
    with step("重放手写的四个推送 · four callbacks, written by hand, are replayed"):
        citizen = opened(world, "示例壬")
        messages = [
            _popup(citizen, at - 3),
            _popup(citizen, at - 2),
            _message(citizen, at - 1, REVOKE, {"OpenID": citizen.openid, "RevokeInfo": "8"}),
            _message(citizen, at, "an_event_of_tomorrow", {}),
        ]
        with _written(messages) as file:
            world.transcript.printed(_replay(world, file))
        credits_are(citizen, 2)
    with step("再重放一次：什么也不变 · replayed once more: nothing changes"):
        with _written(messages) as file:
            printed = _replay(world, file)
        world.transcript.printed(printed)
        expect(printed.count(translate_callback(AGAIN)), len(messages), "the callbacks that had come before")
        credits_are(citizen, 2)


def _popup(citizen: Citizen, at: int) -> dict[str, Any]:
    entry = {"TemplateId": TEMPLATE, "SubscribeStatusString": "accept", "PopupScene": "0"}
    return _message(citizen, at, POPUP, {"List": entry})


def _message(citizen: Citizen, at: int, event: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A callback about somebody, as WeChat writes it in JSON."""
    head = {"ToUserName": "gh_demo", "FromUserName": citizen.openid, "CreateTime": at, "MsgType": "event"}
    return {**head, "Event": event, **fields}


@contextmanager
def _written(messages: Sequence[dict[str, Any]]) -> Iterator[Path]:
    """A file with these callbacks, gone afterwards: it names people."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "callbacks.json"
        file.write_text(json.dumps(messages), encoding="utf-8")
        yield file


def _replay(world: World, file: Path, *options: str) -> str:
    words = ("--to", world.place.web, "--wait", "20", *options)
    return world.jixiang("wechat", "replay", str(file), *words, show=" ".join(("wechat replay", file.name, *words)))


CHAPTERS: tuple[tuple[str, Callable[[World], None]], ...] = (
    ("六种形式的推送 · Callbacks in all six forms", push_callbacks),
    ("订阅余额 · Credits", subscribe),
    ("重复风暴 · A storm of duplicates", storm),
    ("凭证失效 · A token that ends", expire_token),
    ("微信中断 · A dead WeChat", fall_silent),
    ("丢失的回答 · A lost answer", lose_an_answer),
    ("撤回与注销 · Taking back, and leaving", leave),
    ("重放 · Replay", replay),
    ("结账 · The account of it", settle),
)

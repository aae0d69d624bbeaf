"""WeChat's own paths: they answer as WeChat documents, always HTTP 200 with an errcode.

Owns the wire format. Each path of WeChat is one view here; a view knows nothing of ordered
failures, only where a delay belongs (`wait`), which matters for a send: WeChat is busy with that
user while it lasts.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from flask import Blueprint, Response, current_app, request

from app.wechat.sandbox.errors import Refused
from app.wechat.sandbox.failures import Failure, dropped
from app.wechat.sandbox.messages import deliver
from app.wechat.sandbox.phones import exchange_code
from app.wechat.sandbox.tokens import (
    check_account,
    check_credentials,
    check_token,
    plain_token,
    stable_token,
)
from app.wechat.sandbox.world import World

blueprint = Blueprint("wechat", __name__)

Answer = dict[str, Any]
View = Callable[[Callable[[], None]], Answer]


def here() -> World:
    """The WeChat that this application plays."""
    return cast(World, current_app.extensions["wechat-sandbox"])


def path_of_wechat(method: str, path: str) -> Callable[[View], View]:
    """Puts a view at a path of WeChat, behind the ordered failures."""

    def put(view: View) -> View:
        @wraps(view)
        def call() -> Response:
            return _call(method, view)

        blueprint.add_url_rule(path, view_func=call, methods=["GET", "POST"])
        return view

    return put


def _call(method: str, view: View) -> Response:
    world = here()
    world.count(request.path)
    order = world.failures.take(request.path) or Failure.model_construct()
    if order.answers_instead:
        world.sleep(order.delay)
        return dropped(request.environ) if order.drop == "before" else _ordered_answer(order)
    answer = _answer(method, view, lambda: world.sleep(order.delay))
    return dropped(request.environ) if order.drop == "after" else answer


def _answer(method: str, view: View, wait: Callable[[], None]) -> Response:
    try:
        if request.method != method:
            raise Refused(43001 if method == "GET" else 43002)
        return _json(view(wait))
    except Refused as refused:
        return _refusal(refused)


def _ordered_answer(order: Failure) -> Response:
    if order.errcode is None:
        return Response("", status=order.status, content_type="text/html")
    answer = _refusal(Refused(order.errcode))
    answer.status_code = order.status or 200
    return answer


def _refusal(refused: Refused) -> Response:
    world = here()
    moment = int(world.now().timestamp())
    rid = f"{moment:08x}-{world.entropy(4).hex()}-{world.entropy(4).hex()}"
    return _json({"errcode": refused.code, "errmsg": f"{refused.words} rid: {rid}"})


def _json(answer: Answer) -> Response:
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return Response(text, content_type="application/json; charset=utf-8")


def _body() -> Answer:
    """The JSON object in the body, whatever content type it came with."""
    if not request.get_data():
        raise Refused(44002)
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise Refused(47001) from None
    if not isinstance(body, dict):
        raise Refused(47001)
    return body


@path_of_wechat("GET", "/sns/jscode2session")
def code_to_session(wait: Callable[[], None]) -> Answer:
    world, asked = here(), request.args
    wait()
    check_account(world, asked.get("appid"), asked.get("secret"))
    if not asked.get("js_code"):
        raise Refused(41008)
    if asked.get("grant_type") != "authorization_code":
        raise Refused(40002)
    return dict(exchange_code(world, asked["js_code"]))


@path_of_wechat("POST", "/cgi-bin/stable_token")
def give_stable_token(wait: Callable[[], None]) -> Answer:
    world, asked = here(), _body()
    wait()
    check_credentials(world, asked.get("grant_type"), asked.get("appid"), asked.get("secret"))
    text, seconds = stable_token(world, force_refresh=asked.get("force_refresh") is True)
    return {"access_token": text, "expires_in": seconds}


@path_of_wechat("GET", "/cgi-bin/token")
def give_plain_token(wait: Callable[[], None]) -> Answer:
    world, asked = here(), request.args
    wait()
    check_credentials(world, asked.get("grant_type"), asked.get("appid"), asked.get("secret"))
    text, seconds = plain_token(world)
    return {"access_token": text, "expires_in": seconds}


@path_of_wechat("POST", "/cgi-bin/message/subscribe/send")
def send_subscribe_message(wait: Callable[[], None]) -> Answer:
    world, body = here(), _authorized_body()
    with world.look() as state:
        openid = state.phone_with_openid(body.get("touser")).openid
    with world.sending(openid):
        wait()
        with world.change() as state:
            msgid = deliver(world, state, body)
    return {"errcode": 0, "errmsg": "ok", "msgid": msgid}


def _authorized_body() -> Answer:
    """The body of a call whose access token counts."""
    world = here()
    with world.look() as state:
        check_token(state, request.args.get("access_token"), world.now())
    return _body()

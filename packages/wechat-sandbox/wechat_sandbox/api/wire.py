"""The wire format of WeChat's own paths: always HTTP 200 with JSON and an errcode, or an image.

Owns how a view gets its body and how an answer, a refusal or an ordered failure leaves. Knows no
path of WeChat.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from flask import Blueprint, Response, current_app, request

from wechat_sandbox.errors import Refused
from wechat_sandbox.world.failures import Failure, dropped
from wechat_sandbox.world.tokens import check_token
from wechat_sandbox.world.world import World

blueprint = Blueprint("wechat", __name__)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")  # each is answered with an errcode

Answer = dict[str, Any]
View = Callable[[Callable[[], None]], Answer | Response]


def here() -> World:
    """The WeChat that this application plays."""
    return cast(World, current_app.extensions["wechat-sandbox"])


def path_of_wechat(method: str, path: str) -> Callable[[View], View]:
    """Puts a view at a path of WeChat, behind the ordered failures."""

    def put(view: View) -> View:
        @wraps(view)
        def call() -> Response:
            return _call(method, view)

        blueprint.add_url_rule(path, view_func=call, methods=_METHODS)
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
    world = here()
    try:
        if request.method != method:
            raise Refused(43001 if method == "GET" else 43002)
        world.rates.take(request.path, world.now())
        answer = view(wait)
        return answer if isinstance(answer, Response) else _json(answer)
    except Refused as refused:
        return refusal(refused)


def _ordered_answer(order: Failure) -> Response:
    if order.errcode is None:
        return Response("", status=order.status, content_type="text/html")
    answer = refusal(Refused(order.errcode))
    answer.status_code = order.status or 200
    return answer


def refusal(refused: Refused) -> Response:
    """WeChat's answer when it refuses: HTTP 200 with errcode and errmsg."""
    world = here()
    moment = int(world.now().timestamp())
    rid = f"{moment:08x}-{world.entropy(4).hex()}-{world.entropy(4).hex()}"
    return _json({"errcode": refused.code, "errmsg": f"{refused.words} rid: {rid}"})


def _json(answer: Answer) -> Response:
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return Response(text, content_type="application/json; charset=utf-8")


def body_of_call() -> Answer:
    """The JSON object in the body, whatever content type it came with. Raises Refused 44002 or 47001."""
    if not request.get_data():
        raise Refused(44002)
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise Refused(47001) from None
    if not isinstance(body, dict):
        raise Refused(47001)
    return body


def authorize(account: str = "") -> None:
    """Raises Refused when the access token in the URL does not count for this account, by default the mini-program."""
    world = here()
    with world.look() as state:
        check_token(state, account, request.args.get("access_token"), world.now())

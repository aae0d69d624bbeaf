"""WeChat's paths of an official account: its followers and its template messages.

Without an official account in the configuration each of them answers 48001, as to an account that may not.
"""

from collections.abc import Callable
from typing import Any

from flask import request

from wechat_sandbox.api.official_messages import deliver
from wechat_sandbox.api.views import OK
from wechat_sandbox.api.wire import Answer, authorize, body_of_call, here, path_of_wechat
from wechat_sandbox.errors import Refused
from wechat_sandbox.state import OfficialAccount, Phone

LISTED_AT_ONCE = 10_000
READ_AT_ONCE = 100


def _account() -> OfficialAccount:
    """The official account, whose access token the call has."""
    official = here().official
    if official is None:
        raise Refused(48001)
    authorize(official.appid)
    return official


@path_of_wechat("POST", "/cgi-bin/message/template/send")
def send_template_message(wait: Callable[[], None]) -> Answer:
    world, official, body = here(), _account(), body_of_call()
    wait()
    with world.change() as state:
        msgid = deliver(world, official, state, body)
    return {**OK, "msgid": msgid}


@path_of_wechat("GET", "/cgi-bin/user/get")
def list_followers(wait: Callable[[], None]) -> Answer:
    _account()
    wait()
    after = request.args.get("next_openid", "")
    with here().look() as state:
        openids = [phone.follower for phone in state.followers()]
    start = openids.index(after) + 1 if after in openids else 0
    page = openids[start : start + LISTED_AT_ONCE]
    listed = {"data": {"openid": page}} if page else {}
    return {"total": len(openids), "count": len(page), **listed, "next_openid": page[-1] if page else ""}


@path_of_wechat("GET", "/cgi-bin/user/info")
def read_follower(wait: Callable[[], None]) -> Answer:
    _account()
    wait()
    with here().look() as state:
        return _shown(state.phone_of_follower(request.args.get("openid")))


@path_of_wechat("POST", "/cgi-bin/user/info/batchget")
def read_followers(wait: Callable[[], None]) -> Answer:
    _account()
    asked = body_of_call().get("user_list")
    wait()
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise Refused(47001)
    if not 1 <= len(asked) <= READ_AT_ONCE:
        raise Refused(40032)
    with here().look() as state:
        return {"user_info_list": [_shown(state.phone_of_follower(one.get("openid"))) for one in asked]}


def _shown(phone: Phone) -> dict[str, Any]:
    """What WeChat says of a follower. Its own example has a space before the unionid."""
    if phone.followed_at is None:
        return {"subscribe": 0, "openid": phone.follower}
    bound = here().with_unionid and phone.has_unionid
    return {
        "subscribe": 1,
        "openid": phone.follower,
        "language": "zh_CN",
        "subscribe_time": int(phone.followed_at.timestamp()),
        **({"unionid": f" {phone.unionid}"} if bound else {}),
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_SEARCH",
    }

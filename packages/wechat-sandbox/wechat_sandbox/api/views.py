"""WeChat's own paths: they answer as WeChat documents.

Each path of WeChat is one view here; a view knows nothing of ordered failures, only where a delay
belongs (`wait`), which matters for a send: WeChat is busy with that user while it lasts.
"""

import hashlib
import hmac
from collections.abc import Callable

from flask import Response, request

from wechat_sandbox.api.entry_codes import entry_code
from wechat_sandbox.api.messages import deliver
from wechat_sandbox.api.wire import Answer, authorize, body_of_call, here, path_of_wechat
from wechat_sandbox.errors import Refused
from wechat_sandbox.phones.numbers import exchange_phone_code
from wechat_sandbox.phones.people import exchange_code
from wechat_sandbox.world.tokens import check_account, check_credentials, plain_token, stable_token

OK = {"errcode": 0, "errmsg": "ok"}


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
    world, asked = here(), body_of_call()
    wait()
    account = check_credentials(world, asked.get("grant_type"), asked.get("appid"), asked.get("secret"))
    text, seconds = stable_token(world, account, force_refresh=asked.get("force_refresh") is True)
    return {"access_token": text, "expires_in": seconds}


@path_of_wechat("GET", "/cgi-bin/token")
def give_plain_token(wait: Callable[[], None]) -> Answer:
    world, asked = here(), request.args
    wait()
    account = check_credentials(world, asked.get("grant_type"), asked.get("appid"), asked.get("secret"))
    text, seconds = plain_token(world, account)
    return {"access_token": text, "expires_in": seconds}


@path_of_wechat("POST", "/cgi-bin/message/subscribe/send")
def send_subscribe_message(wait: Callable[[], None]) -> Answer:
    world = here()
    authorize()
    body = body_of_call()
    with world.look() as state:
        openid = state.phone_with_openid(body.get("touser")).openid
    with world.sending(openid):
        wait()
        with world.change() as state:
            msgid = deliver(world, state, body)
    return {**OK, "msgid": msgid}


@path_of_wechat("POST", "/wxa/getwxacodeunlimit")
def give_entry_code(wait: Callable[[], None]) -> Response:
    authorize()
    body = body_of_call()
    wait()
    return Response(entry_code(here(), body), content_type="image/png")


@path_of_wechat("POST", "/wxa/business/getuserphonenumber")
def give_phone_number(wait: Callable[[], None]) -> Answer:
    authorize()
    body = body_of_call()
    wait()
    return {**OK, "phone_info": exchange_phone_code(here(), body.get("code"), body.get("openid"))}


@path_of_wechat("GET", "/wxa/checksession")
def check_session(wait: Callable[[], None]) -> Answer:
    asked = request.args
    authorize()
    wait()
    with here().look() as state:
        key = state.phone_with_openid(asked.get("openid")).session_key
    expected = hmac.new(key.encode(), b"", hashlib.sha256).hexdigest()
    given = asked.get("signature", "").encode()
    if not key or asked.get("sig_method") != "hmac_sha256" or not hmac.compare_digest(expected.encode(), given):
        raise Refused(87009)
    return dict(OK)

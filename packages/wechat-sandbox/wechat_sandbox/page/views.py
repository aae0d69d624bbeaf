"""The page that shows every phone and lets a person play its owner or break WeChat on purpose."""

from datetime import datetime

from flask import render_template, request
from werkzeug.wrappers import Response

from sandbox_kit.guards import allow_script
from sandbox_kit.page import back, make_page
from sandbox_kit.reading import filled
from wechat_sandbox.api.wire import here
from wechat_sandbox.control.views import ANSWERS, FAILURE, NEW_USER, SETTINGS
from wechat_sandbox.phones import people as phones
from wechat_sandbox.phones.numbers import CODE_LIFE
from wechat_sandbox.push.pushing import Push
from wechat_sandbox.state import State
from wechat_sandbox.world import tokens
from wechat_sandbox.world.failures import LATE_RESULT, LATE_TEMPLATE_RESULT
from wechat_sandbox.world.world import World

MESSAGES_SHOWN = 12
PUSHES_SHOWN = 12
TOKENS_SHOWN = 6
PHONE_CODES_SHOWN = 3
PATHS = {
    "/cgi-bin/message/subscribe/send": "/cgi-bin/message/subscribe/send",
    "/cgi-bin/message/template/send": "/cgi-bin/message/template/send",
    "/cgi-bin/user/get": "/cgi-bin/user/get",
    "/cgi-bin/user/info": "/cgi-bin/user/info",
    "/cgi-bin/user/info/batchget": "/cgi-bin/user/info/batchget",
    "/sns/jscode2session": "/sns/jscode2session",
    "/cgi-bin/stable_token": "/cgi-bin/stable_token",
    "/cgi-bin/token": "/cgi-bin/token",
    "/wxa/getwxacodeunlimit": "/wxa/getwxacodeunlimit",
    "/wxa/business/getuserphonenumber": "/wxa/business/getuserphonenumber",
    "/wxa/checksession": "/wxa/checksession",
    "*": "所有接口 Every path",
    LATE_RESULT: "下发结果（只用 errcode） Late result of a send",
    LATE_TEMPLATE_RESULT: "公众号下发结果（只用 errcode） Late result of a template message",
}
REVOCABLE = {"8": "手机号 Phone", "6": "昵称头像 Nickname", "13": "位置 Location"}


def show(mistake: str) -> str:
    world = here()
    with world.look() as state:
        return render_template(
            "phones.html",
            title=world.title,
            mistake=mistake,
            nonce=allow_script(),
            appid=world.appid,
            templates=world.templates,
            phones=[(phone, phones.quota(world, phone)) for phone in state.phones.values()],
            phone_codes=_phone_codes(state),
            tokens=_tokens(state),
            official=world.official,
            names={openid: phone.name for phone in state.phones.values() for openid in (phone.openid, phone.follower)},
            push=world.push_settings(),
            pushes=_pushes(world),
            revocable=REVOCABLE,
            shown=MESSAGES_SHOWN,
            orders=world.failures.list(),
            calls=sorted(world.calls.items()),
            paths=PATHS,
        )


def _pushes(world: World) -> list[Push]:
    """The newest callbacks of both accounts."""
    both = [*world.pusher.list(), *world.official_pusher.list()]
    return sorted(both, key=lambda push: push.at, reverse=True)[:PUSHES_SHOWN]


def _phone_codes(state: State) -> dict[str, list[tuple[str, str]]]:
    """For each phone its newest codes and what they are: live, used or over."""
    now = here().now()
    shown: dict[str, list[tuple[str, str]]] = {}
    for text, code in reversed(state.phone_codes.items()):
        standing = "used" if code.used else "live" if now - code.made_at < CODE_LIFE else "over"
        shown.setdefault(code.phone, []).append((text, standing))
    return {name: codes[:PHONE_CODES_SHOWN] for name, codes in shown.items()}


def _tokens(state: State) -> list[tuple[str, str, str, datetime]]:
    """Return the newest access tokens: their first characters, kind, state and end."""
    now = here().now()
    return [
        (
            token.text[:9],
            token.kind,
            "replaced" if token.replaced else "live" if token.ends_at > now else "over",
            token.ends_at,
        )
        for token in reversed(state.tokens[-TOKENS_SHOWN:])
    ]


blueprint = make_page(__name__, show)


@blueprint.errorhandler(phones.UnknownPhone)
def show_an_unknown_phone(error: phones.UnknownPhone) -> tuple[str, int]:
    return show(str(error)), 400


@blueprint.post("/phones")
def add_phone() -> Response:
    given = NEW_USER.validate_python({"name": request.form.get("name", "").strip()})
    phones.add_phone(here(), given.name)
    return back()


@blueprint.post("/phones/subscribe")
def subscribe() -> Response:
    asked = ANSWERS.validate_python({request.form["template_id"]: request.form["answer"]})
    phones.subscribe(here(), request.form["name"], asked)
    return back()


@blueprint.post("/phones/settings")
def set_setting() -> Response:
    asked = SETTINGS.validate_python({request.form["template_id"]: request.form["setting"]})
    phones.set_setting(here(), request.form["name"], asked)
    return back()


@blueprint.post("/failures")
def order_failure() -> Response:
    here().failures.put(FAILURE.validate_python(filled(), strict=False))
    return back()


@blueprint.post("/failures/clear")
def end_failures() -> Response:
    here().failures.clear()
    return back()


@blueprint.post("/tokens/expire")
def expire_tokens() -> Response:
    tokens.expire_all(here())
    return back()

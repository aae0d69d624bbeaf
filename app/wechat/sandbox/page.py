"""The page that shows every phone and lets a person play its owner or break WeChat on purpose.

Plain forms that do what `/sandbox/` does; nothing is loaded from elsewhere and everything shown is
escaped.
"""

import secrets
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, current_app, g, redirect, render_template, request
from pydantic import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from app.wechat.sandbox import phones, tokens
from app.wechat.sandbox.api import here
from app.wechat.sandbox.control import ANSWERS, FAILURE, NEW_USER, SETTINGS, sentence

blueprint = Blueprint("page", __name__, template_folder="templates")

MESSAGES_SHOWN = 12
PATHS = (
    "/cgi-bin/message/subscribe/send",
    "/sns/jscode2session",
    "/cgi-bin/stable_token",
    "/cgi-bin/token",
    "*",
)
_BEIJING = ZoneInfo("Asia/Shanghai")


@blueprint.app_template_filter("beijing")
def beijing(moment: datetime) -> str:
    return moment.astimezone(_BEIJING).strftime("%m-%d %H:%M:%S")


@blueprint.before_request
def refuse_forms_of_other_sites() -> None:
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin and urlsplit(origin).netloc != request.host:
        abort(403)


@blueprint.after_request
def load_nothing_from_elsewhere(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; form-action 'self'; "
        f"base-uri 'none'; frame-ancestors 'none'; script-src 'nonce-{g.get('nonce', '')}'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(ValidationError)
def show_a_bad_value(error: ValidationError) -> tuple[str, int]:
    return _page(mistake=sentence(error)), 400


@blueprint.errorhandler(phones.Impossible)
@blueprint.errorhandler(phones.UnknownPhone)
def show_the_impossible(error: Exception) -> tuple[str, int]:
    return _page(mistake=str(error.args[0])), 400


@blueprint.get("/")
def index() -> str:
    return _page()


def _page(mistake: str = "") -> str:
    g.nonce = secrets.token_urlsafe(12)
    world = here()
    with world.look() as state:
        return render_template(
            "phones.html",
            title=cast(str, current_app.config["PAGE_TITLE"]),
            mistake=mistake,
            nonce=g.nonce,
            appid=world.appid,
            templates=world.templates,
            phones=[(phone, phones.quota(world, phone)) for phone in state.phones.values()],
            shown=MESSAGES_SHOWN,
            orders=world.failures.list(),
            calls=sorted(world.calls.items()),
            paths=PATHS,
        )


def _back() -> AnyResponse:
    return redirect("/", code=303)


@blueprint.post("/phones")
def add_phone() -> AnyResponse:
    given = NEW_USER.validate_python({"name": request.form.get("name", "").strip()})
    phones.add_phone(here(), given.name)
    return _back()


@blueprint.post("/phones/subscribe")
def subscribe() -> AnyResponse:
    asked = ANSWERS.validate_python({request.form["template_id"]: request.form["answer"]})
    phones.subscribe(here(), request.form["name"], asked)
    return _back()


@blueprint.post("/phones/settings")
def set_setting() -> AnyResponse:
    asked = SETTINGS.validate_python({request.form["template_id"]: request.form["setting"]})
    phones.set_setting(here(), request.form["name"], asked)
    return _back()


@blueprint.post("/failures")
def order_failure() -> AnyResponse:
    filled = {name: value.strip() for name, value in request.form.items() if value.strip()}
    here().failures.put(FAILURE.validate_python(filled, strict=False))
    return _back()


@blueprint.post("/failures/clear")
def end_failures() -> AnyResponse:
    here().failures.clear()
    return _back()


@blueprint.post("/tokens/expire")
def expire_tokens() -> AnyResponse:
    tokens.expire_all(here())
    return _back()

"""The window with two phones: the mini-program in a browser, beside what WeChat and the platform do.

For this machine alone: serves the built mini-program and the stage around it, and has their calls passed on
(`forwarding.py`), so that a page finds everything at its own address. Answers nobody but who is on this machine, and
changes nothing for pages of other sites; holds no secret, and never logs.
"""

import os
import re
import secrets
from pathlib import Path
from typing import Any, Final, cast

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request, send_from_directory
from werkzeug.exceptions import HTTPException

from app.citizens.documents import check_digit
from app.core.clock import Clock, make_clock, rfc3339
from app.core.settings import Settings, load_settings
from devstack import forwarding
from devstack.forwarding import targets_of
from devstack.people import INSPECTOR, PASSWORD, PEOPLE, STATION, Person

WEB: Final = "DEVSTACK_WEB"  # in the environment: the address of the web server
_RUNTIME: Final = Path(__file__).parents[2] / "miniprogram-browser"
_OWN_HOST: Final = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?", re.ASCII)
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the mini-program puts the style sheets of its components into the page
        "img-src 'self' data: blob:",
        "media-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "form-action 'none'",
        "base-uri 'none'",
    )
)
_STRANGER = "此页面只供本机使用。 This page is for this machine alone: open http://{host}/ in a browser on it.\n"
_OTHER_SITE = "拒绝其他网站发来的请求。 What other sites send is refused.\n"
_NOTHING = "这里什么也没有。 There is nothing at this address.\n"
_MEANT_FOR = {
    "demo-new": {"zh": "尚未申报，从头开始", "en": "nothing declared yet"},
    "demo-green": {"zh": "绿码", "en": "green"},
    "demo-yellow": {"zh": "黄码，发热", "en": "yellow, a fever"},
    "demo-orange": {"zh": "橙码，密接", "en": "orange, a contact"},
    "demo-red": {"zh": "红码，确诊", "en": "red, a case"},
}

views = Blueprint("phones", __name__)


def from_settings() -> Flask:
    """The window for the system of the settings. Raises ConfigError."""
    settings = load_settings()
    return create_phones(settings, make_clock(settings.clock.file), os.environ[WEB])


def create_phones(settings: Settings, clock: Clock, web: str, runtime: Path = _RUNTIME) -> Flask:
    """The window as a WSGI application, with the mini-program that was built in that directory. Raises ConfigError."""
    targets = targets_of(settings, web)
    app = Flask(__name__, static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["phones"] = {
        "clock": clock,
        "stage": runtime / "stage",
        "built": runtime / "built",
        "links": {
            "api": targets["api"].removesuffix("/api") + "/openapi/swagger",
            "wechat": targets["wechat-sandbox"],
            "platform": targets["platform-sandbox"],
        },
    }
    app.register_blueprint(views)
    forwarding.init_app(app, targets)
    app.before_request(_answer_this_machine_alone)
    app.after_request(_load_nothing_from_elsewhere)
    app.register_error_handler(HTTPException, _plainly)
    return app


def _here() -> dict[str, Any]:
    return cast(dict[str, Any], current_app.extensions["phones"])


# --- who is answered


def _answer_this_machine_alone() -> None:
    """Refuse names that were bent to this machine (DNS rebinding), and what pages of other sites would do here."""
    if not _OWN_HOST.fullmatch(request.host):
        abort(_said(_STRANGER.format(host="127.0.0.1:" + request.environ.get("SERVER_PORT", "8003")), 421))
    if request.method not in ("GET", "HEAD", "OPTIONS") and not _of_our_own_pages():
        abort(_said(_OTHER_SITE, 403))


def _of_our_own_pages() -> bool:
    """Whether a browser says so; what is no browser says nothing of where it comes from."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    return origin in (None, f"http://{request.host}") and site in (None, "same-origin")


def _load_nothing_from_elsewhere(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _plainly(error: HTTPException) -> Response:
    """A refusal in a sentence, where there is one for it."""
    if error.response is not None:
        return cast(Response, error.response)
    return _said(_NOTHING if error.code == 404 else f"{error.code} {error.name}\n", error.code or 500)


def _said(words: str, status: int) -> Response:
    return Response(words, status, content_type="text/plain; charset=utf-8")


# --- what is shown


@views.get("/")
def index() -> Response:
    """The stage; before the mini-program is built, a page that says what is missing."""
    built = (_here()["built"] / "phone.html").is_file()
    return send_from_directory(_here()["stage"], "index.html" if built else "missing.html")


@views.get("/stage/<path:name>")
def stage(name: str) -> Response:
    return send_from_directory(_here()["stage"], name)


@views.get("/<path:name>")
def mini_program(name: str) -> Response:
    return send_from_directory(_here()["built"], name)


@views.get("/stage.json")
def cast_of_the_stage() -> Response:
    """Who may be played, with what, and where the parts are; a newcomer is invented anew each time."""
    response = jsonify(
        now=rfc3339(_here()["clock"].now()),
        people=[_played(person) for person in PEOPLE],
        password=PASSWORD,
        inspector={"username": INSPECTOR, "station": STATION},
        newcomer=_newcomer(),
        links=_here()["links"],
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _played(person: Person) -> dict[str, Any]:
    meant_for = _MEANT_FOR[person.username]
    return {"username": person.username, "name": person.name, "number": person.number, "for": meant_for}


def _newcomer() -> dict[str, str]:
    """Somebody to register: an invented name, and a number of the region that nobody is from."""
    born = f"{1950 + secrets.randbelow(55)}{1 + secrets.randbelow(12):02d}{1 + secrets.randbelow(28):02d}"
    first = f"229999{born}{secrets.randbelow(1000):03d}"
    return {"name": "示例" + secrets.choice("松柏桦杨柳杉枫槐榆椴"), "number": first + check_digit(first)}

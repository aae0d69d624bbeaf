"""Calls of the two phones, passed on to where they lead: the web server and the two sandboxes of this machine.

Owns which address leads where, what of a call and of its answer goes through, and how large either may be. Never leads
to another machine, and never logs: what passes here is about people.
"""

from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

import requests
from flask import Blueprint, Flask, Response, abort, current_app, json, request

from app.core.errors import ConfigError
from app.core.http_client import pooled_session
from app.core.settings import Settings
from app.core.texts import citizen_languages, text

MOST_SENT: Final = 9 * 1024 * 1024  # bytes that a page may send: more than the server takes of an appeal
MOST_ANSWERED: Final = 8 * 1024 * 1024  # of an answer: more than the mini-program itself refuses to read
_SECONDS: Final = (2, 130)  # to connect, and to answer: the platform may be set to take two minutes
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ASKED: Final = ("Content-Type", "Accept-Language", "Authorization")
_ANSWERED: Final = ("Content-Type", "Retry-After", "Cache-Control")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

views = Blueprint("passing-on", __name__)


def init_app(app: Flask, targets: dict[str, str]) -> None:
    """Pass on what begins with the name of a target."""
    app.config["MAX_CONTENT_LENGTH"] = MOST_SENT
    app.extensions["targets"] = {name: (address, pooled_session(address)) for name, address in targets.items()}
    app.register_blueprint(views)


def targets_of(settings: Settings, web: str) -> dict[str, str]:
    """Where each part of the address leads. Raises ConfigError in production, or when a part is not on this machine."""
    if settings.environment == "production":
        raise ConfigError("The phones are for trying on one machine: they have no place in production.")
    given = {
        "--web": web,
        "wechat.api_base": settings.wechat.api_base,
        "platform.base_url": settings.platform.base_url,
    }
    for name, address in given.items():
        if urlsplit(address).hostname not in _LOOPBACK:
            raise ConfigError(f"{name} must lead to a server on this machine for the phones, as in `jixiang-dev run`.")
    return {
        "api": f"{web}/api",
        ".well-known": f"{web}/.well-known",
        "wechat-sandbox": settings.wechat.api_base,
        "platform-sandbox": settings.platform.base_url,
    }


@views.route("/<any('api', '.well-known', 'wechat-sandbox', 'platform-sandbox'):part>/<path:rest>", methods=_METHODS)
def pass_on(part: str, rest: str) -> Response:
    """The same request at the server that the first part of the path names, and its answer."""
    address, session = cast(dict[str, Any], current_app.extensions["targets"])[part]
    if {".", ".."} & set(rest.split("/")):
        abort(404)  # it would lead out of the part
    body = request.get_data()
    if request.content_length is None and len(body) >= MOST_SENT:
        abort(413)  # of a body that names no length only the beginning is read
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    headers = {name: request.headers[name] for name in _ASKED if name in request.headers}
    try:
        return _asked(session, f"{address}/{quote(rest)}{query}", body, headers)
    except requests.RequestException:
        return _out_of_reach()


def _asked(session: requests.Session, url: str, body: bytes, headers: dict[str, str]) -> Response:
    with session.request(
        request.method, url, data=body, headers=headers, timeout=_SECONDS, allow_redirects=False, stream=True
    ) as answer:
        content = bytearray()
        for chunk in answer.iter_content(65_536):
            content += chunk
            if len(content) > MOST_ANSWERED:
                return _out_of_reach()
    response = Response(bytes(content), answer.status_code)
    response.headers.pop("Content-Type")
    response.headers.update({name: answer.headers[name] for name in _ANSWERED if name in answer.headers})
    return response


def _out_of_reach() -> Response:
    """Return a problem as the API does, in the caller's language; 502, for it is not the API that answers."""
    language = request.accept_languages.best_match(citizen_languages(), default="zh")
    words = {"title": text("problems", "unavailable", language), "detail": text("next-steps", "unavailable", language)}
    body = {"type": "/problems/unavailable", **words, "status": 502}
    return Response(
        json.dumps(body, ensure_ascii=False),
        502,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )

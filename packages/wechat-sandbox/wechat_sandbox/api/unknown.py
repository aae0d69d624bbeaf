"""Addresses that are no path of WeChat: answered with an errcode in JSON, as WeChat does."""

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from wechat_sandbox.api.wire import refusal
from wechat_sandbox.errors import Refused

_CONTROL = "/sandbox/"


def init_app(app: Flask) -> None:
    """Answer what no path of the application takes."""
    app.register_error_handler(NotFound, _no_such_path)
    app.register_error_handler(MethodNotAllowed, _no_such_method)


def _no_such_path(error: NotFound) -> Response | tuple[Response, int]:
    if request.path.startswith(_CONTROL):
        return jsonify(error=f"There is nothing at {request.path}; README.md lists the paths of /sandbox/."), 404
    return refusal(Refused(40066))


def _no_such_method(error: MethodNotAllowed) -> Response | tuple[Response, int]:
    """Of the control API and of the page; WeChat's own paths take every method and refuse it themselves."""
    allowed = ", ".join(sorted(error.valid_methods or ()))
    return jsonify(error=f"{request.path} takes {allowed}."), 405

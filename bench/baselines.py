"""Baselines: raw WSGI as the ceiling, and the Flask view of a tutorial."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, jsonify, request
from redis import Redis

from app.core.settings import load_settings

KEY = "bench:color"


def raw() -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return the smallest WSGI application: it ignores the request and uses no Redis."""
    body = b'{"color":"GREEN"}\n'
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return (body,)

    return application


def bare() -> Flask:
    """Return an application with one `redis.get` in a view, as in a tutorial: no session, signature or counter."""
    app, redis = Flask(__name__), Redis.from_url(load_settings().redis.url)

    @app.post("/api/v1/checks")
    def check() -> Response:
        token = request.get_json()["token"]
        color = redis.get(KEY)
        return jsonify(color=color.decode() if color else None, length=len(token))  # type: ignore[union-attr]

    return app

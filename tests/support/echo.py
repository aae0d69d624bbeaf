"""A web server whose answer is what has come: the environ and the body that Flask would be given."""

import json
import time
from collections.abc import Iterable
from typing import Any

from app.web.server import flask_side
from app.web.server.flask_side import FlaskSide
from app.web.server.load_shedding import BusyAnswer
from app.web.server.rsgi import Request

SECONDS = 3.0  # for a body to come; more than a busy machine takes to answer


class Echo:
    """An RSGI application, with one thread."""

    def __init__(self) -> None:
        flask_side.BODY_SECONDS = SECONDS  # type: ignore[misc]
        self._side = FlaskSide(echo, 1, BusyAnswer())

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        await self._side(Request(scope, protocol, time.perf_counter()))


done: list[str] = []


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Read as Flask reads, and answer with the environ, the body and the paths that were read to the end before."""
    from werkzeug.wrappers import Request as Read

    request = Read(environ)
    request.max_content_length = 1_000_000
    body = b"" if request.path == "/unread" else request.get_data()
    if request.path == "/long":
        print("begun", flush=True)  # noqa: T201 - whoever has sent it waits for that
        time.sleep(SECONDS)
    texts = {name: value for name, value in environ.items() if isinstance(value, str)}
    answer = json.dumps({**texts, "path": request.path, "body": len(body), "done": done}).encode()
    done.append(request.path)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer[:10], answer[10:]]

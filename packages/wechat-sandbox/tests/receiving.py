"""A mini-program's server that takes WeChat's callbacks: it keeps what came and answers as a test tells it."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from acting import WeChat

TOKEN, AES_KEY = "pushtoken2020", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


@dataclass(frozen=True)
class Callback:
    """One request of WeChat's: what it asked for and what it brought."""

    method: str
    path: str
    query: dict[str, str]
    body: str
    content_type: str

    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


Answer = Callable[[Callback], tuple[int, str]]


def success(callback: Callback) -> tuple[int, str]:
    """What a server says that is well; the check of its URL gets its echo."""
    return 200, callback.query.get("echostr", "success")


class Receiver:
    """The running server; `answers` are used up one by one, then everything is well."""

    def __init__(self) -> None:
        self.callbacks: list[Callback] = []
        self.answers: list[Answer] = []
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver._take(self)

            do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                """Quiet, as the sandbox is."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/wechat/callback"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def settings(self, mode: str = "plain", format: str = "json", **other: Any) -> dict[str, Any]:
        """The push settings that lead here."""
        key = None if mode == "plain" else AES_KEY
        return {"url": self.url, "token": TOKEN, "aes_key": key, "mode": mode, "format": format, **other}

    def bodies(self) -> list[dict[str, Any]]:
        return [callback.json() for callback in self.callbacks]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        body = request.rfile.read(int(request.headers.get("Content-Length", 0))).decode()
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        callback = Callback(request.command, parts.path, query, body, request.headers.get("Content-Type", ""))
        with self._lock:
            self.callbacks.append(callback)
            answer = self.answers.pop(0) if self.answers else success
        status, text = answer(callback)
        try:
            request.send_response(status)
            request.end_headers()
            request.wfile.write(text.encode())
        except ConnectionError:
            """WeChat has not waited."""


def enter(wechat: WeChat, *froms: str, name: str = "李小禾") -> None:
    """One event for each text, in this order."""
    for session_from in froms:
        wechat.control("POST", f"/users/{name}/enter", {"session_from": session_from})


def froms(receiver: Receiver) -> list[str]:
    """The texts of the events that came, in the order in which they came."""
    return [body["SessionFrom"] for body in receiver.bodies()]

"""The client of WeChat in tests: what it asks and is told, and a server that answers what it must not."""

import contextlib
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses

from app.wechat.client import SubscribeMessage, WeChatAccount, WeChatApi

APPID = "wx0123456789abcdef"
SECRET = "5ecre75ecre75ecre75ecre75ecre75e"
OPENID = "oDemo0Demo0Demo0Demo0Demo0De"
CODE = "0d3c0de0d3c0de0d3c0de0d3c0de0d3c"
SESSION_KEY = "o0q0otL8aEzpcZL/FT9WsQ=="
TOKEN = "70_T0kenT0kenT0kenT0ken"

# openssl dgst -sha256 -hmac <the session key's text>, over nothing
SIGNATURE = "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128"
PRIVATE = (APPID, SECRET, OPENID, CODE, SESSION_KEY, TOKEN, SIGNATURE)
LOGIN = "/sns/jscode2session"
STABLE = "/cgi-bin/stable_token"
SEND = "/cgi-bin/message/subscribe/send"
CHECK = "/wxa/checksession"
PHONE = "/wxa/business/getuserphonenumber"
CODE_IMAGE = "/wxa/getwxacodeunlimit"
HOST = "https://api.weixin.qq.com"
SESSION = {"openid": OPENID, "session_key": SESSION_KEY}
FRESH = {"access_token": TOKEN, "expires_in": 7200}
SENT = {"errcode": 0, "errmsg": "ok", "msgid": 1887382718}
FIELDS = {"phrase1": "黄码", "thing2": "现场体温异常"}
MESSAGE = SubscribeMessage(OPENID, "template-1", FIELDS, "pages/code/code", "zh_CN", "formal")
ACCOUNT = WeChatAccount(APPID, SECRET)


def send(wechat: WeChatApi) -> str | None:
    return wechat.send_subscribe_message(MESSAGE)


def call_counts(rsps: responses.RequestsMock) -> Counter[str]:
    return Counter(urlsplit(call.request.url or "").path for call in rsps.calls)


def tokens_used(rsps: responses.RequestsMock) -> list[str]:
    urls = [call.request.url or "" for call in rsps.calls]
    return [parse_qs(urlsplit(url).query)["access_token"][0] for url in urls if SEND in url]


class Host:
    """A WeChat on this machine with a list of prepared answers for each path."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Callable[[BaseHTTPRequestHandler], None]]] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.connections: list[socket.socket] = []
        self.end = threading.Event()
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                host.connections.append(self.connection)

            def handle_any(self) -> None:
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = urlsplit(self.path).path
                host.seen.append((path, self.headers.get("Cookie")))
                queue = host.answers[path]
                (queue.pop(0) if len(queue) > 1 else queue[0])(self)

            do_GET = do_POST = handle_any

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.end.set()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()

    def count(self, path: str) -> int:
        return [seen for seen, _ in self.seen].count(path)

    def silence(self, handler: BaseHTTPRequestHandler) -> None:
        """Stay silent for longer than a caller may wait, then answer after all."""
        self.end.wait(3)
        with contextlib.suppress(OSError):
            says(FRESH | SENT)(handler)


def says(answer: dict[str, Any], *headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer_it(handler: BaseHTTPRequestHandler) -> None:
        body = json.dumps(answer).encode()
        head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
        handler.wfile.write("\r\n".join(head).encode() + body)

    return answer_it

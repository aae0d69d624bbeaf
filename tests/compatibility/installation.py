"""What the tests of the upgrade know of the installation of 0.1.0, how they ask it, and the WeChat that it talks to."""

import json
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from app.cli import main

HERE = Path(__file__).parent
EXPECTED: dict[str, Any] = json.loads((HERE / "expected-0.1.0.json").read_text(encoding="utf-8"))
STOPPED = datetime.fromisoformat(EXPECTED["now"])
OLD_ENVIRONMENT = {
    "JIXIANG_WEB__AT_A_TIME": "11",
    "JIXIANG_LIMITS__LOGIN_PER_ACCOUNT_ANYWHERE": "250 per hour",
    "JIXIANG_PLATFORM__PAUSE_SECONDS": "6",
    "JIXIANG_WECHAT__CALLBACKS__ALSO_PLAIN": "false",
    "JIXIANG_SANDBOX__PUSH_TO": "http://127.0.0.1:8000/wechat/callback",
}


@dataclass
class Installation:
    """The upgraded installation, in the directory from which it runs."""

    directory: Path
    database: str
    expected: dict[str, Any]
    messages: list[dict[str, Any]]  # that WeChat was asked to send
    client: FlaskClient

    def jixiang(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments])

    def citizen(self, name: str, path: str) -> Any:
        """What the API answers to a citizen who is still logged in."""
        headers = {"Authorization": f"Bearer {self.expected['citizens'][name]['session']}", "Accept-Language": "zh-CN"}
        return self.client.get(path, headers=headers).json

    def scalar(self, query: str) -> Any:
        engine = create_engine(self.database)
        with engine.connect() as connection:
            found = connection.scalar(text(query))
        engine.dispose()
        return found


class WeChat(HTTPServer):
    """WeChat as far as a notice needs it: a token for everybody, and every message is taken."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _WeChat)
        self.messages: list[dict[str, Any]] = []


class _WeChat(BaseHTTPRequestHandler):
    server: WeChat

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        answer: dict[str, Any] = {"access_token": "an-invented-token", "expires_in": 7200}
        if self.path.startswith("/cgi-bin/message/subscribe/send"):
            self.server.messages.append(body)
            answer = {"errcode": 0, "errmsg": "ok", "msgid": len(self.server.messages)}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

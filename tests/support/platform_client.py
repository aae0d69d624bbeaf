"""The client of the national platform in tests: a person, and answers about them."""

import contextlib
import json
import socket
import threading
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from app.platform.client import PlatformClient
from app.platform.messages import PlatformAnswer, PlatformQuestion, PlatformUnavailable
from tests.support.waiting import PATIENCE

BASE = "https://platform.example/gov/v1"
URL = BASE + "/verification"
APP_KEY, SECRET = "jixiang-demo", "platform-secret-0001"
NAME, NUMBER, PHONE, SYMPTOM = "示例甲", "X00000001", "13900000000", "dry-cough"
BEIJING = timezone(timedelta(hours=8))
DECLARED_AT = datetime(2020, 3, 11, 15, 0, tzinfo=BEIJING)
ARGUMENTS: dict[str, Any] = {
    "reference": "declaration-1",
    "name": NAME,
    "document_type": "passport",
    "document_number": NUMBER,
    "phone": PHONE,
    "symptoms": (SYMPTOM,),
    "contact_on": date(2020, 3, 8),
    "declared_at": DECLARED_AT,
}
ASKED = {
    "reference": "declaration-1",
    "name": NAME,
    "document": {"type": "passport", "number": NUMBER},
    "phone": PHONE,
    "declaration": {
        "symptoms": [SYMPTOM],
        "contact_on": "2020-03-08",
        "declared_at": "2020-03-11T15:00:00+08:00",
    },
}
AUTHORITY = "长春市疾病预防控制中心"
PRIVATE = (NAME, NUMBER, PHONE, SYMPTOM, "2020-03-08", SECRET, AUTHORITY)
DATA: dict[str, Any] = {
    "result": "consistent",
    "reference": "GP-1",
    "checked_at": "2020-03-11T15:00:01+08:00",
    "findings": [],
}
RECORD = {"authority": AUTHORITY, "document": "长疾控〔2020〕12号", "since": "2020-03-10T09:00:00+08:00"}
CONTACT: dict[str, Any] = {"kind": "contact", **RECORD, "exposed_on": "2020-03-08"}
QUARANTINE: dict[str, Any] = {
    "kind": "quarantine",
    **RECORD,
    "first_day": "2020-03-10",
    "last_day": "2020-03-23",
}


def success(**changes: object) -> dict[str, Any]:
    return {"code": 0, "message": "ok", "data": {**DATA, **changes}}


def without(known: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in known.items() if key != name}


def seconds() -> float:
    """The time of the questions: a moment after DECLARED_AT."""
    return DECLARED_AT.timestamp() + 0.9


def ask(platform: PlatformClient, **changes: object) -> PlatformAnswer:
    return platform.verify(PlatformQuestion(**{**ARGUMENTS, **changes}))


def refusal(platform: PlatformClient) -> str:
    """Return the reason for which the platform is unavailable."""
    with pytest.raises(PlatformUnavailable) as caught:
        ask(platform)
    return caught.value.reason


def padded(size: int) -> bytes:
    """Return a valid answer of that many bytes."""
    return json.dumps(success()).encode().ljust(size)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Host:
    """A server that sends every client the same bytes, some one by one, and then hangs up or stays silent."""

    def __init__(self) -> None:
        self.says, self.drips, self.hangs_up = b"", b"", True
        self.end = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while not self.end.is_set():
                connection, _ = self.socket.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(self.says)
                    for place in range(len(self.drips)):
                        self.end.wait(0.05)
                        connection.sendall(self.drips[place : place + 1])
                    if not self.hangs_up:
                        self.end.wait(5)

    def close(self) -> None:
        self.end.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(PATIENCE)

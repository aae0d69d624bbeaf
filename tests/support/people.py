"""The people of the tests, who act over HTTP as the mini-program and the station do. All are invented."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.audit import Actor
from app.citizens.documents import check_digit
from app.runtime import Services
from app.stations.accounts import NewInspector, add_inspector

PASSWORD = "a-long-Password-1"
_numbers = count(1)


def id_number(n: int) -> str:
    """An ID number that nobody has, with the right check digit."""
    first = f"22999919900101{n % 1000:03d}"
    return first + check_digit(first)


def id_number_of_birth(day: str) -> str:
    """The ID number of somebody who was born that day, such as 20150101."""
    first = f"229999{day}017"
    return first + check_digit(first)


def as_pasted(number: str) -> str:
    """A number as it comes out of chats and sheets: full width, small letters, apostrophe, blanks, invisible marks."""
    wide = "".join(chr(ord(char) + 0xFEE0) if char.isdigit() else char.lower() for char in number)
    return f"\u202a'{wide[:6]}\u3000{wide[6:14]}-\u200b{wide[14:]}\u202c\ufeff"


@dataclass
class Phone:
    """A citizen's phone: the mini-program inside WeChat (the sandbox)."""

    client: FlaskClient
    wechat: str
    name: str
    language: str = "zh-CN"
    session: str | None = None
    document: str = ""
    username: str = ""

    def __post_init__(self) -> None:
        n = next(_numbers)
        self.document = self.document or id_number(n)
        self.username = self.username or f"citizen{n:04d}"
        requests.post(f"{self.wechat}/sandbox/users", json={"name": self.name}, timeout=5).raise_for_status()

    # --- the API, as the mini-program calls it

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, headers=self._headers(), **options)

    def post(self, path: str, body: Any) -> TestResponse:
        return self.client.post(path, json=body, headers=self._headers())

    def put(self, path: str, body: Any) -> TestResponse:
        return self.client.put(path, json=body, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Language": self.language}
        if self.session:
            headers["Authorization"] = f"Bearer {self.session}"
        return headers

    # --- what its owner does

    def wx_login(self) -> str:
        """A code of wx.login."""
        answer = requests.post(f"{self.wechat}/sandbox/users/{self.name}/login", timeout=5)
        code: str = answer.json()["code"]
        return code

    def log_in_with_wechat(self) -> TestResponse:
        answer = self.post("/api/v1/wechat/login", {"code": self.wx_login()})
        if answer.status_code == 200:
            self.session = answer.json["session"]  # type: ignore[index]
        return answer

    def registration(self) -> dict[str, Any]:
        return {
            "username": self.username,
            "password": PASSWORD,
            "name": self.name,
            "document": {"type": "id-card", "number": self.document},
            "phone": "13800000000",
        }

    def register(self) -> TestResponse:
        """Log in with WeChat and register."""
        if self.session is None:
            self.log_in_with_wechat()
        answer = self.post("/api/v1/accounts", self.registration())
        if answer.status_code == 201:
            self.session = answer.json["session"]  # type: ignore[index]
        return answer

    def declare(self, symptoms: tuple[str, ...] = (), contact_on: str | None = None) -> TestResponse:
        body = {
            "symptoms": list(symptoms),
            "contact": contact_on is not None,
            "contact_on": contact_on,
            "consent": True,
        }
        return self.post("/api/v1/declarations", body)

    def become_green(self) -> "Phone":
        """Register and declare; the platform says yes."""
        assert self.register().status_code == 201
        assert self.declare().json["color"] == "GREEN"  # type: ignore[index]
        return self

    def code(self) -> Any:
        """查看吉祥码."""
        answer = self.get("/api/v1/code")
        assert answer.status_code == 200, answer.json
        return answer.json

    def color(self) -> str:
        color: str = self.code()["state"]
        return color

    def history(self) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = self.get("/api/v1/code/history").json["changes"]  # type: ignore[index]
        return changes

    def inbox(self) -> list[dict[str, Any]]:
        notices: list[dict[str, Any]] = self.get("/api/v1/notices").json["notices"]  # type: ignore[index]
        return notices

    def subscribe(self, answer: str = "accept") -> TestResponse:
        """Answer WeChat's pop-up; the mini-program reports it."""
        url = f"{self.wechat}/sandbox/users/{self.name}/subscribe"
        report = requests.post(url, json={"demo-color-change": answer}, timeout=5).json()
        return self.post("/api/v1/subscriptions", report)

    def balance(self) -> int:
        balance: int = self.get("/api/v1/subscriptions").json["subscriptions"][0]["balance"]  # type: ignore[index]
        return balance

    def messages(self) -> list[dict[str, Any]]:
        """The WeChat messages that arrived on this phone."""
        url = f"{self.wechat}/sandbox/users/{self.name}/messages"
        answer = requests.get(url, timeout=5).json()
        messages: list[dict[str, Any]] = answer["messages"] if isinstance(answer, dict) else answer
        return messages


@dataclass
class Station:
    """An inspector with a scanner and a thermometer."""

    client: FlaskClient
    session: str = field(repr=False)

    @classmethod
    def open(cls, client: FlaskClient, services: Services, username: str = "inspector-1") -> "Station":
        with services.begin() as session:
            new = NewInspector("示例查验点", "长春市", username, PASSWORD)
            inspector = add_inspector(session, new, actor=Actor("operator"), now=services.clock.now())
            inspector.must_change_password, inspector.password_ends_at = False, None  # they have changed it
        answer = client.post("/api/v1/stations/login", json={"username": username, "password": PASSWORD})
        return cls(client, answer.json["session"])  # type: ignore[index]

    def post(self, path: str, body: Any) -> TestResponse:
        return self.client.post(path, json=body, headers={"Authorization": f"Bearer {self.session}"})

    def check(self, token: str) -> TestResponse:
        return self.post("/api/v1/checks", {"token": token})

    def measure(self, token: str, celsius: float) -> TestResponse:
        return self.post("/api/v1/checks/temperature", {"token": token, "celsius": celsius})

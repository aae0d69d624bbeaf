"""Who acts: citizens with phones, an inspector with a scanner, two officers. Everybody is invented."""

import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import requests

from app.citizens.documents import check_digit
from devstack.demo.actors import TEMPLATE
from devstack.demo.office import APPROVER, RECORDER, Desk
from devstack.demo.transcript import NotTrue
from devstack.people import INSPECTOR, PASSWORD
from faults.calling import Reply, call, sandbox

_numbers = count(secrets.randbelow(10**6) * 100)


def document_number() -> str:
    """An ID number that nobody has: no region has the code 229999."""
    n = next(_numbers)
    first = f"229999{1930 + n // 1000 % 90}{1 + n // 90_000 % 12:02d}{1 + n // 1_080_000 % 28:02d}{n % 1000:03d}"
    return first + check_digit(first)


@dataclass
class Citizen:
    """A phone with WeChat; an account once registered. What is asked names the host that answers."""

    wechat: str
    handle: str = field(default_factory=lambda: f"示例{secrets.token_hex(6)}")
    document: str = field(default_factory=document_number, repr=False)
    session: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    phone: str = field(default_factory=lambda: f"138{secrets.randbelow(10**8):08d}", repr=False)
    fevers: Iterator[int] = field(default_factory=lambda: iter(range(374, 430)), repr=False)  # tenths, each used once

    def __post_init__(self) -> None:
        self.username = f"faults-{secrets.token_hex(6)}"
        self.openid = sandbox("POST", f"{self.wechat}/sandbox/users", {"name": self.handle})["openid"]

    def log_in(self, host: str) -> Reply:
        """Log in with WeChat."""
        code = sandbox("POST", f"{self.wechat}/sandbox/users/{self.handle}/login")["code"]
        return self._opened(call("POST", f"{host}/api/v1/wechat/login", {"code": code}))

    def register(self, host: str) -> Reply:
        document = {"type": "id-card", "number": self.document}
        form = {"username": self.username, "password": PASSWORD, "name": "示例甲", "phone": self.phone}
        return self._opened(call("POST", f"{host}/api/v1/accounts", {**form, "document": document}, self.session))

    def _opened(self, reply: Reply) -> Reply:
        if reply.is_good:
            self.session = reply.body["session"]
        return reply

    def declare(self, host: str, *symptoms: str) -> Reply:
        body = {"symptoms": list(symptoms), "contact": False, "consent": True}
        return call("POST", f"{host}/api/v1/declarations", body, self.session)

    def show(self, host: str) -> Reply:
        """查看吉祥码; the newest token is what a station scans."""
        reply = call("GET", f"{host}/api/v1/code", session=self.session)
        self.token = reply.body.get("token", self.token)
        return reply

    def me(self, host: str) -> Reply:
        return call("GET", f"{host}/api/v1/accounts/me", session=self.session)

    def log_out(self, host: str) -> Reply:
        return call("POST", f"{host}/api/v1/accounts/logout", session=self.session)

    def tap(self) -> None:
        """Accept one notice in WeChat's pop-up, which WeChat tells by a callback."""
        sandbox("POST", f"{self.wechat}/sandbox/users/{self.handle}/subscribe", {TEMPLATE: "accept"})

    def credits(self, host: str) -> int | None:
        """How many notices may be sent; None without an answer."""
        reply = call("GET", f"{host}/api/v1/subscriptions", session=self.session)
        return int(reply.body["subscriptions"][0]["balance"]) if reply.is_good else None

    def follow(self) -> None:
        """Follow the official account, which WeChat tells by a callback."""
        sandbox("POST", f"{self.wechat}/sandbox/users/{self.handle}/follow")

    def messages(self) -> int:
        """The number of WeChat messages on the phone."""
        return len(sandbox("GET", f"{self.wechat}/sandbox/users/{self.handle}/messages"))

    def official_messages(self) -> int:
        """The number of messages of the official account on the phone."""
        return len(sandbox("GET", f"{self.wechat}/sandbox/users/{self.handle}/official-messages"))

    def texts(self, gateway: str) -> int:
        """The number of text messages that arrived."""
        return len(sandbox("GET", f"{gateway}/sandbox/messages?phone=%2B86{self.phone}")["messages"])


@dataclass
class Inspector:
    """An inspector at a station, whose scanner asks any host."""

    session: str = field(default="", repr=False)

    def log_in(self, host: str) -> bool:
        reply = call("POST", f"{host}/api/v1/stations/login", {"username": INSPECTOR, "password": PASSWORD})
        self.session = reply.body.get("session", self.session)
        return reply.is_good

    def check(self, host: str, token: str) -> Reply:
        return call("POST", f"{host}/api/v1/checks", {"token": token}, self.session)

    def measure(self, host: str, token: str, celsius: float) -> Reply:
        return call("POST", f"{host}/api/v1/checks/temperature", {"token": token, "celsius": celsius}, self.session)


class Officers:
    """One records a case at the console, and another one approves it."""

    def __init__(self, web: str) -> None:
        self._recorder, self._approver = Desk(web, RECORDER), Desk(web, APPROVER)

    def record(self, document: str, reference: str) -> tuple[bool, bool]:
        """Record that somebody is a confirmed case; return whether it was saved, and whether it is in effect."""
        filled = {"kind": "confirmed", "numbers": document, "authority": "示例市疾病预防控制中心"}
        saved = False
        with suppress(NotTrue, requests.RequestException):
            entry, _, done = self._recorder.send(
                "/console/entries/new", **filled, reference=reference, place="", previewed="yes"
            ).partition("?done=")
            saved = re.fullmatch(r".*/\d+", entry) is not None
            if done == "entry-waiting":
                self._approver.read(entry)  # who has not viewed it does not sign
                done = self._approver.send(f"{entry}/approve").partition("?done=")[2]
            return saved, done == "entry-applied"
        return saved, False

"""Who acts in the demonstration: citizens with phones, an inspector, and the operator of the sandboxes.

Each act is one real request, printed with its answer. Names and numbers are invented: no region has the code 229999.
"""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import requests

from app.citizens.documents import check_digit
from app.staff import totp
from devstack.demo.office import Office
from devstack.demo.transcript import NotTrue, Transcript, brief
from devstack.officers import SECRET
from devstack.people import INSPECTOR
from devstack.people import PASSWORD as INSPECTOR_PASSWORD
from devstack.run import Place

PASSWORD = "Demo-" + secrets.token_hex(6)
TEMPLATE = "demo-color-change"
TWO = ("demo-administrator", "demo-administrator-2")
_PATIENCE_SECONDS = 30
_CODE_SECONDS = 30  # of a one-time code


@dataclass
class World:
    """The system, its three sandboxes, and whoever acts in the story."""

    place: Place
    transcript: Transcript
    citizens: dict[str, "Citizen"] = field(default_factory=dict)
    station: "Station | None" = None
    environment: Mapping[str, str] = field(default_factory=dict)  # of its commands, beside that of this process
    office: Office = field(init=False)
    _steps: dict[str, int] = field(default_factory=dict)  # whose one-time code was used last

    def __post_init__(self) -> None:
        self.office = Office(self.place.web, self.transcript)

    def call(self, method: str, path: str, *, body: Any = None, session: str | None = None) -> requests.Response:
        """A request to the API, printed with its answer."""
        self.transcript.asked(f"{method} {path}" + (f"  {brief(body)}" if body else ""))
        headers = {"Accept-Language": "zh-CN"} | ({"Authorization": f"Bearer {session}"} if session else {})
        answer = requests.request(method, self.place.web + path, json=body, headers=headers, timeout=15)
        self.transcript.came(*_told(answer))
        return answer

    def wechat(self, method: str, path: str, body: Any = None) -> Any:
        """What a phone or an operator does to WeChat, through its sandbox."""
        return _sandbox(self.place.wechat, method, path, body)

    def at_wechat(self, method: str, path: str, body: Any = None) -> Any:
        """The same, with a line in the transcript."""
        self.transcript.asked(f"WeChat {method} {path}" + (f"  {brief(body)}" if body else ""))
        return self.wechat(method, path, body)

    def calls(self, path: str) -> int:
        """How often WeChat has been called at this path."""
        return int(self.wechat("GET", "/sandbox/calls").get(path, 0))

    def texts(self, phone: str) -> list[str]:
        """The text messages that arrived at a number."""
        found = _sandbox(self.place.sms, "GET", f"/sandbox/messages?phone=%2B86{phone}", None)
        return [message["text"] for message in found["messages"]]

    def sms(self, method: str, path: str, body: Any = None) -> Any:
        """What a phone or an operator does at the gateway for text messages."""
        self.transcript.asked(f"SMS {method} {path}" + (f"  {brief(body)}" if body else ""))
        return _sandbox(self.place.sms, method, path, body)

    def platform(self, method: str, path: str, body: Any = None) -> Any:
        return _sandbox(self.place.platform, method, path, body)

    def jixiang(self, *arguments: str, show: str | None = None) -> str:
        """A command of the operator. Raises NotTrue with its error line."""
        self.transcript.asked(f"jixiang {show or ' '.join(arguments)}")
        return self.ask_jixiang(*arguments)

    def ask_jixiang(self, *arguments: str, environment: Mapping[str, str] | None = None, typed: str = "") -> str:
        """The same, without a line in the transcript: for waiting and comparing."""
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments], capture_output=True, text=True, timeout=60, input=typed,
            env={**os.environ, **self.environment, **(environment or {})},
        )  # fmt: skip
        if done.returncode:
            raise NotTrue(done.stderr.strip())
        return done.stdout.strip()

    def decide(self, *arguments: str, two: tuple[str, str] = TWO, typed: str = "") -> str:
        """A command that two administrators decide, each with password and a code that was not used yet."""
        who: dict[str, str] = {}
        for name, username in (("OFFICER", two[0]), ("SECOND", two[1])):
            who |= {f"JIXIANG_{name}_PASSWORD": INSPECTOR_PASSWORD, f"JIXIANG_{name}_CODE": self._code(username)}
        words = (*arguments, "--officer", two[0], "--second", two[1])
        self.transcript.asked(f"jixiang {' '.join(words)}")
        return self.ask_jixiang(*words, environment=who, typed=typed)

    def _code(self, username: str) -> str:
        """The next code of an officer's authenticator."""
        step = max(self._steps.get(username, 0) + 1, int(time.time()) // _CODE_SECONDS)  # good for half a minute more
        time.sleep(max(0.0, (step - 1) * _CODE_SECONDS - time.time()))
        self._steps[username] = step
        return totp.code_at(SECRET, datetime.fromtimestamp(step * _CODE_SECONDS, UTC))

    def record(self, citizen: "Citizen", kind: str, **days: date) -> str:
        """Officers record evidence about a citizen, and see what state follows."""
        state = self.office.record(citizen.document, kind, **days)
        self.transcript.came("the code is", state)
        return state

    def now(self) -> datetime:
        """What time it is for the system."""
        return datetime.fromisoformat(self.jixiang("clock", "show"))

    def advance_clock(self, moment: datetime) -> None:
        """Let the system's clock run ahead to a moment in Beijing time. Nothing else is touched."""
        self.transcript.came(self.jixiang("clock", "advance", moment.isoformat()))

    def wait_until(self, what: str, come_true: Callable[[], bool], seconds: float = _PATIENCE_SECONDS) -> None:
        """Watch, without doing anything, until something has come true. Raises NotTrue when it does not."""
        end = time.monotonic() + seconds
        while not come_true():
            if time.monotonic() > end:
                raise NotTrue(f"{what} did not happen within {seconds} seconds")
            time.sleep(0.2)


def _sandbox(base: str, method: str, path: str, body: Any) -> Any:
    answer = requests.request(method, base + path, json=body, timeout=15)
    answer.raise_for_status()
    return answer.json()


def _told(answer: requests.Response) -> tuple[str, str | None]:
    """An answer in one line, and the state in it."""
    if not answer.content:
        return str(answer.status_code), None
    if not answer.headers.get("Content-Type", "").endswith("json"):
        return f"{answer.status_code} {answer.headers.get('Content-Type', '')} {len(answer.content)} bytes", None
    body = answer.json()
    words = [str(answer.status_code)]
    if "title" in body and "type" in body:
        words += [body["type"], body["title"]]
    words += [f"{name}={_short(body[name])}" for name in ("action", "waiting_for_platform", "account") if name in body]
    return " ".join(words), body.get("state")


def _short(value: Any) -> str:
    return f"{value['username']} {value['name']} {value['document_number']}" if isinstance(value, dict) else str(value)


@dataclass
class Citizen:
    """An invented person with a phone."""

    world: World
    name: str
    session: str = field(default="", repr=False)
    document: str = field(default="", repr=False)
    username: str = ""
    handle: str = ""
    openid: str = field(default="", repr=False)
    phone: str = field(default_factory=lambda: f"138{secrets.randbelow(10**8):08d}", repr=False)

    def __post_init__(self) -> None:
        tag = secrets.token_hex(4)
        first = f"229999{1950 + secrets.randbelow(60)}{1 + secrets.randbelow(12):02d}{1 + secrets.randbelow(28):02d}"
        first += f"{secrets.randbelow(1000):03d}"
        self.document, self.username = first + check_digit(first), f"demo-{tag}"
        self.handle = f"{self.name} {tag}"
        self.openid = self.world.wechat("POST", "/sandbox/users", {"name": self.handle})["openid"]

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.world.call(method, path, body=body, session=self.session or None)

    def look(self, path: str) -> Any:
        """What an API address says, without a line in the transcript: for waiting and comparing."""
        headers = {"Authorization": f"Bearer {self.session}"}
        return requests.get(self.world.place.web + path, headers=headers, timeout=15).json()

    def wx_login(self) -> str:
        code: str = self.world.wechat("POST", f"/sandbox/users/{self.handle}/login")["code"]
        return code

    def log_in_with_wechat(self) -> requests.Response:
        answer = self.call("POST", "/api/v1/wechat/login", {"code": self.wx_login()})
        self.session = answer.json().get("session", "")
        return answer

    def register(self) -> requests.Response:
        document = {"type": "id-card", "number": self.document}
        form = {"username": self.username, "password": PASSWORD, "name": self.name}
        answer = self.call("POST", "/api/v1/accounts", {**form, "document": document, "phone": self.phone})
        self.session = answer.json().get("session", self.session)
        return answer

    def declare(self, *symptoms: str) -> requests.Response:
        return self.call(
            "POST", "/api/v1/declarations", {"symptoms": list(symptoms), "contact": False, "consent": True}
        )

    def subscribe(self, times: int) -> None:
        """Accept the notice in WeChat's pop-up, and report it as the mini-program does."""
        for _ in range(times):
            told = self.world.wechat("POST", f"/sandbox/users/{self.handle}/subscribe", {TEMPLATE: "accept"})
            self.call("POST", "/api/v1/subscriptions", told)

    def code(self) -> dict[str, Any]:
        """查看吉祥码."""
        body: dict[str, Any] = self.call("GET", "/api/v1/code").json()
        return body

    def state(self) -> str:
        return str(self.look("/api/v1/code").get("state"))

    def balance(self) -> int:
        """How many more notices our ledger says that WeChat will take."""
        return int(self.look("/api/v1/subscriptions")["subscriptions"][0]["balance"])

    def notices(self) -> list[dict[str, Any]]:
        """The inbox, the newest first."""
        notices: list[dict[str, Any]] = self.look("/api/v1/notices")["notices"]
        return notices

    def messages(self) -> list[dict[str, Any]]:
        """The WeChat messages on this phone."""
        messages: list[dict[str, Any]] = self.world.wechat("GET", f"/sandbox/users/{self.handle}/messages")
        return messages


@dataclass
class Station:
    """An inspector at a check station, with a scanner and a thermometer."""

    world: World
    session: str = field(default="", repr=False)

    def log_in(self) -> requests.Response:
        body = {"username": INSPECTOR, "password": INSPECTOR_PASSWORD}
        answer = self.world.call("POST", "/api/v1/stations/login", body=body)
        self.session = answer.json()["session"]
        return answer

    def check(self, citizen: Citizen) -> dict[str, Any]:
        """Scan the code on a citizen's screen."""
        token = citizen.look("/api/v1/code")["token"]
        body: dict[str, Any] = self.world.call(
            "POST", "/api/v1/checks", body={"token": token}, session=self.session
        ).json()
        return body

    def measure(self, citizen: Citizen, celsius: float) -> dict[str, Any]:
        """Scan, and register a temperature."""
        body = {"token": citizen.look("/api/v1/code")["token"], "celsius": celsius}
        answer: dict[str, Any] = self.world.call(
            "POST", "/api/v1/checks/temperature", body=body, session=self.session
        ).json()
        return answer

"""Officers at the console, each in a browser of their own, and those of them whom a campaign needs."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from app.staff import totp
from app.staff.models import Role
from attack.sending import OUR_ADDRESS, Answer, Headers, Line, Request, form
from devstack.officers import SECRET
from devstack.people import PASSWORD

HERE, THERE = "长春市", "吉林市"
_STEP = 30  # seconds of a one-time code
RECORDERS: Final = tuple(f"attack-recorder-{number}" for number in range(10))
SPARE: Final = tuple(f"attack-spare-{number}" for number in range(4))  # whose lists must not count against those
NAMED: Final = tuple(f"attack-named-{number}" for number in range(15))  # at whose names others guess
LEAVING: Final = tuple(f"attack-leaving-{number}" for number in range(6))  # whose sessions are ended, each in one way
APPROVERS: Final = ("attack-approver-0", "attack-approver-1")
_R, _A = Role.RECORDER, Role.APPROVER
OFFICERS: Final[Mapping[str, tuple[str, Sequence[Role], str | None]]] = {
    **dict.fromkeys((*RECORDERS, *SPARE, *NAMED), ("示例录入员", (_R,), HERE)),
    **dict.fromkeys(APPROVERS, ("示例审批员", (_A,), HERE)),
    "attack-both": ("示例二职员", (_R, _A), HERE),
    "attack-appeals": ("示例纠错员", (Role.APPEALS,), None),
    "attack-auditor": ("示例审计员", (Role.AUDITOR,), HERE),
    "attack-administrator": ("示例管理员", (Role.ADMINISTRATOR,), HERE),
    "attack-clerk": ("示例窗口员", (Role.CLERK,), HERE),
    "attack-recorder-there": ("示例外地录入员", (_R,), THERE),
    "attack-approver-there": ("示例外地审批员", (_A,), THERE),
    "attack-appeals-there": ("示例外地纠错员", (Role.APPEALS,), THERE),
    "attack-auditor-there": ("示例外地审计员", (Role.AUDITOR,), THERE),
    "attack-administrator-there": ("示例外地管理员", (Role.ADMINISTRATOR,), THERE),
    "attack-clerk-there": ("示例外地窗口员", (Role.CLERK,), THERE),
    **dict.fromkeys(LEAVING, ("示例离职员", (_R, _A), HERE)),
    "attack-target": ("示例对象", (_R,), HERE),  # whom others try to administer
}


@dataclass
class Clerk:
    """An officer in a browser, with the cookie of their session and the token of its forms."""

    host: str
    username: str
    source: str = OUR_ADDRESS
    password: str = PASSWORD
    cookie: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self.line = Line(self.host, self.source)

    @property
    def headers(self) -> Headers:
        return (("Cookie", f"officer={self.cookie}"),) if self.cookie else ()

    def log_in(self) -> bool:
        """Log in unless the session still opens the console; return whether it does."""
        if self._read_token():
            return True
        self.cookie = ""
        for _ in range(3):
            self.cookie = cookie_of(self.line.send(self.login(self.next_code())))
            if self.cookie:
                return self._read_token()
        return False

    def next_code(self) -> str:
        """A one-time code that was not used yet; waits for one where need be."""
        return fresh_codes(self.username)[0]

    def login(self, code: str, headers: Headers = ()) -> Request:
        """The form of a log-in with this one-time code."""
        filled = {"username": self.username, "password": self.password, "code": code, "form": ""}
        return form("/console/login", filled, headers)

    def post(self, path: str, **filled: Any) -> Request:
        """A form of the console, as its page sends it."""
        return form(path, {**filled, "form": self.token}, self.headers)

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self.line.send(Request("GET", path, self.headers))

    def _read_token(self) -> bool:
        found = re.search(rb'name="form" value="([^"]+)"', self.get("/console/account").body) if self.cookie else None
        self.token = found[1].decode() if found else ""
        return found is not None


_steps: dict[str, int] = {}  # whose one-time code each officer has used last, in whichever browser


def fresh_codes(*usernames: str) -> list[str]:
    """One-time codes of one moment that these officers have not used yet; waits for them where need be."""
    step = max(int(time.time()) // _STEP - 1, *(_steps.get(username, 0) + 1 for username in usernames))
    _steps.update(dict.fromkeys(usernames, step))
    time.sleep(max(0.0, (step - 1) * _STEP - time.time()))
    return [totp.code_at(SECRET, datetime.fromtimestamp(step * _STEP, UTC)) for _ in usernames]


def cookie_of(answer: Answer) -> str:
    """The session that an answer sets, or nothing."""
    found = re.search(r"(?:^|[\s,])(?:__Host-)?officer=([^;\s]+)", answer.headers.get("set-cookie", ""))
    return found[1] if found and answer.status == 303 else ""

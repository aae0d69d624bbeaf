"""The health officers of the demonstration, at the console: one records, and another one approves."""

import html
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import requests

from app.staff import totp
from devstack.demo.transcript import NotTrue, Transcript
from devstack.officers import SECRET
from devstack.people import PASSWORD

RECORDER, APPROVER = "demo-recorder", "demo-approver"
_PATIENT = "229999197001010019"  # the invented person whose contacts the others are
_STEP = 30  # seconds of a one-time code
_PLACES = {"contact": "示例商场", "quarantine": "示例酒店"}


@dataclass
class Desk:
    """An officer in a browser, who logs in whenever the console asks for it."""

    web: str
    username: str
    step: int = 0  # whose code was used last
    browser: requests.Session = field(default_factory=requests.Session)

    def send(self, path: str, **filled: str) -> str:
        """Send a form as its page does; the address to which the console sends the browser on. Raises NotTrue."""
        token = self._form_token() or self._log_in() or self._form_token()
        answer = self._post(path, {**filled, "form": token})
        if answer.status_code != 303:
            reasons = re.findall(r'class="mistake"[^>]*>([^<]+)', answer.text)
            raise NotTrue(f"the console refused {path}: {answer.status_code} {html.unescape(' · '.join(reasons))}")
        return answer.headers["Location"]

    def read(self, path: str) -> str:
        """Return a page of the console as it is written. Raises NotTrue."""
        if not self._form_token():
            self._log_in()
        return html.unescape(self.browser.get(self.web + path, timeout=15).text)

    def _form_token(self) -> str:
        answer = self.browser.get(f"{self.web}/console/account", allow_redirects=False, timeout=15)
        found = re.search(r'name="form" value="([^"]+)"', answer.text)
        return found[1] if found else ""

    def _log_in(self) -> str:
        """Log in with a code that was not used yet, also by whoever tried the console a moment ago."""
        for _ in range(5):
            self.step = max(self.step + 1, int(time.time()) // _STEP - 1)
            time.sleep(max(0.0, (self.step - 1) * _STEP - time.time()))
            code = totp.code_at(SECRET, datetime.fromtimestamp(self.step * _STEP, UTC))
            form = {"username": self.username, "password": PASSWORD, "code": code, "form": ""}
            if self._post("/console/login", form).status_code == 303:
                return ""
        raise NotTrue(f"the console does not let {self.username} in")

    def _post(self, path: str, form: dict[str, str]) -> requests.Response:
        own_page = {"Sec-Fetch-Site": "same-origin"}
        return self.browser.post(self.web + path, form, headers=own_page, allow_redirects=False, timeout=15)


@dataclass
class Office:
    """Two officers, and the case of which people are contacts."""

    web: str
    transcript: Transcript
    case: str = ""

    def __post_init__(self) -> None:
        self.recorder, self.approver = Desk(self.web, RECORDER), Desk(self.web, APPROVER)

    def record(self, document: str, kind: str, **days: date) -> str:
        """Record one thing about a person, and let another officer approve it where it waits for one; their state."""
        filled = {
            "kind": kind,
            "numbers": document,
            "authority": "示例市疾病预防控制中心",
            "reference": f"示例疾控 {kind} 001",
            "place": _PLACES.get(kind, ""),
            "previewed": "yes",
            **{name: day.isoformat() for name, day in days.items()},
        }
        if kind == "contact":
            filled["case"] = self.case_number()
        return self._enter(kind, filled)

    def release(self, document: str, restriction: str) -> str:
        """Release a person from a contact or a quarantine that was recorded here; their state."""
        reference = f"示例疾控 {restriction} 001"
        stated = {"authority": "示例市疾病预防控制中心", "reference": reference, "place": ""}
        return self._enter("release", {"kind": "release", "numbers": document, "previewed": "yes", **stated})

    def _enter(self, kind: str, filled: dict[str, str]) -> str:
        self.transcript.asked(f"{RECORDER} POST /console/entries/new  {kind}, {filled['authority']}")
        entry, _, done = self.recorder.send("/console/entries/new", **filled).partition("?done=")
        if done == "entry-waiting":
            self.transcript.asked(f"{APPROVER} GET {entry}, POST {entry}/approve")
            self.approver.read(entry)
            done = self.approver.send(f"{entry}/approve").partition("?done=")[2]
        if done != "entry-applied":
            raise NotTrue(f"{entry} does not count: {done}")
        color = re.search(r'class="color (\w+)"', self.recorder.read(entry))
        if color is None:
            raise NotTrue(f"{entry} shows no color")
        return color[1].upper()

    def case_number(self) -> str:
        """The number of a case, which is recorded when the first contact is."""
        if not self.case:
            self.record(_PATIENT, "confirmed")
            found = re.search(r"<td\b[^>]*>(示例疾控 confirmed 001-\d+)</td>", self.recorder.read("/console/cases"))
            if found is None:
                raise NotTrue("the console shows no case")
            self.case = found[1]
        return self.case

"""Everybody who acts in the system without a phone of the tests: an operator, the platform, WeChat, other people.

Everybody here is invented.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import pypdfium2
import requests
import zxingcpp
from sqlalchemy import func, select

from app.appeals import resolution, viewing
from app.appeals.models import Appeal
from app.appeals.resolution import Correction, UpholdReason
from app.citizens.documents import check_digit
from app.core.settings import load_settings
from app.entries.content import RejectionReason
from app.follow_ups import keeping
from app.runtime import Services, make_services
from app.staff import officers
from app.staff.context import OPERATOR, OfficerContext, begin_as, begin_officer
from app.staff.models import Officer, Role
from app.staff.officers import NewOfficer
from app.venues import review
from devstack.people import INSPECTOR, PASSWORD
from tests.browser.running import PATIENCE, ROOT, Running
from tests.support.venues import FORM as VENUE_FORM
from tests.support.venues import NEW_PASSWORD

_TIMEOUT = 20  # seconds, of one call
_numbers = count(1)


def id_number() -> str:
    """An ID number that nobody has, with the right check digit; another one each time."""
    first = f"22999919850607{next(_numbers) % 1000:03d}"
    return first + check_digit(first)


def token_of_another_system() -> str:
    """The text in a code that somebody else's keys have signed."""
    vectors = json.loads((ROOT / "tests" / "vectors" / "tokens.json").read_text(encoding="utf-8"))["vectors"]
    return next(str(vector["text"]) for vector in vectors if "state" in vector["expect"])


@dataclass(frozen=True)
class Person:
    """A registered citizen; `phone` is their name in WeChat."""

    phone: str
    username: str
    name: str
    number: str
    session: str
    account: dict[str, Any]

    @property
    def storage(self) -> dict[str, Any]:
        """What the mini-program keeps on their phone."""
        return {"citizen.session": self.session, "citizen.account": self.account}


class System(Running):
    """The running system, and what others do in it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)

    def start(self) -> None:
        super().start()
        try:
            self._platform_is_heard()
        except BaseException:
            self.stop()
            raise

    # --- an operator

    def now(self) -> datetime:
        """What time it is for the system."""
        return datetime.fromisoformat(self._call("GET", "/stage.json")["now"])

    def advance(self, **amount: float) -> None:
        """Move the system's clock ahead; it moves for all tests that come after."""
        moment = (self.now() + timedelta(**amount)).isoformat()
        environment = {**os.environ, "JIXIANG_CONFIG": str(self.place.config)}
        command = [sys.executable, "-m", "app", "clock", "advance", moment]
        subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, timeout=60)

    # --- the national platform

    @contextmanager
    def platform_away(self) -> Iterator[None]:
        """It answers nobody; at the end it does again, and the system has taken note."""
        switch = "/platform-sandbox/sandbox/switch"
        self._call("PUT", switch, {"on": False})
        try:
            yield
        finally:
            self._call("PUT", switch, {"on": True})
            self._platform_is_heard()

    def _platform_is_heard(self) -> None:
        """Wait until a declaration is verified at once: after a failure the platform is left alone for a while."""
        probe = self.person(f"probe-{next(_numbers)}")
        for _ in range(PATIENCE):
            self.declare(probe)
            if self.state(probe) == "GREEN":
                return
            time.sleep(1)
        raise AssertionError("the platform is not asked again")

    def platform_finds(self, number: str, kind: str, **dates: str) -> None:
        """From now on the platform has this finding about the holder of the number."""
        finding = {
            "kind": kind,
            "authority": "示例市疾病预防控制中心",
            "document": "示例疾控 2020-009",
            "since": self.now().isoformat(),
            **dates,
        }
        self._call("PUT", f"/platform-sandbox/sandbox/people/{number}", {"findings": [finding]})

    # --- citizens and their WeChat

    def person(self, phone: str, name: str = "示例甲") -> Person:
        """Somebody who has registered on their phone."""
        number = id_number()
        username = f"u{number[6:17]}"
        session = self._wechat_session(phone)
        registration = {
            "username": username,
            "password": PASSWORD,
            "name": name,
            "document": {"type": "id-card", "number": number},
            "phone": f"138{secrets.randbelow(10_000):04d}0000",
        }
        answer = self._call("POST", "/api/v1/accounts", registration, session)
        return Person(phone, username, name, number, answer["session"], answer["account"])

    def declared(self, phone: str, symptoms: tuple[str, ...] = ()) -> Person:
        """Somebody who has registered and declared their health."""
        person = self.person(phone)
        self.declare(person, symptoms)
        return person

    def declare(self, person: Person, symptoms: tuple[str, ...] = ()) -> None:
        statement = {"symptoms": list(symptoms), "contact": False, "consent": True}
        self._call("POST", "/api/v1/declarations", statement, person.session)

    def token(self, person: Person) -> str:
        """The text in their QR code."""
        token: str = self._call("GET", "/api/v1/code", session=person.session)["token"]
        return token

    def card(self, person: Person) -> tuple[str, str]:
        """What a camera reads from a new card on paper of theirs, and the tail of their document."""
        self._call("POST", "/api/v1/paper-cards", session=person.session)
        return self._seen_in_pdf("/api/v1/paper-cards/current.pdf", person), person.number[-4:]

    def _seen_in_pdf(self, path: str, person: Person) -> str:
        """What a camera reads from the code in a PDF."""
        headers = {"Authorization": f"Bearer {person.session}"}
        answer = requests.get(f"{self.address}{path}", headers=headers, timeout=_TIMEOUT)
        picture = pypdfium2.PdfDocument(answer.content)[0].render(scale=3).to_pil().convert("L")
        formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
        (found,) = zxingcpp.read_barcodes(picture, formats=formats)
        return str(found.text)

    def state(self, person: Person) -> str:
        state: str = self._call("GET", "/api/v1/code", session=person.session)["state"]
        return state

    def of_color(self, phone: str, state: str, name: str = "示例甲") -> Person:
        """Somebody whose code is green, yellow, orange or red, and got it as everybody does."""
        person = self.person(phone, name)
        if state == "orange":
            exposed = self.now() - timedelta(days=2)
            self.platform_finds(person.number, "contact", exposed_on=exposed.date().isoformat())
        if state == "red":
            self.platform_finds(person.number, "confirmed")
        self.declare(person)
        if state == "yellow":
            self.measure(person, 37.5)
        return person

    def log_out(self, person: Person) -> None:
        """End their sessions, from another phone."""
        login = {"username": person.username, "password": PASSWORD}
        other = self._call("POST", "/api/v1/accounts/login", login)["session"]
        self._call("POST", "/api/v1/accounts/logout", session=other)

    def is_logged_in(self, session: str) -> bool:
        headers = {"Authorization": f"Bearer {session}"}
        return requests.get(f"{self.address}/api/v1/accounts/me", headers=headers, timeout=_TIMEOUT).ok

    def subscribe(self, person: Person) -> None:
        """They have said yes to WeChat's question, and the mini-program has told it."""
        told = {"demo-color-change": "accept"}
        self._call("POST", f"/wechat-sandbox/sandbox/users/{person.phone}/subscribe", told)
        self._call("POST", "/api/v1/subscriptions", told, person.session)

    def bind(self, person: Person, phone: str) -> None:
        """Somebody logs in to their account with its password, in another WeChat."""
        credentials = {"username": person.username, "password": PASSWORD}
        self._call("POST", "/api/v1/accounts/login", credentials, self._wechat_session(phone))

    def switch_messages_off(self, phone: str) -> None:
        """In WeChat's own settings."""
        self._call("POST", f"/wechat-sandbox/sandbox/users/{phone}/settings", {"demo-color-change": "reject"})

    def _wechat_session(self, phone: str) -> str:
        users = "/wechat-sandbox/sandbox/users"
        self._call("POST", users, {"name": phone})
        code = self._call("POST", f"{users}/{phone}/login")["code"]
        session: str = self._call("POST", "/api/v1/wechat/login", {"code": code})["session"]
        return session

    # --- families

    def invite(self, holder: Person, dependant: Person) -> None:
        """One asks to show the code of the other."""
        self._call("POST", "/api/v1/family/invitations", _named(dependant.name, dependant.number), holder.session)

    def tie(self, holder: Person, dependant: Person) -> None:
        """The other agrees, to declarations too."""
        self.invite(holder, dependant)
        asked = self._call("GET", "/api/v1/family/invitations", session=dependant.session)["invitations"]
        answer = {"id": asked[0]["id"], "may_declare": True}
        self._call("POST", "/api/v1/family/invitations/accept", answer, dependant.session)

    def know_child(self, guardian: Person, name: str) -> str:
        """The platform knows a child of five years, and its guardian; returns the child's number."""
        born_on = (self.now() - timedelta(days=5 * 365)).date()
        first = f"229999{born_on:%Y%m%d}{next(_numbers) % 1000:03d}"
        number = first + check_digit(first)
        known = {"name": name, "born_on": born_on.isoformat(), "guardians": [guardian.number]}
        self._call("PUT", f"/platform-sandbox/sandbox/people/{number}", known)
        return number

    def add_child(self, guardian: Person, name: str) -> None:
        """A guardian adds a child, and declares for it."""
        child = _named(name, self.know_child(guardian, name))
        tie = self._call("POST", "/api/v1/family/children", {**child, "consent": True}, guardian.session)["id"]
        statement = {"id": tie, "symptoms": [], "contact": False, "consent": True}
        self._call("POST", "/api/v1/family/members/declarations", statement, guardian.session)

    # --- venues

    def open_venue(self, manager: Person, name: str) -> dict[str, Any]:
        """A citizen applies for a venue, and an administrator approves it."""
        applied = self.apply_for_venue(manager, name)
        with self._at_work("province-administrator", Role.ADMINISTRATOR) as context:
            review.view(context, applied)
            context.session.flush()
            review.approve(context, applied)
        venue: dict[str, Any] = self._call("GET", "/api/v1/venues", session=manager.session)["venues"][-1]
        return venue

    def apply_for_venue(self, citizen: Person, name: str) -> int:
        """The number of the application."""
        form = {**VENUE_FORM, "name": name, "address": f"示例大街 {next(_numbers)} 号"}
        return int(self._call("POST", "/api/v1/venues/applications", form, citizen.session)["id"])

    def start_shift(self, manager: Person, venue: dict[str, Any], username: str) -> str:
        """An inspector who was added at the first entrance and has chosen a password; returns their session."""
        body = {"venue": venue["id"], "entrance": venue["entrances"][0]["id"], "username": username}
        given = self._call("POST", "/api/v1/venues/inspectors", body, manager.session)["password"]
        body = {"username": username, "password": given, "new_password": NEW_PASSWORD}
        return str(self._call("POST", "/api/v1/stations/login", body)["session"])

    def venue_code(self, manager: Person, venue: dict[str, Any]) -> str:
        """What a camera reads from a new poster of the first entrance."""
        entrance = venue["entrances"][0]["id"]
        self._call("POST", "/api/v1/venues/codes", {"venue": venue["id"], "entrance": entrance}, manager.session)
        place = f"/api/v1/venues/codes/current.pdf?venue={venue['id']}&entrance={entrance}"
        return self._seen_in_pdf(place, manager)

    def check_at(self, session: str, token: str) -> int:
        """The status of a check by this session."""
        headers = {"Authorization": f"Bearer {session}"}
        answer = requests.post(
            f"{self.address}/api/v1/checks", json={"token": token}, headers=headers, timeout=_TIMEOUT
        )
        return answer.status_code

    # --- appeals, and officers who look

    def appeal(self, person: Person, text: str, *attached: bytes) -> int:
        """They object to their color, with what they attach; returns the number by which officers know it."""
        sent = {"text": text, "attachments": [b64encode(content).decode() for content in attached]}
        self._call("POST", "/api/v1/appeals", sent, person.session)
        with self._at_work() as context:
            return context.session.scalars(select(func.max(Appeal.id))).one()

    def uphold(self, appeal: int) -> None:
        """An officer of the province reads it, and finds that the decision was right."""
        with self._at_work() as context:
            viewing.view_appeal(context, appeal)
            resolution.uphold(context, appeal, UpholdReason.PLATFORM_CONFIRMS)

    def overturn(self, appeal: int) -> None:
        """An officer of the province reads it, and withdraws the contact that the decision rests on."""
        with self._at_work() as context:
            record = viewing.view_appeal(context, appeal).record
            wrong = {line.id: RejectionReason.WRONG_PERSON for line in record.evidence if line.kind == "contact"}
            resolution.overturn(context, appeal, Correction(wrong))

    @contextmanager
    def _at_work(self, name: str = "province-appeals", role: Role = Role.APPEALS) -> Iterator[OfficerContext]:
        """One transaction of an officer of the province, as at the console; they are added at the first one."""
        with self._services() as services, begin_officer(services, _officer(services, name, role)) as context:
            yield context

    def keep_follow_ups(self) -> None:
        """Open the follow-ups that are missing, as the worker does every ten seconds."""
        with self._services() as services:
            keeping.keep(services)

    @contextmanager
    def _services(self) -> Iterator[Services]:
        with mock.patch.dict(os.environ, {"JIXIANG_CONFIG": str(self.place.config)}):
            services = make_services(load_settings())
        try:
            yield services
        finally:
            services.close()

    # --- stations

    def inspector(self) -> dict[str, Any]:
        """What the mini-program keeps on the phone of an inspector who has logged in."""
        answer = self._call("POST", "/api/v1/stations/login", {"username": INSPECTOR, "password": PASSWORD})
        return {"station.session": answer["session"], "station.name": answer["station"]}

    def check(self, token: str) -> str:
        """What to do with the holder of this code: pass, measure or stop."""
        session = self.inspector()["station.session"]
        action: str = self._call("POST", "/api/v1/checks", {"token": token}, session)["action"]
        return action

    def check_document(self, person: Person) -> None:
        """At a check station, of somebody who shows their document."""
        session = self.inspector()["station.session"]
        document = {"type": "id-card", "number": person.number, "name": person.name}
        self._call("POST", "/api/v1/checks/document", document, session)

    def log_inspector_out(self, session: str) -> None:
        """At the end of the shift, or by the employer."""
        self._call("POST", "/api/v1/stations/logout", session=session)

    def measure(self, person: Person, celsius: float) -> None:
        """At a check station."""
        session = self.inspector()["station.session"]  # a new one, for a test may have ended all those before
        body = {"token": self.token(person), "celsius": celsius}
        self._call("POST", "/api/v1/checks/temperature", body, session)

    def _call(self, method: str, path: str, body: Any = None, session: str = "") -> Any:
        headers = {"Authorization": f"Bearer {session}"} if session else {}
        answer = requests.request(method, self.address + path, json=body, headers=headers, timeout=_TIMEOUT)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


def _named(name: str, number: str) -> dict[str, Any]:
    return {"name": name, "document": {"type": "id-card", "number": number}}


def _officer(services: Services, name: str, role: Role) -> Officer:
    with begin_as(services, OPERATOR) as context:
        known = context.session.scalars(select(Officer).where(Officer.username == name)).one_or_none()
        new = NewOfficer(name, f"示例{name}", [role])
        return known or officers.add_officer(context, new)[0]

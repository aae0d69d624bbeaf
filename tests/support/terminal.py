"""Officers at the command line, with their passwords and codes in the environment. Everybody here is invented."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.citizens import lookup
from app.citizens.documents import DocumentType
from app.cli import base, main
from app.codes.models import Code
from app.codes.states import State
from app.entries.models import Case
from app.runtime import Services
from app.staff import officers, totp
from app.staff.models import Officer
from tests.support.desk import SECRET, make_officer
from tests.support.people import PASSWORD, id_number

RECORDER, APPROVER = "rec-1", "app-1"
AUTHORITY, REFERENCE = "长春市疾病预防控制中心", "长疾控〔2020〕1号"
PLACES = {"contact": "示例商场", "quarantine": "示例酒店"}
PATIENT = id_number(990)  # whose contacts people are


@dataclass
class Terminal:
    """A recorder and an approver at a terminal, with an authenticator that goes by the clock of the test."""

    services: Services
    invoke: Callable[..., Result]
    case_number: str = field(default="", init=False)

    def run(self, *words: str, officer: str = RECORDER, approver: str = "", auditor: str = "", **given: Any) -> Result:
        """A command as an officer gives it, whose code was not used yet; `given` goes to the runner."""
        environment = {}
        for who, name in (("OFFICER", officer), ("APPROVER", approver), ("AUDITOR", auditor)):
            if name:
                environment |= {f"JIXIANG_{who}_PASSWORD": PASSWORD, f"JIXIANG_{who}_CODE": self.code_of(name)}
        environment |= given.pop("env", {})
        options = ["--officer", officer] + (["--approver", approver] if approver else [])
        options += ["--auditor", auditor] if auditor else []
        return self.invoke(main, [*words, *options], env=environment, **given)

    def code_of(self, username: str) -> str:
        """What the authenticator shows, as if nobody had used it; an officer who is not there yet is hired."""
        with self.services.begin() as session:
            officer = session.scalar(select(Officer).filter_by(username=username))
            if officer is not None:
                officers.find_by_username(session, username).totp_step = None
        if officer is None and username in (RECORDER, APPROVER):
            make_officer(self.services, username, "recorder" if username == RECORDER else "approver")
        return totp.code_at(SECRET, self.services.real_clock.now())

    def record(self, document: str, kind: str, /, *flags: str, **changes: str | None) -> Result:
        """`jixiang evidence record`; None leaves an option out. A contact is one of the patient's."""
        known: dict[str, str | None] = {"authority": AUTHORITY, "reference": REFERENCE, "place": PLACES.get(kind)}
        if kind == "contact" and "case" not in changes:
            known["case"] = self.case()
        options = {"document_number": document, "kind": kind, **known, **changes}
        words = [word for name, value in options.items() if value is not None for word in (_option(name), value)]
        return self.run("evidence", "record", *words, *flags)

    def approve(self, entry: int, *flags: str, officer: str = APPROVER) -> Result:
        return self.run("evidence", "approve", str(entry), "--yes", *flags, officer=officer)

    def enter(self, document: str, kind: str, /, **changes: str | None) -> tuple[str, str | None]:
        """Record, and approve what waits; the state and the rule that follow."""
        recorded = self.record(document, kind, "--json", **changes)
        assert recorded.exit_code == 0, recorded.output
        entry = json.loads(recorded.stdout)
        if entry["state"] == "waiting":
            approved = self.approve(entry["entry"])
            assert approved.exit_code == 0, approved.output
        return self.color(document, changes.get("document_type") or "id-card")

    def color(self, document: str, type_: str = "id-card") -> tuple[str, str | None]:
        """The state of the person with this document, and its rule."""
        with self.services.sessions() as session:
            serial = lookup.find_serial(session, self.services.encryption, DocumentType(type_), document)
            code = session.get_one(Code, serial)
            return State(code.state).name, code.rule

    def case(self) -> str:
        """The number of the patient's case."""
        if not self.case_number:
            self.enter(PATIENT, "confirmed", reference="示例病例")
            with self.services.sessions() as session:
                self.case_number = session.scalars(select(Case.number)).one()
        return self.case_number


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def open_terminal(services: Services, monkeypatch: pytest.MonkeyPatch, *officers: str) -> Terminal:
    """A terminal of this system, whose officers of these names are there already."""
    theirs = replace(services, real_clock=services.clock)
    monkeypatch.setattr(base, "services", lambda: theirs)
    terminal = Terminal(theirs, CliRunner().invoke)
    for name in officers:
        terminal.code_of(name)
    return terminal

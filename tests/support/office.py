"""Officers of a city, and what they do with entries, each act in a transaction of its own."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from app.audit import AuditEvent
from app.codes.models import Code
from app.codes.states import State
from app.entries import alarms, workflow
from app.entries.content import EntryKind
from app.entries.models import Case, Entry
from app.entries.validation import ClearanceReason, NewEntry, RejectionReason
from app.runtime import Services
from app.staff.models import Officer
from tests.support.codes import open_green_code

TODAY = date(2020, 3, 20)
AUTHORITY, REFERENCE = "示例疾病预防控制中心", "示例疾控〔2020〕1号"
NUMBERS = alarms.load_thresholds()


class Office:
    """Some officers, and what they do, each deed in a transaction of its own."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.people = 0
        self.ids: dict[str, int] = {}
        for name, roles, district in (
            ("recorder", ["recorder"], "长春市"),
            ("colleague", ["recorder"], "长春市"),
            ("approver", ["approver"], "长春市"),
            ("second approver", ["approver"], "长春市"),
            ("both", ["recorder", "approver", "auditor"], "长春市"),
            ("auditor", ["auditor"], None),
            ("elsewhere", ["recorder", "approver", "auditor"], "吉林市"),
            ("administrator", ["administrator"], None),
        ):
            with services.begin() as session:
                officer = Officer(
                    username=name, name="示例", password_hash="none", totp_ciphertext=b"none", roles=roles,
                    district=district, created_at=services.clock.now(),
                )  # fmt: skip
                session.add(officer)
                session.flush()
                self.ids[name] = officer.id

    def propose(self, by: str, kind: str, serials: Collection[int], **draft: Any) -> int:
        known: dict[str, Any] = {"authority": AUTHORITY, "reference": REFERENCE}
        if kind == "contact":
            known |= {"exposed_on": TODAY, "place": "示例商场"}
        if kind == "quarantine":
            known |= {"first_day": TODAY, "last_day": TODAY + timedelta(days=14), "place": "示例酒店"}
        with self.services.begin() as session:
            officer = session.get_one(Officer, self.ids[by])
            made = NewEntry(kind=EntryKind(kind), **{**known, **draft})
            return workflow.save(
                session, self.services.policy, NUMBERS, officer, made, serials, self.services.clock.now()
            ).id

    def approve(self, by: str, id_: int) -> str:
        with self.services.begin() as session:
            officer = session.get_one(Officer, self.ids[by])
            now = self.services.clock.now()
            return workflow.approve(session, self.services.policy, NUMBERS, officer, id_, now).state

    def refuse(self, by: str, id_: int, reason: RejectionReason = RejectionReason.WRONG_FACTS) -> str:
        with self.services.begin() as session:
            officer = session.get_one(Officer, self.ids[by])
            return workflow.reject(session, self.services.policy, officer, id_, reason, self.services.clock.now()).state

    def release(self, by: str, id_: int, reason: ClearanceReason = ClearanceReason.OUTBREAK) -> str:
        with self.services.begin() as session:
            officer = session.get_one(Officer, self.ids[by])
            return workflow.clear_hold(session, officer, id_, reason, self.services.clock.now()).state

    def lapse(self) -> int:
        with self.services.begin() as session:
            return workflow.lapse_overdue(session, self.services.policy, self.services.clock.now())

    def citizens(self, number: int = 1) -> list[int]:
        return [open_green_code(self.services) for _ in range(number)]

    def color(self, serial: int) -> str:
        with self.services.sessions() as session:
            return State(session.get_one(Code, serial).state).name

    def state(self, id_: int) -> str:
        with self.services.sessions() as session:
            return session.get_one(Entry, id_).state

    def case(self) -> str:
        """The number of an open case."""
        (infected,) = self.citizens()
        self.approve("approver", self.propose("recorder", "confirmed", [infected], reference="示例病例"))
        with self.services.sessions() as session:
            return session.scalars(select(Case.number).where(Case.serial == infected)).one()

    def number_of(self, infected: int) -> str:
        """The number of a person's open case."""
        with self.services.sessions() as session:
            mine = select(Case.number).where(Case.serial == infected, Case.ended_at.is_(None))
            return session.scalars(mine).one()

    def deeds(self) -> list[str]:
        with self.services.sessions() as session:
            rows = session.scalars(
                select(AuditEvent).where(AuditEvent.action.like("proposal-%")).order_by(AuditEvent.id)
            )
            return [f"{row.actor} {row.action} {row.detail['proposal']}" for row in rows]

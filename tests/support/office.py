"""Officers of a city, and what they do with entries, each act in a transaction of its own."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.audit import CLOCK, AuditEvent
from app.codes import ledger
from app.codes.models import Code
from app.codes.states import State
from app.core.errors import Problem
from app.entries import workflow
from app.entries.content import ClearanceReason, EntryKind, NewEntry, RejectionReason
from app.entries.models import Case, Entry
from app.runtime import Services
from app.staff.context import OfficerContext, begin_as, begin_officer
from app.staff.models import Officer
from tests.support.codes import open_green_codes

TODAY = date(2020, 3, 20)
AUTHORITY, REFERENCE = "示例疾病预防控制中心", "示例疾控〔2020〕1号"


class Office:
    """Some officers, and what they do, each act in a transaction of its own."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.people = 0
        self.ids: dict[str, int] = {}
        self._hire(
            self._newcomer("recorder", ["recorder"], "长春市"),
            self._newcomer("colleague", ["recorder"], "长春市"),
            self._newcomer("approver", ["approver"], "长春市"),
            self._newcomer("second approver", ["approver"], "长春市"),
            self._newcomer("both", ["recorder", "approver", "auditor"], "长春市"),
            self._newcomer("auditor", ["auditor"], None),
            self._newcomer("elsewhere", ["recorder", "approver", "auditor"], "吉林市"),
            self._newcomer("administrator", ["administrator"], None),
        )

    def hire(self, name: str, *roles: str, district: str | None = None) -> str:
        self._hire(self._newcomer(name, list(roles), district))
        return name

    def _newcomer(self, name: str, roles: list[str], district: str | None) -> Officer:
        return Officer(
            username=name, name="示例", password_hash="none", totp_ciphertext=b"none", roles=roles,
            district=district, created_at=self.services.clock.now(),
        )  # fmt: skip

    def _hire(self, *officers: Officer) -> None:
        with self.services.begin() as session:
            session.add_all(officers)
            session.flush()
            self.ids |= {officer.username: officer.id for officer in officers}

    def propose(self, by: str, kind: str, serials: Collection[int], **draft: Any) -> int:
        known: dict[str, Any] = {"authority": AUTHORITY, "reference": REFERENCE}
        day = max(TODAY, self.services.clock.now().date() - timedelta(days=60))  # an older one would be implausible
        if kind == "contact":
            known |= {"exposed_on": day, "place": "示例商场"}
        if kind == "quarantine":
            known |= {"first_day": day, "last_day": day + timedelta(days=14), "place": "示例酒店"}
        made = NewEntry(kind=EntryKind(kind), people=dict.fromkeys(serials), **{**known, **draft})
        with self.acting(by) as context:
            return workflow.save(context, made).id

    def approve(self, by: str, id_: int) -> str:
        with self.acting(by) as context:
            return workflow.approve(context, id_).state

    def refuse(self, by: str, id_: int, reason: RejectionReason = RejectionReason.WRONG_FACTS) -> str:
        """Reject an entry, or withdraw one's own."""
        with self.acting(by) as context:
            own = context.session.get_one(Entry, id_).recorder_id == self.ids[by]
            return (workflow.withdraw if own else workflow.reject)(context, id_, reason).state

    def release(self, by: str, id_: int, reason: ClearanceReason = ClearanceReason.OUTBREAK) -> str:
        with self.acting(by) as context:
            return workflow.clear_hold(context, id_, reason).state

    def lapse(self) -> int:
        with begin_as(self.services, CLOCK) as context:
            return workflow.lapse_overdue(context)

    def acting(self, by: str) -> AbstractContextManager[OfficerContext]:
        with self.services.sessions() as session:
            return begin_officer(self.services, session.get_one(Officer, self.ids[by]))

    def citizens(self, number: int = 1) -> list[int]:
        return open_green_codes(self.services, number)

    def strangers(self, number: int) -> list[int]:
        """People of whom nothing is known."""
        with self.services.begin() as session:
            return ledger.create_codes(session, number, self.services.clock.now())

    def count_restricted(self) -> int:
        """How many people are orange or red."""
        with self.services.sessions() as session:
            return session.scalars(select(func.count()).where(Code.state >= State.ORANGE)).one()

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
            rows = session.scalars(select(AuditEvent).where(AuditEvent.action.like("entry-%")).order_by(AuditEvent.id))
            return [f"{row.actor} {row.action} {row.detail['entry']}" for row in rows]


def refused(slug: str, act: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        act()
    assert caught.value.slug == slug
    return caught.value

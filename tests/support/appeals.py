"""Appeals of the tests: officers of two districts, and what a citizen files and reads."""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select

from app.appeals import resolution, viewing
from app.appeals.attachments import AttachmentFile
from app.appeals.models import Appeal
from app.appeals.resolution import Correction, UpholdReason
from app.appeals.viewing import AppealDetail
from app.audit import AuditEvent
from app.core.errors import Problem
from app.entries import workflow
from app.entries.content import EntryKind, NewEntry, RejectionReason
from app.runtime import Services
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Officer
from tests.support.people import Phone

TODAY = date(2020, 3, 20)
AUTHORITY, REFERENCE = "示例疾病预防控制中心", "示例疾控〔2020〕1号"
SAID = "我没有去过示例商场。\n当天我在家。"


class Office:
    """Officers of two districts and of the province, each act in a transaction of its own."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.ids: dict[str, int] = {}
        both = ["recorder", "approver", "auditor", "appeals"]
        for name, roles, district in (
            ("recorder", both, "长春市"),
            ("approver", both, "长春市"),
            ("auditor", both, "长春市"),
            ("appeals", ["appeals"], "长春市"),
            ("colleague", ["appeals"], "长春市"),
            ("elsewhere", both, "吉林市"),
            # the seventh, in whose name `tell` records: a hand in the evidence, who hears no appeals
            ("no appeals", ["recorder", "approver", "auditor", "administrator"], None),
            ("province", ["appeals"], None),
        ):
            with services.begin() as session:
                officer = Officer(
                    name="示例",
                    password_hash="none",
                    totp_ciphertext=b"none",
                    username=name,
                    roles=roles,
                    district=district,
                    created_at=services.clock.now(),
                )
                session.add(officer)
                session.flush()
                self.ids[name] = officer.id

    def do(self, by: str, act: Callable[..., Any], *arguments: Any) -> Any:
        with self.services.sessions() as session:
            officer = session.get_one(Officer, self.ids[by])
        with begin_officer(self.services, officer) as context:
            return act(context, *arguments)

    def propose(self, kind: str, serial: int, by: str = "recorder", **draft: Any) -> int:
        known: dict[str, Any] = {"authority": AUTHORITY, "reference": REFERENCE}
        if kind == "contact":
            known |= {"exposed_on": TODAY, "place": "示例商场"}
        if kind == "quarantine":
            known |= {"first_day": TODAY, "last_day": TODAY + timedelta(days=14), "place": "示例酒店"}
        made = NewEntry(kind=EntryKind(kind), people={serial: None}, **{**known, **draft})
        id_: int = self.do(by, lambda context: workflow.save(context, made).id)
        return id_

    def approve(self, id_: int, by: str = "approver") -> None:
        self.do(by, workflow.approve, id_)

    def apply(self, kind: str, serial: int, by: str = "recorder", approver: str = "approver", **draft: Any) -> int:
        id_ = self.propose(kind, serial, by, **draft)
        self.approve(id_, approver)
        return id_

    def read(self, id_: int, by: str = "appeals") -> AppealDetail:
        opened: AppealDetail = self.do(by, viewing.view_appeal, id_)
        return opened

    def attachment(self, id_: int, by: str = "appeals") -> AttachmentFile:
        found: AttachmentFile = self.do(by, viewing.view_attachment, id_)
        return found

    def waiting_for(self, by: str) -> list[int]:
        found: list[int] = [appeal.id for appeal in self.do(by, _list_open)]
        return found

    def uphold(self, id_: int, by: str = "appeals", reason: UpholdReason = UpholdReason.DOCUMENT_CONFIRMS) -> None:
        self.do(by, resolution.uphold, id_, reason)

    def mend(
        self,
        id_: int,
        withdrawals: Mapping[str, RejectionReason] | None = None,
        entry: int | None = None,
        by: str = "appeals",
    ) -> None:
        self.do(by, resolution.overturn, id_, Correction(withdrawals or {}, entry))

    def deeds(self, like: str = "appeal-%") -> list[tuple[str, str]]:
        with self.services.sessions() as session:
            rows = session.scalars(select(AuditEvent).where(AuditEvent.action.like(like)).order_by(AuditEvent.id))
            return [(row.actor, row.action) for row in rows]


def _list_open(context: OfficerContext) -> Sequence[Appeal]:
    return viewing.list_open(context.session, context.me)


def appeal(person: Phone, said: str = SAID, attached: tuple[bytes, ...] = ()) -> Any:
    return person.post(
        "/api/v1/appeals", {"text": said, "attachments": [base64.b64encode(one).decode() for one in attached]}
    )


def filed(person: Phone, **more: Any) -> int:
    answer = appeal(person, **more)
    assert answer.status_code == 201, answer.json
    services: Services = person.client.application.extensions["jixiang"]
    with services.sessions() as session:  # the person learns their own number of it, officers have another
        return session.scalars(select(func.max(Appeal.id))).one()


def own(person: Phone) -> list[dict[str, Any]]:
    answer = person.get("/api/v1/appeals")
    assert answer.status_code == 200, answer.json
    found: list[dict[str, Any]] = answer.json["appeals"]
    return found


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def refused(problem: str, act: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        act()
    assert caught.value.slug == problem
    return caught.value


def evidence_of(office: Office, id_: int, kind: str = "contact") -> str:
    """The id of the one evidence of this kind on which the appeal's decision rests."""
    [line] = [line for line in office.read(id_, "province").record.evidence if line.kind == kind]
    return line.id


def picture(form: str, size: tuple[int, int] = (40, 20), mode: str = "RGB", **options: Any) -> bytes:
    file = BytesIO()
    Image.new(mode, size, 128 if mode == "L" else (200, 30, 30, 0)[: len(mode)]).save(file, form, **options)
    return file.getvalue()

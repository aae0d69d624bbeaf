"""Appeals: what a citizen can object to, what an officer sees of it, and that only the record turns a color."""

import base64
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
import requests
from PIL import Image, PngImagePlugin
from sqlalchemy import func, select, text

from app.appeals import appeals, resolution, viewing
from app.appeals.appeals import NewAppeal
from app.appeals.attachments import MAX_BYTES, AttachmentFile
from app.appeals.models import Appeal, Attachment
from app.appeals.resolution import Correction, UpholdReason
from app.appeals.viewing import AppealDetail
from app.audit import AuditEvent
from app.codes.models import Code, DecisionRow, EvidenceRow
from app.codes.states import State
from app.core.errors import Problem
from app.core.texts import slugs
from app.entries import workflow
from app.entries.content import BASIS_ENDED, CASE_RULED_OUT, NOT_APPROVED, EntryKind, NewEntry, RejectionReason
from app.entries.models import Case, Entry
from app.privacy import erasure
from app.rules import load_policy
from app.runtime import Services
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Officer
from app.wechat.models import WeChatUser
from app.worker.due import escalate
from app.worker.retention import purge_appeals
from tests.support.claims import register_by_wechat
from tests.support.clock import StandingClock
from tests.support.codes import contact, open_code, tell
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


@pytest.fixture
def office(services: Services) -> Office:
    return Office(services)


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    """Green, with the serial 1."""
    return green_citizen


@pytest.fixture
def ill(citizen: Phone) -> Phone:
    """Yellow, by what they have declared."""
    citizen.declare(symptoms=("cough",))
    return citizen


@pytest.fixture
def contact_of_a_case(office: Office, citizen: Phone) -> str:
    """The citizen is orange, for two officers have recorded a contact; the case's number."""
    infected = open_code(office.services)
    office.apply("confirmed", infected, reference="示例病例")
    with office.services.sessions() as session:
        number = session.scalars(select(Case.number)).one()
    office.apply("contact", 1, case=number)
    assert citizen.color() == "ORANGE"
    return number


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


# --- filing ---------------------------------------------------------------------------------------------------------


def test_an_appeal_is_about_the_decision_in_force_and_is_due_in_a_day(
    citizen: Phone, office: Office, contact_of_a_case: str, clock: StandingClock
) -> None:
    answer = appeal(citizen)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "id": 1,
        "filed_at": "2020-03-20T12:00:00+08:00",
        "decided_at": "2020-03-20T12:00:00+08:00",
        "decided_state": "ORANGE",
        "text": SAID,
        "state": "open",
        "due_at": "2020-03-21T12:00:00+08:00",
        "escalated": False,
        "settled_at": None,
        "answer": [],
    }
    with office.services.sessions() as session:
        row = session.get_one(Appeal, 1)
        assert row.decision_id == session.get_one(Code, 1).decision_id
        assert row.district == "长春市"
    clock.advance(hours=1)
    tell(office.services, 1, contact(clock.now()))
    assert own(citizen)[0]["decided_at"] == "2020-03-20T12:00:00+08:00", "what comes later is not what it is about"
    assert office.deeds() == [("citizen:1", "appeal-filed")]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": "  \n "}, "/text"),
        ({"text": "字" * 501}, "/text"),
        ({"text": "a\u0007b"}, "/text"),
        ({"text": "a\u202eb"}, "/text"),
        ({"text": "a\0b"}, "/text"),
        ({"text": 5}, "/text"),
        ({"text": SAID, "color": "GREEN"}, "/color"),
        ({"text": SAID, "attachments": "x"}, "/attachments"),
        ({"text": SAID, "attachments": [5]}, "/attachments/0"),
        ({"text": SAID, "attachments": ["§"]}, "/attachments/0"),
        ({"text": SAID, "attachments": [""]}, "/attachments/0"),
        ({"text": SAID, "attachments": [base64.b64encode(b"MZ" + bytes(99)).decode()]}, "/attachments/0"),
        ({"text": SAID, "attachments": [base64.b64encode(b"<svg onload=x>").decode()]}, "/attachments/0"),
        ({"text": SAID, "attachments": [base64.b64encode(b"\xff\xd8\xff no picture").decode()]}, "/attachments/0"),
        ({"text": SAID, "attachments": [base64.b64encode(b"%PDF-1.4 no end").decode()]}, "/attachments/0"),
    ],
)
def test_what_is_no_appeal_is_refused_by_field(ill: Phone, body: dict[str, Any], pointer: str) -> None:
    answer = ill.post("/api/v1/appeals", body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert own(ill) == []


def test_text_and_attachments_are_refused_at_once(ill: Phone) -> None:
    answer = ill.post("/api/v1/appeals", {"text": " ", "attachments": ["§"]})
    assert [error["pointer"] for error in answer.json["errors"]] == ["/text", "/attachments/0"]


def test_five_hundred_characters_are_taken(ill: Phone) -> None:
    assert len(own_after(ill, "字" * 500)) == 500


def own_after(citizen: Phone, said: str) -> str:
    filed(citizen, said=said)
    found: str = own(citizen)[0]["text"]
    return found


def test_who_is_not_confirmed_has_nothing_to_appeal(phone: Callable[..., Phone], platform_url: str) -> None:
    person = phone()
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    person.register()
    assert slug(appeal(person)) == "identity-unconfirmed"


def test_an_account_that_is_not_confirmed_learns_nothing_by_appealing(
    services: Services, phone: Callable[..., Phone], platform_url: str
) -> None:
    person, nobody = phone("示例甲"), phone("示例乙")
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    person.register()
    nobody.register()
    tell(services, 1, contact(services.clock.now()))
    assert appeal(person).data == appeal(nobody).data
    assert appeal(person).status_code == 403


def test_who_is_confirmed_but_holds_a_code_without_a_decision_is_told_to_declare(phone: Callable[..., Phone]) -> None:
    person = phone()
    person.register()
    assert slug(appeal(person)) == "not-declared"


def test_whoever_is_green_has_nothing_to_appeal_and_is_told_what_to_do(citizen: Phone) -> None:
    answer = appeal(citizen)
    assert (answer.status_code, slug(answer)) == (409, "nothing-to-appeal")
    assert "12345" in answer.json["detail"] and own(citizen) == []
    citizen.declare(symptoms=("cough",))
    assert appeal(citizen).status_code == 201


def test_a_second_appeal_waits_for_the_answer_to_the_first(office: Office, ill: Phone) -> None:
    first = filed(ill)
    assert (appeal(ill).status_code, slug(appeal(ill))) == (409, "appeal-open")
    office.uphold(first, "province")
    assert appeal(ill).status_code == 201


def test_of_two_appeals_at_once_one_is_taken(services: Services, ill: Phone) -> None:
    together = Barrier(2)

    def one(_: int) -> str:
        together.wait()
        try:
            with services.begin() as session:
                appeals.file_appeal(session, services.encryption, NewAppeal(1, SAID), services.clock.now())
        except Problem as problem:
            return problem.slug
        return "taken"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == ["appeal-open", "taken"]


def test_three_in_seven_days_and_then_one_waits_for_the_oldest(
    office: Office, ill: Phone, clock: StandingClock
) -> None:
    for _ in range(3):
        office.uphold(filed(ill), "province")
        clock.advance(hours=1)
    answer = appeal(ill)
    assert (answer.status_code, slug(answer)) == (429, "appeals-too-many")
    wait = int(answer.headers["Retry-After"])
    assert wait == 7 * 86_400 - 3 * 3600 + 1
    clock.advance(seconds=wait - 2)
    assert appeal(ill).status_code == 429
    clock.advance(seconds=2)
    assert appeal(ill).status_code == 201


def test_nobody_sees_another_persons_appeals(ill: Phone, phone: Callable[..., Phone], station: Any) -> None:
    filed(ill)
    assert own(phone("示例乙").become_green()) == []
    visitor = phone("示例访客")
    visitor.log_in_with_wechat()
    assert slug(visitor.get("/api/v1/appeals")) == "not-registered"
    header = {"Authorization": f"Bearer {station.session}"}
    assert ill.client.get("/api/v1/appeals", headers=header).status_code == 403


def test_a_later_holder_who_is_not_confirmed_sees_no_earlier_appeal(
    services: Services, ill: Phone, clock: StandingClock
) -> None:
    filed(ill)
    assert len(own(ill)) == 1
    with services.begin() as session:
        code = session.get_one(Code, 1)
        code.claimed_at, code.confirmed_at = clock.now() + timedelta(seconds=1), None
    assert own(ill) == []


def test_a_stranger_is_refused_before_a_large_body_is_read(citizen: Phone) -> None:
    large = b"{" + b" " * 1_000_000
    answer = citizen.client.post("/api/v1/appeals", data=large, content_type="application/json")
    assert (answer.status_code, slug(answer)) == (401, "session-missing")


def test_a_body_over_the_bound_is_too_large(ill: Phone) -> None:
    assert slug(ill.post("/api/v1/appeals", {"text": SAID, "attachments": ["A" * 8_600_000]})) == "too-large"


def test_attempts_are_limited(services: Services, ill: Phone) -> None:
    from app import create_app

    small = services.settings.limits.model_copy(update={"appeal": "1 per hour"})
    settings = services.settings.model_copy(update={"limits": small})
    ill.client = create_app(replace(services, settings=settings)).test_client()
    assert [appeal(ill, said=" ").status_code for _ in range(2)] == [422, 429]


# --- attachments ----------------------------------------------------------------------------------------------------


def picture(form: str, size: tuple[int, int] = (40, 20), mode: str = "RGB", **options: Any) -> bytes:
    file = BytesIO()
    Image.new(mode, size, 128 if mode == "L" else (200, 30, 30, 0)[: len(mode)]).save(file, form, **options)
    return file.getvalue()


def with_secrets() -> dict[str, bytes]:
    """Pictures that tell of their camera."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "SECRET-CAMERA", 6  # maker, and lying on its side
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "SECRET-CAMERA")
    return {
        "jpeg": picture("JPEG", exif=exif, comment=b"SECRET-CAMERA"),
        "png": picture("PNG", pnginfo=info, exif=exif),
    }


@pytest.mark.parametrize("form", ["jpeg", "png"])
def test_a_picture_is_kept_without_what_its_camera_says(office: Office, ill: Phone, form: str) -> None:
    sent = with_secrets()[form]
    assert b"SECRET-CAMERA" in sent
    id_ = filed(ill, attached=(sent,))
    [about] = office.read(id_, "province").attachments
    kept = office.attachment(about.id, "province")
    assert (kept.kind, about.kind, about.size) == ("jpeg", "jpeg", len(kept.content))
    assert b"SECRET-CAMERA" not in kept.content
    with Image.open(BytesIO(kept.content)) as drawn:
        assert (drawn.format, drawn.size, dict(drawn.getexif())) == ("JPEG", (20, 40), {})


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P", "1", "I;16", "CMYK"])
def test_pictures_of_every_make_are_taken(office: Office, ill: Phone, mode: str) -> None:
    file = BytesIO()
    Image.new(mode, (30, 30)).save(file, "JPEG" if mode == "CMYK" else "PNG")
    filed(ill, attached=(file.getvalue(),))


def test_what_is_transparent_is_white(office: Office, ill: Phone) -> None:
    filed(ill, attached=(picture("PNG", mode="RGBA"),))
    with Image.open(BytesIO(office.attachment(1, "province").content)) as drawn:
        assert min(drawn.getpixel((5, 5))) > 250


def test_a_large_picture_becomes_as_small_as_a_page_needs(office: Office, ill: Phone) -> None:
    filed(ill, attached=(picture("JPEG", (4000, 3000)),))
    with Image.open(BytesIO(office.attachment(1, "province").content)) as drawn:
        assert drawn.size == (3000, 2250)


def test_a_document_is_kept_as_it_is_and_sealed(services: Services, office: Office, ill: Phone) -> None:
    pdf = b"%PDF-1.4\nSECRET-PAGE\n%%EOF\n"
    filed(ill, attached=(pdf,))
    assert office.attachment(1, "province") == ("pdf", pdf)
    with services.sessions() as session:
        assert b"SECRET-PAGE" not in session.get_one(Attachment, 1).content_ciphertext
        assert SAID.encode() not in (session.get_one(Appeal, 1).text_ciphertext or b"")
    assert office.deeds()[-1][1] == "appeal-attachment-read"


def test_a_small_file_that_unfolds_to_a_huge_picture_is_refused(ill: Phone) -> None:
    for size in ((4001, 4000), (20_000, 5_000)):
        bomb = picture("PNG", size, "L")
        assert len(bomb) < MAX_BYTES
        answer = appeal(ill, attached=(bomb,))
        assert [error["pointer"] for error in answer.json["errors"]] == ["/attachments/0"]


def test_three_attachments_of_two_megabytes_are_taken_and_no_more(ill: Phone) -> None:
    def document(size: int) -> bytes:
        return b"%PDF-1.4" + bytes(size - 13) + b"%%EOF"

    large, small = document(MAX_BYTES), document(100)
    answer = appeal(ill, attached=(document(MAX_BYTES + 1), small))
    assert [error["pointer"] for error in answer.json["errors"]] == ["/attachments/0"]
    answer = appeal(ill, attached=(small,) * 4)
    assert [error["pointer"] for error in answer.json["errors"]] == ["/attachments"]
    filed(ill, attached=(large, large, large))


# --- the record -----------------------------------------------------------------------------------------------------


def test_an_officer_sees_exactly_the_evidence_that_the_color_rests_on(
    office: Office, citizen: Phone, contact_of_a_case: str, clock: StandingClock
) -> None:
    id_ = filed(citizen)
    clock.advance(hours=2)
    office.apply("quarantine", 1, reference="示例隔离令")
    opened = office.read(id_)
    assert opened.text == SAID
    record = opened.record
    assert (record.state, record.rule) == (State.ORANGE, "ORANGE-CONTACT")
    assert [line.kind for line in record.evidence].count("contact") == 1 and len(record.evidence) == 3
    [line] = [line for line in record.evidence if line.kind == "contact"]
    assert (line.kind, line.authority, line.reference, line.rules) == (
        "contact", AUTHORITY, REFERENCE, ("ORANGE-CONTACT",),
    )  # fmt: skip
    assert line.recorded_at == clock.now() - timedelta(hours=2)
    assert [later.decided_at for later in record.later] == [clock.now()]
    assert [new.reference for new in record.new] == ["示例隔离令"]
    assert office.deeds()[-1] == (f"officer:{office.ids['appeals']}", "appeal-read")
    shown = repr(opened.record)
    assert citizen.name not in shown and citizen.document not in shown


def test_an_officer_sees_the_appeals_of_their_district(office: Office, citizen: Phone, contact_of_a_case: str) -> None:
    id_ = filed(citizen)
    seen = {name: office.waiting_for(name) for name in ("appeals", "colleague", "elsewhere", "province")}
    assert seen == {"appeals": [id_], "colleague": [id_], "elsewhere": [], "province": [id_]}
    for act in (office.read, office.uphold, office.mend):
        refused("appeal-not-found", lambda act=act: act(id_, by="elsewhere"))
        refused("not-your-role", lambda act=act: act(id_, by="no appeals"))
        refused("appeal-not-found", lambda act=act: act(99, by="province"))
    refused("not-your-role", lambda: office.waiting_for("no appeals"))


def test_an_attachment_is_given_to_officers_of_the_appeal_alone(
    office: Office, citizen: Phone, contact_of_a_case: str
) -> None:
    filed(citizen, attached=(picture("PNG"),))
    refused("appeal-not-found", lambda: office.attachment(1, "elsewhere"))
    refused("not-your-role", lambda: office.attachment(1, "no appeals"))
    refused("appeal-not-found", lambda: office.attachment(2))
    assert office.attachment(1).kind == "jpeg"


@pytest.mark.parametrize("case", ["nobody proposed it", "two districts"])
def test_what_is_no_districts_is_the_provinces(
    office: Office, citizen: Phone, contact_of_a_case: str, case: str
) -> None:
    if case == "nobody proposed it":
        tell(office.services, 1, contact(office.services.clock.now()))
        with office.services.begin() as session:
            session.execute(text("delete from entry_subjects where serial = 1"))
    else:
        with office.services.begin() as session:
            session.execute(text("update officers set district = '吉林市' where username = 'approver'"))
        office.apply("quarantine", 1, by="elsewhere", reference="示例隔离令")
    filed(citizen)
    assert (office.waiting_for("appeals"), office.waiting_for("province")) == ([], [1])


# --- settling -------------------------------------------------------------------------------------------------------


def test_an_overturned_decision_turns_the_code_green_with_the_reason(
    office: Office, citizen: Phone, contact_of_a_case: str, clock: StandingClock
) -> None:
    id_ = filed(citizen)
    before = len(citizen.inbox())
    clock.advance(hours=3)
    office.mend(id_, {evidence_of(office, id_): RejectionReason.WRONG_PERSON})
    assert citizen.color() == "GREEN"
    assert citizen.inbox()[0]["state"] == "GREEN" and len(citizen.inbox()) == before + 1
    [told] = own(citizen)
    assert (told["state"], told["settled_at"]) == ("mended", "2020-03-20T15:00:00+08:00")
    assert told["answer"] == [
        "经核对，所录依据有误，已撤销。",
        f"已撤销：密切接触，最后接触日 2020-03-20，{AUTHORITY}，{REFERENCE}。原因：录入的不是您本人。",
        "按现有依据，2020-03-20 15:00 的判定为绿码：数据核验通过。",
    ]
    officer = f"officer:{office.ids['appeals']}"
    assert office.deeds()[-1] == (officer, "appeal-mended")
    assert (officer, "evidence-withdrawn") in office.deeds("evidence-%")
    [change] = [change for change in citizen.history() if change["state"] == "ORANGE"][:1]
    assert [fact["withdrawn_for"] for fact in change["evidence"] if fact["kind"] == "contact"] == ["wrong-person"]


def test_a_contact_that_an_earlier_holder_declared_is_withdrawn_by_an_officer_without_the_victims_doing(
    office: Office, phone: Callable[..., Phone], clock: StandingClock
) -> None:
    stranger = phone("示例甲")
    stranger.register()
    stranger.declare(contact_on="2020-03-19")
    clock.advance(minutes=1)
    person = phone("示例乙", document=stranger.document)
    assert register_by_wechat(person).status_code == 201
    assert person.declare().json["color"] == "ORANGE"  # type: ignore[index]
    [id_] = office.waiting_for("province")
    [line] = [line for line in office.read(id_, "province").record.evidence if line.kind == "declaration"]
    assert "系统代为提交" in (office.read(id_, "province").text or "")
    office.mend(id_, {line.id: RejectionReason.WRONG_PERSON}, by="province")
    assert person.color() == "GREEN"
    assert own(person)[0]["state"] == "mended"


def test_an_appeal_that_is_upheld_changes_nothing_and_quotes_the_record(
    office: Office, citizen: Phone, contact_of_a_case: str
) -> None:
    id_ = filed(citizen)
    citizen.language = "en"
    history = citizen.history()
    office.uphold(id_, reason=UpholdReason.PERIOD_RUNS)
    assert (citizen.color(), citizen.history()) == ("ORANGE", history)
    [told] = own(citizen)
    assert told["state"] == "upheld"
    assert len(told["answer"]) == 3, "what only makes it green beside that is not quoted"
    assert told["answer"][1] == f"Evidence: contact, last on 2020-03-20, {AUTHORITY}, {REFERENCE}."
    assert told["answer"][2].startswith("The decision of 2020-03-20 12:00: Orange, ")
    assert office.deeds()[-1] == (f"officer:{office.ids['appeals']}", "appeal-upheld")


@pytest.mark.parametrize(("answer", "first"), [("uphold", "纠错已答复"), ("overturn", "绿码")])
def test_the_answer_is_sent_once_by_the_change_of_color_where_there_is_one(
    office: Office, citizen: Phone, contact_of_a_case: str, work: Callable[[], None], answer: str, first: str
) -> None:
    work()  # the notice of the orange code
    for _ in range(2):
        citizen.subscribe()
    before, id_ = len(citizen.messages()), filed(citizen)
    if answer == "uphold":
        office.uphold(id_)
    else:
        office.mend(id_, {evidence_of(office, id_): RejectionReason.WRONG_PERSON})
    work()
    sent = citizen.messages()[before:]
    assert [message["fields"][0]["value"] for message in sent] == [first]


def test_an_answer_names_no_document_where_the_evidence_has_none(office: Office, citizen: Phone) -> None:
    citizen.declare(symptoms=["cough"])
    office.uphold(filed(citizen), by="province", reason=UpholdReason.OWN_STATEMENT)
    assert own(citizen)[0]["answer"][1] == "依据：健康申报，2020-03-20，本人申报。"
    citizen.language = "en"
    assert own(citizen)[0]["answer"][1] == "Evidence: declaration, 2020-03-20, Your declaration."


@pytest.mark.parametrize("name", ["recorder", "approver"])
def test_who_recorded_or_approved_the_evidence_does_not_resolve_the_appeal(
    office: Office, citizen: Phone, contact_of_a_case: str, name: str
) -> None:
    id_ = filed(citizen)
    evidence = evidence_of(office, id_)
    refused("own-record", lambda: office.uphold(id_, name))
    refused("own-record", lambda: office.mend(id_, {evidence: RejectionReason.WRONG_FACTS}, by=name))
    assert citizen.color() == "ORANGE"
    office.uphold(id_, "auditor")


def test_who_cleared_the_hold_of_the_evidence_does_not_resolve_the_appeal_either(
    office: Office, citizen: Phone, contact_of_a_case: str
) -> None:
    with office.services.begin() as session:
        session.execute(text("update entries set cleared_by = :id"), {"id": office.ids["auditor"]})
    id_ = filed(citizen)
    refused("own-record", lambda: office.uphold(id_, "auditor"))


def test_who_recorded_what_concerns_others_only_may_resolve(
    office: Office, citizen: Phone, contact_of_a_case: str
) -> None:
    other = open_code(office.services)
    office.apply("quarantine", other, by="auditor", reference="示例隔离令")
    office.uphold(filed(citizen), "auditor")


def test_an_appeal_is_resolved_once(office: Office, citizen: Phone, contact_of_a_case: str) -> None:
    id_ = filed(citizen)
    evidence = evidence_of(office, id_)
    office.uphold(id_)
    refused("appeal-resolved", lambda: office.uphold(id_, "colleague"))
    refused("appeal-resolved", lambda: office.mend(id_, {evidence: RejectionReason.WRONG_FACTS}, by="colleague"))
    assert citizen.color() == "ORANGE" and office.waiting_for("appeals") == []
    assert office.read(id_).appeal.state == "upheld", "it can still be looked at"


def test_of_two_officers_who_resolve_at_once_one_does(office: Office, citizen: Phone, contact_of_a_case: str) -> None:
    id_ = filed(citizen)
    evidence = evidence_of(office, id_)
    together = Barrier(2)

    def settle(act: Callable[[], None]) -> str:
        together.wait()
        try:
            act()
        except Problem as problem:
            return problem.slug
        return "settled"

    acts = [
        lambda: office.mend(id_, {evidence: RejectionReason.WRONG_PERSON}, by="appeals"),
        lambda: office.uphold(id_, by="colleague"),
    ]
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(settle, acts)) == ["appeal-resolved", "settled"]
    [told] = own(citizen)
    assert citizen.color() == {"mended": "GREEN", "upheld": "ORANGE"}[told["state"]]
    settled = [deed for _, deed in office.deeds() if deed in ("appeal-mended", "appeal-upheld")]
    assert settled == [f"appeal-{told['state']}"]


def test_only_evidence_of_the_decision_can_be_withdrawn(
    office: Office, citizen: Phone, contact_of_a_case: str, phone: Callable[..., Phone]
) -> None:
    id_ = filed(citizen)
    phone("示例乙").become_green()
    its_own = {line.id for line in office.read(id_).record.evidence}
    with office.services.sessions() as session:
        others = set(session.scalars(select(EvidenceRow.id))) - its_own
    assert len(others) == 3
    for wrong in (*others, "no id at all"):
        problem = refused("invalid-request", lambda wrong=wrong: office.mend(id_, {wrong: RejectionReason.WRONG_FACTS}))
        assert problem.fields[0].pointer == "/withdrawals"


def test_a_correction_of_nothing_overturns_nothing(office: Office, citizen: Phone, contact_of_a_case: str) -> None:
    id_ = filed(citizen)
    assert refused("invalid-request", lambda: office.mend(id_)).fields[0].slug == "required"
    assert own(citizen)[0]["state"] == "open"


def test_several_wrong_entries_are_withdrawn_together_and_make_one_change(
    office: Office, citizen: Phone, contact_of_a_case: str
) -> None:
    office.apply("quarantine", 1, reference="示例隔离令")
    id_ = filed(citizen)
    before = len(citizen.history())
    fall = {evidence_of(office, id_, kind): RejectionReason.WRONG_PERSON for kind in ("contact", "quarantine")}
    office.mend(id_, fall)
    assert citizen.color() == "GREEN" and len(citizen.history()) == before + 1


def test_what_is_left_keeps_its_color(office: Office, citizen: Phone, contact_of_a_case: str) -> None:
    office.apply("quarantine", 1, reference="示例隔离令")
    id_ = filed(citizen)
    office.mend(id_, {evidence_of(office, id_): RejectionReason.DUPLICATE})
    assert citizen.color() == "ORANGE"
    told = own(citizen)[0]["answer"]
    assert "原因：重复录入" in told[1] and "判定为橙码" in told[-1]


def test_new_evidence_overturns_as_well(
    office: Office, citizen: Phone, contact_of_a_case: str, clock: StandingClock
) -> None:
    id_ = filed(citizen)
    clock.advance(hours=1)
    release = office.propose("release", 1)
    office.mend(id_, entry=release)
    [told] = own(citizen)
    assert told["state"] == "mended"
    assert citizen.declare().json["color"] == "GREEN", "the release counts; what is still missing is asked for as ever"
    assert told["answer"][:2] == [
        "经核对，已补录新的依据。",
        f"新依据：解除，2020-03-20，{AUTHORITY}，{REFERENCE}。",
    ]


def test_only_an_entry_about_this_person_in_effect_since_overturns(
    office: Office, citizen: Phone, contact_of_a_case: str, clock: StandingClock
) -> None:
    early = office.propose("release", 1)
    tell(office.services, 1, contact(clock.now()))
    clock.advance(minutes=1)
    id_ = filed(citizen)
    other = open_code(office.services)
    office.apply("quarantine", other)
    worse = office.apply("quarantine", 1, reference="示例隔离令")
    wrong = {
        "before the appeal": early,
        "of another": office.propose("release", other),
        "worse": worse,
        "waiting": office.propose("contact", 1, case=contact_of_a_case),
        "none": 99,
    }
    for entry in wrong.values():
        assert (
            refused("invalid-request", lambda p=entry: office.mend(id_, entry=p, by="province")).fields[0].pointer
            == "/entry"
        )
    assert own(citizen)[0]["state"] == "open"


def test_a_wrong_entry_is_replaced_by_a_right_one(office: Office, citizen: Phone, clock: StandingClock) -> None:
    office.apply("quarantine", 1, reference="示例隔离令")
    id_ = filed(citizen)
    right = office.apply("quarantine", 1, reference="示例隔离令二", last_day=TODAY + timedelta(days=7))
    office.mend(id_, {evidence_of(office, id_, "quarantine"): RejectionReason.WRONG_FACTS}, entry=right)
    told = own(citizen)[0]["answer"]
    assert "示例隔离令。" in told[1] and "示例隔离令二" in told[2] and citizen.color() == "ORANGE"


def test_what_others_withdrew_since_overturns_the_decision(
    office: Office, citizen: Phone, contact_of_a_case: str, clock: StandingClock
) -> None:
    id_ = filed(citizen)
    clock.advance(hours=1)
    with office.services.sessions() as session:
        infected = session.scalars(select(Case.serial)).one()
    office.propose("ruled-out", infected, reference="示例排除")
    assert citizen.color() == "GREEN"
    office.mend(id_)
    assert "原因：所关联的病例已排除" in own(citizen)[0]["answer"][1]


def test_a_case_ends_with_its_diagnosis_and_so_does_what_rests_on_it(
    office: Office, citizen: Phone, phone: Callable[..., Phone]
) -> None:
    infected = phone("示例乙").become_green()
    office.apply("suspected", 2, reference="示例病例")
    with office.services.sessions() as session:
        number = session.scalars(select(Case.number)).one()
    office.apply("contact", 1, case=number)
    office.propose("contact", open_code(office.services), case=number)
    assert (citizen.color(), infected.color()) == ("ORANGE", "RED")
    id_ = filed(infected)
    office.mend(id_, {evidence_of(office, id_, "diagnosis"): RejectionReason.WRONG_PERSON})
    assert (citizen.color(), infected.color()) == ("GREEN", "GREEN")
    with office.services.sessions() as session:
        assert session.scalars(select(Case.ended_at)).one() is not None
        refused_by = select(AuditEvent.role).where(AuditEvent.action == "entry-rejected")
        assert session.scalars(refused_by).all() == ["appeals"]


@pytest.mark.parametrize("kind", ["recovered", "ruled-out"])
def test_what_ended_an_infection_is_not_withdrawn_by_an_appeal(
    office: Office, citizen: Phone, clock: StandingClock, kind: str
) -> None:
    office.apply("confirmed", 1)
    clock.advance(minutes=1)
    office.propose(kind, 1, reference="示例二")
    id_ = filed(citizen)
    [end] = [line for line in office.read(id_, "province").record.evidence if line.reference == "示例二"]
    assert not end.can_withdraw
    problem = refused("invalid-request", lambda: office.mend(id_, {end.id: RejectionReason.WRONG_FACTS}))
    assert [(field.pointer, field.slug) for field in problem.fields] == [("/withdrawals", "lowers-risk")]
    assert citizen.color() == "ORANGE"


def test_a_release_is_not_withdrawn_by_an_appeal(office: Office, citizen: Phone, clock: StandingClock) -> None:
    office.apply("quarantine", 1)
    clock.advance(minutes=1)
    office.propose("release", 1)
    id_ = filed(citizen)
    problem = refused(
        "invalid-request", lambda: office.mend(id_, {evidence_of(office, id_, "release"): RejectionReason.WRONG_FACTS})
    )
    assert [(field.pointer, field.slug) for field in problem.fields] == [("/withdrawals", "lowers-risk")]


@pytest.mark.parametrize("kind", ["declaration", "verification"])
def test_nobody_loses_a_green_code_by_a_correction(office: Office, citizen: Phone, kind: str) -> None:
    with office.services.begin() as session:  # as the release before took one
        decision = session.get_one(DecisionRow, session.get_one(Code, 1).decision_id)
        new = NewAppeal(1, SAID)
        id_ = appeals.add(session, office.services.encryption, new, decision, office.services.clock.now()).id
    fall = {evidence_of(office, id_, kind): RejectionReason.WRONG_FACTS}
    problem = refused("invalid-request", lambda: office.mend(id_, fall, by="province"))
    assert [(field.pointer, field.slug) for field in problem.fields] == [("/withdrawals", "makes-worse")]
    assert citizen.color() == "GREEN"


def test_a_case_stays_open_while_another_diagnosis_is_left(
    office: Office, citizen: Phone, phone: Callable[..., Phone]
) -> None:
    infected = phone("示例乙").become_green()
    office.apply("suspected", 2, reference="示例病例")
    office.apply("confirmed", 2, reference="示例病例二")
    with office.services.sessions() as session:
        number = session.scalars(select(Case.number)).one()
    office.apply("contact", 1, case=number)
    id_ = filed(infected)
    [confirmed] = [line for line in office.read(id_, "province").record.evidence if line.reference == "示例病例二"]
    office.mend(id_, {confirmed.id: RejectionReason.WRONG_FACTS})
    assert (citizen.color(), infected.color()) == ("ORANGE", "RED")


# --- time -----------------------------------------------------------------------------------------------------------


def test_an_appeal_that_nobody_resolves_in_a_day_is_shown_to_every_district(
    services: Services, office: Office, citizen: Phone, contact_of_a_case: str, clock: StandingClock, work: Any
) -> None:
    id_ = filed(citizen)
    clock.advance(hours=23, minutes=59, seconds=59)
    escalate(services)
    assert office.waiting_for("elsewhere") == []
    clock.advance(seconds=1)
    escalate(services)
    escalate(services)
    assert office.waiting_for("elsewhere") == [id_]
    assert office.deeds() == [("citizen:1", "appeal-filed"), ("clock", "appeal-escalated")]
    assert own(citizen)[0]["escalated"] is True
    office.uphold(id_, "elsewhere")
    assert own(citizen)[0]["state"] == "upheld"


def test_a_resolved_appeal_is_not_escalated(
    services: Services, office: Office, ill: Phone, clock: StandingClock
) -> None:
    office.uphold(filed(ill), "province")
    clock.advance(days=3)
    escalate(services)
    assert own(ill)[0]["escalated"] is False


def test_words_and_attachments_go_ninety_days_after_the_answer(
    services: Services, office: Office, ill: Phone, clock: StandingClock
) -> None:
    old = filed(ill, attached=(picture("PNG"),))
    office.uphold(old, "province")
    clock.advance(days=1)
    filed(ill, attached=(picture("PNG"),))
    clock.advance(days=88, hours=23)
    purge_appeals(services)
    assert kept(services) == (2, 2)
    clock.advance(hours=1)
    purge_appeals(services)
    assert kept(services) == (1, 1), "one that is open is kept, however old"
    with services.sessions() as session:
        before, after = session.get_one(Appeal, old), session.get_one(Appeal, old + 1)
        assert (before.text_ciphertext, before.outcome, after.state) == (None, "document-confirms", "open")
    assert office.deeds()[-1] == ("clock", "appeal-forgotten")
    assert office.read(old, "province").text is None


def kept(services: Services) -> tuple[int, int]:
    """How many texts and attachments there are."""
    with services.sessions() as session:
        texts = session.scalar(select(func.count(Appeal.text_ciphertext)))
        return texts or 0, session.scalar(select(func.count(Attachment.id))) or 0


def erase(services: Services, citizen: Phone) -> None:
    with services.begin() as session:
        user = session.scalars(select(WeChatUser).where(WeChatUser.serial == 1)).one()
        erasure.erase(session, user, actor=appeals.Actor("citizen", "1"), now=services.clock.now())


def test_with_the_citizen_go_their_words_and_an_appeal_that_is_open(
    services: Services, office: Office, ill: Phone, phone: Callable[..., Phone]
) -> None:
    office.uphold(filed(ill, attached=(picture("PNG"),)), "province")
    open_ = filed(ill, attached=(picture("PNG"),))
    neighbor = phone("示例乙").become_green()
    neighbor.declare(symptoms=("cough",))
    other = filed(neighbor, attached=(picture("PNG"),))
    erase(services, ill)
    assert kept(services) == (1, 1)
    assert office.waiting_for("province") == [other]
    refused("appeal-resolved", lambda: office.uphold(open_, "province"))
    assert ("citizen:1", "appeal-withdrawn") in office.deeds()
    ill.session = None
    ill.register()
    ill.declare()
    assert [(told["state"], told["text"], bool(told["answer"])) for told in own(ill)] == [
        ("withdrawn", None, False),
        ("upheld", None, True),
    ]


def test_nobody_files_an_appeal_for_who_is_erased_meanwhile(services: Services, citizen: Phone) -> None:
    erase(services, citizen)
    with services.begin() as session:
        refused(
            "not-registered",
            lambda: appeals.file_appeal(session, services.encryption, NewAppeal(1, SAID), services.clock.now()),
        )


def test_the_worker_brings_both(services: Services) -> None:
    from app.worker.app import make_worker_app

    tasks = make_worker_app(services).tasks
    assert {"escalate-appeals", "forget-appeals"} <= set(tasks)


# --- words ----------------------------------------------------------------------------------------------------------


def test_every_outcome_reason_and_kind_has_its_words() -> None:
    from app.codes.evidence import KINDS

    assert set(slugs("appeal-outcomes")) == {*UpholdReason, "evidence-withdrawn", "evidence-added"}
    assert {*RejectionReason, NOT_APPROVED, CASE_RULED_OUT, BASIS_ENDED, "other"} == set(slugs("withdrawn-for"))
    assert set(slugs("evidence-kinds")) == set(KINDS)
    assert load_policy()


def test_no_word_of_the_citizen_gets_into_the_audit_or_the_queue(
    services: Services, office: Office, citizen: Phone, contact_of_a_case: str
) -> None:
    id_ = filed(citizen)
    office.mend(id_, {evidence_of(office, id_): RejectionReason.WRONG_PERSON})
    with services.engine.connect() as connection:
        for table in ("audit", "procrastinate_jobs", "appeals", "attachments"):
            rows = "\n".join(connection.scalars(text(f"select t::text from {table} t")))
            assert "示例商场" not in rows and citizen.document not in rows
    with services.sessions() as session:
        assert session.scalar(select(func.count(Entry.id))) == 2

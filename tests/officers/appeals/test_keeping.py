"""What time brings to an appeal, other districts and an end of its words, and the words that answers have."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select, text

from app.appeals import appeals
from app.appeals.appeals import NewAppeal
from app.appeals.models import Appeal, Attachment
from app.appeals.resolution import UpholdReason
from app.core.texts import slugs
from app.entries.content import BASIS_ENDED, CASE_RULED_OUT, NOT_APPROVED, RejectionReason
from app.entries.models import Entry
from app.privacy import erasure
from app.rules import load_policy
from app.runtime import Services
from app.wechat.models import WeChatUser
from app.worker.due import escalate
from app.worker.retention import purge_appeals
from tests.support.appeals import SAID, Office, evidence_of, filed, own, picture, refused
from tests.support.clock import StandingClock
from tests.support.people import Phone


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

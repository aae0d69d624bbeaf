"""An appeal is resolved by the record alone: nobody enters a color."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, text

from app.appeals import appeals
from app.appeals.appeals import NewAppeal
from app.appeals.resolution import UpholdReason
from app.audit import AuditEvent
from app.codes.models import Code, DecisionRow, EvidenceRow
from app.core.errors import Problem
from app.entries.content import RejectionReason
from app.entries.models import Case
from tests.support.appeals import AUTHORITY, REFERENCE, SAID, TODAY, Office, evidence_of, filed, own, refused
from tests.support.claims import register_by_wechat
from tests.support.clock import StandingClock
from tests.support.codes import contact, open_code, tell
from tests.support.people import Phone


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

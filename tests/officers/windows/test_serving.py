"""At a service window: who has no phone is registered, declares and is green; one answer for whoever does not fit."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.audit import AuditEvent
from app.citizens.models import Account, Citizen, DeclarationRow
from app.codes.models import Code, EvidenceRow
from app.codes.states import State
from app.entries.content import EntryKind
from app.runtime import Services
from app.windows.models import WindowLookup, WindowStatement
from tests.support.claims import record, register_by_wechat
from tests.support.clock import StandingClock
from tests.support.desk import Desk, text_of
from tests.support.people import Phone, as_pasted, id_number
from tests.support.windows import DONE, WINDOW, Clerk

NAME, NUMBER = "示例老人", id_number(700)


def state_of(services: Services, serial: int = 1) -> str:
    with services.sessions() as session:
        return State(session.get_one(Code, serial).state).name


def acts(services: Services) -> list[tuple[str, str | None, int | None]]:
    with services.sessions() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
        return [(row.action, row.role, row.serial) for row in rows]


def test_somebody_known_from_a_contact_list_alone_is_released_declares_and_is_green_without_a_phone(
    clerk: Clerk, console: Services, phone: Callable[..., Phone], clock: StandingClock
) -> None:
    person = phone(NAME, document=NUMBER)  # a name and a number; the phone is never used
    record(console, person, EntryKind.CONTACT, exposed_on=clock.now().date() - timedelta(days=3))
    assert state_of(console) == "ORANGE"
    assert clerk.look_up(NAME, NUMBER).status_code == 404
    visit = clerk.register_visitor(NAME, NUMBER)
    assert clerk.color(visit) == "orange" and "密切接触" in clerk.sees(visit), "confirmed: others' records are shown"
    clock.advance(days=15)  # released by time
    clerk.desk.ensure_logged_in()
    visit = clerk.visit(NAME, NUMBER)
    assert clerk.declare(visit).status_code == DONE
    assert (clerk.color(visit), state_of(console)) == ("green", "GREEN")
    with console.sessions() as session:
        account, citizen = session.get_one(Account, 1), session.get_one(Citizen, 1)
        assert (account.username, account.registered_by, citizen.phone_ciphertext) == (None, None, None)
        declared = session.scalars(select(EvidenceRow).filter_by(kind="declaration")).one()
        assert WINDOW in declared.reference and declared.recorded_by.startswith("officer:")
        assert session.scalars(select(DeclarationRow.outcome)).one() == "verified"
    assert ("declared-at-window", "clerk", 1) in acts(console)


def test_whoever_does_not_fit_has_one_answer_and_the_same_statements(
    clerk: Clerk, console: Services, phone: Callable[..., Phone], clock: StandingClock
) -> None:
    citizen, listed = phone("示例甲").become_green(), phone("示例乙")
    record(console, listed, EntryKind.CONTACT, exposed_on=clock.now().date())
    answers = [
        clerk.look_up("示例某人", id_number(701)),
        clerk.look_up("示例某人", citizen.document),
        clerk.look_up("示例某人", listed.document),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({text_of(answer) for answer in answers}) == 1
    with console.sessions() as session:
        assert session.scalars(select(WindowLookup.serial)).all() == [None, None, None]
    sought = [(action, serial) for action, _, serial in acts(console) if action == "person-sought"]
    assert sought == [("person-sought", None), ("person-sought", 1), ("person-sought", 2)]


def test_each_look_is_read_by_the_person_with_the_name_of_the_window(clerk: Clerk, green_citizen: Phone) -> None:
    citizen = green_citizen
    clerk.look_up("示例某人", citizen.document)
    clerk.visit("示例甲", citizen.document)
    read = citizen.get("/api/v1/record/access?whose=others").json["entries"]  # type: ignore[index]
    assert [(one["what"]["action"], one["who"]["role"], one["who"]["authority"]) for one in read] == [
        ("record-read", "clerk", WINDOW),
        ("person-sought", "clerk", WINDOW),
    ]
    assert read[0]["why"]["reason"] == "window"


def test_a_reader_with_a_keyboard_plug_is_understood(clerk: Clerk, green_citizen: Phone) -> None:
    citizen = green_citizen
    assert clerk.look_up("示 例甲\t", as_pasted(citizen.document) + "\r\n").status_code == DONE


def test_what_is_not_a_document_is_told_at_once_and_counts_for_nothing(clerk: Clerk, console: Services) -> None:
    answer = clerk.look_up("", "2299991990010100")
    assert answer.status_code == 422
    assert "请填写姓名" in text_of(answer) and "居民身份证号码应为 18 位" in text_of(answer)
    assert clerk.look_up(NAME, NUMBER, kind="library-card").status_code == 422
    assert clerk.register(NAME, NUMBER, consent="").status_code == 422
    assert clerk.register(NAME, NUMBER, phone="12").status_code == 422
    with console.sessions() as session:
        assert session.scalars(select(WindowLookup.id)).all() == []
        assert session.scalars(select(Citizen.serial)).all() == []


@pytest.mark.parametrize("known", [False, True])
def test_a_name_that_the_platform_contradicts_registers_nobody_and_says_not_whether_we_know_the_number(
    clerk: Clerk, console: Services, phone: Callable[..., Phone], platform: Callable[..., None], known: bool
) -> None:
    if known:
        phone("示例乙", document=NUMBER).become_green()
    platform(NUMBER, name="示例乙")
    answer = clerk.register(NAME, NUMBER)
    assert answer.status_code == 422 and "不一致" in text_of(answer)
    with console.sessions() as session:
        assert len(session.scalars(select(Account.serial)).all()) == known


def test_without_the_platform_nobody_is_registered(
    clerk: Clerk, console: Services, platform: Callable[..., None]
) -> None:
    platform(on=False)
    answer = clerk.register(NAME, NUMBER)
    assert answer.status_code == 503 and "未注册" in text_of(answer)
    with console.sessions() as session:
        assert session.scalars(select(Account.serial)).all() == []


def test_an_account_that_the_platform_has_confirmed_is_not_replaced_by_a_registration(
    clerk: Clerk, green_citizen: Phone
) -> None:
    citizen = green_citizen
    assert clerk.register("示例甲", citizen.document).status_code == 409
    assert citizen.color() == "GREEN"


def test_who_registered_at_a_window_and_buys_a_phone_registers_there(clerk: Clerk, phone: Callable[..., Phone]) -> None:
    person = phone(NAME, document=NUMBER)
    clerk.declare(clerk.register_visitor(NAME, NUMBER))
    assert register_by_wechat(person).status_code == 201


# --- a declaration that makes a color worse


def test_a_symptom_takes_effect_when_a_second_officer_has_confirmed_it(
    clerk: Clerk, colleague: Clerk, console: Services
) -> None:
    visit = clerk.register_visitor(NAME, NUMBER)
    clerk.declare(visit)
    assert clerk.declare(visit, "fever").status_code == DONE
    assert state_of(console) == "GREEN"
    assert clerk.declare(visit).status_code == 409, "an earlier one waits"
    assert clerk.desk.send("/console/statements/1/confirm").status_code == 403, "not by who recorded it"
    assert "发热" in text_of(colleague.desk.get("/console/statements/1"))
    assert colleague.desk.send("/console/statements/1/confirm").status_code == DONE
    assert state_of(console) not in ("GREEN", "UNVERIFIED")
    with console.sessions() as session:
        row = session.scalars(select(WindowStatement)).one()
        assert (row.state, row.symptoms) == ("confirmed", None)
        signed = f"officer:{row.recorded_by}+{row.resolved_by}"
        assert session.scalars(select(EvidenceRow.facts).filter_by(recorded_by=signed)).one() == {"symptoms": ["fever"]}
    assert colleague.desk.send("/console/statements/1/confirm").status_code == 404


def test_what_nobody_confirms_lapses_and_what_is_refused_leaves_nothing(
    clerk: Clerk, colleague: Clerk, console: Services, clock: StandingClock
) -> None:
    visit = clerk.register_visitor(NAME, NUMBER)
    clerk.declare(visit)
    clerk.declare(visit, contact_on=str(clock.now().date()))
    assert colleague.desk.send("/console/statements/1/refuse").status_code == DONE
    clerk.declare(visit, "cough")
    clock.advance(hours=2)
    colleague.desk.ensure_logged_in()
    assert colleague.desk.send("/console/statements/2/confirm").status_code == 404
    clerk.desk.ensure_logged_in()
    assert clerk.declare(clerk.visit(NAME, NUMBER)).status_code == DONE
    with console.sessions() as session:
        rows = session.scalars(select(WindowStatement).order_by(WindowStatement.id)).all()
        assert [(row.state, row.symptoms, row.contact_on) for row in rows] == [
            ("refused", None, None),
            ("lapsed", None, None),
        ]
    assert state_of(console) == "GREEN"


def test_a_declaration_is_checked_as_on_a_phone(clerk: Clerk, console: Services) -> None:
    visit = clerk.register_visitor(NAME, NUMBER)
    for wrong, says in (
        ({"consent": ""}, "需要勾选同意"),
        ({"contact": "yes"}, "请填写最后接触日期"),
        ({"contact": ""}, "请填写此项"),
        ({"contact": "yes", "contact_on": "2020-02-31"}, "日期应为"),
        ({"contact": "yes", "contact_on": "2030-01-01"}, "日期不能晚于今天"),
        ({"symptoms": ["love"]}, "不在可选范围内"),
    ):
        answer = clerk.declare(visit, **wrong)  # type: ignore[arg-type]
        assert answer.status_code == 422 and says in text_of(answer), (wrong, text_of(answer))
    assert state_of(console) == "NOT_DECLARED"


# --- whose visit it is


def test_a_visit_is_that_of_one_clerk_and_ends(clerk: Clerk, colleague: Clerk, clock: StandingClock) -> None:
    visit = clerk.register_visitor(NAME, NUMBER)
    assert colleague.desk.get(visit).status_code == 410
    assert colleague.declare(visit).status_code == 410
    assert clerk.desk.send(f"{visit}/end").status_code == DONE
    assert clerk.declare(visit).status_code == 410
    visit = clerk.visit(NAME, NUMBER)
    clock.advance(minutes=14)
    clerk.sees(visit)
    clock.advance(minutes=7)
    clerk.desk.ensure_logged_in()
    assert clerk.declare(visit).status_code == 410


def test_a_clerk_without_a_window_serves_nobody(desk: Callable[..., Desk]) -> None:
    assert Clerk(desk("clerk", username="clerk-9")).look_up(NAME, NUMBER).status_code == 403

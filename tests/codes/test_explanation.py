"""Why somebody has a color: told whole, to whoever has a name and a reason, and written down each time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import select

from app.audit import AuditEvent
from app.cli import base
from app.codes import explanation
from app.codes.evidence import new_id
from app.codes.explanation import Explanation
from app.codes.states import State
from app.core.clock import rfc3339
from app.rules import Diagnosis, load_policy
from app.runtime import Services
from app.staff.officers import find_by_username
from tests.support.clock import START, StandingClock
from tests.support.codes import (
    contact,
    decide_again,
    everything,
    fever,
    open_code,
    open_green_code,
    tell,
    verified,
    withdraw,
)  # fmt: skip
from tests.support.desk import make_officer
from tests.support.people import Phone, as_pasted
from tests.support.terminal import open_terminal

DAY = timedelta(days=1)
VERSION = load_policy().version
Run = Callable[..., Result]
AUDITOR = "auditor-1"


@pytest.fixture
def run(services: Services, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`jixiang rules explain` by an auditor, or another officer with the same password."""
    terminal = open_terminal(services, monkeypatch)
    make_officer(services, AUDITOR, "auditor")
    with services.begin() as session:  # logged in once, so that the password from the operator holds
        find_by_username(session, AUDITOR).password_ends_at = None
    make_officer(services, "admin-1", "administrator")

    def command(*words: str, given: str = "", officer: str = AUDITOR, reason: str = "appeal", **env: str) -> Result:
        options = ["--reason", reason]
        return terminal.run("rules", "explain", *words, *options, officer=officer, input=given, env=env)

    return command


def explained(services: Services, serial: int, at: Any = None) -> Explanation:
    with services.sessions() as session:
        return explanation.explain(session, services.policy, serial, at or services.clock.now())


def entries(services: Services) -> list[AuditEvent]:
    actions = ("record-read", "record-sought")
    with services.sessions() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.action.in_(actions)).order_by(AuditEvent.id)))


# --- what it says ---------------------------------------------------------------------------------------------------


def test_a_green_code_tells_its_decision_its_evidence_and_what_comes(services: Services, run: Run) -> None:
    serial = open_green_code(services)
    done = run("--serial", str(serial))
    assert done.exit_code == 0, done.output
    authority = "长春市疾病预防控制中心, 长疾控〔2020〕1号"
    assert done.output.splitlines() == [
        "As of 2020-03-20T12:00:00+08:00: Green (GREEN)",
        f"Decided 2020-03-20T12:00:00+08:00 by policy {VERSION}, because of officer:7",
        "  Since 2020-03-20T12:00:00+08:00",
        "  Until 2020-03-27T12:00:00+08:00",
        "  GREEN-VERIFIED: Data verified. The national government service platform has verified your health "
        "declaration and found nothing against it.",
        f"    declaration, 2020-03-20T12:00:00+08:00, {authority}",
        f"    verification, 2020-03-20T12:00:00+08:00, {authority}",
        f"By the current policy {VERSION}: Green (GREEN), GREEN-VERIFIED",
        "Without new evidence, from 2020-03-27T12:00:00+08:00: Unverified (UNVERIFIED), UNVERIFIED-WAITING",
    ]


def test_every_rule_that_applies_is_told_with_its_evidence_and_what_is_missing(services: Services, run: Run) -> None:
    serial = open_code(services)
    tell(services, serial, contact(START), fever(START))
    lines = run("--serial", str(serial)).output
    assert (
        lines.index("ORANGE-CONTACT")
        < lines.index("    contact,")
        < lines.index("YELLOW-FEVER")
        < lines.index("    temperature,")
    )
    serial = open_code(services)
    tell(services, serial, fever(START))
    assert "Missing: Have your temperature measured" in run("--serial", str(serial)).output


def test_it_speaks_chinese(services: Services, run: Run) -> None:
    done = run("--serial", str(open_green_code(services)), "--language", "zh")
    assert "截至 2020-03-20T12:00:00+08:00：绿码（GREEN）" in done.output
    assert "GREEN-VERIFIED：数据核验通过。" in done.output and "依据：健康申报，2020-03-20" in done.output


def test_a_code_without_a_decision_says_so(services: Services, run: Run) -> None:
    done = run("--serial", str(open_code(services)))
    assert "Not declared (NOT_DECLARED)" in done.output and "There is no decision yet." in done.output
    assert "Time alone changes nothing." in done.output and "Missing: A new health declaration" in done.output


def test_evidence_that_was_withdrawn_since_is_marked(services: Services, clock: StandingClock, run: Run) -> None:
    serial, wrong = open_green_code(services), contact(START)
    tell(services, serial, wrong)
    clock.advance(days=1)
    withdraw(services, serial, wrong.id)
    clock.advance(days=1)
    then = run("--serial", str(serial), "--at", rfc3339(START + timedelta(hours=1))).output
    assert "As of 2020-03-20T13:00:00+08:00: Orange (ORANGE)" in then
    assert "(withdrawn 2020-03-21T12:00:00+08:00: entered-in-error)" in then
    assert f"By the current policy {VERSION}: Orange (ORANGE), ORANGE-CONTACT" in then
    assert "As of 2020-03-22T12:00:00+08:00: Green (GREEN)" in run("--serial", str(serial)).output


def test_a_moment_in_the_past_knows_only_what_had_been_recorded(services: Services, clock: StandingClock) -> None:
    serial = open_green_code(services)
    clock.advance(hours=3)
    tell(services, serial, fever(START + timedelta(hours=1)))  # told afterwards
    early, late = explained(services, serial, START + timedelta(hours=2)), explained(services, serial)
    assert (early.state, early.today.rule, len(early.evidence)) == (State.GREEN, "GREEN-VERIFIED", 2)
    assert (late.state, late.today.rule, len(late.evidence)) == (State.YELLOW, "YELLOW-FEVER", 3)


def test_before_its_first_decision_a_code_had_none(services: Services) -> None:
    serial = open_green_code(services)
    assert explained(services, serial, START - DAY)[:2] == (State.NOT_DECLARED, None)


def test_a_moment_to_come_tells_what_today_s_policy_will_say_on_what_is_known(services: Services) -> None:
    serial = open_green_code(services)
    tell(services, serial, contact(START))
    ahead = explained(services, serial, START + 20 * DAY)
    assert (ahead.state, ahead.today.rule) == (State.ORANGE, "ORANGE-REVERIFY")
    assert ahead.today.missing == ("declaration",)


def test_a_green_code_that_stands_without_the_platform_says_so(
    services: Services, clock: StandingClock, run: Run
) -> None:
    serial = open_green_code(services)
    clock.advance(days=8)
    decide_again(services, serial)
    assert explained(services, serial).keeps_green
    done = run("--serial", str(serial)).output
    assert "Green (GREEN)" in done and "the code stays green" in done
    assert f"By the current policy {VERSION}: Unverified (UNVERIFIED), UNVERIFIED-WAITING" in done


def test_a_green_code_does_not_stand_on_what_was_withdrawn(services: Services, clock: StandingClock) -> None:
    serial = open_code(services)
    declaration, answer = verified(START)
    tell(services, serial, declaration, answer)
    clock.advance(days=1)
    withdraw(services, serial, answer.id)
    assert not explained(services, serial).keeps_green


def test_by_the_policy_of_its_day_and_by_todays(services: Services, clock: StandingClock, run: Run) -> None:
    serial = open_green_code(services)
    tell(services, serial, contact(START))
    (old_day, old), shorter = services.policy.parameters[0], clock.now() + DAY
    new = replace(
        services.policy, version="2020-03-21", parameters=((old_day, old), (shorter, replace(old, quarantine_days=1)))
    )
    base.services().__dict__["policy"] = new
    clock.advance(days=2)
    done = run("--serial", str(serial)).output
    assert f"by policy {VERSION}" in done and "Until 2020-04-03T00:00:00+08:00" in done
    assert "By the current policy 2020-03-21: Orange (ORANGE), ORANGE-REVERIFY" in done
    assert "The policy's quarantine_days: 14 then, 1 now" in done


# --- whom it tells, and what stays -----------------------------------------------------------------------------------


def test_every_look_is_written_down_with_who_and_why(services: Services, clock: StandingClock, run: Run) -> None:
    serial = open_green_code(services)
    run("--serial", str(serial), reason="oversight")
    (entry,) = entries(services)
    assert (entry.actor, entry.action, entry.serial, entry.reason) == (
        "officer:1",
        "record-read",
        serial,
        "oversight",
    )
    assert (entry.at, entry.role, entry.detail) == (START, "auditor", {"what": "evidence"})


def test_a_person_is_found_by_a_document_that_is_asked_for_and_never_shown(
    services: Services, green_citizen: Phone, run: Run
) -> None:
    citizen = green_citizen
    done = run("--document-type", "id-card", given=f"{as_pasted(citizen.document)}\n")
    assert done.exit_code == 0 and "Green (GREEN)" in done.stdout
    assert citizen.document not in done.stdout and "示例甲" not in done.output
    (entry,) = entries(services)
    assert citizen.document not in str(entry.detail)


def test_a_question_about_nobody_is_written_down_too(services: Services, phone: Callable[..., Phone], run: Run) -> None:
    document = phone("示例乙").document
    for words, given in ((["--serial", "99"], ""), (["--document-type", "id-card"], f"{document}\n")):
        done = run(*words, given=given)
        assert done.exit_code == 1 and "There is no such code" in done.output
    found = entries(services)
    assert [(entry.action, entry.serial) for entry in found] == [("record-sought", None)] * 2
    assert document not in str([entry.detail for entry in found])


@pytest.mark.parametrize(
    ("words", "officer", "reason", "told"),
    [
        (["--serial", "1"], "nobody-1", "appeal", "User name, password or code is wrong"),
        (["--serial", "1"], "admin-1", "appeal", "Your role"),
        (["--serial", "1"], AUDITOR, "curiosity", "not one of"),
        ([], AUDITOR, "appeal", "either --serial or --document-type"),
        (["--serial", "1", "--document-type", "id-card"], AUDITOR, "appeal", "either --serial or --document-type"),
        (["--document-type", "library-card"], AUDITOR, "appeal", "not one of"),
        (["--document-type", "id-card"], AUDITOR, "appeal", "/document/number"),
    ],
)
def test_who_does_not_say_who_why_or_whom_is_refused_and_sees_nothing(
    services: Services, run: Run, words: list[str], officer: str, reason: str, told: str
) -> None:
    open_green_code(services)
    done = run(*words, given="12345\n", officer=officer, reason=reason)
    assert done.exit_code != 0 and told in done.output and "GREEN" not in done.output
    assert entries(services) == []


def test_who_does_not_prove_who_they_are_sees_nothing(services: Services, run: Run) -> None:
    serial = open_green_code(services)
    for wrong in ({"JIXIANG_OFFICER_PASSWORD": "x"}, {"JIXIANG_OFFICER_CODE": "000000"}):
        done = run("--serial", str(serial), **wrong)
        assert done.exit_code == 1 and "GREEN" not in done.output
    assert entries(services) == []


def test_nothing_but_the_audit_is_written(services: Services, clock: StandingClock, run: Run) -> None:
    serial = open_green_code(services)
    clock.advance(days=30)  # it is due
    before = everything(services)
    assert run("--serial", str(serial)).exit_code == 0
    after = everything(services)
    assert {name for name in before if before[name] != after[name]} == {"audit", "officers"}  # whose code is used up


def test_what_facts_would_add_is_told_of_many_codes_and_nothing_is_written(services: Services) -> None:
    green, orange = open_green_code(services), open_green_code(services)
    tell(services, orange, contact(START))
    before = everything(services)
    recovered = [Diagnosis(id=new_id(), at=services.clock.now(), status="recovered")]
    with services.sessions() as session:
        found = explanation.preview_additions(
            session, services.policy, dict.fromkeys((green, orange), recovered), START
        )
    assert found == [(State.GREEN, State.ORANGE), (State.ORANGE, State.ORANGE)]
    assert everything(services) == before

"""The color ledger: what one change writes, what changes nothing, and that a change is written whole or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from app.audit import CLOCK, PLATFORM
from app.citizens.declarations import Statement, declare
from app.citizens.documents import DocumentType
from app.citizens.lookup import find_or_add
from app.codes import ledger
from app.codes.cache.records import make_record
from app.codes.evidence import NewEvidence, new_id
from app.codes.models import EvidenceRow, Notice
from app.codes.states import State
from app.core.errors import Problem
from app.rules import Color, Contact, Diagnosis, Evidence, decide
from app.runtime import Services
from tests.support.clock import START, StandingClock
from tests.support.codes import (
    OFFICER,
    YESTERDAY,
    code,
    contact,
    database_refuses,
    decide_again,
    decisions,
    everything,
    fever,
    jobs,
    open_code,
    open_green_code,
    state,
    tell,
    verified,
    with_short_lease,
    withdraw,
    without_redis,
)
from tests.support.examples import examples
from tests.support.people import id_number


def record_in(session: Session, services: Services, serial: int, *facts: Evidence) -> None:
    """Record facts within a transaction that goes on."""
    entries = [NewEvidence(fact, "长春市疾病预防控制中心", "长疾控〔2020〕1号") for fact in facts]
    now = services.clock.now()
    ledger.record(ledger.ChangeContext(session, services.policy, OFFICER, now), serial, entries)


def evidence_rows(services: Services, serial: int) -> list[EvidenceRow]:
    with services.sessions() as session:
        return list(session.scalars(select(EvidenceRow).filter_by(serial=serial)))


def deliveries(services: Services, serial: int) -> list[str]:
    """What becomes of each notice of a code, the oldest first."""
    with services.sessions() as session:
        return list(session.scalars(select(Notice.delivery).filter_by(serial=serial).order_by(Notice.id)))


# --- one transaction ----------------------------------------------------------------------------------------------


def test_a_change_of_color_is_written_with_its_evidence_reason_notice_and_jobs(services: Services) -> None:
    serial = open_green_code(services)
    before, jobs_before = everything(services), jobs(services)
    tell(services, serial, fever(START))
    after = everything(services)
    added = {name: len(after[name]) - len(before[name]) for name in after if after[name] != before[name]}
    assert added == {"audit": 2, "codes": 0, "decisions": 1, "evidence": 1, "notices": 1, "procrastinate_jobs": 2}
    new = jobs(services)[len(jobs_before) :]
    assert sorted(new) == [("deliver-notices", serial), ("refresh-cache", serial)]


def test_nothing_of_a_change_is_left_when_its_transaction_fails_at_the_end(services: Services) -> None:
    serial = open_green_code(services)
    before, cached = everything(services), services.cache.get(serial)

    def fail_at_the_end() -> None:
        with services.begin() as session:
            record_in(session, services, serial, fever(START), contact(START))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_at_the_end()
    assert everything(services) == before
    assert services.cache.get(serial) == cached


@contextmanager
def refusing_commits(services: Services) -> Iterator[None]:
    """The database finds a mistake in codes only at the commit."""
    with services.engine.begin() as connection:
        connection.execute(
            text(
                "create function refuse() returns trigger language plpgsql as "
                "$$ begin raise exception 'refused'; end $$"
            )
        )
        connection.execute(
            text(
                "create constraint trigger refuse after update on codes deferrable initially deferred "
                "for each row execute function refuse()"
            )
        )
    try:
        yield
    finally:
        with services.engine.begin() as connection:
            connection.execute(text("drop function refuse() cascade"))


def test_nothing_of_a_change_is_left_when_the_commit_itself_is_refused(services: Services) -> None:
    serial = open_green_code(services)
    before, cached = everything(services), services.cache.get(serial)
    with refusing_commits(services), pytest.raises(DBAPIError, match="refused"):
        tell(services, serial, fever(START))
    assert everything(services) == before
    assert services.current_code(serial).record == cached


def test_nothing_of_a_change_is_left_when_the_connection_dies_before_the_commit(services: Services) -> None:
    serial = open_green_code(services)
    before, cached = everything(services), services.cache.get(serial)

    def lose_the_connection() -> None:
        with services.begin() as session:
            record_in(session, services, serial, fever(START))
            session.flush()
            pid = session.scalar(text("select pg_backend_pid()"))
            with services.engine.connect() as other:
                assert other.scalar(text("select pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    with pytest.raises(OperationalError):
        lose_the_connection()
    assert everything(services) == before
    assert services.current_code(serial).record == cached


def test_a_change_stands_when_the_cache_cannot_be_written_after_it(services: Services) -> None:
    serial = open_green_code(services)
    services = with_short_lease(services)
    tell(without_redis(services), serial, fever(START))
    assert state(services, serial) == State.YELLOW
    assert services.cache.get(serial).state == State.GREEN
    assert ("refresh-cache", serial) in jobs(services)


def test_a_change_stands_when_the_database_goes_away_right_after_the_commit(services: Services) -> None:
    serial = open_green_code(services)
    services = with_short_lease(services)
    with ExitStack() as until_later, services.begin() as session:
        outage = database_refuses(services)
        event.listen(session, "after_commit", lambda _: until_later.enter_context(outage), once=True)
        record_in(session, services, serial, fever(START))
    assert state(services, serial) == State.YELLOW
    assert services.cache.get(serial).state == State.EMPTY, "marked before the commit; the job has still to write it"
    assert ("refresh-cache", serial) in jobs(services)


def test_two_changes_in_one_transaction_lose_nothing_of_each_other(services: Services) -> None:
    serial = open_green_code(services)
    with services.begin() as session:
        record_in(session, services, serial, fever(START))
        ledger.schedule_retry(session, serial, START + timedelta(hours=1))
        record_in(session, services, serial, contact(START))
        ledger.end_sessions(session, serial, actor=CLOCK, now=services.clock.now())
    last = decisions(services, serial)[-1]
    row = code(services, serial)
    assert [rule["rule"] for rule in last.applied_rules] == ["ORANGE-CONTACT", "YELLOW-FEVER", "GREEN-VERIFIED"]
    assert (row.decision_id, row.state, row.epoch) == (last.id, State.ORANGE, 2)
    assert services.cache.get(serial) == make_record(row, services.policy.rules)


# --- versions -----------------------------------------------------------------------------------------------------


def test_every_change_gives_the_code_a_higher_version_and_the_cache_has_it(
    services: Services, clock: StandingClock
) -> None:
    serial = open_code(services)
    seen = [code(services, serial).version]

    def note_version() -> None:
        seen.append(code(services, serial).version)
        assert services.cache.get(serial) == make_record(code(services, serial), services.policy.rules)

    orange = contact(START)
    tell(services, serial, *verified(START))
    note_version()
    tell(services, serial, orange)
    note_version()
    with services.begin() as session:
        ledger.end_sessions(session, serial, actor=CLOCK, now=services.clock.now())
    note_version()
    withdraw(services, serial, orange.id)
    note_version()
    assert seen == sorted(set(seen)), "no version is given twice"
    assert [row.version for row in decisions(services, serial)] == [seen[1], seen[2], seen[4]]


def test_the_same_decision_told_again_writes_nothing(services: Services, clock: StandingClock) -> None:
    serial = open_green_code(services)
    tell(services, serial, contact(START))
    before = everything(services)
    clock.advance(minutes=3)
    assert decide_again(services, serial) is None
    assert everything(services) == before


# --- evidence -----------------------------------------------------------------------------------------------------


def found(services: Services, serial: int, dedup_key: str) -> None:
    """The platform tells a finding."""
    fact = Contact(id=new_id(), at=services.clock.now(), exposed_on=YESTERDAY)
    entry = NewEvidence(fact, "国家政务服务平台", "reference", dedup_key=dedup_key)
    now = services.clock.now()
    with services.begin() as session:
        ledger.record(ledger.ChangeContext(session, services.policy, PLATFORM, now), serial, [entry])


def test_a_finding_told_again_is_kept_once_and_writes_nothing(services: Services, clock: StandingClock) -> None:
    serial = open_green_code(services)
    found(services, serial, "contact:1")
    before = everything(services)
    clock.advance(minutes=3)
    found(services, serial, "contact:1")
    assert everything(services) == before


def test_the_same_finding_about_two_people_is_kept_for_both(services: Services) -> None:
    serials = open_green_code(services), open_green_code(services)
    for serial in serials:
        found(services, serial, "contact:1")
    assert [state(services, serial) for serial in serials] == [State.ORANGE, State.ORANGE]


def test_a_finding_that_was_withdrawn_stays_withdrawn_when_it_is_told_again(services: Services) -> None:
    serial = open_green_code(services)
    found(services, serial, "contact:1")
    wrong = next(row for row in evidence_rows(services, serial) if row.dedup_key)
    withdraw(services, serial, wrong.id)
    found(services, serial, "contact:1")
    assert state(services, serial) == State.GREEN


def test_evidence_that_was_wrong_is_withdrawn_and_kept(services: Services, clock: StandingClock) -> None:
    serial = open_green_code(services)
    wrong = contact(START)
    tell(services, serial, wrong)
    clock.advance(hours=1)
    decision = withdraw(services, serial, wrong.id)
    assert decision is not None
    assert (State(decision.previous_state), State(decision.state)) == (State.ORANGE, State.GREEN)
    kept = next(row for row in evidence_rows(services, serial) if row.id == wrong.id)
    assert (kept.withdrawn_at, kept.withdrawn_for) == (clock.now(), "entered-in-error")
    assert len(deliveries(services, serial)) == 3, "green, orange, green: the holder hears of each"


def test_evidence_is_withdrawn_once_and_only_from_the_code_that_has_it(services: Services) -> None:
    serial, other = open_green_code(services), open_green_code(services)
    wrong = contact(START)
    tell(services, serial, wrong)
    with pytest.raises(Problem, match="evidence-not-found"):
        withdraw(services, other, wrong.id)
    withdraw(services, serial, wrong.id)
    for evidence_id in (wrong.id, new_id()):
        with pytest.raises(Problem, match="evidence-not-found"):
            withdraw(services, serial, evidence_id)


def test_a_decision_never_rests_on_evidence_that_was_withdrawn_while_it_waited(services: Services) -> None:
    serial = open_green_code(services)
    wrong = contact(START)
    tell(services, serial, wrong)
    with services.begin() as session:
        read_before = session.get_one(EvidenceRow, (serial, wrong.id))
        withdraw(services, serial, wrong.id)
        record_in(session, services, serial, fever(START))
    assert read_before.withdrawn_at == START
    assert state(services, serial) == State.YELLOW


def test_who_read_a_code_before_another_changed_it_changes_it_as_it_is_by_then(services: Services) -> None:
    serial = open_green_code(services)
    with services.begin() as session:
        read_before = ledger.get_code(session, serial)
        tell(services, serial, fever(START))
        record_in(session, services, serial, contact(START))
    assert read_before.state == State.ORANGE
    yellow, orange = decisions(services, serial)[-2:]
    assert (orange.previous_state, orange.version) == (State.YELLOW, yellow.version + 1)


def test_the_order_of_the_changes_decides_and_not_the_clocks_of_the_machines(services: Services) -> None:
    serial = open_green_code(services)
    ahead = START + timedelta(seconds=5)
    tell(services, serial, fever(ahead), now=ahead)
    tell(services, serial, fever(START, "36.5"))
    assert state(services, serial) == State.GREEN, "the fever was measured before, by a clock that is ahead"
    tell(services, serial, fever(START))
    assert state(services, serial) == State.YELLOW
    tell(services, serial, contact(START))
    last = decisions(services, serial)[-1]
    assert [rule["rule"] for rule in last.applied_rules] == ["ORANGE-CONTACT", "YELLOW-FEVER", "GREEN-VERIFIED"]
    times = [row.decided_at for row in decisions(services, serial)]
    assert times == sorted(times)


def test_there_is_no_color_for_a_code_that_does_not_exist(services: Services) -> None:
    with pytest.raises(Problem, match="code-not-found"):
        tell(services, 999, fever(START))


# --- notices ------------------------------------------------------------------------------------------------------


def test_a_new_reason_for_the_same_color_is_decided_but_not_told(services: Services, clock: StandingClock) -> None:
    serial = open_green_code(services)
    tell(services, serial, Diagnosis(id=new_id(), at=START, status="suspected"))
    told = deliveries(services, serial)
    clock.advance(hours=1)
    decision = tell(services, serial, Diagnosis(id=new_id(), at=clock.now(), status="confirmed"))
    assert decision is not None and decision.rule == "RED-CONFIRMED"
    assert deliveries(services, serial) == told


def test_a_citizen_who_is_looking_is_told_by_the_inbox_alone(services: Services) -> None:
    serial = open_code(services)
    entries = [NewEvidence(fact, "本人申报", "declaration") for fact in verified(START)]
    with services.begin() as session:
        ledger.record(ledger.ChangeContext(session, services.policy, PLATFORM, START), serial, entries, on_screen=True)
    assert deliveries(services, serial) == ["seen"]
    assert "deliver-notices" not in [task for task, _ in jobs(services)]


# --- what stands while the platform is silent ---------------------------------------------------------------------


def test_green_stands_while_only_the_platform_is_lacking_and_ends_with_the_declaration(
    services: Services, clock: StandingClock
) -> None:
    serial = open_green_code(services)
    clock.advance(days=7)
    assert decide_again(services, serial) is None
    shown = services.current_code(serial).record
    assert shown.state == State.GREEN
    assert shown.since == START
    assert shown.until is not None and shown.until <= clock.now(), "it says until when it was sure"
    with services.begin() as session:
        claimed = ledger.lease_due(session, clock.now(), clock.now() + timedelta(minutes=2), 10)
    assert claimed == [serial], "the platform is asked at once"
    clock.advance(days=7)
    decision = decide_again(services, serial)
    assert decision is not None and (decision.state, decision.rule) == (State.UNVERIFIED, "UNVERIFIED-EXPIRED")


def test_green_does_not_stand_on_evidence_that_was_withdrawn(services: Services) -> None:
    serial = open_code(services)
    declaration, answer = verified(START)
    tell(services, serial, declaration, answer)
    withdraw(services, serial, answer.id)
    assert state(services, serial) == State.UNVERIFIED


def test_a_declaration_that_nobody_has_verified_yet_gives_no_color_and_no_notice(services: Services) -> None:
    serial = open_code(services)
    declaration, _ = verified(START)
    tell(services, serial, declaration)
    assert state(services, serial) == State.UNVERIFIED
    assert deliveries(services, serial) == []


def test_without_a_declaration_a_restriction_that_was_wrong_leaves_the_code_undeclared(services: Services) -> None:
    serial = open_code(services)
    wrong = contact(START)
    tell(services, serial, wrong)
    assert state(services, serial) == State.ORANGE
    withdraw(services, serial, wrong.id)
    assert state(services, serial) == State.NOT_DECLARED


def test_a_declaration_puts_the_clock_s_look_off_until_its_own_request_is_over(services: Services) -> None:
    retry_at = START + timedelta(seconds=9)
    with services.begin() as session:
        serial = find_or_add(session, services.encryption, DocumentType.ID_CARD, id_number(1), START).serial
        context = ledger.ChangeContext(session, services.policy, CLOCK, START)
        declare(context, serial, Statement((), None))
        ledger.schedule_retry(session, serial, retry_at)
    assert code(services, serial).retry_at == retry_at


# --- any story ----------------------------------------------------------------------------------------------------

KINDS = ("fever", "normal", "contact", "suspected", "confirmed", "ruled_out", "recovered", "verified", "withdrawal")


def happen(services: Services, serial: int, kind: str) -> None:
    now = services.clock.now()
    match kind:
        case "fever" | "normal":
            tell(services, serial, fever(now, "38.0" if kind == "fever" else "36.5"))
        case "contact":
            tell(services, serial, contact(now))
        case "verified":
            tell(services, serial, *verified(now))
        case "withdrawal":
            rows = [row for row in evidence_rows(services, serial) if row.withdrawn_at is None]
            if rows:
                withdraw(services, serial, rows[0].id)
        case _:
            tell(services, serial, Diagnosis(id=new_id(), at=now, status=kind))  # type: ignore[arg-type]


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 5)), max_size=7))
def test_whatever_happens_the_color_is_the_one_that_the_rules_give_to_all_evidence(
    services: Services, clock: StandingClock, story: list[tuple[str, int]]
) -> None:
    serial = open_green_code(services)
    for kind, hours in story:
        clock.advance(hours=hours)
        happen(services, serial, kind)
        with services.sessions() as session:
            evidence = ledger.load_evidence(session, serial)
        row, decision = code(services, serial), decide(evidence, services.policy, clock.now())
        silent = State.NOT_DECLARED if decision.rule == "NOT-DECLARED" else State.UNVERIFIED
        assert State(row.state) == (State.of(decision.color) if decision.color else silent)
        assert (row.rule, row.due_at) == (decision.rule, decision.due_at)
        assert services.cache.get(serial) == make_record(row, services.policy.rules)
        assert row.state != State.GREEN or decision.color is Color.GREEN

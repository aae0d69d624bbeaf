"""Removals are repeated once: never over what somebody has done since, and one that fails leaves the others."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.backup.repetition.removals import Removal
from app.backup.repetition.repeating import is_repeated
from app.citizens import accounts
from app.citizens.documents import DocumentType
from app.citizens.models import Account
from app.cli import erasures
from app.codes.models import Code
from app.core.passwords import hash_password
from app.core.texts import slugs
from app.corrections import requests
from app.runtime import Services
from app.staff import inspectors
from app.staff.context import OPERATOR, begin_as
from app.staff.models import Window
from app.stations.models import Inspector
from app.wechat import login
from app.wechat.models import WeChatUser
from app.windows.models import FormerBinding, Recovery
from tests.support.clock import START, StandingClock
from tests.support.desk import make_officer
from tests.support.people import PASSWORD, Phone, Station, id_number


def removal(at: datetime, action: str, serial: int | None = None, **detail: Any) -> Removal:
    return Removal.of((at, action, serial), "operator", detail)


def account_of(services: Services) -> tuple[int, int, Account, int | None]:
    """The serial of the one citizen, their WeChat user, their account, and to which code the user is bound."""
    with services.sessions() as session:
        serial = session.scalars(select(Code.serial)).one()
        user = session.scalars(select(WeChatUser)).one()
        return serial, user.id, session.get_one(Account, serial), user.serial


def test_who_came_back_after_a_repeated_recovery_is_not_sent_away_again(
    services: Services, clock: StandingClock, green_citizen: Phone, capsys: pytest.CaptureFixture[str]
) -> None:
    serial, user, *_ = account_of(services)
    clock.advance(minutes=1)
    recovered = removal(clock.now(), "account-recovered", serial, users=[user])
    erasures.repeat(services, [recovered], None)
    *_, bound = account_of(services)
    given = {"username": green_citizen.username, "password": PASSWORD}
    assert bound is None and green_citizen.post("/api/v1/accounts/login", given).status_code == 401
    clock.advance(minutes=1)
    with services.begin() as session:
        login.bind(session, user, serial, clock.now())
        session.get_one(Account, serial).password_hash = chosen = hash_password(PASSWORD)
    erasures.repeat(services, [recovered], None)
    *_, account, bound = account_of(services)
    assert (bound, account.password_hash) == (serial, chosen)
    assert [line[:6] for line in capsys.readouterr().out.splitlines() if "revo" in line] == ["1 of 1", "0 of 1"]


def test_a_recovery_that_was_undone_since_the_backup_is_undone_again(
    services: Services, clock: StandingClock, green_citizen: Phone
) -> None:
    serial, user, *_ = account_of(services)
    clerk = make_officer(services, "clerk-1", "clerk")
    with services.begin() as session:  # as the backup has it: by somebody who was not the holder
        window = Window(name="示例窗口", place="示例大街 1 号", district="长春市", created_at=clock.now())
        session.add(window)
        session.flush()
        made = Recovery(serial=serial, window_id=window.id, officer_id=clerk.id, at=clock.now())
        session.add(made)
        session.flush()
        session.add(FormerBinding(recovery_id=made.id, wechat_user_id=user))
        login.unbind_all(session, serial)
        id_ = made.id
    clock.advance(minutes=1)
    objected = removal(clock.now(), "recovery-objected", serial, recovery=id_, user=user)
    for _ in range(2):
        erasures.repeat(services, [objected], None)
        with services.sessions() as session:
            assert session.get_one(Recovery, id_).state == "objected", "who did so in time is not late now"
    decided = removal(clock.now(), "recovery-decided", serial, recovery=id_, outcome="undone")
    kept = removal(clock.now(), "recovery-decided", serial, recovery=id_, outcome="kept")
    erasures.repeat(services, [kept], None)
    assert account_of(services)[3] is None, "an objection that was refused gives nothing back"
    given = {"username": green_citizen.username, "password": PASSWORD}
    erasures.repeat(services, [removal(clock.now(), "recovery-decided", serial, recovery=0, outcome="undone")], None)
    assert green_citizen.post("/api/v1/accounts/login", given).status_code == 401, "of before, and changed since"
    erasures.repeat(services, [decided], None)
    _, _, account, bound = account_of(services)
    assert (bound, account.username) == (serial, None)


def test_a_correction_that_was_undone_since_the_backup_is_undone_again(
    services: Services, clock: StandingClock, green_citizen: Phone
) -> None:
    serial, clerk = account_of(services)[0], make_officer(services, "clerk-1", "clerk")
    wrong = requests.Wish((DocumentType.ID_CARD, id_number(801)), "mistyped", "长春市")
    with begin_as(services, OPERATOR) as context:  # as the backup has it: by two officers, to another's document
        window = Window(name="示例窗口", place="示例大街 1 号", district="长春市", created_at=clock.now())
        context.session.add(window)
        context.session.flush()
        given = context.session, context.encryption
        row = requests.propose_at_window(*given, serial, requests.AtWindow(wrong, window.id, clerk.id), clock.now())
        requests.finish(*given, row, OPERATOR, clock.now())
        correction = row.id
    clock.advance(minutes=1)
    undone = removal(clock.now(), "document-correction-undone", serial, correction=correction)
    for _ in range(2):
        erasures.repeat(services, [undone], None)
        with services.sessions() as session:
            found = accounts.get_own_data(session, services.encryption, serial)
            assert found is not None and found.document_number == green_citizen.document


# Every action that is not repeated after a restore, by the reason why.
NOT_REPEATED = {
    "it gives: whoever lost it asks again": """
        registered registered-at-window wechat-bound credentials-chosen family-tied family-vouched paper-issued
        paper-reprint-asked sms-switched-on officer-added inspector-added inspector-enabled window-added
        window-clerk-assigned window-hold-cleared device-added partner-added venue-applied venue-approved
        venue-entrance-added venue-offered login-delay-ended document-correction-asked
    """,
    "what was said or measured of a person: those who know it enter it again": """
        declared-at-window statement-recorded statement-refused told-afterwards evidence-recorded evidence-withdrawn
        decided reevaluated name-corrected document-correction-proposed document-corrected document-correction-refused
        identity-confirmed identity-denied
    """,
    "the work of officers, who decide anew": """
        entry-recorded entry-held entry-hold-cleared entry-approved entry-approval-refused entry-rejected
        entry-withdrawn case-ended officer-list-brought officer-list-refused officer-list-signed follow-up-opened
        follow-up-assign follow-up-hand-over follow-up-receive follow-up-finish follow-up-admit follow-up-correct
        follow-up-transfer follow-up-accept follow-up-decline follow-up-withdraw follow-up-end appeal-filed
        partner-filed-appeal appeal-upheld appeal-mended venue-refused venue-hours-set exposure-proposed
        exposure-published end-announced end-withdrawn
    """,
    "the clock does it again": """
        entry-lapsed follow-up-overdue appeal-escalated appeal-forgotten
    """,
    "the generation ends every session": """
        sessions-ended officer-session-ended officer-sessions-ended inspector-session-ended inspector-sessions-ended
    """,
    "done with another that is repeated": """
        appeal-withdrawn venue-handed-over
    """,
    "it says that something was seen, tried or counted": """
        record-read record-sought person-sought entry-viewed appeal-read appeal-attachment-read code-shown exported
        capture-shown captures-exported partner-asked paper-scanned-often venue-code-alarm officer-logged-in
        inspector-logged-in officer-identified login-failed officer-login-failed inspector-login-failed
        registration-mismatched document-checks-stopped officer-login-stopped inspector-login-stopped
    """,
    "about this system, which has ways of its own": """
        chain-verified rows-verified generation-began keys-adopted trust-list-imported service-ended
    """,
}


def test_every_audited_action_is_repeated_or_it_is_said_why_not() -> None:
    repeated = {action for action in slugs("acts") if is_repeated(removal(START, action))}
    left_out = [action for actions in NOT_REPEATED.values() for action in actions.split()]
    assert sorted([*repeated, *left_out]) == sorted(slugs("acts")), "each once"


def test_one_that_cannot_be_repeated_is_named_and_the_others_are_done(
    services: Services, clock: StandingClock, station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    officer = make_officer(services, "auditor-1", "auditor")
    gone = removal(clock.now(), "officer-assignment-changed", officer=officer.id, roles=["auditor"], district="无此市")
    with begin_as(services, OPERATOR) as context:
        inspector = inspectors.find_by_username(context.session, "inspector-1").id
    clock.advance(minutes=1)
    moved = removal(clock.now(), "inspector-moved", inspector=inspector, station=99)
    erasures.repeat(services, [gone, moved, removal(clock.now(), "inspector-disabled", inspector=inspector)], None)
    said = capsys.readouterr()
    assert f"officer-assignment-changed of officer {officer.id} was not repeated (invalid-request)" in said.err
    assert f"inspector-moved of inspector {inspector} was not repeated" in said.err, "to a station that is unknown"
    assert "1 of 3 revocations" in said.out
    with services.sessions() as session:
        assert session.get_one(Inspector, inspector).disabled_at is not None

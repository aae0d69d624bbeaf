"""Removals are repeated once: never over what somebody has done since, and one that fails leaves the others."""

from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.backup.repetition.removals import Removal
from app.citizens.models import Account
from app.cli import erasures
from app.codes.models import Code
from app.codes.paper.models import PaperCard
from app.core.passwords import hash_password
from app.partners.models import Partner
from app.runtime import Services
from app.staff import inspectors
from app.staff.context import OPERATOR, begin_as
from app.staff.models import Window
from app.stations.models import Inspector
from app.wechat import login
from app.wechat.models import WeChatUser
from app.windows.models import FormerBinding, Recovery
from tests.support.clock import StandingClock
from tests.support.desk import make_officer
from tests.support.partners import Asker
from tests.support.people import PASSWORD, Phone, Station


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


def test_one_that_cannot_be_repeated_is_named_and_the_others_are_done(
    services: Services, clock: StandingClock, station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    officer = make_officer(services, "auditor-1", "auditor")
    gone = removal(clock.now(), "officer-assignment-changed", officer=officer.id, roles=["auditor"], district="无此市")
    with begin_as(services, OPERATOR) as context:
        inspector = inspectors.find_by_username(context.session, "inspector-1").id
    clock.advance(minutes=1)
    erasures.repeat(services, [gone, removal(clock.now(), "inspector-disabled", inspector=inspector)], None)
    said = capsys.readouterr()
    assert f"officer-assignment-changed of officer {officer.id} was not repeated (invalid-request)" in said.err
    assert "1 of 2 revocations" in said.out
    with services.sessions() as session:
        assert session.get_one(Inspector, inspector).disabled_at is not None


def test_what_was_given_anew_since_is_another_one_of_its_number_and_stays(
    services: Services, clock: StandingClock, client: FlaskClient, green_citizen: Phone
) -> None:
    at, (_, user, *_) = clock.now(), account_of(services)
    clock.advance(minutes=1)
    green_citizen.log_in_with_wechat()
    Asker.add(client, services)
    assert green_citizen.post("/api/v1/paper-cards", None).status_code == 201
    with services.sessions() as session:
        card = session.scalars(select(PaperCard)).one()
    removals = [
        removal(at, "erased", users=[user]),
        removal(at, "partner-revoked", partner="example"),
        removal(at, "paper-revoked", card.serial, card=card.id),
    ]
    erasures.repeat(services, removals, None)
    with services.sessions() as session:
        assert session.get(WeChatUser, user) is not None, "who came back is no visitor of before"
        assert session.get_one(Partner, "example").revoked_at is None, "the secret that it has now was never revoked"
        assert session.get_one(PaperCard, card.id).revoked_at is None

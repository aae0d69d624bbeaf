"""Officers after a restore: no session of before goes on, and no one-time code is used twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app import create_app
from app.core.clock import SystemClock
from tests.support.clock import StandingClock
from tests.support.desk import Desk, make_officer
from tests.support.installations import Installation, Town

pytestmark = pytest.mark.slow


def test_a_session_and_a_used_code_of_before_are_worth_nothing_after(installation: Installation, town: Town) -> None:
    clock = StandingClock()  # of the authenticator
    clock.moment = SystemClock().now()
    services = replace(town.services, real_clock=clock)
    make_officer(services, "officer-1", "auditor")
    app = create_app(services)
    early, late, again = (Desk(app, services) for _ in range(3))
    assert early.log_in().status_code == 303
    dump = installation.backup()
    assert early.is_in()
    clock.moment += timedelta(seconds=31)
    assert late.log_in().status_code == 303
    assert late.is_in()

    installation.restore(dump)

    assert not early.is_in(), "a session that is in the dump"
    assert not late.is_in()
    assert again.log_in().status_code != 303, "a code of this half minute may have been used"
    clock.moment += timedelta(seconds=61)
    assert again.log_in().status_code == 303

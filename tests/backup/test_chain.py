"""What a restore does to the audit is written in it, and an auditor with checkpoints of their own is told."""

import json

import pytest
from sqlalchemy import text

from app.audit import sealing
from app.audit.checkpoints import published_checkpoints
from tests.support.clock import StandingClock
from tests.support.installations import Installation, Town

pytestmark = pytest.mark.slow


def test_a_checkpoint_of_the_lost_time_is_missed_with_the_reason(installation: Installation, town: Town) -> None:
    services = town.services
    town.phones("从前", 1)[0].become_green()
    sealing.seal_all(services)
    dump = installation.backup()
    town.phones("后来", 3)[2].become_green()
    assert isinstance(services.clock, StandingClock)
    services.clock.advance(days=1)
    sealing.seal_all(services)
    with services.sessions() as session:
        heads = published_checkpoints(session, services.clock.now())
    (installation.directory / "heads.json").write_text(json.dumps(heads))
    assert heads["heads"]

    installation.restore(dump)
    sealing.seal_all(services)

    with services.sessions() as session:
        action = session.scalar(text("select action from audit where place is not null order by place desc limit 1"))
    assert action == "generation-began"
    assert installation.run("audit", "verify").output.startswith("The chain is intact")
    told = installation.run("audit", "verify", "--heads", str(installation.directory / "heads.json"))
    assert told.exit_code == 1
    assert "cut-off" in told.output
    assert "the database was put back to place" in told.output

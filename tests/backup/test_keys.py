"""A database goes on with the keys that it was filled with, and with others only when an operator says so."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests.support.installations import Installation, Town
from tests.support.waiting import wait_until


def use_fresh_keys(installation: Installation) -> None:
    """Point keys.directory at a new folder, and copy nothing there."""
    keys = installation.settings.keys.model_copy(update={"directory": installation.directory / "fresh"})
    installation.settings = installation.settings.model_copy(update={"keys": keys})


def make_keys(installation: Installation) -> None:
    from app.core.keys import create_keys
    from tests.support.clock import START

    create_keys(installation.settings.keys.directory, START)


def test_nobody_begins_anew_with_other_keys(installation: Installation, town: Town) -> None:
    phone = town.phones("示例", 1)[0].become_green()
    given = town.serials()
    use_fresh_keys(installation)

    created = installation.run("keys", "create")
    assert (created.exit_code, created.stderr.count("\n")) == (1, 1)
    assert "filled with other keys" in created.stderr
    assert not installation.settings.keys.directory.exists()

    make_keys(installation)
    for words in (["config", "check"], ["web", "--port", "1"], ["worker"], ["officers", "list"]):
        refused = installation.run(*words)
        assert refused.exit_code == 1 and "filled with other keys" in refused.stderr, words
    dump = installation.directory / "dump"
    assert "filled with other keys" in installation.run("backup", str(dump)).stderr
    assert not dump.exists()
    with pytest.raises(OperationalError, match="other keys"):
        installation.start()
    assert (town.serials(), phone.color()) == (given, "GREEN")


def _has_stopped(town: Town) -> bool:
    """Whether a beat has found other keys; on a busy machine one may fail for another reason before."""
    with pytest.raises(OperationalError):
        town.services.lease.renew()
    return _names_other_keys(town)


def _names_other_keys(town: Town) -> bool:
    answer = town.client.get("/readyz")
    return answer.status_code == 503 and "other keys" in answer.json["parts"]["database"]  # type: ignore[index]


def test_a_process_stops_at_the_next_beat_when_its_database_has_got_other_keys(
    installation: Installation, town: Town
) -> None:
    phone = town.phones("示例", 1)[0].become_green()
    with installation.look(installation.url) as connection:
        connection.execute(text("update installation set key_fingerprint = repeat('0', 16)"))
        connection.commit()
    wait_until(lambda: _has_stopped(town))
    assert [phone.declare().status_code, town.phones("后来", 2)[1].log_in_with_wechat().status_code] == [503, 503]


def test_what_a_new_connection_has_found_holds_for_the_older_ones(installation: Installation, town: Town) -> None:
    phone = town.phones("示例", 1)[0].become_green()
    with town.services.engine.connect() as older, installation.look(installation.url) as connection:
        older.execute(text("select 1"))
        connection.execute(text("update installation set key_fingerprint = repeat('0', 16)"))
        connection.commit()
        with pytest.raises(OperationalError, match="other keys"):
            town.services.lease.renew()
    assert _names_other_keys(town)
    assert phone.declare().status_code == 503


def test_an_operator_goes_on_without_a_key_that_is_lost_for_good(installation: Installation, town: Town) -> None:
    phone = town.phones("示例", 1)[0].become_green()
    lookup = installation.settings.keys.directory / "lookup.key"
    lookup.unlink()
    created = installation.run("keys", "create")
    assert created.exit_code == 1 and "lacks lookup.key" in created.stderr
    assert not lookup.exists()

    assert installation.run("keys", "adopt", input="n\n").exit_code == 1
    assert not lookup.exists()
    assert installation.run("keys", "adopt", "--yes").exit_code == 0
    assert installation.run("config", "check").exit_code == 0
    installation.start()
    with installation.look(installation.url) as connection:
        actions = connection.scalars(text("select action from audit where actor = 'operator'")).all()
    assert "keys-adopted" in actions
    wait_until(lambda: _has_stopped(town))
    assert phone.declare().status_code == 503, "this process has the former keys"

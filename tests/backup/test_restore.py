"""Nobody gets anything of somebody else, is told better than what is known, or is told twice, after a restore."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from app.core.session_tokens import SessionTokens
from app.runtime import Services
from app.trust import lists
from tests.support.clock import START
from tests.support.installations import Installation, Town, accepted
from tests.support.people import Phone
from tests.support.trust import EXAMPLE, OTHER, TwoAdministrators, make_list, trusting
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

AFTER = 12  # phones that register after the backup
SOON = 30  # seconds; on a machine with nothing else to do it takes one


def lose_and_forget(town: Town) -> tuple[list[Phone], set[int], list[str]]:
    """Phones that become green after the backup; their serials, and the tokens that they show."""
    before = town.serials()
    lost = [phone.become_green() for phone in town.phones("后来", AFTER)]
    tokens = [phone.code()["token"] for phone in lost]
    return lost, town.serials() - before, tokens


def nobody_is_taken_for_another(town: Town, given: set[int], tokens: list[str]) -> None:
    """Newcomers get serials of their own and nobody's color; what the former owners show passes nowhere."""
    before = town.serials()
    newcomers = town.phones("新来", AFTER)
    for phone in newcomers:
        assert phone.register().status_code == 201
    assert len(town.serials() - before) == AFTER
    assert not (town.serials() - before) & given, "a serial is given once"
    assert [phone.get("/api/v1/code").status_code for phone in newcomers] == [404] * AFTER, "nothing is declared"
    station = town.station(f"inspector-{len(town.serials())}")
    passed = [token for token in tokens if station.check(token).json.get("action") == "pass"]  # type: ignore[union-attr]
    assert passed == []


def test_no_phone_that_registered_after_the_backup_is_taken_for_a_newcomer(
    installation: Installation, town: Town
) -> None:
    first = town.phones("从前", 1)[0].become_green()
    dump = installation.backup()
    lost, given, tokens = lose_and_forget(town)
    assert accepted(lost) == AFTER

    done = installation.restore(dump)

    assert accepted([*lost, first]) == 0, "everybody logs in again"
    nobody_is_taken_for_another(town, given, tokens)
    assert first.log_in_with_wechat().status_code == 200
    assert first.color() == "GREEN"
    assert "evidence-recorded: 24" in done.output
    assert "Put back in" in done.output


def test_a_backup_of_nobody_gives_the_first_serials_no_second_time(installation: Installation, town: Town) -> None:
    dump = installation.backup()
    lost, given, tokens = lose_and_forget(town)

    installation.restore(dump)

    assert accepted(lost) == 0
    nobody_is_taken_for_another(town, given, tokens)


def test_a_notice_that_waited_in_the_backup_is_sent_once(installation: Installation, town: Town) -> None:
    phone = town.phones("示例", 1)[0].become_green()
    for _ in range(3):  # WeChat would take more messages than one
        phone.subscribe()
    town.work()
    told = len(phone.messages())
    token, station = phone.code()["token"], town.station()
    assert station.measure(token, 38.0).json["color"] == "YELLOW"  # type: ignore[index]
    dump = installation.backup()
    town.work()
    assert len(phone.messages()) == told + 1

    installation.restore(dump)
    town.work()

    assert len(phone.messages()) == told + 1
    phone.log_in_with_wechat()
    assert phone.color() == "YELLOW"
    assert any(notice["state"] == "YELLOW" for notice in phone.inbox()), "it is in the inbox all the same"


def test_a_color_of_the_time_after_the_backup_is_not_believed(installation: Installation, town: Town) -> None:
    phone = town.phones("示例", 1)[0]
    phone.register()
    dump = installation.backup()
    phone.declare()
    shown = phone.code()
    assert shown["state"] == "GREEN"

    installation.restore(dump)

    phone.log_in_with_wechat()
    assert phone.get("/api/v1/code").status_code == 404, "nothing is declared"
    assert town.station().check(shown["token"]).json.get("action") != "pass"  # type: ignore[union-attr]


# --- without our command ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("redis", ["kept", "emptied", "lost"])
def test_pg_restore_over_running_processes_is_noticed_within_seconds(
    installation: Installation, town: Town, redis: str
) -> None:
    other = installation.start(leasing=True)
    dump = installation.backup()
    lost, given, tokens = lose_and_forget(town)
    held = town.services.engine.connect()  # a connection that is older than the restore
    held.execute(text("select 1"))
    held.rollback()
    options = ("--clean", "--if-exists", "--single-transaction", f"--dbname={make_url(installation.url).database}")
    if redis == "emptied":
        installation.valkey.admin.flushall()
    if redis == "lost":
        installation.valkey.crash()
    installation.tool("pg_restore", *options, str(dump))

    wait_until(lambda: accepted(lost) == 0, seconds=SOON)
    wait_until(lambda: other.generation() == town.services.generation() != 0, seconds=SOON)
    nobody_is_taken_for_another(town, given, tokens)
    held.close()


def test_the_first_newcomer_after_pg_restore_gets_a_serial_of_their_own_before_anybody_has_noticed(
    installation: Installation, wechat_url: str
) -> None:
    town = Town(installation.start(), wechat_url)  # no beat of a lease here
    dump = installation.backup()
    _, given, tokens = lose_and_forget(town)
    options = ("--clean", "--if-exists", "--single-transaction", f"--dbname={make_url(installation.url).database}")
    installation.tool("pg_restore", *options, str(dump))

    assert town.phones("先来", 1)[0].register().status_code == 201

    assert len(town.serials()) == 1
    assert not town.serials() & given
    town.services.lease.renew()
    nobody_is_taken_for_another(town, given, tokens)


def test_pg_restore_into_a_new_database_is_another_generation(
    installation: Installation, town: Town, wechat_url: str
) -> None:
    dump = installation.backup()
    lost, given, tokens = lose_and_forget(town)
    name = f"{make_url(installation.url).database}_new"
    installation.tool("createdb", name)
    installation.tool("pg_restore", f"--dbname={name}", str(dump))

    moved = make_url(installation.url).set(database=name).render_as_string(hide_password=False)
    elsewhere = Town(installation.start(url=moved), wechat_url)

    for phone in lost:
        phone.client = elsewhere.client
    assert accepted(lost) == 0
    nobody_is_taken_for_another(elsewhere, given, tokens)


# --- before any restore -------------------------------------------------------------------------------------------


def test_a_session_of_before_the_generations_stays_until_the_first_restore(
    installation: Installation, town: Town
) -> None:
    phone = town.phones("示例", 1)[0].become_green()
    assert phone.session is not None
    phone.session = former_layout(town.services, phone.session)
    assert phone.get("/api/v1/code").status_code == 200
    installation.restore(installation.backup())
    assert phone.get("/api/v1/code").status_code == 401


def former_layout(services: Services, session: str) -> str:
    """The same session as version 0.2 wrote it: without a generation."""
    import base64
    import struct

    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    from app.core.keys import load_keys

    keys = load_keys(services.settings.keys.directory)
    read = SessionTokens(keys, services.generation).read(session, services.clock.now())
    fields = (read.kind, read.subject, read.serial, read.epoch, int(read.ends_at.timestamp()))
    data = AESSIV(keys.session).encrypt(struct.pack(">BQQHI", *fields), [b"session"])
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_files_of_a_backup_are_for_their_owner_alone(installation: Installation, town: Town) -> None:
    dump = installation.backup()
    for file in (dump, Path(f"{dump}.json")):
        assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in dump.parent.glob("*dump*")) == ["dump", "dump.json"], "nothing half-written"


def test_a_restore_brings_no_older_trust_list_back(installation: Installation) -> None:
    """By an older list a revoked key would be good again."""
    services = trusting(installation.start())
    two = TwoAdministrators(services)
    two.take(make_list(EXAMPLE.issuer(), OTHER.issuer(), at=START - timedelta(hours=1)))
    dump = installation.backup()
    newest = make_list(EXAMPLE.issuer(revoked=True), OTHER.issuer(), at=START)
    two.take(newest)

    installation.restore(dump)

    with installation.start().sessions() as session:
        kept = lists.find_signed(session)
        assert kept is not None and kept.content == newest

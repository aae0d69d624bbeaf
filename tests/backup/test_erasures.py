"""A restore brings back what people had deleted since the backup, and deletes it again."""

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from app.core.encryption import FieldEncryption
from app.core.keys import load_keys
from tests.support.clock import START
from tests.support.erasing import erase, has_account
from tests.support.family import FAMILY, members, tie
from tests.support.installations import Installation, Town
from tests.support.people import Phone


def count(town: Town, query: str) -> int:
    with town.services.engine.connect() as connection:
        return connection.scalar(text(f"select count(*) from {query}")) or 0


def lose(installation: Installation) -> None:
    """The database is gone for good."""
    url = make_url(installation.url)
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'drop database "{url.database}" with (force)'))
    admin.dispose()


@pytest.fixture
def gone(town: Town) -> Phone:
    """Somebody with an account and a reminder, who will delete it after the backup."""
    phone = town.phones("示例", 1)[0].become_green()
    phone.subscribe()
    return phone


@pytest.mark.slow
def test_what_was_erased_since_the_backup_is_erased_again_from_what_the_old_database_knows(
    installation: Installation, town: Town, gone: Phone
) -> None:
    stays, visitor = town.phones("从前", 2)
    stays.become_green()
    visitor.log_in_with_wechat()
    dump = installation.backup()
    credentials = {"username": gone.username, "password": "a-long-Password-1"}
    visitor.session = visitor.post("/api/v1/accounts/login", credentials).json["session"]  # type: ignore[index]
    erase(gone)

    done = installation.restore(dump)

    assert "1 of 1 erasures were repeated" in done.output
    assert count(town, "accounts") == 1 and count(town, "subscriptions") == 0
    assert count(town, "wechat_users") == 1, "who was bound after the backup is erased, too"
    assert count(town, "citizens where num_nonnulls(name_ciphertext, phone_ciphertext, document_ciphertext) > 0") == 1
    assert (has_account(gone), has_account(stays)) == (False, True)
    assert count(town, "audit where action = 'erased' and actor = 'operator'") == 2


@pytest.mark.slow
def test_where_the_old_database_is_lost_a_list_tells_what_to_erase(
    installation: Installation, town: Town, gone: Phone, tmp_path: Path
) -> None:
    dump, kept = installation.backup(), tmp_path / "erasures"
    erase(gone)
    assert "has 1 erasures" in installation.run("erasures", "save", str(kept)).output
    assert kept.stat().st_mode & 0o777 == 0o600
    lose(installation)

    done = installation.run("restore", str(dump), "--yes")
    assert done.exit_code == 0 and "Erasures since the backup are not known, and not repeated" in done.output
    assert count(town, "accounts") == 1
    assert "has 1 erasures" in installation.run("erasures", "save", str(kept)).output, "the list forgets none"

    done = installation.run("restore", str(dump), "--replace", "--yes", "--erasures", str(kept))
    assert done.exit_code == 0 and "1 of 1 erasures were repeated" in done.output
    assert count(town, "accounts") == 0 and not has_account(gone)


def test_who_has_come_back_since_is_not_erased_again(
    installation: Installation, town: Town, gone: Phone, tmp_path: Path
) -> None:
    kept = tmp_path / "erasures"
    erase(gone)
    assert installation.run("erasures", "save", str(kept)).exit_code == 0
    town.services.clock.advance(minutes=1)  # type: ignore[attr-defined]
    gone.session = None
    gone.become_green()

    done = installation.run("erasures", "repeat", str(kept))

    assert done.exit_code == 0 and "0 of 1 erasures were repeated" in done.output
    assert has_account(gone)


@pytest.mark.slow
def test_a_withdrawn_phone_number_is_deleted_again(installation: Installation, town: Town, gone: Phone) -> None:
    from app.audit import Actor
    from app.privacy.erasure import delete_phone

    dump = installation.backup()
    with town.services.begin() as session:
        delete_phone(session, 1, actor=Actor("wechat"), now=town.services.clock.now())

    installation.restore(dump)

    assert count(town, "citizens where phone_ciphertext is null") == 1 and has_account(gone)


@pytest.mark.slow
def test_a_tie_that_ended_since_the_backup_is_ended_again(
    installation: Installation, town: Town, gone: Phone, tmp_path: Path
) -> None:
    kept, (holder,) = tmp_path / "erasures", town.phones("家人", 1)
    holder.become_green()
    ended, stays = tie(holder, gone), tie(gone, holder)
    dump = installation.backup()
    assert gone.post(f"{FAMILY}/holders/end", {"id": ended}).status_code == 204
    installation.run("erasures", "save", str(kept))

    assert "1 of 1 erasures were repeated" in installation.restore(dump).output

    assert has_account(holder) and has_account(gone), "logged in anew"
    assert (members(holder), [one["id"] for one in members(gone)]) == ([], [stays])
    again = installation.run("erasures", "repeat", str(kept))
    assert "0 of 1 erasures were repeated" in again.output, "what is ended is not ended twice"


def test_a_list_names_nobody_and_another_file_is_neither_believed_nor_replaced(
    installation: Installation, town: Town, gone: Phone, tmp_path: Path
) -> None:
    kept, other = tmp_path / "erasures", tmp_path / "other"
    erase(gone)
    installation.run("erasures", "save", str(kept))
    assert b"erased" not in kept.read_bytes()
    *content, last = kept.read_bytes()
    other.write_bytes(bytes([*content, last ^ 1]))
    for words in (("save",), ("repeat",)):
        refused = installation.run("erasures", *words, str(other))
        assert refused.exit_code == 1 and "is no list of erasures that was made with these keys" in refused.output
    keys = load_keys(installation.settings.keys.directory)
    older = {"format": 2, "made_at": START.isoformat(), "erasures": [[START.isoformat(), "erased", None, [99], None]]}
    other.write_bytes(FieldEncryption(keys).encrypt("backup.erasures", json.dumps(older)))
    assert "0 of 1 erasures were repeated" in installation.run("erasures", "repeat", str(other)).output
    missing = installation.run("erasures", "repeat", str(tmp_path / "none"))
    assert missing.exit_code == 1 and "cannot be read" in missing.output

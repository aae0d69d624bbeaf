"""Encrypted data: which key and column decrypt it, and no personal data is readable in the database or in Redis."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from app.core.encryption import FieldEncryption
from app.core.keys import create_keys, load_keys
from app.runtime import Services
from tests.support.clock import START, StandingClock
from tests.support.people import PASSWORD, Phone, Station
from tests.support.terminal import open_terminal

NAME = "示例欧阳"


@pytest.fixture(scope="module")
def encryptions(tmp_path_factory: pytest.TempPathFactory) -> tuple[FieldEncryption, FieldEncryption]:
    """Two encryptions with different keys."""
    directories = [tmp_path_factory.mktemp("vault") / "keys" for _ in range(2)]
    for directory in directories:
        create_keys(directory, START)
    first, second = (FieldEncryption(load_keys(directory)) for directory in directories)
    return first, second


# --- one value ----------------------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_what_was_encrypted_for_a_column_is_decrypted_there(
    encryptions: tuple[FieldEncryption, FieldEncryption], value: str
) -> None:
    encryption = encryptions[0]
    assert encryption.decrypt("citizens.name", encryption.encrypt("citizens.name", value)) == value


def test_equal_values_are_sealed_differently_and_found_by_the_same_fingerprint(
    encryptions: tuple[FieldEncryption, FieldEncryption],
) -> None:
    encryption = encryptions[0]
    ciphertext = {encryption.encrypt("citizens.name", NAME) for _ in range(50)}
    assert len(ciphertext) == 50
    assert encryption.fingerprint("document:id-card", "229999") == encryption.fingerprint("document:id-card", "229999")
    assert len(encryption.fingerprint("openid", "")) == 32


def test_a_fingerprint_tells_kinds_values_and_keys_apart(encryptions: tuple[FieldEncryption, FieldEncryption]) -> None:
    first, second = encryptions
    prints = [
        first.fingerprint("document:id-card", "12345678"),
        first.fingerprint("document:passport", "12345678"),
        first.fingerprint("document:id-card", "12345679"),
        second.fingerprint("document:id-card", "12345678"),
    ]
    assert len(set(prints)) == 4


def refusal(encryption: FieldEncryption, column: str, ciphertext: bytes) -> str:
    with pytest.raises(ValueError) as refused:
        encryption.decrypt(column, ciphertext)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return str(refused.value)


def test_a_value_moved_to_another_column_is_not_decrypted(encryptions: tuple[FieldEncryption, FieldEncryption]) -> None:
    ciphertext = encryptions[0].encrypt("citizens.name", NAME)
    assert "citizens.phone" in refusal(encryptions[0], "citizens.phone", ciphertext)


def test_with_another_key_a_value_does_not_open_and_the_error_tells_nothing_of_it(
    encryptions: tuple[FieldEncryption, FieldEncryption],
) -> None:
    ciphertext = encryptions[0].encrypt("citizens.name", NAME)
    message = refusal(encryptions[1], "citizens.name", ciphertext)
    assert message == "citizens.name cannot be decrypted with this key"


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_value_with_any_byte_changed_or_missing_is_not_decrypted(
    encryptions: tuple[FieldEncryption, FieldEncryption], place: int, change: int
) -> None:
    ciphertext = bytearray(encryptions[0].encrypt("citizens.name", NAME))
    place %= len(ciphertext)
    refusal(encryptions[0], "citizens.name", bytes(ciphertext[:place]))
    ciphertext[place] ^= change
    assert NAME not in refusal(encryptions[0], "citizens.name", bytes(ciphertext))


def test_a_value_of_a_sealing_key_to_come_says_that_the_key_is_unknown(
    encryptions: tuple[FieldEncryption, FieldEncryption],
) -> None:
    ciphertext = b"\x02" + encryptions[0].encrypt("citizens.name", NAME)[1:]
    assert "unknown key" in refusal(encryptions[0], "citizens.name", ciphertext)


def test_a_ciphertext_does_not_contain_its_text(encryptions: tuple[FieldEncryption, FieldEncryption]) -> None:
    assert NAME.encode() not in encryptions[0].encrypt("citizens.name", NAME)
    assert "229999" not in repr(encryptions[0])


# --- everything that is kept --------------------------------------------------------------------------------------


def database_as_text(services: Services) -> Iterator[str]:
    """Every row of every table; bytes stand there in hex."""
    tables = text("select table_name from information_schema.tables where table_schema = 'public'")
    with services.engine.connect() as connection:
        for table in connection.scalars(tables).all():
            yield from connection.scalars(text(f'select t::text from "{table}" t'))


def redis_as_text(services: Services) -> Iterator[str]:
    """Every key of Redis with all that it holds."""
    redis: Any = services.redis
    read: dict[bytes, Callable[[bytes], Any]] = {
        b"string": redis.get,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
    }
    for key in redis.scan_iter():
        content = read[redis.type(key)](key)
        yield repr(key)
        yield content.decode("utf-8", "backslashreplace") if isinstance(content, bytes) else repr(content)


def spellings(secret: str) -> list[str]:
    """A text as it is, and as it shows in hex, in escaped bytes and in JSON."""
    data = secret.encode()
    return [secret, data.hex(), repr(data)[2:-1], json.dumps(secret)[1:-1]]


def test_after_a_whole_story_nothing_of_a_person_can_be_read_in_the_database_or_in_redis(
    services: Services,
    phone: Callable[..., Phone],
    station: Station,
    clock: StandingClock,
    work: Callable[[], None],
    wechat_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    citizen = phone(NAME)
    officers = open_terminal(services, monkeypatch)
    officers.enter(citizen.document, "contact", exposed_on="2020-03-20")
    citizen.register()
    citizen.subscribe()
    citizen.declare(("cough",))
    work()
    clock.advance(minutes=1)
    station.measure(citizen.code()["token"], 38.5)
    officers.enter(citizen.document, "confirmed")
    work()
    wrong = {"username": citizen.username, "password": "not-her-Password-1"}
    assert citizen.post("/api/v1/accounts/login", wrong).status_code == 401
    token, session = citizen.code()["token"], citizen.session
    assert session is not None
    assert citizen.messages(), "her phone got a message"

    [user] = requests.get(f"{wechat_url}/sandbox/users", timeout=5).json()
    openid = user["openid"]
    secrets = [NAME, citizen.document, "13800000000", openid, PASSWORD, "not-her-Password-1", token, session]
    kept = [*database_as_text(services), *redis_as_text(services)]
    assert any(citizen.username in row for row in kept), "what is looked through is really there"
    for secret in secrets:
        found = [row[:60] for row in kept for spelling in spellings(secret) if spelling.lower() in row.lower()]
        assert found == [], "kept in the clear"


def test_rows_do_not_show_that_two_people_have_the_same_name_or_phone(
    services: Services, phone: Callable[..., Phone]
) -> None:
    for citizen in (phone("示例甲"), phone("示例乙")):
        citizen.log_in_with_wechat()
        answer = citizen.post("/api/v1/accounts", {**citizen.registration(), "name": NAME})
        assert answer.status_code == 201
    with services.engine.connect() as connection:
        rows = connection.execute(text("select name_ciphertext, phone_ciphertext from citizens")).all()
    assert len({bytes(row.name_ciphertext) for row in rows}) == len({bytes(row.phone_ciphertext) for row in rows}) == 2


def test_another_key_directory_decrypts_nothing(services: Services, tmp_path: Path) -> None:
    create_keys(tmp_path / "keys", START)
    stranger = FieldEncryption(load_keys(tmp_path / "keys"))
    with pytest.raises(ValueError, match="cannot be decrypted"):
        stranger.decrypt("citizens.name", services.encryption.encrypt("citizens.name", NAME))

"""Checkpoints: signed when a day is over in Beijing, stored with their key, and published to everybody."""

import base64
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import base45
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask.testing import FlaskClient
from sqlalchemy import text

from app.audit import checkpoints
from app.audit.chain import ChainEnd
from app.audit.checkpoints import Checkpoint, CheckpointSigner
from app.audit.sealing import seal_all
from app.codes.tokens import PREFIX, TokenRefused, verify
from app.core.keys import create_keys, load_keys, rotate
from app.runtime import Services
from tests.support.chain import append_events, find_discrepancies, make_chain, stored_checkpoints, stored_events
from tests.support.clock import START, StandingClock


def published(client: FlaskClient) -> list[dict[str, Any]]:
    answer = client.get("/.well-known/jixiang-audit")
    assert answer.status_code == 200
    told: list[dict[str, Any]] = answer.json["heads"]  # type: ignore[index]
    return told


def test_the_head_is_signed_when_the_day_is_over_in_beijing(services: Services, clock: StandingClock) -> None:
    make_chain(services, 3)
    clock.advance_to("2020-03-20 23:59")
    seal_all(services)
    assert stored_checkpoints(services) == []
    clock.advance_to("2020-03-21 00:00")
    seal_all(services)
    [head] = stored_checkpoints(services)
    assert (head.day, head.entries, head.hash) == (date(2020, 3, 20), 3, stored_events(services)[-1].hash)


def test_a_day_has_one_head_and_a_day_without_entries_the_same_chain(services: Services, clock: StandingClock) -> None:
    make_chain(services, 3)
    for _ in range(3):
        clock.advance(days=1)
        seal_all(services)
        seal_all(services)
    assert [(head.day.day, head.entries) for head in stored_checkpoints(services)] == [(20, 3), (21, 3), (22, 3)]
    assert find_discrepancies(services) == []


def test_before_the_first_entry_there_is_no_head(services: Services, clock: StandingClock) -> None:
    seal_all(services)
    clock.advance(days=1)
    seal_all(services)
    make_chain(services, 1)
    assert stored_checkpoints(services) == []


def test_what_waits_at_midnight_is_in_the_head(services: Services, clock: StandingClock) -> None:
    append_events(services, 5)
    clock.advance(days=1)
    assert seal_all(services) == 5
    assert [head.entries for head in stored_checkpoints(services)] == [5]


def test_a_head_is_published_so_that_anybody_can_check_it(
    services: Services, client: FlaskClient, clock: StandingClock
) -> None:
    make_chain(services, 3)
    clock.advance(days=1)
    seal_all(services)
    [told] = published(client)
    assert (told["day"], told["entries"], told["hash"]) == ("2020-03-20", 3, stored_events(services)[-1].hash.hex())  # type: ignore[union-attr]
    [key] = client.get("/.well-known/jixiang-keys").json["keys"]  # type: ignore[index]
    assert (told["kid"], told["key"]) == (key["kid"], key["x"])
    signed = f"jixiang-audit-head-v1\n{told['day']}\n{told['entries']}\n{told['hash']}\n".encode()
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(told["key"] + "="))
    public.verify(base64.urlsafe_b64decode(told["signature"] + "=="), signed)
    with pytest.raises(InvalidSignature):
        public.verify(base64.urlsafe_b64decode(told["signature"] + "=="), signed + b"x")


def test_the_last_ninety_days_are_published_and_the_others_kept(
    services: Services, client: FlaskClient, clock: StandingClock
) -> None:
    make_chain(services, 1)
    for _ in range(100):
        clock.advance(days=1)
        seal_all(services)
    days = [told["day"] for told in published(client)]
    assert len(days) == 90
    assert days == sorted(days, reverse=True)
    assert days[0] == (clock.now() - timedelta(days=1)).date().isoformat()
    assert len(stored_checkpoints(services)) == 100


def test_what_is_published_can_be_read_back(services: Services, client: FlaskClient, clock: StandingClock) -> None:
    make_chain(services, 1)
    clock.advance(days=1)
    seal_all(services)
    document = client.get("/.well-known/jixiang-audit").json
    assert checkpoints.parse_checkpoints(document) == stored_checkpoints(services)  # type: ignore[arg-type]


def test_nothing_in_it_is_about_a_person(services: Services, client: FlaskClient, clock: StandingClock) -> None:
    make_chain(services, 1)
    clock.advance(days=1)
    seal_all(services)
    assert [set(told) for told in published(client)] == [{"day", "entries", "hash", "kid", "key", "signature"}]


# --- keys ---------------------------------------------------------------------------------------------------------


def test_a_head_signed_by_a_key_that_has_retired_stays_right(
    services: Services, client: FlaskClient, clock: StandingClock, tmp_path: Path
) -> None:
    create_keys(tmp_path / "keys", START)
    rotate(tmp_path / "keys", START + timedelta(days=1))
    both = replace(services, checkpoint_signer=CheckpointSigner(load_keys(tmp_path / "keys")))
    make_chain(both, 1)
    for _ in range(3):
        clock.advance(days=1)
        clock.advance(seconds=1)
        seal_all(both)
    kids = [head.kid for head in stored_checkpoints(both)]
    old, new = (key.kid for key in load_keys(tmp_path / "keys").signing)
    assert kids == [new] * 3 and old != new
    assert find_discrepancies(both) == []


def test_the_key_in_force_at_the_moment_signs(tmp_path: Path) -> None:
    create_keys(tmp_path / "keys", START)
    rotate(tmp_path / "keys", START + timedelta(days=2))
    old, new = load_keys(tmp_path / "keys").signing
    keys = CheckpointSigner(load_keys(tmp_path / "keys"))
    end = ChainEnd(1, bytes(32))
    heads_ = [keys.sign(START.date(), end, START + timedelta(days=days)) for days in (1, 2)]
    assert [head.kid for head in heads_] == [old.kid, new.kid]
    assert [keys.signature_fault(head) for head in heads_] == [None, None]


def test_a_head_is_no_token_and_a_token_no_head(services: Services) -> None:
    from app.codes.states import State

    head = services.checkpoint_signer.sign(START.date(), ChainEnd(1, bytes(32)), START)
    token = services.tokens.mint(1, State.GREEN, START)
    with pytest.raises(TokenRefused):
        services.tokens.read("JX1:" + base64.b32encode(head.signature).decode(), START)
    with pytest.raises(TokenRefused):  # the signature of a head in the place of a token's own
        _verify_with(services, token, head)
    signed = f"jixiang-audit-head-v1\n{START.date()}\n1\n{bytes(32).hex()}\n".encode()
    Ed25519PublicKey.from_public_bytes(head.public_key).verify(head.signature, signed)
    assert signed[0] != 0x84, "the first byte of what a token signs"


def _verify_with(services: Services, token: str, head: Checkpoint) -> None:
    data = base45.b45decode(token.removeprefix(PREFIX))
    forged = PREFIX + base45.b45encode(data[:75] + head.signature).decode()
    verify(forged, services.tokens.key_set(START), START, timedelta(0))


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_checkpoints set entries = 2",
        "delete from audit_checkpoints",
        "update audit_checkpoints set day = day - 1",
    ],
)
def test_a_mistake_of_ours_changes_and_removes_no_head(
    services: Services, clock: StandingClock, statement: str
) -> None:
    from sqlalchemy.exc import DBAPIError

    make_chain(services, 1)
    clock.advance(days=1)
    seal_all(services)
    with pytest.raises(DBAPIError, match="append only"), services.engine.begin() as connection:
        connection.execute(text(statement))
